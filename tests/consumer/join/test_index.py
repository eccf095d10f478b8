"""The index of ids against a dict, and the rows that wait, which come and go by it."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.join.index import IdIndex
from driftline.consumer.join.waiting import (
    FREE,
    WAITING,
    Room,
    WaitingColumns,
    WaitingRows,
)

# Ids whose low, or whose high bits are all the same: whatever they are, places must be found.
alike = st.integers(0, 40).map(lambda i: i << 58) | st.integers(0, 40)
ids = alike | st.integers(0, 2**64 - 1)
steps = st.lists(st.tuples(st.booleans(), st.lists(ids, max_size=30, unique=True)), max_size=30)


def column(values: list[int]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.array(values, np.uint64)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_the_index_finds_what_a_dict_finds(steps: list[tuple[bool, list[int]]]) -> None:
    index, known = IdIndex(), dict[int, int]()
    rows = np.zeros(1_000, np.uint64)  # the ids of all rows
    used = 0
    for add, some in steps:
        if add:
            new = [i for i in some if i not in known]
            numbers = np.arange(used, used + len(new))
            rows[numbers] = new
            used += len(new)
            index.add(column(new), numbers, rows)
            known.update(zip(new, numbers.tolist(), strict=True))
        else:
            old = [i for i in some if i in known]
            index.remove(column(old), rows)
            for i in old:
                del known[i]
        looked_for = [*known, *some]
        found = index.find(column(looked_for), rows).tolist()
        assert found == [known.get(i, -1) for i in looked_for]


def test_the_index_grows_with_what_it_holds_and_not_with_what_came_and_went() -> None:
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 2**63, 300_000).astype(np.uint64)
    index = IdIndex()
    for first in range(0, 300_000, 1_000):  # a thousand at a time, two thousand stay
        numbers = np.arange(first, first + 1_000)
        index.add(rows[numbers], numbers, rows)
        if first >= 2_000:
            index.remove(rows[numbers - 2_000], rows)
    assert (index.find(rows, rows) >= 0).sum() == 2_000
    assert len(index._rows) <= 8_192
    numbers = np.arange(298_000)
    index.add(rows[numbers], numbers, rows)
    assert (index.find(rows, rows) == np.arange(300_000)).all()
    assert len(index._rows) == 2**20


def waiting(some: list[int], until: int) -> WaitingColumns:
    n = len(some)
    return WaitingColumns(
        column(some), np.full(n, WAITING, np.uint8), np.arange(n), np.full(n, until), np.zeros(n),
        np.full(n, np.nan), np.zeros(n, np.uint8), np.arange(3 * n, dtype=np.int16).reshape(3, n),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(steps)
def test_rows_come_and_go_like_those_of_a_dict(steps: list[tuple[bool, list[int]]]) -> None:
    rows, known = WaitingRows(tags=1), dict[int, int]()
    for now, (add, some) in enumerate(steps):
        if add:
            new = [i for i in some if i not in known]
            numbers = rows.add(waiting(new, now + 3))
            assert rows.columns.ids[numbers].tolist() == new
            assert rows.columns.segments[0, numbers].tolist() == list(
                range(2 * len(new), 3 * len(new))
            )
            known.update(dict.fromkeys(new, now + 3))
        else:
            old = [i for i in some if i in known]
            rows.remove(rows.find(column(old)))
            for i in old:
                del known[i]
        over = rows.ended(now)
        assert sorted(rows.columns.ids[over].tolist()) == sorted(
            i for i, until in known.items() if until <= now
        )
        rows.remove(over)
        known = {i: until for i, until in known.items() if until > now}
        assert len(rows) == len(known) == rows.count(WAITING) == len(rows.in_state(WAITING))
        assert (rows.find(column([*known])) >= 0).all()
        assert (rows.first_time() is None) == (not known)


def test_rows_that_are_free_are_used_again_and_hold_nothing_back() -> None:
    rows = WaitingRows(tags=1)
    first = rows.add(waiting(list(range(100_000)), until=10))
    rows.remove(first[first > 0])
    assert rows.first_time() == 0
    size = len(rows.columns.ids)
    for start in range(100_000, 600_000, 20_000):
        numbers = rows.add(waiting(list(range(start, start + 20_000)), until=20))
        rows.remove(numbers)
    assert len(rows.columns.ids) == size
    assert len(rows) == 1
    assert rows.in_state(FREE).size == 99_999
    rows.remove(rows.in_state(WAITING))
    assert rows.first_time() is None
    assert not rows.ended(1 << 60).size


def test_how_many_may_wait() -> None:
    assert Room.within(10, 1 << 40, 3) == Room(waiting=10, ahead=10_000)
    assert Room.within(10**9, 1 << 30, 0).waiting > 10_000_000
    assert Room.within(10**9, 1 << 30, 4).waiting < Room.within(10**9, 1 << 30, 3).waiting
    assert Room.within(10**9, 1, 0) == Room(1, 10_000)
