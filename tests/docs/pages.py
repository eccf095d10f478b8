"""The pages of docs/ as data: their fenced blocks and links."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)]+)\)")


@dataclass(frozen=True)
class Page:
    """One page."""

    name: str
    text: str

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.MULTILINE | re.DOTALL)

    @property
    def links(self) -> list[str]:
        """Targets of links and pictures that are not on other hosts."""
        return [link for link in _LINK.findall(self.prose) if "://" not in link]

    @property
    def anchors(self) -> set[str]:
        """Ids of the headings, made as Python-Markdown makes them."""
        words = (re.sub(r"[^\w\s-]", "", title).strip().lower()
                 for title in _HEADING.findall(self.prose))  # fmt: skip
        return {re.sub(r"[-\s]+", "-", title) for title in words}

    def blocks(self, language: str) -> list[str]:
        """Fenced blocks of a language, in their order."""
        return [body for name, body in _BLOCK.findall(self.text) if name == language]


PAGES = {
    path.name: Page(path.name, path.read_text(encoding="utf-8"))
    for path in sorted(DOCS.glob("*.md"))
    if not path.name.endswith(".head.md")
}


def script(name: str) -> ModuleType:
    """Import one of the scripts of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def snippets(language: str) -> list[tuple[str, str]]:
    """Return (page, block) of every block of a language."""
    return [(page.name, block) for page in PAGES.values() for block in page.blocks(language)]
