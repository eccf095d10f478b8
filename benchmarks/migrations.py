"""The cells of other libraries on the pages about moving from them, run in their environments.

    python -m benchmarks.migrations [LIBRARY ...]

Makes an environment for each from `requirements-<library>.txt`, runs the page's data and the
library's cell in it, and prints what it prints. Fails where a cell does.
"""

from __future__ import annotations

import re
import subprocess
import sys

from benchmarks.environments import ROOT, python

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


if __name__ == "__main__":
    for name in sys.argv[1:] or PAGES:
        print(f"== {name}", flush=True)
        subprocess.run([str(python(name)), "-W", "ignore", "-c", cells(name)], check=True)
