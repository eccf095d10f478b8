"""The generated pages are what the code says today, and the picture is of today's demo."""

from __future__ import annotations

import re

import pytest

from driftline.consumer.config import schema

from .pages import DOCS, PAGES, script

generate = script("generate")


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    written = (DOCS / name).read_text("utf-8")
    assert written == generate.PAGES[name](), "run  python docs/generate.py"


def test_a_key_without_a_sentence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = schema()
    changed["$defs"]["HttpConfig"]["properties"]["path"] = {"type": "string"}
    monkeypatch.setattr(generate, "schema", lambda: changed)
    with pytest.raises(ValueError, match=r"differ in \['http\.path'\]"):
        generate.configuration()


def test_every_key_of_the_schema_is_on_the_page() -> None:
    text = PAGES["configuration.md"].text
    for section in (schema(), *schema()["$defs"].values()):
        for key in section["properties"]:
            assert re.search(rf"`(?:[^`]*\.)?{key}[.`]", text), key


def test_the_picture_is_of_the_demo_as_it_is() -> None:
    picture = (DOCS / "demo.svg").read_text(encoding="utf-8")
    assert picture == script("picture").draw(), "run  make picture"
    assert len(picture.encode()) < 60_000
    assert "url(http" not in picture  # whoever looks at it tells nobody
