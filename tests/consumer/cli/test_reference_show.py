"""`driftline reference show` and `reference diff`: what references hold, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.detectors import FeatureColumn, build_reference
from driftline.detectors.reference import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

SHOWN = """\
reference {id}, layout {layout}: model m, 400 events, 2 features

feature                   type         distinct  missing    phi  normally
age                       numeric            50    2.5 %      -  25 (5 to 45)
plan                      categorical         4    0.0 %      -  \
free 40.0 %, paid 30.0 %, trial 20.0 %, ...

segments of channel: web 240, app 160, __other__ 0
no times: how much panes vary is learnt from the stream
"""
DIFFERENT = """\
a.json: reference {a}, layout {layout_a}, model m, 400 events
b.json: reference {b}, layout {layout_b}, model m, 400 events

other layouts: windows over both are insufficient while one follows the other
features of b.json alone: km
segments of a.json alone: channel=__other__, channel=app, channel=web

feature                   type              psi  missing            differs
age                       categorical         -  2.5 % -> 0.0 %     was numeric
plan                      categorical    3.0619  0.0 % -> 0.0 %     new: team; gone: odd, trial
"""


def written(name: str, reference: Reference) -> Reference:
    Path(name).write_bytes(reference.to_json())
    return reference


@pytest.fixture
def both(driftline: Driftline) -> tuple[Reference, Reference]:
    """Two references of a folder: a.json and b.json."""
    ages = np.arange(400.0) % 50
    ages[:10] = np.nan
    plans = (["free"] * 4 + ["paid"] * 3 + ["trial"] * 2 + ["odd"]) * 40
    now = (["free"] * 4 + ["paid"] * 3 + ["team"] * 3) * 40
    one = {
        "age": FeatureColumn("numeric", ages),
        "plan": FeatureColumn("categorical", plans),
    }
    two = {
        "age": FeatureColumn("categorical", ["old", "new"] * 200),
        "km": FeatureColumn("numeric", ages),
        "plan": FeatureColumn("categorical", now),
    }
    tags = {"channel": ["web", "web", "web", "app", "app"] * 80}
    return (
        written("a.json", build_reference("m", one, segments=tags)),
        written("b.json", build_reference("m", two)),
    )


def test_what_is_shown(driftline: Driftline, both: tuple[Reference, Reference]) -> None:
    ran = driftline("reference", "show", "a.json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == SHOWN.format(id=both[0].id, layout=both[0].layout_id)
    document = json.loads(driftline("reference", "show", "a.json", "--json").out)
    assert (document["reference"], document["layout"]) == (both[0].id, both[0].layout_id)
    age, plan = document["features"]
    assert (age["values"], age["missing"], age["quantiles"]) == (50, 0.025, [5, 25, 45])
    assert dict(zip(plan["categories"], plan["counts"], strict=True)) == {
        "free": 160, "odd": 40, "paid": 120, "trial": 80,
    }  # fmt: skip
    assert document["segments"] == {"channel": {"web": 240, "app": 160, "__other__": 0}}
    assert (document["dispersion"], document["seasons"], document["performance"]) == (None,) * 3


def test_what_differs(driftline: Driftline, both: tuple[Reference, Reference]) -> None:
    a, b = both
    ran = driftline("reference", "diff", "a.json", "b.json")
    assert (ran.code, ran.err) == (0, "")
    ids = {"a": a.id, "b": b.id, "layout_a": a.layout_id, "layout_b": b.layout_id}
    assert ran.out == DIFFERENT.format(**ids)
    document = json.loads(driftline("reference", "diff", "a.json", "b.json", "--json").out)
    assert document["a"]["address"] == "a.json"
    assert not document["same_layout"]
    assert [each["name"] for each in document["features"]] == ["age", "plan"]
    same = driftline("reference", "diff", "a.json", "a.json").out
    assert "one layout: panes that are counted go on with the other reference" in same
    assert "alone" not in same


def test_features_that_are_computed_are_shown_with_their_field(driftline: Driftline) -> None:
    rows = [{"model": "m", "features": {"place": [i / 9, 1.0], "note": "a b"}} for i in range(200)]
    settings = ReferenceSettings("m", types={"place": "vector", "note": "text"})
    written("d.json", reference_from_rows([rows], Mapping(), settings).reference)
    lines = driftline("reference", "show", "d.json").out.splitlines()
    assert "of the vector place: place.cluster, place.distance" in lines
    (text,) = (line for line in lines if line.startswith("of the text note: note.length"))
    document = json.loads(driftline("reference", "show", "d.json", "--json").out)
    found = {each["field"]: each for each in document["derived"]}
    assert found["place"]["features"] == ["place.cluster", "place.distance"]
    assert text.removeprefix("of the text note: ").split(", ") == found["note"]["features"]


@pytest.mark.parametrize("arguments", [("show", "c.json"), ("diff", "a.json", "c.json")])
def test_what_is_not_there(
    driftline: Driftline, both: tuple[Reference, Reference], arguments: tuple[str, ...]
) -> None:
    ran = driftline("reference", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "c.json does not exist: build it with driftline reference build\n"
