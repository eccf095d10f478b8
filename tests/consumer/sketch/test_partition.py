"""Event time in one input partition: panes, lateness, silence, and what a new owner finds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.consumer.service.small import (
    HOUR,
    MINUTE,
    SECOND,
    START,
    plan,
    records,
    reference,
    row,
    sketch,
)

from driftline.consumer.log.protocol import Gap
from driftline.consumer.sketch.model import ModelSketch
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import ModelProgress, SketchState
from driftline.consumer.sketch.totals import DeadLetter, Output
from driftline.consumer.wire.messages import Horizon, Loss, Pane

PLAN = plan()  # panes of 10 s, grace 5 s


def at(*times: float, **values: Any) -> list[dict[str, Any]]:
    """Events at seconds after `START`."""
    return [row(int(time * SECOND), **values) for time in times]


def feed(of: PartitionSketch, values: list[Any], written: int = -1, now: int = 0) -> list[Output]:
    return of.feed(records(values, first=of.next, written=written), now)


def panes(outputs: list[Output]) -> list[tuple[int, int, int, int]]:
    """(start in seconds, events, first, until) of the pane messages."""
    return [
        ((o.start - START) // SECOND, o.streams[0].events, o.first, o.until)
        for o in outputs
        if isinstance(o, Pane)
    ]


def horizons(outputs: list[Output]) -> list[tuple[int, int]]:
    """(horizon in seconds, until) of the horizon messages."""
    return [
        ((o.horizon - START) // SECOND, o.until)
        for o in outputs
        if isinstance(o, Horizon) and o.horizon is not None
    ]


def test_panes_start_at_multiples_of_every_since_1970() -> None:
    week = plan(window={"length": "4w", "every": "1w", "grace": "0s"})
    (pane,) = (o for o in feed(sketch(week), [row(0), row(8 * 24 * HOUR)]) if isinstance(o, Pane))
    assert pane.length == 7 * 24 * HOUR
    assert pane.start % pane.length == 0
    assert pane.start <= START < pane.start + pane.length
    # 1970 began on a Thursday, and so do weeks.
    assert START - pane.start == 3 * 24 * HOUR


def test_a_pane_is_final_when_progress_has_passed_its_end_and_the_grace() -> None:
    one = sketch(PLAN)
    assert horizons(feed(one, at(3, 14.999))) == [(-10, 1), (0, 2)]
    found = feed(one, at(15))
    assert panes(found) == [(0, 1, 0, 3)]
    assert horizons(found) == [(10, 3)]
    assert [type(output) for output in found] == [Pane, Horizon]


def test_an_event_closes_several_panes_in_order() -> None:
    found = feed(sketch(PLAN), at(11, 3, 25, 21, 52))
    # Offset 2 is at 25 s, so it closes both panes before 20 s.
    assert panes(found) == [(0, 1, 1, 3), (10, 1, 0, 3), (20, 2, 2, 5)]
    assert horizons(found) == [(0, 1), (20, 3), (40, 5)]
    kinds = [type(output).__name__ for output in found]
    assert kinds == ["Horizon", "Pane", "Pane", "Horizon", "Pane", "Horizon"]


def test_lateness_is_decided_event_by_event() -> None:
    one = sketch(PLAN)
    # At 14.999 s the first pane still waits; from 15 s on it does not.
    found = feed(one, at(1, 14.999, 2, 15, 3, 11))
    assert panes(found) == [(0, 2, 0, 4)]
    assert (one.totals.counted["m"], one.totals.late["m"]) == (5, 1)
    assert one.progress()["m"].progress == START + 15 * SECOND
    assert panes(feed(one, at(30))) == [(10, 3, 1, 7)]


def test_an_event_too_far_ahead_is_refused_and_moves_nothing() -> None:
    one = sketch(PLAN)
    ahead = START + 5 * MINUTE + 1
    found = feed(one, [row(0), row(0, timestamp=ahead), row(5 * MINUTE)], written=START)
    (letter,) = (output for output in found if isinstance(output, DeadLetter))
    assert (letter.record.offset, letter.reason) == (1, "too_far_ahead")
    assert one.totals.rejected == {"too_far_ahead": 1}
    assert one.totals.counted["m"] == 2
    assert one.progress()["m"].progress == START + 5 * MINUTE


def test_an_event_without_time_has_its_records() -> None:
    one = sketch(PLAN)
    feed(one, [{**row(0), "timestamp": None}], written=START + 12 * SECOND)
    assert one.progress()["m"].progress == START + 12 * SECOND


def test_what_is_no_event_of_a_model_is_counted_apart() -> None:
    one = sketch(PLAN)
    found = feed(one, [None, row(0, model="stranger"), row(0), b"oops", None])
    assert [o.reason for o in found if isinstance(o, DeadLetter)] == ["malformed"]
    assert one.totals.read == 5
    assert +one.totals.skipped == {"tombstone": 2, "unknown_model": 1}
    assert one.totals.rejected == {"malformed": 1}
    assert one.totals.counted == {"m": 1}


def test_an_idle_mark_closes_no_pane() -> None:
    one = sketch(PLAN)
    feed(one, at(1, 17, 12))
    found = one.idle(5_000, 5_000)
    assert panes(found) == [(10, 2, 1, 3)]
    mark = found[-1]
    assert isinstance(mark, Horizon)
    assert (mark.idle, mark.stale, mark.horizon) == (True, False, START + 10 * SECOND)
    # The pane is still open: what comes now joins it, under the same `first`.
    assert panes(feed(one, at(13, 25))) == [(10, 3, 1, 5)]
    assert not one.totals.late["m"]


def test_an_idle_mark_is_repeated_while_it_is_true() -> None:
    one = sketch(PLAN)
    feed(one, at(1), now=1_000)
    assert one.idle(5_999, 5_000) == []
    assert [type(output) for output in one.idle(6_000, 5_000)] == [Pane, Horizon]
    assert one.idle(10_999, 5_000) == []
    # Nothing new was counted, so the pane is not sent again.
    assert [type(output) for output in one.idle(11_000, 5_000)] == [Horizon]
    feed(one, at(2), now=12_000)
    assert one.idle(16_999, 5_000) == []
    assert [type(output) for output in one.idle(17_000, 5_000)] == [Pane, Horizon]


def test_a_partition_without_events_is_idle_from_the_first_look() -> None:
    one = sketch(PLAN, now=1_000)
    assert one.idle(5_999, 5_000) == []
    (mark,) = one.idle(6_000, 5_000)
    assert isinstance(mark, Horizon)
    assert (mark.horizon, mark.progress, mark.until, mark.idle) == (None, None, 0, True)


def test_a_stale_model_has_its_panes_closed() -> None:
    one = sketch(plan(stale_after="1h"))
    feed(one, at(1, 17, 31), now=0)
    assert one.stale(HOUR - 1) == []
    found = one.stale(HOUR)
    assert panes(found) == [(30, 1, 2, 3)]
    assert horizons(found) == [(40, 3)]
    assert isinstance(found[-1], Horizon)
    assert found[-1].stale
    assert one.stale(2 * HOUR) == []  # said once
    state = one.state()
    assert state is not None
    assert state.rewind == 3  # no open pane holds it back any more
    # What belongs to a closed pane is late now; what is newer ends the silence.
    feed(one, at(39, 41), now=3 * HOUR)
    assert (one.totals.late["m"], one.totals.counted["m"]) == (1, 4)
    assert not one.progress()["m"].stale


def test_stale_can_be_off_and_needs_no_event() -> None:
    off = sketch(plan(stale_after="off"))
    feed(off, at(1), now=0)
    assert off.stale(1 << 50) == []
    (horizon,) = sketch(plan(stale_after="1h")).stale(HOUR)
    assert isinstance(horizon, Horizon)
    assert (horizon.horizon, horizon.stale) == (None, True)


def test_a_stale_model_is_as_far_as_it_was() -> None:
    """A version that ended closed what came up to then, further on than its events."""
    known = ModelProgress(0, 0, progress=START + 17 * SECOND, horizon=START + 90 * SECOND)
    one = sketch(plan(stale_after="1h"), state=SketchState("id", 1, 5, 5, 0, {"m": known}))
    assert horizons(one.stale(HOUR)) == [(90, 5)]


def test_a_new_owner_speaks_first_with_its_generation() -> None:
    one = sketch(PLAN, partition=3, partitions=8)
    feed(one, at(1, 25))
    state = one.state()
    assert state is not None
    other = sketch(PLAN, 3, 9, msgspec.structs.replace(state, generation=4))
    (horizon,) = other.claim()
    assert isinstance(horizon, Horizon)
    assert horizon == Horizon(
        "in", 3, 9, "m", START + 20 * SECOND, START + 25 * SECOND, 2, 4, idle=False, stale=False
    )


def test_a_new_owner_counts_again_what_is_open_and_does_nothing_else() -> None:
    events = [*at(1, 12, 26, 13, 22), None, b"oops", *at(31, 24)]
    one, other = sketch(PLAN), sketch(PLAN)
    feed(one, events)
    state = one.state()
    assert state is not None
    # The pane of 20 s is open since offset 2; that of 30 s is younger.
    assert (state.rewind, state.position) == (2, 9)
    other = sketch(PLAN, state=state)
    assert other.state() is None  # while the past is read again there is none
    assert feed(other, events[2:5]) == []
    assert other.state() is None
    assert feed(other, events[5:]) == []
    assert other.state() == state
    assert other.totals.read == 0
    assert other.totals.counted == other.totals.late == other.totals.rejected == {}
    closing = at(60)
    assert feed(other, closing) == feed(one, closing)


def test_a_batch_may_hold_the_past_and_the_present() -> None:
    events = at(1, 12, 26, 13, 22, 60)
    one = sketch(PLAN)
    feed(one, events[:5])
    state = one.state()
    assert state is not None
    other = sketch(PLAN, state=state)
    assert feed(other, events[2:]) == feed(one, events[5:])


def test_a_model_new_to_the_configuration_starts_at_the_position() -> None:
    both = plan({"n": reference(model="n")}, models={"n": {}})
    events = [*at(1, 2), *at(1, 3, model="n"), *at(4)]
    alone = sketch(PLAN)
    feed(alone, events)
    state = alone.state()
    assert state is not None
    assert (state.rewind, state.position) == (0, 5)
    # The open pane of m is read again from offset 0; events of n before offset 5 do not count.
    other = sketch(both, state=state)
    feed(other, events)
    found = feed(other, [*at(2, model="n"), *at(30), *at(30, model="n")])
    counted = {o.model: o.streams[0].events for o in found if isinstance(o, Pane)}
    assert counted == {"m": 3, "n": 1}
    assert {o.model: o.first for o in found if isinstance(o, Pane)} == {"m": 0, "n": 5}
    assert other.totals.skipped == {"tombstone": 0, "unknown_model": 0}


def test_a_loss_is_told_before_the_next_panes() -> None:
    one = sketch(PLAN)
    feed(one, at(1, 17))
    one.lost(Gap(one.source, 2, 5))
    one.lost(Gap(one.source, 5, 9))
    state = one.state()
    assert state is not None
    assert state.position == 9
    found = one.feed(records(at(45), first=9), 0)
    assert found[0] == Loss("in", 0, "m", 2, 9, START + 10 * SECOND, START + 50 * SECOND)
    assert panes(found) == [(10, 1, 1, 10)]
    assert not any(isinstance(o, Loss) for o in one.feed(records(at(70), first=10), 0))


def test_a_loss_outlives_its_owner() -> None:
    one = sketch(PLAN)
    one.lost(Gap(one.source, 0, 4))
    state = one.state()
    assert state is not None
    other = sketch(PLAN, state=state)
    found = other.feed(records(at(3), first=4), 0)
    assert found[0] == Loss("in", 0, "m", 0, 4, START, START + 10 * SECOND)


def test_a_model_whose_idle_mark_fails_keeps_the_panes_that_were_to_be_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = sketch(plan(stale_after="10s"))
    feed(one, at(3))
    monkeypatch.setattr(ModelSketch, "idle", lambda *_: 1 / 0)
    one.at_the_end()
    marks = [*one.stale(MINUTE), *one.idle(MINUTE, MINUTE)]
    assert panes(marks) == [(0, 1, 0, 1)]
    assert set(one.failures) == {"m"}  # nothing of it is sent
    state = one.state()
    assert state is not None
    assert (state.rewind, state.behind, state.models["m"].stale) == (0, {"m": 1}, False)
