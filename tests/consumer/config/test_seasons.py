"""`seasons`: whose clocks tell the hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.consumer.config.conftest import Problems, Read

TEXT = """\
kafka: {bootstrap_servers: localhost:9092}
sources: {t: {timezone: Europe/Berlin}}
models:
  m: {predictions: t, reference: r.json, %s}
"""


@pytest.mark.parametrize(
    ("seasons", "zone"),
    [
        ("", "Europe/Berlin"),
        ("seasons: {}", "Europe/Berlin"),
        ("seasons: {timezone: '-05:00'}", "-05:00"),
        ("seasons: off", None),
    ],
)
def test_the_clocks_are_those_of_the_predictions(
    read: Read, seasons: str, zone: str | None
) -> None:
    assert read(TEXT % seasons).config.models["m"].zone == zone


@pytest.mark.parametrize(
    ("seasons", "message"),
    [
        ("seasons: on", "seasons: must be a map"),
        ("seasons: {zone: UTC}", "seasons.zone: unknown key, did you mean timezone?"),
        (
            "seasons: {timezone: Berlin}",
            "seasons.timezone: there is no time zone 'Berlin', did you mean Europe/Berlin?, or an"
            " offset such as +02:00",
        ),
    ],
)
def test_slips_are_named(problems: Problems, seasons: str, message: str) -> None:
    assert problems(TEXT % seasons) == [f"driftline.yaml:4: models.m.{message}"]
