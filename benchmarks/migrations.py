"""The cells of other libraries on the pages about moving from them, run in their environments.

    python -m benchmarks.migrations [LIBRARY ...]

Makes an environment for each from `requirements-<library>.txt`, runs the page's data and the
library's cell in it, and prints what it prints. Fails where a cell does.
"""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = {
    "evidently": "from-evidently.md",
    "nannyml": "from-nannyml.md",
    "alibi-detect": "from-alibi-detect-and-river.md",
    "river": "from-alibi-detect-and-river.md",
}
_CELL = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def cells(library: str) -> str:
    """Return the page's data and the library's own cell."""
    text = (ROOT / "docs" / PAGES[library]).read_text(encoding="utf-8")
    first, *others = _CELL.findall(text)
    (own,) = (cell for cell in others if cell.startswith(f"# with {library}\n"))
    return f"{first}{own}"


def python(library: str) -> Path:
    """Return the interpreter of a library's environment, made if it is not there."""
    folder = ROOT / "build" / f"peer-{library}"
    found = folder / "bin" / "python"
    if not found.exists():
        venv.create(folder, with_pip=True)
        pins = ROOT / "benchmarks" / f"requirements-{library}.txt"
        command = [str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--require-hashes", "-r", str(pins)], check=True)
    return found


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        print(f"== {name}", flush=True)
        subprocess.run([str(python(name)), "-W", "ignore", "-c", cells(name)], check=True)
