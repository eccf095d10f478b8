"""How much metrics vary: learnt before a window, the same after a restart, and told."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from tests.consumer.judge.performance.test_causes import EVENTS, Event, event
from tests.consumer.service.small import HOUR, LABELS, MODEL, TOPIC, plan

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.performance.variation import (
    MetricVariations,
    Phi,
    StreamVariation,
)
from driftline.consumer.offline.batch import backtest
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.wire.records import Verdict
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import Figure
from driftline.detectors.outcomes.figure import share_figure, share_interval
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

WINDOW = WindowConfig(length=2 * HOUR, every=HOUR)


def measured(counts: IntArray) -> dict[str, Figure]:
    right, n = int(counts[0]), int(counts.sum())
    return {"accuracy": share_figure(right / n, right * (n - right) / n**3, n, n)}


def variations(kept: StreamVariation | None = None, reference: str = "ref") -> MetricVariations:
    return MetricVariations("a=b", reference, 2, ["accuracy"], WINDOW, kept)


def panes(hours: int, events: int) -> list[IntArray]:
    rng = np.random.default_rng(1)
    shares = np.clip(0.8 + 0.1 * rng.standard_normal(hours), 0.0, 1.0)
    return [np.array([right, events - right]) for right in rng.binomial(events, shares)]


@pytest.mark.parametrize("events", [40, 150])  # 40: three panes are taken together
def test_a_restart_anywhere_changes_nothing(events: int) -> None:
    calm, again, found = variations(), variations(), []
    for hour, counts in enumerate(panes(100, events)):
        for one in (calm, again):
            one.cut(94 * HOUR if hour > 97 else None)
            one.add(hour * HOUR, counts, events, measured)
        found.append(calm.before(hour * HOUR)["accuracy"])
        assert again.before(hour * HOUR)["accuracy"] == found[-1]
        record = msgspec.msgpack.encode(again.state())
        again = variations(msgspec.msgpack.decode(record, type=StreamVariation))
    assert found[0] == Phi(2.0, None)
    assert found[-1].interval is not None
    assert found[-1].tested > found[-1].interval > 1.5
    taken = 3 if events == 40 else 1
    known = next(hour for hour, phi in enumerate(found) if phi.interval is not None)
    assert 30 * taken <= known <= 30 * taken + WINDOW.length // HOUR
    assert variations(calm.state()).state() == calm.state()
    other = variations(calm.state(), "another").before(100 * HOUR)["accuracy"]
    assert other == Phi(2.0, None)


def test_a_window_has_no_say_in_how_strictly_it_is_judged() -> None:
    one, other = variations(), variations()
    for hour, counts in enumerate(panes(60, 150)):
        one.add(hour * HOUR, counts, 150, measured)
        last = np.array([10, 140]) if hour >= 58 else counts
        other.add(hour * HOUR, last, 150, measured)
    assert one.before(58 * HOUR) == other.before(58 * HOUR)
    assert one.state() != other.state()


@pytest.mark.parametrize("late", [1, 3, 6])
def test_what_an_alert_speaks_of_is_no_variation(late: int) -> None:
    """It begins `late` panes before it fires, and of these the last four are taken out again."""
    one, rng = variations(), np.random.default_rng(3)
    steady = [np.array([right, 150 - right]) for right in rng.binomial(150, 0.8, 40)]
    worse = [np.array([right, 150 - right]) for right in rng.binomial(150, 0.5, 40)]
    for hour, counts in enumerate([*steady, *worse]):
        if hour >= 40 + late:
            one.cut(40 * HOUR)
            one = variations(one.state())
        one.add(hour * HOUR, counts, 150, measured)
    found = one.before(80 * HOUR)["accuracy"]
    assert found.interval is not None
    assert found.interval < 1.5 if late <= 4 else found.interval > 1.5
    assert one.state().metrics["accuracy"].panes == (80 - min(late, 4))


@pytest.mark.parametrize("kind", ["regression", "classes"])
def test_worse_for_good_does_not_end_where_nobody_knows_yet_how_much_it_varies(kind: str) -> None:
    """The jump itself is no variation: with few panes before it, it would be most of it."""
    rng = np.random.default_rng(5)
    n, hours = 40_000, np.arange(40_000) / 500
    worse = np.where(hours >= 60, 2.0, 1.0)
    x = rng.normal(size=n)
    columns: dict[str, Any] = {"timestamp": 1_767_225_600 + hours * 3_600, "x": x}
    if kind == "regression":
        columns |= {"prediction": x, "actual": x + worse * rng.normal(size=n)}
    else:
        said = x > 0
        columns |= {"prediction": said, "actual": said ^ (rng.random(n) < 0.2 * worse)}
    found = backtest(columns, window="2h", actual="actual")
    told = [alert for alert in found.alerts if alert.kind == "performance"]
    assert [alert.status for alert in told] == ["firing"]
    judged = [each for each in found.verdicts if each.feature == told[0].feature]
    states = {each.state for each in judged if str(each.window.start) >= str(told[0].window.end)}
    assert states <= {"warning", "critical"}


def test_intervals_and_notes_tell_of_errors_that_come_together() -> None:
    rng = np.random.default_rng(1)
    settings = ReferenceSettings(MODEL, positive_label="yes")
    rows = [event(number - 3_000, rng) for number in range(3_000)]
    reference = reference_from_rows([rows], Mapping(), settings).reference
    setup = plan(
        {MODEL: reference},
        labels={"topic": LABELS, "horizon": "1d", "by": "arrival"},
        window={"length": "1h", "every": "1h", "grace": "0s", "min_events": 50},
        budget="1 per 30d",
    )
    test, found = Backtest(setup, MODEL, TOPIC), []
    for hour in range(36):
        events = [event(hour * EVENTS + i, rng) for i in range(EVENTS)]
        labels = [answer(one, rng) for one in events]
        found += [*test.feed(events), *test.feed_labels(labels)]
    found += test.end()
    verdicts = [
        each
        for each in found
        if isinstance(each, Verdict) and each.feature == "performance.accuracy" and each.complete
    ]
    first, last = verdicts[0], verdicts[-1]
    assert first.note == (
        "how much it varies along time is not known before 30 panes with labels: its interval"
        " takes events as independent, and its test counts half of them"
    )
    assert last.note is not None
    assert last.note.startswith("it varies along time by more than chance: 100 events tell as much")
    for verdict, wider in ((first, 1.0), (last, 2.0)):
        value, counts = verdict.detectors["accuracy"].value, verdict.counts
        low, high = verdict.detectors["accuracy"].interval or (None, None)
        assert value is not None
        assert counts is not None
        assert low is not None
        assert high is not None
        plain = share_interval(value, counts["labelled"])
        assert high - low >= 0.99 * wider * (plain[1] - plain[0])


def answer(one: Event, rng: np.random.Generator) -> Event:
    """The label of an event a minute later: every now and then wrong, for four hours of eight."""
    actual, hour = one.pop("actual"), one["timestamp"] // HOUR
    if hour % 8 < 4 and rng.random() < 0.3:
        actual = {"yes": "no", "no": "yes"}[actual]
    return {"event_id": one["event_id"], "timestamp": one["timestamp"] + 60_000, "actual": actual}
