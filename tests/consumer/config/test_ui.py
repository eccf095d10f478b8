"""`ui`: the page's address, and what alerts have of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.consumer.config.test_defaults import KAFKA, MODEL

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Problems, Read

HEAD = KAFKA + MODEL % ""


def test_every_model_knows_the_page(read: Read) -> None:
    config = read(f"{HEAD}ui: {{url: 'https://drift.example:9/', windows: 50}}\n").config
    assert config.ui.url == config.models["m"].page == "https://drift.example:9"
    assert config.ui.windows == 50


def test_workers_are_one_or_many(read: Read) -> None:
    for written in ("http://a:1/", "[http://a:1]"):
        config = read(f"{HEAD}ui: {{workers: {written}}}\n").config
        assert config.ui.workers == ("http://a:1",)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("url: drift", "url: not a URL, write for example https://drift.example"),
        (
            "url: 'https://x.example/page'",
            "url: the page stands at the root of its host: write https://host:port",
        ),
        (
            "workers: driftline:9108",
            "workers: not a URL, write for example http://driftline:9108",
        ),
    ],
)
def test_what_is_no_address_is_refused(problems: Problems, written: str, problem: str) -> None:
    assert problems(f"{HEAD}ui: {{{written}}}\n") == [f"driftline.yaml:3: ui.{problem}"]
