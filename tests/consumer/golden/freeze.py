"""Freeze the bytes of what Driftline makes: `.venv/bin/python -m tests.consumer.golden.freeze`.

It writes `tests/data/golden.json` and the screens in `tests/data/golden` anew; the difference is
what a change did. To see where two versions differ, run it with `--only build/before` and then with
`--only build/after`, which leaves what is frozen alone and writes all lines there, and compare both
with `diff -r`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tests.consumer.golden.everything import every_figure
from tests.consumer.golden.outputs import FROZEN, SCREENS, Outputs, summary, write
from tests.consumer.golden.random_runs import random_runs
from tests.consumer.golden.screens import screens

READABLE = 60_000  # characters of a screen that is kept as text


def all_outputs(folder: Path) -> Outputs:
    """Everything that is frozen; `folder`: empty, to work in."""
    return random_runs() | every_figure() | screens(folder)


def readable(outputs: Outputs) -> Outputs:
    """The screens that are small enough to be kept as text."""
    return {
        name.removeprefix("screens/"): lines
        for name, lines in outputs.items()
        if name.startswith("screens/") and sum(map(len, lines)) <= READABLE
    }


def freeze() -> None:
    """Write what is frozen anew, or all lines to a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", type=Path, help="write all lines to this folder, freeze nothing")
    only: Path | None = parser.parse_args().only
    with tempfile.TemporaryDirectory() as folder:
        outputs = all_outputs(Path(folder))
    if only is not None:
        write(outputs, only)
        return
    found = {name: summary(outputs[name]) for name in sorted(outputs)}
    FROZEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    write(readable(outputs), SCREENS)


if __name__ == "__main__":
    freeze()
