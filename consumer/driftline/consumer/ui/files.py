"""The files of the page: read once, served from memory, and what a browser may run of them."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path

from driftline.consumer.ui.body import Body

FOLDER = Path(__file__).parent / "static"
_TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".LICENSE": "text/plain"}
_TEXT = ("text/", "image/svg", "application/json")
_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.+?)</script>", re.DOTALL)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every answer has."""


class PageFiles:
    """`index.html` and what it loads.

    Args:
        folder: where they are.

    Attributes:
        index: the page itself.
        policy: what a browser may load and run in it: what is served here, and the scripts that
            stand in it, such as the map of imports, by their hashes.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        index = (folder / "index.html").read_bytes()
        self.policy = content_policy(index)
        self.index = Body(
            index, "text/html; charset=utf-8", {"Content-Security-Policy": self.policy}
        )
        self._files = dict(_bodies(folder))

    def get(self, name: str) -> Body | None:
        """Return a file by its path below the folder."""
        return self._files.get(name)


def content_policy(page: bytes) -> str:
    """Return the content security policy of a page.

    Example:
        >>> content_policy(b"<script>let x = 1</script>").split("; ")[1]
        "script-src 'self' 'sha256-+9RIDzvx0TGl4PMcwUdjIf3oi5QYiuHS1C+f52uNBBc='"
    """
    hashes = (
        f" 'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"
        for script in _INLINE.findall(page)
    )
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self'{''.join(hashes)}",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def _bodies(folder: Path) -> Iterator[tuple[str, Body]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "index.html":
            kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
            kind = kind or "application/octet-stream"
            text = kind.startswith(_TEXT)
            charset = "; charset=utf-8" if kind.startswith("text/") else ""
            yield (
                path.relative_to(folder).as_posix(),
                Body(path.read_bytes(), kind + charset, compressible=text),
            )
