"""The cells of the pages on Python: run in their order, they print what stands below them."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from .pages import DOCS

PAGES = [
    "in-python.md",
    "how-to/no-time.md",
    "from-evidently.md",
    "from-nannyml.md",
    "from-alibi-detect-and-river.md",
]
_CELL = re.compile(r"^```python\n(.*?)^```\n+(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
PEER = "# with "


def printed(page: str) -> list[tuple[str, str, str]]:
    """Run a page's own cells; return each with what stands below it and what it prints."""
    names: dict[str, object] = {}
    found = []
    for code, shown in _CELL.findall((DOCS / page).read_text(encoding="utf-8")):
        if code.startswith(PEER):
            continue
        out = StringIO()
        with redirect_stdout(out):
            exec(compile(code, page, "exec"), names)
        lines = [line.rstrip() for line in out.getvalue().splitlines()]
        found.append((code, shown, "".join(f"{line}\n" for line in lines)))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_cells_print_what_stands_below_them(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for code, shown, out in printed(page):
        assert out == shown, code
