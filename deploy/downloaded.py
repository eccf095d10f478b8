"""Say how much an installation downloaded, from what pip printed: `downloaded.py FILE`."""
# ruff: noqa: INP001 (a program, no package)

from __future__ import annotations

import re
import sys
from pathlib import Path

_FILE = re.compile(
    r"^ *(Downloading|Using cached) \S+(?: \(([0-9.]+) (bytes|kB|MB)\))?$", re.MULTILINE
)
_BYTES = {"bytes": 1, "kB": 1_000, "MB": 1_000_000}


def sentence(printed: str) -> str:
    r"""Return what was downloaded, and what was not because pip's cache had it.

    Args:
        printed: the standard output of `pip install`, not quiet, without progress bars.

    >>> sentence("  Downloading numpy-2.3.5.whl (16.9 MB)\n  Using cached pydantic.whl (2.1 MB)")
    "17 MB downloaded, 2.1 MB from pip's cache"
    >>> sentence("Requirement already satisfied: numpy in .venv")
    '0 MB downloaded'
    """
    sizes = {"Downloading": 0.0, "Using cached": 0.0}
    unknown = 0
    for how, number, unit in _FILE.findall(printed):
        if number:
            sizes[how] += float(number) * _BYTES[unit]
        elif how == "Downloading":
            unknown += 1
    said = f"{_megabytes(sizes['Downloading'])} downloaded"
    if unknown:
        said += f" and {unknown} file{'' if unknown == 1 else 's'} of unknown size"
    if sizes["Using cached"]:
        said += f", {_megabytes(sizes['Using cached'])} from pip's cache"
    return said


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.{1 if 0 < size < 1e7 else 0}f} MB"


if __name__ == "__main__":
    sys.stdout.write(f"installation: {sentence(Path(sys.argv[1]).read_text('utf-8'))}\n")
