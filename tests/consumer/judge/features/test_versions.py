"""References per version: what moves between versions is no change, what changes in one is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.consumer.service.small import (
    HOUR,
    MODEL,
    START,
    alerts,
    backtest,
    judge_all,
    plan,
    records,
    sketch,
    verdicts,
)

from driftline.consumer.judge.version_notes import MIXED, TOGETHER
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.reference import Reference
from driftline.detectors.versions import with_versions
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

WINDOW = {"length": "6h", "every": "1h", "grace": "0s", "min_events": 50}
EVENTS = 300  # an hour
HOURS = 36
OLD, NEW, REST = "model_version=3.1", "model_version=3.2", "model_version=__other__"
Event = dict[str, Any]


def event(version: str, rng: np.random.Generator, shift: float = 0.0) -> Event:
    """An event: version 3.2 scores higher, sees other incomes, and sells another plan."""
    new = version == "3.2"
    return {
        "model": MODEL,
        "model_version": version,
        "features": {
            "income": round(rng.normal(1.0 if new else 0.0) + shift, 3),
            "age": round(rng.normal(40, 9), 1),
            "plan": str(rng.choice(["free", "paid"], p=[0.3, 0.7] if new else [0.7, 0.3])),
        },
        "prediction": {"score": round(rng.beta(4, 2) if new else rng.beta(2, 4), 4)},
    }


def made(hours: int, seed: int, share: Any, begin: int = 0, shift: Any = None) -> list[Event]:
    """Events of some hours, of which `share(hour)` are of version 3.2."""
    rng, events = np.random.default_rng(seed), []
    for hour in range(begin, begin + hours):
        for i in range(EVENTS):
            version = "3.2" if rng.random() < share(hour) else "3.1"
            one = event(version, rng, 0.0 if shift is None else shift(hour, version))
            events.append({**one, "timestamp": START + hour * HOUR + i * HOUR // EVENTS})
    return events


def built(events: list[Event], over: Reference | None = None) -> Reference:
    settings = ReferenceSettings(MODEL, layout_of=over)
    return reference_from_rows([events], Mapping.native(), settings).reference


@pytest.fixture(scope="module")
def model() -> Reference:
    return built(made(60, 1, lambda hour: 0.0, begin=-100))


@pytest.fixture(scope="module")
def both(model: Reference) -> Reference:
    new = built(made(40, 2, lambda hour: 1.0, begin=-100), model)
    return with_versions(model, {"3.1": model, "3.2": new})


def watched(reference: Reference, **more: Any) -> Plan:
    named = {name: f"{name}.json" for name in reference.versions}
    settings = {"window": WINDOW, "budget": "1 per 30d", "references": named, **more}
    return plan({MODEL: reference}, **settings)


def run(reference: Reference, events: list[Event]) -> list[Alert]:
    return alerts(backtest(watched(reference), events))


def rollout(hour: int) -> float:
    return min(max((hour - 6) / 24, 0.0), 1.0)


def test_a_rollout_is_no_change(both: Reference) -> None:
    assert run(both, made(HOURS, 3, rollout)) == []


def test_without_their_references_it_is_one(model: Reference) -> None:
    found = {alert.feature for alert in run(model, made(HOURS, 3, rollout))}
    assert {"income", "plan", "prediction.score"} <= found


def test_a_drift_inside_a_version_is_its_alert(both: Reference) -> None:
    def shift(hour: int, version: str) -> float:
        return 0.7 if version == "3.2" and hour >= 20 else 0.0

    (alert,) = run(both, made(HOURS, 3, lambda hour: 0.3, shift=shift))
    assert (alert.segment, alert.feature) == (NEW, "income")
    assert "Only in model_version=3.2." in alert.summary


def test_versions_that_are_not_named_go_together_and_it_is_said(model: Reference) -> None:
    new = built(made(40, 2, lambda hour: 1.0, begin=-100), model)
    one = with_versions(model, {"3.2": new})
    events = made(HOURS, 3, lambda hour: 0.3)
    for event in events[20 * EVENTS :]:
        if event["model_version"] == "3.1":
            event["model_version"] = "3.3"
            event["features"]["income"] += 0.4
    outputs = backtest(watched(one), events)
    (alert,) = alerts(outputs)
    assert (alert.segment, alert.feature) == (REST, "income")
    judged = [each for each in verdicts(outputs, "income") if each.reason is None]
    notes = {each.segment: each.note for each in judged}
    assert notes == {None: MIXED, NEW: None, REST: TOGETHER}


def test_any_split_and_order_gives_the_same_verdicts(both: Reference) -> None:
    window = {**WINDOW, "grace": "2h"}
    watching, events = watched(both, window=window), made(14, 3, lambda hour: hour / 14)
    rng = np.random.default_rng(1)
    mixed = [
        events[hour * EVENTS + int(i)] for hour in range(14) for i in rng.permutation(EVENTS)
    ]  # fmt: skip

    def judged(rows: list[Event], partitions: int) -> dict[str, Verdict]:
        messages = [
            each
            for partition in range(partitions)
            for each in sketch(watching, partition, partitions).feed(
                records(rows[partition::partitions], partition), 0
            )
        ]
        return {each.verdict_id: each for each in verdicts(judge_all(watching, messages))}

    wanted, found = judged(events, 1), judged(mixed, 3)
    assert {each.segment for each in found.values()} == {None, OLD, NEW, REST}
    assert len(found) > 100
    assert {name: wanted[name] for name in found} == found
    asked = {each.verdict_id: each for each in verdicts(backtest(watching, events))}
    assert {name: asked[name] for name in wanted} == wanted


def test_an_old_and_a_new_normal_make_a_whole_of_both(both: Reference) -> None:
    outputs = backtest(watched(both), made(12, 5, lambda hour: 0.25))
    last = [each for each in verdicts(outputs, "plan") if each.segment is None][-1]
    assert last.bins is not None
    free, paid, *_ = last.bins["reference"]
    shares = last.versions["3.2"] / last.window.events
    assert last.bins["categories"][:2] == ["free", "paid"]
    assert free / (free + paid) == pytest.approx(0.7 - 0.4 * shares, abs=0.01)
