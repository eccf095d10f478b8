"""Labels that stop, through the sketch, the join and the judge of a backtest."""

from __future__ import annotations

from typing import Any

import pytest
from tests.consumer.service.small import (
    HOUR,
    LABELS,
    MODEL,
    START,
    TOPIC,
    labelled_reference,
    plan,
    seconds,
)

from driftline.consumer.service.backtest import Backtest
from driftline.consumer.wire.records import Alert

Row = dict[str, Any]
PER_HOUR = 40


def hour_of(hour: int) -> tuple[list[Row], list[Row]]:
    """The events of an hour, and their labels an hour later."""
    events, labels = [], []
    for number in range(PER_HOUR):
        name, time = f"{hour}-{number}", START + hour * HOUR + number * HOUR // PER_HOUR
        said = {"label": "yes", "score": 0.9}
        features = {"x": 0.0, "c": "p"}
        events.append(
            {"event_id": name, "timestamp": time, "features": features, "prediction": said}
        )
        labels.append({"event_id": name, "timestamp": time + HOUR, "actual": "yes"})
    return events, labels


@pytest.mark.parametrize(
    ("by", "fired", "resolved"),
    [
        # The predictions of hours 47 to 58 get no label, and expire a day later.
        ("arrival", 49 + 24, 63 + 24),
        # The window of predictions, judged a day after its end.
        ("prediction", 49, 63),
    ],
)
def test_labels_that_stop_and_return(by: str, fired: int, resolved: int) -> None:
    run = Backtest(
        plan(
            {MODEL: labelled_reference()},
            labels={"topic": LABELS, "horizon": "1d", "by": by},
            window={"length": "1h", "every": "1h", "grace": "5m", "min_events": 20},
        ),
        MODEL,
        TOPIC,
    )
    found = []
    waiting: list[Row] = []
    for hour in range(96):
        events, labels = hour_of(hour)
        found += [*run.feed(events), *run.feed_labels(waiting)]
        waiting = [] if 47 <= hour < 59 else labels
    found += run.end()
    alerts = [each for each in found if isinstance(each, Alert) and each.kind == "labels"]
    assert [(a.status, seconds(a.window.end) // 3_600) for a in alerts] == [
        ("firing", fired),
        ("resolved", resolved),
    ]
    assert alerts[0].summary.startswith(
        "m: labels do not come: 0 within 1 day for 40 predictions (0.0 %), normally 100.0 %, since"
    )
    assert {a.alert_id for a in alerts} == {alerts[0].alert_id}
