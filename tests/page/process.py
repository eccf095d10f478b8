"""Verbs of the command line that serve the page, as processes."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DRIFTLINE = str(Path(sys.executable).with_name("driftline"))


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """Run a verb until the block ends; yield the address of its page."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [DRIFTLINE, *arguments], stdout=pipe, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            if found := re.search(r"http://\S+:\d+", line):
                break
        else:
            raise AssertionError("".join(printed))
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        try:
            yield found[0]
        finally:
            process.terminate()
            process.wait(30)
            drain.join(30)
