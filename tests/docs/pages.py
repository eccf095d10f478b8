"""The pages as data: README, the packages' own, and docs/; their fenced blocks and links."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from types import ModuleType

import yaml

from driftline.consumer.config import Config

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLE = (ROOT / "examples" / "fastapi_app.py").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
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
        return _BLOCK.sub("", self.text)

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

    @property
    def languages(self) -> set[str]:
        """What the fenced blocks are written in; empty for none."""
        return {name for _, name, _ in _BLOCK.findall(self.text)}

    def blocks(self, language: str) -> list[str]:
        """Fenced blocks of a language, in their order, without their indentation."""
        return [
            "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))
            for indent, name, body in _BLOCK.findall(self.text)
            if name == language
        ]


def _read(path: Path, name: str) -> Page:
    return Page(name, path.read_text(encoding="utf-8"))


README = _read(ROOT / "README.md", "README.md")
PAGES = {
    name: _read(path, name)
    for path in sorted(DOCS.rglob("*.md"))
    if not (name := path.relative_to(DOCS).as_posix()).endswith(".head.md")
}
EVERY = {
    README.name: README,
    **{name: _read(ROOT / name, name) for name in ("detectors/README.md", "producer/README.md")},
    **PAGES,
}


def sections(page: Page) -> dict[str, Page]:
    """Return the parts of a page by their headings of the second level."""
    parts = re.split(r"^## ", page.text, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: Page(page.name, part) for part in parts}


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
    return [(page.name, block) for page in EVERY.values() for block in page.blocks(language)]


def whole(text: str) -> str:
    """Return a configuration that holds a snippet: itself, or a file or a model with its keys.

    >>> yaml.safe_load(whole("min_effect: 0.1"))["models"]
    {'m': {'min_effect': 0.1}}
    """
    keys = set(yaml.safe_load(text))
    if not keys & set(Config.model_fields):
        text, keys = "models:\n  m:\n" + indent(text, 4 * " "), {"models"}
    missing = {
        "kafka": "{bootstrap_servers: localhost:9092}",
        "models": "{m: {}}",
        "defaults": "{predictions: m.predictions, reference: references/m.json.gz}",
    }
    return text + "".join(f"\n{key}: {missing[key]}" for key in missing if key not in keys)
