"""Rows that wait for a source that lies behind: so many and no more, whatever the restarts."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.consumer.join.oracle import Rules
from tests.consumer.join.random_log import GRACE, TINY, Kind, RandomLog, random_log, random_rules
from tests.consumer.join.running import PLENTY, new_join, run
from tests.consumer.join.script import script

from driftline.consumer.join import future_rows as ahead
from driftline.consumer.join.future_rows import FutureRows
from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.state import JoinState
from driftline.consumer.wire.join_rows import JoinRows, unknown

MOST = 20
RULES = Rules("arrival", 200_000, 200_000)
BEHIND = script(
    "l0 L9@0",
    *(f"p{i % 2} P{i}@{i}" for i in range(1, 41)),
    "l0 L1@5 L30@6",
    *("l0 @100", "p0 @100", "p1 @100"),
)
"""A source of labels whose times stay far behind those of the predictions."""


def test_a_source_that_lies_behind_is_not_waited_for_without_end() -> None:
    join = new_join(RULES, ahead=MOST)
    most = 0
    for offset, block in enumerate(BEHIND):
        list(join.feed(block, offset))
        most = max(most, join._future.held)
    assert most == MOST
    # The labels come when the clock has passed their times: they count from then, none is lost.
    totals = join.totals
    assert (totals.predictions, totals.joined, totals.crowded_out) == (40, 3, 0)
    assert totals.hurried > 15
    waited = new_join(RULES)
    for offset, block in enumerate(BEHIND):
        list(waited.feed(block, offset))
    assert (waited.totals.joined, waited.totals.hurried, waited._lifts) == (3, 0, {})


def test_a_partition_that_never_speaks_is_not_waited_for_without_end() -> None:
    join = new_join(RULES, ahead=3)
    for offset, block in enumerate(script(*(f"p0 P{i}@{i}" for i in range(9)))):
        list(join.feed(block, offset))
    assert (join._future.held, join.totals.predictions) == (3, 6)


@pytest.mark.parametrize(
    "kind", [Kind(ids=40), replace(TINY, rows=15), Kind(ids=10**6, gap=6_000)], ids=str
)
def test_kills_change_nothing(kind: Kind) -> None:
    hurried = 0
    for seed in range(12):
        rng = random.Random(seed)
        log, rules = random_log(rng, kind), random_rules(rng)
        calm = run(log.blocks, rules, PLENTY, ahead=5)
        killed = run(log.blocks, rules, PLENTY, random.Random(seed), ahead=5)
        assert killed.differing == []
        assert killed.panes == calm.panes
        hurried += calm.join.totals.hurried
    assert hurried > 50


def without_lifts(join: ModelJoin) -> JoinState | None:
    state = join.state()
    if state is not None:
        state.lifts = []
    return state


def test_where_the_clock_was_lifted_must_be_recorded() -> None:
    def changed(seed: int) -> bool:
        log: RandomLog = random_log(random.Random(seed), Kind(ids=40))
        found = run(log.blocks, RULES, PLENTY, random.Random(seed), without_lifts, ahead=5)
        return found.panes != run(log.blocks, RULES, PLENTY, ahead=5).panes

    assert any(map(changed, range(25)))


def rows(times: list[int], first: int) -> JoinRows:
    n = len(times)
    some = JoinRows.none(tags=0)
    some.times, some.offsets = np.array(times, np.int64), np.arange(first, first + n)
    for name in ("labels", "ids", "values", "predicted", "versions"):
        setattr(some, name, np.zeros(n, getattr(some, name).dtype))
    some.segments, some.expected = np.zeros((0, n), np.int64), unknown(n)
    return some


@given(
    parts=st.lists(st.lists(st.integers(0, 50), max_size=4), max_size=12), now=st.integers(0, 50)
)
def test_however_rows_are_put_together_they_come_out_in_their_order(
    parts: list[list[int]], now: int
) -> None:
    def come_out(many: int) -> list[Any]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ahead, "_MANY", many)
            own, first, found = FutureRows(tags=0), 0, []
            for place, times in enumerate(parts):
                own.add(("p", place % 2), rows(times, first))
                first += len(times)
            found.append(own.held)
            if own.held:
                found += [own.time_leaving(most) for most in (1, 2, 100)]
            found.append(own.before(now))
            for time in (now, 51):
                some = own.due(time)
                found += [some.times.tolist(), some.offsets.tolist(), own.held]
            return found

    expected = come_out(1_000)
    assert come_out(1) == come_out(3) == expected
    every = [time for times in parts for time in times]
    assert expected[0] == len(every)
    assert sorted(expected[-6] + expected[-3]) == sorted(every)
    if every:
        assert sum(time >= expected[2] for time in every) <= 2


def test_what_is_ahead_is_the_same_after_a_restart() -> None:
    log = random_log(random.Random(4), Kind(ids=40, late=2 * GRACE))
    join = new_join(RULES, ahead=5)
    for offset, block in enumerate(log.blocks):
        list(join.feed(block, offset))
        if offset % 7:
            continue
        state = join.state()
        assert state is not None
        assert all(at >= state.rewind for at, _ in state.lifts)
        again = new_join(RULES, state, ahead=5)
        for past in range(state.rewind, state.position):
            list(again.feed(log.blocks[past], past))
        again.catch_up()
        assert again._clock.now() == join._clock.now()
        assert again._future.held == join._future.held
