"""The page's static files inside one document, which a browser opens without any network.

A module cannot be read from a file beside the document, so each stands in the import map as a
`data:` URL, under the name by which the others import it; the page's modules name each other by
the import map of its `index.html` alone. A policy in the document forbids every other source, so
that whatever the data says nothing can be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

STATIC = Path(__file__).resolve().parent.parent / "ui" / "static"

_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)
_IMPORT = re.compile(
    r'(?:^|[;}])\s*(?:import|export)\b(?:[^"\';()]*?\bfrom)?\s*"([^"]+)"', re.MULTILINE
)
_KEPT = "".join(map(chr, range(0x20, 0x7F))).replace("%", "").replace("#", "")
_UNSAFE = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def modules(entry: str, static: Path = STATIC) -> dict[str, str]:
    """Return the modules that one needs, itself among them: the name of each to its text.

    Args:
        entry: by its name in the import map of `index.html`.
        static: where the files are.

    Raises:
        ValueError: a module imports what the import map does not name.

    Example:
        >>> sorted(modules("driftline/format.js"))
        ['driftline/dom.js', 'driftline/format.js', 'htm', 'preact', 'preact/hooks']
    """
    index = (static / "index.html").read_text(encoding="utf-8")
    found = _MAP.search(index)
    imports: dict[str, str] = {} if found is None else json.loads(found[1])["imports"]
    texts: dict[str, str] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in texts:
            texts[name] = (static / _file(name, imports)).read_text(encoding="utf-8")
            waiting += _IMPORT.findall(texts[name])
    return dict(sorted(texts.items()))


def script_safe(text: str) -> str:
    r"""Return JSON that means the same and cannot end the script element it stands in.

    >>> print(script_safe('["</script>"]'))
    ["\u003c/script\u003e"]
    """
    return text.translate(_UNSAFE)


def document(title: str, body: str, data: str, entry: str, styles: Sequence[str]) -> str:
    """Return a document.

    Args:
        title: as text.
        body: HTML that is there with and without scripts.
        data: JSON, which the modules find in the element `data`.
        entry: the module that is run.
        styles: the style sheets, by their names among the static files.
    """
    style = "\n".join(map(_read, styles))
    urls = {name: _data_url(text) for name, text in modules(entry).items()}
    imports = script_safe(json.dumps({"imports": urls}, ensure_ascii=False))
    start = f"import {json.dumps(entry)};"
    if "</style" in style.lower():
        raise ValueError("</style in a style sheet")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src data: {' '.join(map(_hash, (imports, start)))}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        f"{_head(title, policy, style)}\n<body>\n{body}\n"
        f'<script type="application/json" id="data">{script_safe(data)}</script>\n'
        f'<script type="importmap">{imports}</script>\n'
        f'<script type="module">{start}</script>\n</body>\n</html>\n'
    )


def plain_document(title: str, body: str, styles: Sequence[str]) -> str:
    """Return a document without scripts; see `document`."""
    style = "\n".join(map(_read, styles))
    policy = f"default-src 'none'; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    return (
        f'{_head(title, policy, style)}\n<body>\n<main id="main">{body}</main>\n</body>\n</html>\n'
    )


def _head(title: str, policy: str, style: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>"
    )


def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _file(name: str, imports: dict[str, str]) -> str:
    """Return the file of a name."""
    for known, path in imports.items():
        if name == known or (known.endswith("/") and name.startswith(known)):
            return (path + name[len(known) :]).removeprefix("./static/")
    raise ValueError(f"{name}: the import map of index.html does not name it")


def _data_url(text: str) -> str:
    return "data:text/javascript;charset=utf-8," + quote(text, safe=_KEPT)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
