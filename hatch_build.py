"""The long description of the package: README.md, with links that work outside the repository.

A package index shows the text without the repository around it. Once `project.urls` in
pyproject.toml has a `Source`, links and pictures lead to the files of the released version there.
Until then a link to a file of the repository is its text, and a picture is left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_BLOCK = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def outside(text: str, source: str | None, version: str) -> str:
    """Return Markdown in which no link is relative to the repository.

    Args:
        text: Markdown; its fenced blocks stay as they are.
        source: where the repository is, None where that is not known.
        version: of the release, whose tag is `v` and the version.
    """

    def link(found: re.Match[str]) -> str:
        picture, label, target = found.groups()
        if re.match(r"https?://", target):
            return found[0]
        if source is None:
            return "" if picture else label
        if target.startswith("#"):
            target = f"README.md{target}"
        kind = "raw" if picture else "blob"
        return f"{picture}[{label}]({source.rstrip('/')}/{kind}/v{version}/{target})"

    parts = _BLOCK.split(text)
    parts[::2] = [_LINK.sub(link, part) for part in parts[::2]]
    return "".join(parts)


class LongDescription(MetadataHookInterface):
    """Gives hatchling the field `readme`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `readme` from README.md."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        source = metadata.get("urls", {}).get("Source")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": outside(text, source, metadata["version"]),
        }
