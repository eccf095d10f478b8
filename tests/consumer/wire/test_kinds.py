"""The table of the kinds of alerts is whole, and what users read lists all of it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from driftline.consumer.wire.kinds import DRIFT, KINDS, ON_THE_WHOLE_MODEL, Kind

SUBSCRIBING = Path(__file__).parents[3] / "docs" / "subscribing.md"


def test_every_kind_stands_in_the_table() -> None:
    assert tuple(KINDS) == get_args(Kind)


def test_what_a_kind_speaks_of() -> None:
    assert {"labels", "stale", "data_loss"} == ON_THE_WHOLE_MODEL
    assert {"feature_drift", "prediction_drift"} == DRIFT


def test_names_elsewhere_are_distinct() -> None:
    assert len({kind.alertname for kind in KINDS.values()}) == len(KINDS)
    assert {name for name, kind in KINDS.items() if kind.over} == {
        name for name, kind in KINDS.items() if kind.about == "run"
    }


def test_the_page_for_subscribers_lists_them() -> None:
    row = next(
        line
        for line in SUBSCRIBING.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `kind` |")
    )
    places = [row.find(f"`{name}`") for name in KINDS]
    assert -1 not in places
    assert places == sorted(places)
