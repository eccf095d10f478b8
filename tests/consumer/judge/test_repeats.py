"""An alert that fires stays in the topic of alerts, also while nothing is known of it."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
from tests.consumer.service.small import (
    DAY,
    MODEL,
    START,
    TOPIC,
    alerts,
    backtest,
    labelled_reference,
    plan,
    rows,
)

from driftline.consumer.wire.records import Alert

Row = dict[str, Any]
WINDOW = {"length": "1d", "grace": "1m", "min_events": 50}


def days(events: list[int], wrong: range, version: range, shifted: range) -> list[Row]:
    """So many events on each day, with their ground truth.

    Args:
        events: of each day.
        wrong: days on which most predictions are wrong.
        version: days of version 2.
        shifted: days on which a feature is another.
    """
    rng, rows = random.Random(3), []
    for day, many in enumerate(events):
        for number in range(many):
            said = rng.choice(["yes", "no"])
            right = rng.random() < (0.3 if day in wrong else 0.9)
            rows.append({
                "event_id": f"{day}-{number}", "timestamp": START + day * DAY + number * 60_000,
                "model": MODEL, "model_version": "2" if day in version else "1",
                "features": {"x": rng.gauss(4 if day in shifted else 0, 1), "c": rng.choice("pqr")},
                "prediction": {"label": said, "score": 0.9 if said == "yes" else 0.1},
                "actual": said if right else {"yes": "no", "no": "yes"}[said],
                "tags": {"tier": "gold"},
            })  # fmt: skip
    return rows


def judged(rows: list[Row], feature: str, **more: Any) -> list[Alert]:
    labels = {"topic": TOPIC, "horizon": "1d"}
    references = {MODEL: labelled_reference(MODEL)}
    return alerts(backtest(plan(references, labels=labels, window=WINDOW, **more), rows), feature)


def test_of_a_metric_and_of_a_feature() -> None:
    rows = days([200] * 6 + [5] * 25 + [200] * 6, range(4, 6), range(0), range(4, 6))
    limits = {"accuracy": {"max_drop": 0.05}}
    for feature, more in (
        ("performance.accuracy", {"performance": limits}),
        ("x", {"thresholds": {"ks": {"warning": 0.5}}}),
    ):
        found = judged(rows, feature, **more)
        assert len({alert.alert_id for alert in found}) == 1
        assert [alert.revision for alert in found] == list(range(1, len(found) + 1))
        quiet = [alert for alert in found if "cannot be judged now" in alert.summary]
        ends = [int(alert.window.times[1][8:10]) for alert in quiet]
        assert [(b - a) % 30 for a, b in pairwise(ends)] == [7] * (len(ends) - 1)
        assert len(quiet) == 3
        for alert in quiet:
            assert (alert.status, alert.severity) == ("firing", "warning")
            assert (alert.value, alert.effect, alert.top) == (None, None, [])
            assert alert.since == found[0].since
            assert alert.summary.endswith("5 labelled events, 50 needed.") or (
                alert.summary.endswith("5 events, 50 needed.")
            )
    assert found[-1].status == "resolved"


def test_a_drop_that_began_with_a_version_says_so() -> None:
    rows = days([200] * 9, range(5, 9), range(5, 9), range(0))
    first, *_ = judged(rows, "performance.accuracy", performance={"accuracy": {"max_drop": 0.1}})
    assert first.since == "2020-09-25T00:00:00Z"
    assert first.versions == {"2": 200}
    assert first.summary.endswith("No feature changed before it. Began with version 2.")
    rows = days([200] * 9, range(5, 9), range(3, 9), range(0))
    first, *_ = judged(rows, "performance.accuracy", performance={"accuracy": {"max_drop": 0.1}})
    assert first.since == "2020-09-25T00:00:00Z"
    assert "version" not in first.summary


def test_an_alert_on_a_feature_that_lost_its_values_says_why_it_cannot_be_judged() -> None:
    daily = {"length": "1d", "grace": "0s", "min_events": 50}
    rng = np.random.default_rng(6)
    events = [
        event
        for day in range(10)
        for event in rows(day * DAY, 100, DAY // 100, rng, x=None if day else 2.5)
    ]
    found = alerts(backtest(plan(budget="1 per 30d", window=daily), events), "x")
    drift = [a for a in found if a.kind == "feature_drift"]
    assert [a.revision for a in drift] == [1, 2]
    assert drift[1].summary == (
        "m: x is amiss since 2020-09-20 00:00 UTC and cannot be judged now: "
        "no value in this window."
    )
    assert (drift[1].effect, drift[1].top) == (None, [])
