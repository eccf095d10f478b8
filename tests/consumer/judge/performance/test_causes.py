"""One cause, one alert: of several metrics, and of the segments beside the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.consumer.service.small import HOUR, LABELS, MODEL, START, TOPIC, plan

from driftline.consumer.service.backtest import Backtest
from driftline.consumer.wire.records import Alert
from driftline.detectors.reference import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

Event = dict[str, Any]
CHANNELS = ("app", "shop", "web")
EVENTS = 300  # an hour
_OTHER = {"yes": "no", "no": "yes"}


def event(number: int, rng: np.random.Generator) -> Event:
    """A prediction whose score is the share of `yes` among its kind."""
    score = round(float(rng.random()), 3)
    return {
        "event_id": str(number),
        "timestamp": START + number * HOUR // EVENTS,
        "features": {"x": round(float(rng.normal()), 3)},
        "prediction": {"label": "yes" if score > 0.5 else "no", "score": score},
        "actual": "yes" if rng.random() < score else "no",
        "tags": {"channel": str(rng.choice(CHANNELS))},
    }


@pytest.fixture(scope="module")
def reference() -> Reference:
    rng = np.random.default_rng(1)
    settings = ReferenceSettings(MODEL, segments=["channel"], positive_label="yes")
    rows = [event(number - 9_000, rng) for number in range(9_000)]
    return reference_from_rows([rows], Mapping(), settings).reference


def run(
    reference: Reference,
    wrong: Callable[[Event], bool],
    hours: int = 10,
    bad: range = range(4, 10),
    min_events: int = 50,
) -> list[Alert]:
    """The alerts on performance: labels of `bad` hours are turned round where `wrong`."""
    setup = plan(
        {MODEL: reference},
        labels={"topic": LABELS, "horizon": "1d", "by": "arrival"},
        window={"length": "2h", "every": "1h", "grace": "0s", "min_events": min_events},
        budget="1 per 30d",
        segments=["channel"],
    )
    test, rng, found = Backtest(setup, MODEL, TOPIC), np.random.default_rng(2), []
    for hour in range(hours):
        events = [event(hour * EVENTS + i, rng) for i in range(EVENTS)]
        labels = []
        for one in events:
            actual = one.pop("actual")
            if hour in bad and wrong(one):
                actual = _OTHER[actual]
            time = one["timestamp"] + 60_000
            labels.append({"event_id": one["event_id"], "timestamp": time, "actual": actual})
        found += [*test.feed(events), *test.feed_labels(labels)]
    found += test.end()
    return [each for each in found if isinstance(each, Alert) and each.kind == "performance"]


def test_a_label_problem_is_one_alert(reference: Reference) -> None:
    found = run(reference, lambda one: True)
    (alert,) = [a for a in found if a.revision == 1]
    assert (alert.segment, alert.feature) == (None, "performance.accuracy")
    assert alert.segments == "all of channel"
    assert ", and performance turned out 0." in alert.summary
    assert " worse than estimated, on " in alert.summary
    assert " UTC. All of channel. No feature changed before it." in alert.summary


def test_what_is_wrong_in_one_segment_is_one_incident(reference: Reference) -> None:
    found = run(reference, lambda one: bool(one["tags"]["channel"] == "app"))
    new = [a for a in found if a.revision == 1]
    # In the segment the estimate is seen to be wrong an hour before accuracy fell enough in all.
    assert [(a.segment, a.feature) for a in new] == [
        ("channel=app", "performance.estimate_gap"),
        (None, "performance.accuracy"),
    ]
    assert len({a.incident_id for a in new}) == 1
    assert new[1].segments == "only in channel=app"


def test_quiet_labels_are_none(reference: Reference) -> None:
    assert run(reference, lambda one: False) == []


@pytest.mark.parametrize("min_events", [50, 300])  # 300: no window of a segment can be judged
def test_what_the_whole_models_alert_said_is_not_said_again_when_it_is_over(
    reference: Reference, min_events: int
) -> None:
    rng = np.random.default_rng(3)
    found = run(reference, lambda one: rng.random() < 0.3, 90, range(40, 60), min_events)
    assert [(a.segment, a.feature, a.status) for a in found] == [
        (None, "performance.accuracy", "firing"),
        (None, "performance.accuracy", "resolved"),
    ]
