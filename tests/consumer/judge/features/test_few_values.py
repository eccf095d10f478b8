"""Constants, flags and rare classes: quiet while nothing changes, and found when it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.consumer.service.small import (
    HOUR,
    MODEL,
    START,
    alerts,
    backtest,
    plan,
    verdicts,
)

from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.reference import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

Draw = Callable[[np.random.Generator], Any]

HOURLY = {"length": "1h", "grace": "0s", "min_events": 100}
EVENTS = 600  # an hour


def always(value: Any) -> Draw:
    return lambda rng: value


def one_of(*values: Any, p: list[float]) -> Draw:
    return lambda rng: values[rng.choice(len(values), p=p)]


def rarely(value: Any, share: float, otherwise: Draw) -> Draw:
    return lambda rng: value if rng.random() < share else otherwise(rng)


def uniform(rng: np.random.Generator) -> float:
    return round(float(rng.random()), 3)


# Name to what it is normally, and to what it becomes.
CHANGES: dict[str, tuple[Draw, Draw]] = {
    "constant": (always(2.5), always(3.0)),
    "constant no more": (always(-7), rarely(-8, 0.04, always(-7))),
    "constant or missing": (rarely(None, 0.3, always(0)), rarely(None, 0.3, always(1e300))),
    "zeros": (one_of(0, 1, p=[0.03, 0.97]), one_of(0, 1, p=[0.6, 0.4])),
    "ones": (one_of(0, 1, p=[0.98, 0.02]), one_of(0, 1, p=[0.9, 0.1])),
    "three numbers": (one_of(0, 1, 2, p=[0.95, 0.03, 0.02]), one_of(0, 1, 2, p=[0.85, 0.0, 0.15])),
    "mostly zero": (rarely(0.0, 0.96, uniform), rarely(0.0, 0.85, uniform)),
    "mostly one": (rarely(1.0, 0.96, uniform), rarely(1.0, 0.4, uniform)),
    "boolean": (one_of(True, False, p=[0.02, 0.98]), one_of(True, False, p=[0.1, 0.9])),
    "never true": (always(False), rarely(True, 0.03, always(False))),
    "rare class": (one_of("yes", "no", p=[0.02, 0.98]), one_of("yes", "no", p=[0.1, 0.9])),
    "one of three": (
        one_of("a", "b", "c", p=[0.5, 0.48, 0.02]), one_of("a", "b", "c", p=[0.45, 0.43, 0.12])
    ),
    "of 0.1 %": (one_of("yes", "no", p=[0.001, 0.999]), one_of("yes", "no", p=[0.04, 0.96])),
    "gone": (one_of("yes", "no", p=[0.05, 0.95]), always("no")),
    "constant text": (always("x"), rarely("y", 0.08, always("x"))),
}  # fmt: skip
SAME: dict[str, Draw] = {name: draw for name, (draw, _) in CHANGES.items()}
CHANGED: dict[str, Draw] = {name: draw for name, (_, draw) in CHANGES.items()}


def event(time: int, draws: dict[str, Draw], rng: np.random.Generator) -> dict[str, Any]:
    tier = "gold" if rng.random() < 0.5 else "tin"
    features = {name: draw(rng) for name, draw in draws.items()}
    features["in gold"] = 1.0 if tier == "gold" else uniform(rng)
    return {
        "timestamp": START + time,
        "model": MODEL,
        "features": features,
        "tags": {"tier": tier},
        "prediction": {"score": 0.5, "label": draws["rare class"](rng)},
    }


def made(draws: dict[str, Draw], seed: int) -> Reference:
    rng = np.random.default_rng(seed)
    events = [event(i, draws, rng) for i in range(4_000)]
    settings = ReferenceSettings(MODEL, segments=["tier"])
    return reference_from_rows([events], Mapping(), settings).reference


@pytest.fixture(scope="module")
def reference() -> Reference:
    return made(SAME, 1)


def run(reference: Reference, *hours: dict[str, Draw], **settings: Any) -> list[Verdict | Alert]:
    """What is said of some hours, each of its own draws."""
    rng = np.random.default_rng(2)
    events = [
        event(hour * HOUR + i * HOUR // EVENTS, draws, rng)
        for hour, draws in enumerate([*hours, SAME])
        for i in range(EVENTS)
    ]
    settings = {"window": HOURLY, "budget": "1 per 30d", "segments": ["tier"], **settings}
    return backtest(plan({MODEL: reference}, **settings), events)


def test_all_are_judged_and_quiet_while_nothing_changes(reference: Reference) -> None:
    found = run(reference, SAME, SAME)
    assert alerts(found) == []
    judged = [v for v in verdicts(found) if v.feature and v.segment != "tier=__other__"]
    assert {verdict.state for verdict in judged} == {"ok"}
    assert len(judged) == 2 * 3 * (len(CHANGES) + 3)
    for verdict in judged:
        tests = [d for d in verdict.detectors.values() if d.state and d.p_value is not None]
        assert tests, verdict
    constant = next(v for v in judged if v.feature == "constant")
    assert constant.effect == 0
    assert {d.value for d in constant.detectors.values()} == {0}
    assert constant.bins == {"upper": [], "reference": [4_000], "window": [EVENTS]}


def test_each_change_is_found_in_the_first_window(reference: Reference) -> None:
    # Of more than half of the features there would be one alert.
    names = list(CHANGES)
    halves = [{**SAME, **{name: CHANGED[name] for name in half}} for half in (names[:8], names[8:])]
    found = [a for half in halves for a in alerts(run(reference, half))]
    assert {a.segment for a in found} == {None}
    drifts = {a.feature: a for a in found if a.kind != "data_quality"}
    # Values that are not listed are an alert on quality.
    assert [a.detector for a in found if a.feature == "constant text"] == ["unseen"]
    assert set(drifts) == {*CHANGES, "prediction.label"} - {"constant text"}
    for alert in drifts.values():
        assert alert.p_value is not None
        assert alert.effect is not None
        assert alert.p_value < 1e-5
        assert alert.effect > 0.02
    assert drifts["ones"].detector == "chi_square"
    assert drifts["zeros"].detector == "ks"
    assert drifts["zeros"].effect is not None
    assert drifts["zeros"].effect > 1


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ("constant", "rose: above 2.5 in 100.0 % of events, normally 0.0 %"),
        ("zeros", "fell: median 0, normally 1"),
        ("ones", "rose: 1 in 8.5 % of events, normally 1.7 %"),
        ("mostly zero", "rose: above 0 in 16.0 % of events, normally 4.2 %"),
        ("constant no more", "fell: below -7 in 5.7 % of events, normally 0.0 %"),
        ("gone", 'changed: "yes" is 0.0 % of events, normally 5.2 %'),
    ],
)
def test_the_sentence_names_what_changed(reference: Reference, feature: str, said: str) -> None:
    (alert,) = [
        a
        for a in alerts(run(reference, {**SAME, feature: CHANGED[feature]}), feature)
        if a.kind != "data_quality"
    ]
    assert alert.summary.startswith(f"m: {feature} {said}")


def test_a_number_that_is_constant_in_one_segment_is_watched_there(reference: Reference) -> None:
    rng = np.random.default_rng(3)
    events = [event(i * HOUR // EVENTS, SAME, rng) for i in range(EVENTS)]
    for one in events[: EVENTS // 2]:
        if one["tags"]["tier"] == "gold" and rng.random() < 0.2:
            one["features"]["in gold"] = 1.5
    settings = {"window": HOURLY, "budget": "1 per 30d", "segments": ["tier"]}
    found = backtest(plan({MODEL: reference}, **settings), [*events, event(HOUR, SAME, rng)])
    # In the whole model the value is above all others; in the segment it is the only other one,
    # and that one speaks.
    assert [(a.segment, a.feature, a.kind) for a in alerts(found)] == [
        ("tier=gold", "in gold", "feature_drift"),
    ]


@pytest.mark.parametrize(
    ("in_gold", "reason"),
    [(None, "no value in this window"), (0.5, "the reference has no value of it")],
)
def test_what_cannot_be_tested_is_insufficient(in_gold: float | None, reason: str) -> None:
    """A number that only one segment has."""
    rng = np.random.default_rng(4)

    def events(count: int, in_gold: float | None) -> list[dict[str, Any]]:
        found = [event(i * HOUR // EVENTS, {**SAME, "only": uniform}, rng) for i in range(count)]
        for one in found:
            if one["tags"]["tier"] == "gold":
                one["features"]["only"] = in_gold
        return found

    settings = ReferenceSettings(MODEL, segments=["tier"])
    reference = reference_from_rows([events(4_000, None)], Mapping(), settings).reference
    hourly = plan({MODEL: reference}, window=HOURLY, budget="1 per 30d", segments=["tier"])
    found = backtest(hourly, [*events(EVENTS, in_gold), event(HOUR, SAME, rng)])
    gold = {v.feature: v for v in verdicts(found) if v.segment == "tier=gold"}
    assert (gold["only"].state, gold["only"].reason) == ("insufficient", reason)
    assert (gold["only"].detectors, gold["only"].effect, gold["only"].bins) == ({}, None, None)
    assert gold["only"].counts is not None
    assert gold["constant"].state == "ok"


def test_values_that_are_lost_are_an_alert_though_nothing_is_left_to_test(
    reference: Reference,
) -> None:
    found = run(reference, {**SAME, "ones": always(None)})
    (lost,) = [v for v in verdicts(found, "ones") if v.segment is None]
    assert lost.state == "critical"
    assert lost.detectors["missing"].state == "critical"
    assert lost.detectors["ks"].state is None
    assert lost.detectors["ks"].value is None
