"""Alerts on a whole model: silence, a held clock, and losses."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.consumer.service.small import (
    DAY,
    HOUR,
    MINUTE,
    MODEL,
    REFERENCE,
    SECOND,
    START,
    alerts,
    plan,
    records,
    row,
    rows,
    sketch,
)

from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.protocol import Gap, TopicPartition
from driftline.consumer.sketch.totals import DeadLetter, Output
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Block, Horizon, Loss, Pane
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.subject import identity

HOURLY = {"length": "1h", "grace": "0s", "min_events": 1}
PLAN = plan(
    stale_after="1d",
    window=HOURLY,
    owner="credit",
    runbook="https://wiki.example/m",
    ui={"url": "https://drift.example/"},
)


class Judging:
    """A judge with the log of its panes, which can be started anew."""

    def __init__(self, state: JudgeState | None = None) -> None:
        self.judge: ModelJudge = PLAN.judge(MODEL, state or JudgeState(position=0, rewind=0))
        self.log: list[Output] = []

    def advance(self, words: list[Output]) -> list[Verdict | Alert]:
        found: list[Verdict | Alert] = []
        for horizon in words:
            assert not isinstance(horizon, DeadLetter | Block)
            found += self.judge.feed(horizon, len(self.log))
            self.log.append(horizon)
        return found

    def restart(self) -> None:
        state = decode(encode(self.judge.state()), JudgeState)
        self.judge = PLAN.judge(MODEL, state)
        for offset in range(state.rewind, len(self.log)):
            horizon = self.log[offset]
            assert isinstance(horizon, Pane | Horizon | Loss)
            assert list(self.judge.feed(horizon, offset)) == []


def at(*times: float) -> list[dict[str, Any]]:
    return [row(int(time * SECOND)) for time in times]


def test_a_model_silent_everywhere_is_one_alert_and_its_end_another() -> None:
    judging = Judging()
    rng = np.random.default_rng(1)
    parts = [sketch(PLAN, number, 2) for number in range(2)]
    events = rows(0, 600, 10_000, rng)  # 360 an hour
    judging.advance(parts[0].feed(records(events[::2]), 0))
    judging.advance(parts[1].feed(records(events[1::2], 1), 0))
    assert alerts(judging.advance(parts[0].stale(DAY))) == []  # the other may still speak
    (fired,) = alerts(judging.advance(parts[1].stale(DAY)))
    assert fired.summary.startswith(
        "m: no events since 2020-09-20 01:39 UTC (more than 1 day); normally "
    )
    assert (fired.kind, fired.status, fired.severity) == ("stale", "firing", "warning")
    assert (fired.stream, fired.model, fired.segment) == ("m", "m", None)
    assert (fired.feature, fired.type, fired.detector, fired.effect) == (None, None, None, None)
    assert fired.since == "2020-09-20T01:39:50Z"
    assert fired.alert_id == identity("m", "", "stale", fired.since)
    assert (fired.revision, fired.until, fired.rule) == (1, None, "stale_after: 1 day")
    assert (fired.owner, fired.runbook) == ("credit", "https://wiki.example/m")
    assert fired.links == {"page": f"https://drift.example/alerts/{fired.alert_id}"}
    # It is said once, whatever is repeated.
    for number, part in enumerate(parts):
        assert alerts(judging.advance(part.stale(3 * DAY + number))) == []
        assert alerts(judging.advance(part.idle(3 * DAY + number, 0))) == []
    judging.restart()
    found = judging.advance(parts[0].feed(records(at(5 * 86_400), first=300), 5 * DAY))
    (resolved,) = alerts(found)
    assert (resolved.status, resolved.revision) == ("resolved", 2)
    assert resolved.alert_id == fired.alert_id
    assert resolved.until == "2020-09-25T00:00:00Z"
    assert resolved.summary == (
        "m: events arrive again since 2020-09-25 00:00 UTC, after 4 days 22 hours."
    )


def test_the_usual_rate_is_not_that_of_the_window_in_which_the_silence_began() -> None:
    judging = Judging()
    one = sketch(PLAN)
    events = rows(0, 600, 10_000, np.random.default_rng(1))  # 360 an hour, for 100 minutes
    judging.advance(one.feed(records(events), 0))
    (fired,) = alerts(judging.advance(one.stale(DAY)))
    assert fired.summary.endswith("; normally 360 an hour.")


def test_a_second_silence_is_another_alert() -> None:
    judging = Judging()
    one = sketch(PLAN)
    ids = []
    for number in range(2):
        judging.advance(one.feed(records(at(number * 9 * 86_400), first=number), number * 9 * DAY))
        (fired,) = alerts(judging.advance(one.stale((number * 9 + 1) * DAY)))
        ids.append(fired.alert_id)
    assert len(set(ids)) == 2


def test_closing_the_panes_of_a_silent_model_lets_their_window_be_judged() -> None:
    judging = Judging()
    one = sketch(PLAN)
    assert judging.advance(one.feed(records(at(60, 120)), 0)) == []
    found = judging.advance(one.stale(DAY))
    assert [o.window.events for o in found if isinstance(o, Verdict)] == [2, 2, 2]


def test_one_partition_that_holds_the_clock_is_named() -> None:
    judging = Judging()
    parts = [sketch(PLAN, number, 2) for number in range(2)]
    judging.advance(parts[0].feed(records(at(0, 9 * 3_600)), 0))
    judging.advance(parts[1].feed(records(at(0, 2 * 3_600), 1), 0))
    now = 50 * HOUR
    assert judging.judge.tick(now) == []
    assert judging.judge.tick(now + DAY - 1) == []
    (fired,) = judging.judge.tick(now + DAY)
    assert (fired.kind, fired.status, fired.feature) == ("stale", "firing", None)
    assert fired.summary == (
        "m: windows wait for partition 1 of in, which is at 2020-09-20 02:00 UTC "
        "for more than 1 day."
    )
    assert fired.alert_id == identity("m", "in[1]", "stale", "2020-09-20T02:00:00Z")
    assert judging.judge.tick(now + 3 * DAY) == []
    assert not judging.judge.clock.stale()  # the model itself is not silent
    # It goes on, and the other is behind: nobody waited long for that one.
    judging.advance(parts[1].feed(records(at(20 * 3_600), 1, first=2), 0))
    (resolved,) = judging.judge.tick(now + 3 * DAY + MINUTE)
    assert (resolved.status, resolved.revision) == ("resolved", 2)
    assert resolved.alert_id == fired.alert_id
    assert resolved.until == "2020-09-20T09:00:00Z"
    assert judging.judge.tick(now + 3 * DAY + 2 * MINUTE) == []


def test_a_partition_that_was_never_heard_of_is_named_too() -> None:
    judging = Judging()
    one = sketch(PLAN, 0, 2)
    judging.advance(one.feed(records(at(0, 9 * 3_600)), 0))
    judging.judge.tick(0)
    (fired,) = judging.judge.tick(DAY)
    assert "partition 1 of in, which has not been heard of" in fired.summary


def test_a_clock_that_moves_is_not_held() -> None:
    judging = Judging()
    parts = [sketch(PLAN, number, 2) for number in range(2)]
    judging.advance(parts[0].feed(records(at(0, 90 * 3_600)), 0))
    for hour in range(40):
        judging.advance(parts[1].feed(records(at(hour * 3_600), 1, first=hour), 0))
        assert judging.judge.tick(hour * HOUR) == []


def test_stale_after_off_is_silent() -> None:
    off = plan(stale_after="off", window=HOURLY).judge(MODEL, JudgeState(position=0, rewind=0))
    horizon = Horizon("in", 0, 1, MODEL, START, START, 1, 0, idle=True, stale=True)
    assert list(off.feed(horizon, 0)) == []
    held = Horizon("in", 0, 2, MODEL, START, START, 1, 0)
    assert list(off.feed(held, 1)) == []
    assert off.tick(0) + off.tick(99 * DAY) == []


def test_a_loss_is_an_alert_with_the_exact_range() -> None:
    judging = Judging()
    one = sketch(PLAN, 0, 1)
    judging.advance(one.feed(records(at(0, 3_700)), 0))
    one.lost(Gap(one.source, 2, 1_002))
    found = judging.advance(one.feed(records(at(3 * 3_600, 4 * 3_600), first=1_002), 0))
    (fired,) = alerts(found)
    assert (fired.kind, fired.severity, fired.status) == ("data_loss", "critical", "firing")
    assert fired.summary == (
        "m: events 2 to 1,001 of in partition 0 were deleted before they were read; windows from "
        "2020-09-20 01:00 UTC to 2020-09-20 04:00 UTC are not judged."
    )
    assert (fired.window.start, fired.window.end) == (
        "2020-09-20T01:00:00Z",
        "2020-09-20T04:00:00Z",
    )
    states = {v.window.times[0][11:13]: v.state for v in found if isinstance(v, Verdict)}
    assert states == {"01": "insufficient", "02": "insufficient", "03": "insufficient"}
    # The first window behind it that is whole ends the alert.
    judging.restart()
    found = judging.advance(one.feed(records(at(5 * 3_600), first=1_004), 0))
    (resolved,) = alerts(found)
    assert (resolved.status, resolved.revision) == ("resolved", 2)
    assert resolved.alert_id == fired.alert_id
    assert resolved.until == "2020-09-20T04:00:00Z"
    assert resolved.summary == (
        "m: events are read again since 2020-09-20 04:00 UTC, after 3 hours."
    )


def test_a_second_loss_is_another_record_of_the_same_alert() -> None:
    judging = Judging()
    one = sketch(PLAN)
    judging.advance(one.feed(records(at(0)), 0))
    revisions = []
    for number in (1, 2):
        one.lost(Gap(one.source, number * 10, number * 10 + 5))
        words = one.feed(records(at(600 * number), first=number * 10 + 5), 0)
        revisions += [(a.alert_id, a.revision) for a in alerts(judging.advance(words))]
    assert [revision for _, revision in revisions] == [1, 2]
    assert len({alert_id for alert_id, _ in revisions}) == 1


def test_panes_deleted_before_they_were_judged() -> None:
    judging = Judging()
    one = sketch(PLAN)
    judging.advance(one.feed(records(at(0, 3_700, 7_300)), 0))
    gap = Gap(TopicPartition("driftline.panes", 0), 7, 20)
    before = judging.judge.position
    (alert,) = judging.judge.lost(gap)
    assert "events 7 to 19 of driftline.panes partition 0 were deleted" in alert.summary
    start, end = alert.window.span
    assert start <= START + 2 * HOUR <= end
    assert judging.judge.position == before  # what it has not read yet is still to be read
    fresh = PLAN.judge(MODEL, JudgeState(position=0, rewind=0))
    assert list(fresh.lost(gap)) == []  # nothing was heard yet, so nothing is known to be lost


def test_the_reference_is_named() -> None:
    judging = Judging()
    one = sketch(PLAN)
    judging.advance(one.feed(records(at(0)), 0))
    (fired,) = alerts(judging.advance(one.stale(DAY)))
    assert (fired.reference.id, fired.reference.events) == (REFERENCE.id, 1_000)
