"""Derived features through the whole service: its bytes are those of a backtest and a restart."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.service import simulation
from tests.consumer.service.drawing import MODELS, Arrival, draw_input
from tests.consumer.service.rig import Rig
from tests.consumer.service.simulation import Run, Schedule
from tests.consumer.service.small import (
    MODEL,
    SECOND,
    START,
    TOPIC,
    alerts,
    backtest,
    plan,
    verdicts,
)

from driftline.consumer.service.backtest import Backtest
from driftline.detectors.reference import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

NAMES = ("place.cluster", "place.distance", "note.unseen_words", "note.length")
WINDOW = {"length": "60s", "every": "20s", "grace": "5s", "min_events": 20}
LIMITS = {"chi_square": {"warning": 80.0}, "ks": {"warning": 0.4}}


def features(x: float, c: str) -> dict[str, Any]:
    """A vector and a text of two values that are not watched themselves."""
    place = [x, -x, 4.0 * (c in "pq")] if x < 2.5 else None
    return {"place": place, "note": f"{c} {'long ' * int(abs(x) * 3)}"}


def events(seed: int, n: int, shift: float = 0.0, classes: str = "pqr") -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        {
            "timestamp": START + i * SECOND,
            "model": MODEL,
            "features": features(float(rng.normal(shift)), str(rng.choice(list(classes)))),
        }
        for i in range(n)
    ]


def reference(model: str) -> Reference:
    rows = [{**event, "model": model} for event in events(3, 1_200)]
    settings = ReferenceSettings(model, types={"place": "vector", "note": "text"})
    return reference_from_rows([rows], Mapping(), settings).reference


@pytest.fixture(scope="module")
def known() -> Reference:
    return reference(MODEL)


def shifted() -> list[dict[str, Any]]:
    later = events(8, 150, shift=1.5, classes="rst")
    return [
        *events(7, 150),
        *({**event, "timestamp": event["timestamp"] + 150 * SECOND} for event in later),
    ]


def test_the_service_publishes_what_a_backtest_finds(known: Reference) -> None:
    settings = {"window": WINDOW, "thresholds": LIMITS}
    rig = Rig(plan({MODEL: known}, **settings), partitions=2)
    for number, event in enumerate(shifted()):
        rig.write([event], number % 2)
    rig.start()
    rig.settle()
    found = backtest(plan({MODEL: known}, **settings), shifted())
    published = {record.value for record in rig.records("verdicts")}
    assert published == {msgspec.json.encode(v) for v in verdicts(found)}
    assert {alert.feature for alert in alerts(found)} >= {"place.cluster", "note.unseen_words"}


def test_chunks_and_columns_change_nothing(known: Reference) -> None:
    of = plan({MODEL: known}, window=WINDOW, thresholds=LIMITS)
    run = Backtest(of, MODEL, TOPIC)
    found = [*run.feed(shifted()[:77]), *run.feed(shifted()[77:78]), *run.feed(shifted()[78:])]
    expected = msgspec.json.encode(backtest(of, shifted()))
    assert msgspec.json.encode([*found, *run.end()]) == expected
    by_columns = Backtest(of, MODEL, TOPIC)
    tables = by_columns.feed_table(Table.of_rows(shifted()))
    assert msgspec.json.encode([*tables, *by_columns.end()]) == expected


def test_any_run_publishes_what_a_calm_run_publishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "REFERENCES", {name: reference(name) for name in MODELS})
    for seed in (2, 4):
        rng = random.Random(seed)
        inputs = {
            place: [replace(one, value=_derivable(one)) for one in log]
            for place, log in draw_input(rng, 2, 4, False).items()
        }
        settings = {"segments": [], "thresholds": {"ks": {"warning": 0.3}}}
        calm = Run(inputs, Schedule(settings=settings), random.Random(1)).go()
        schedule = Schedule(workers=2, batch=7, kill=0.1, settings=settings)
        wild = Run(inputs, schedule, random.Random(seed)).go()
        assert wild.kills
        for topic in ("verdicts", "alerts"):
            assert calm.published(topic) == wild.published(topic)
        named = {msgspec.json.decode(one)["feature"] for one in _values(calm)}
        assert named >= {*NAMES}


def _derivable(arrival: Arrival) -> bytes:
    if arrival.value == b"oops":
        return arrival.value
    event = msgspec.json.decode(arrival.value)
    given = event["features"]
    event["features"] = features(3.0 if given["x"] is None else given["x"], given["c"])
    return msgspec.json.encode(event)


def _values(run: Run) -> set[bytes]:
    return {value for values in run.published("verdicts").values() for value in values}
