"""A Python that has Driftline, kafka-python and msgspec, as on a model server, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_BLOCK = """
import sys

HAS = {"driftline", "kafka", "msgspec"} | sys.stdlib_module_names


class Nothing:
    def find_spec(self, name, path=None, target=None):
        # `zoneinfo` looks up where zones are in a module whose name is that of the platform.
        if name.split(".")[0] not in HAS and not name.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Nothing())
"""


def run_alone(program: str, folder: Path) -> str:
    """Run a program in `folder` and return what it prints."""
    ran = subprocess.run(
        [sys.executable, "-c", _BLOCK + program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
