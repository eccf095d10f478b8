"""What is remembered of how labels came: across restarts, changes and losses; and what is said."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from tests.consumer.judge.labels.label_flows import STEADY, Flow, nightly, pause, turns
from tests.consumer.judge.labels.test_flow import FAILING, HEALTHY
from tests.consumer.service.small import DAY, HOUR, START

from driftline.consumer.judge.lives.life import Life
from driftline.consumer.judge.state import LabelHistory
from driftline.consumer.wire.records import Alert


def remembered(history: LabelHistory) -> LabelHistory:
    """What is read from the log of states after it was written there."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(history), type=LabelHistory)


RESTARTED = ("stop and return", "nightly stop and return", "a trickle from day 3", "months")


@pytest.mark.parametrize("name", RESTARTED)
def test_a_restart_changes_nothing(name: str) -> None:
    flow, lives = FAILING[name], dict[tuple[str, str, str], Life]()
    whole = flow.judge(LabelHistory(), {})
    expected, history = flow.run(whole), LabelHistory()
    found: list[tuple[int, Alert]] = []
    for hour, seen in flow.windows():
        parts = flow.judge(remembered(history), lives)
        found += [(hour, alert) for alert in parts.look(*seen)]
        history = parts.state()
        written = msgspec.msgpack.encode(list(lives.values()))
        lives = {life.key: life for life in msgspec.msgpack.decode(written, type=list[Life])}
        assert len(msgspec.msgpack.encode(history)) < 4_096
    assert found == expected
    assert history == whole.state()


def test_a_record_of_an_earlier_release_is_begun_anew() -> None:
    flow = FAILING["stop on day 3"]
    old = {"since": START - DAY, "events": [1_000] * 24, "parts": [(1, 1.0, HOUR)]}
    history = msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=LabelHistory)
    assert turns(flow.run(flow.judge(history, {}))) == flow.expected


def test_what_was_counted_by_other_lengths_is_not_compared() -> None:
    before = replace(HEALTHY["outage of two days"], labels=STEADY, predictions=lambda hour: 1_000)
    judge = before.judge(LabelHistory(), {})
    before.run(judge)
    for change in ({"horizon": 96}, {"every": 2, "length": 2}, {"by": "prediction"}):
        other = replace(before, **change)
        again = other.judge(judge.state(), {})
        assert again.state() == other.judge(LabelHistory(), {}).state()


def test_labels_that_were_lost_unread_are_not_missed() -> None:
    flow = Flow(60, pause(20, 22, nightly))
    judge, found = flow.judge(LabelHistory(), {}), list[Alert]()
    for hour, seen in flow.windows():
        if 20 * 24 < hour <= 23 * 24:
            found += judge.miss(seen[0], seen[1].predictions)
        else:
            found += judge.look(*seen)
    assert found == []
    assert flow.run() != []


def test_a_firing_alert_is_repeated_where_windows_tell_nothing() -> None:
    judge, found = FAILING["stop on day 3"].judge(LabelHistory(), {}), list[Alert]()
    for hour, seen in FAILING["stop on day 3"].windows():
        lost = hour > 300
        found += judge.miss(seen[0], 1_000) if lost else judge.look(*seen)
    assert len(found) == 5
    assert {alert.status for alert in found} == {"firing"}
    assert "amiss" in found[-1].summary


def test_a_firing_alert_is_repeated_and_says_what_is_wrong() -> None:
    alerts = FAILING["stop on day 3"].run()
    assert [hour for hour, _ in alerts] == [243 + 168 * week for week in range(5)]
    assert [alert.revision for _, alert in alerts] == [1, 2, 3, 4, 5]
    assert {alert.alert_id for _, alert in alerts} == {alerts[0][1].alert_id}
    assert alerts[0][1].summary == (
        "m: labels do not come: 0 within 7 days for 3,000 predictions (0.0 %), normally 100.0 %, "
        "since 2020-09-29 23:00 UTC."
    )
    assert alerts[0][1].change == (
        "do not come: 0 within 7 days for 3,000 predictions (0.0 %), normally 100.0 %"
    )


@pytest.mark.parametrize(
    ("name", "summaries"),
    [
        ("stop after 4 hours", ["labels do not come: not one within 7 days for 3,000 predictions"]),
        ("stop on day 10",
         ["labels stopped: 0 for 1,000 predictions, normally at least 1,000, since 2020-09-30"]),
        ("a lower coverage",
         ["labels became few: 400 for 1,000 predictions, normally at least 1,000, since",
          "labels became few: 400 for 1,000 predictions, normally at least 1,000, for 13 days 23 "
          "hours; from now on that is usual."]),
        ("nightly, three nights late",
         ["labels slowed down: most of them come within 4 days 6 hours, normally 1 day"]),
        ("stop and return",
         ["labels stopped", "labels come as usual since 2020-10-22 03:00 UTC, after 2 days"]),
    ],
)  # fmt: skip
def test_what_is_said(name: str, summaries: list[str]) -> None:
    kept = [a.summary for _, a in FAILING[name].run() if a.revision == 1 or a.status == "resolved"]
    assert len(kept) == len(summaries)
    for summary, said in zip(kept, summaries, strict=True):
        assert summary.startswith(f"m: {said}"), summary
