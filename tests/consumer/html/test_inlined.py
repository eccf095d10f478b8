"""Static files inside one document."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from driftline.consumer.html.inlined import document, modules, script_safe

STYLES = ("app.css",)


class Elements(html.parser.HTMLParser):
    """The elements of a document: each name with its attributes and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = []
        self.found.append((tag, dict(attrs), self._inside))

    def handle_endtag(self, tag: str) -> None:
        self._inside = []

    def handle_data(self, data: str) -> None:
        self._inside.append(data)

    def scripts(self) -> list[tuple[str | None, str]]:
        """The type of each script, and its text."""
        return [
            (attrs.get("type"), "".join(text)) for tag, attrs, text in self.found if tag == "script"
        ]


def policy_of(text: str) -> dict[str, str]:
    (content,) = [
        attrs["content"] or ""
        for tag, attrs, _ in Elements(text).found
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    return dict(part.split(" ", 1) for part in content.split("; "))


def test_every_module_that_is_imported_is_in_the_map_as_it_stands_on_disk() -> None:
    text = document("a", "", "{}", "driftline/report.js", STYLES)
    (imports,) = [
        json.loads(script)["imports"]
        for kind, script in Elements(text).scripts()
        if kind == "importmap"
    ]
    for name, url in imports.items():
        assert url.startswith("data:text/javascript;charset=utf-8,")
        inlined = unquote(url.partition(",")[2])
        assert inlined == modules("driftline/report.js")[name]
        for wanted in re.findall(r'^(?:import|export)\b[^;(]*?\bfrom *"([^"]+)"', inlined, re.M):
            assert wanted in imports
    assert imports.keys() >= {"preact", "htm", "driftline/views/feature.js"}
    assert "driftline/app.js" not in imports  # only what the report needs


def test_the_policy_names_every_script_and_style_by_its_hash_and_nothing_else() -> None:
    text = document("a", "<p>b</p>", '"</script>"', "driftline/format.js", STYLES)
    policy = policy_of(text)
    assert policy["default-src"] == "'none'"
    run = [script for kind, script in Elements(text).scripts() if kind != "application/json"]
    hashes = {
        f"'sha256-{base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()}'"
        for each in run
    }
    assert {*policy["script-src"].split()} == {"data:", *hashes}
    assert not any({"src", "href"} & attrs.keys() for _, attrs, _ in Elements(text).found)


def test_data_comes_back_whatever_is_in_it() -> None:
    data = json.dumps(
        ["</script><script>alert(1)</script>", "<!--", "\u2028", "\u202e", "&amp;", '"']
    )
    text = document("t", "", data, "driftline/format.js", STYLES)
    (found,) = [script for kind, script in Elements(text).scripts() if kind == "application/json"]
    assert json.loads(found) == json.loads(data)
    assert not {"<", ">", "&", "\u2028"} & {*script_safe(data)}
    assert len(Elements(text).scripts()) == 3


def test_a_title_is_text() -> None:
    text = document("</title><b>", "", "{}", "driftline/format.js", STYLES)
    assert "<title>&lt;/title&gt;&lt;b&gt;</title>" in text


def test_a_module_that_the_import_map_does_not_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<script type="importmap">{"imports": {"driftline/": "./static/"}}</script>'
    )
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\n')
    with pytest.raises(ValueError, match=r"\./b\.js: the import map of index\.html"):
        modules("driftline/a.js", tmp_path)


def test_what_would_end_its_element_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_text

    def styled(path: Path, encoding: str | None = None) -> str:
        return "p::after { content: '</style>' }" if path.suffix == ".css" else read(path, encoding)

    monkeypatch.setattr(Path, "read_text", styled)
    with pytest.raises(ValueError, match="</style"):
        document("a", "", "{}", "driftline/format.js", STYLES)
