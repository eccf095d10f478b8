"""Panes merged over partitions: repeats, replacements, parts, and foreign ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.wire.codec import pack_integers
from driftline.consumer.wire.messages import Pane, StreamCounts
from driftline.errors import RecordError

SIZE, EVERY = 8, 10


def pane(
    counts: Sequence[int],
    *,
    start: int = 0,
    partition: int = 0,
    first: int = 0,
    until: int = 1,
    low: int = 0,
    layout: str = "ref",
    length: int = EVERY,
    source: str = "in",
) -> Pane:
    """A pane whose counts stand from flat position `low` on; its events are their sum."""
    values = np.array(counts, np.int64)
    where = np.flatnonzero(values) + low
    streams = [
        StreamCounts(
            None,
            int(values.sum()),
            {"1": int(values.sum())},
            pack_integers(np.diff(where, prepend=0)),
            pack_integers(values[where - low]),
        )
    ]
    high = low + len(counts)
    return Pane(
        source, partition, "m", start, length, layout, first, until, low, high, streams
    )  # fmt: skip


def store(*panes: Pane) -> PaneStore:
    found = PaneStore(EVERY, ("ref",), SIZE)
    for offset, one in enumerate(panes):
        found.add(one, offset)
    return found


def total(found: PaneStore, start: int = 0, end: int = EVERY) -> list[int]:
    counts: list[int] = found.counts(start, end, None).tolist()
    return counts


ONE, TWO = [1, 0, 0, 2, 0, 0, 0, 0], [3, 0, 0, 2, 0, 0, 0, 1]
SUM = [4, 0, 0, 4, 0, 0, 0, 1]


def test_the_larger_until_replaces_the_smaller_whatever_comes_first() -> None:
    early, late = pane(ONE, until=4), pane(TWO, until=9)
    for order in ([early, late], [late, early], [late, early, late, early]):
        assert total(store(*order)) == TWO
        assert store(*order).events(0, EVERY, None) == 6
        assert store(*order).versions(0, EVERY, None) == {"1": 6}


@pytest.mark.parametrize(
    "other", [{"first": 5, "until": 9}, {"partition": 1}, {"source": "elsewhere"}]
)
def test_a_different_first_partition_or_source_adds_up(other: dict[str, int]) -> None:
    found = store(pane(ONE), pane(TWO, **other), pane(ONE))  # type: ignore[arg-type]  # of one type each
    assert total(found) == SUM
    assert found.events(0, EVERY, None) == 9


@given(st.permutations(range(8)), st.lists(st.integers(0, 7), max_size=8))
def test_any_order_and_any_repeats_give_the_same(order: list[int], repeats: list[int]) -> None:
    rng = np.random.default_rng(3)
    panes = [
        pane(rng.integers(0, 5, SIZE).tolist(), partition=p, first=f, until=f + u, start=s)
        for p, f, u, s in [
            (0, 0, 3, 0), (0, 0, 5, 0), (0, 7, 2, 0), (1, 0, 4, 0),
            (0, 2, 6, 10), (1, 1, 1, 10), (1, 1, 2, 10), (2, 0, 1, 0),
        ]
    ]  # fmt: skip
    plain = store(*panes)
    mixed = store(*(panes[i] for i in [*repeats, *order]))
    for start, end in ((0, 10), (10, 20), (0, 20)):
        assert total(mixed, start, end) == total(plain, start, end)
        assert mixed.events(start, end, None) == plain.events(start, end, None)


def test_pieces_of_a_split_pane_are_one_pane() -> None:
    whole = [1, 2, 3, 4, 0, 0, 0, 9]
    pieces = [pane(whole[:3], low=0, until=5), pane(whole[3:], low=3, until=5)]
    for order in (pieces, pieces[::-1], [*pieces, *pieces]):
        assert total(store(*order)) == whole
    # A newer count replaces all pieces, however it is split itself.
    newer = [pane(TWO, until=7)]
    assert total(store(*pieces, *newer)) == TWO
    assert total(store(*newer, *pieces)) == TWO
    assert total(store(pieces[0], *newer, pieces[1])) == TWO


def test_windows_take_the_panes_within_them() -> None:
    found = store(*(pane([s] * SIZE, start=s) for s in (10, 20, 40)))
    assert found.starts() == [10, 20, 40]
    assert total(found, 10, 30) == [30] * SIZE
    assert total(found, 20, 50) == [60] * SIZE
    assert total(found, 50, 90) == [0] * SIZE
    found.drop_before(20)
    assert found.starts() == [20, 40]


def test_rewind_is_the_smallest_offset_that_is_still_needed() -> None:
    found = PaneStore(EVERY, ("ref",), SIZE)
    assert found.rewind() is None
    found.add(pane(ONE, start=20), 5)
    found.add(pane(ONE, start=10), 7)
    found.add(pane(TWO, start=20, until=9), 8)
    # The count of offset 5 is replaced, yet a restart may begin there without harm; never later
    # than 7, where the pane at 10 stands.
    assert found.rewind() == 5
    found.drop_before(20)
    assert found.rewind() == 5


def test_another_layout_or_length_is_foreign_where_it_overlaps() -> None:
    for other in (pane(ONE, start=20, layout="new"), pane(ONE, start=20, length=20)):
        found = store(pane(ONE, start=0), other)
        assert not found.foreign(0, 20)
        assert found.foreign(10, 30)
        assert found.foreign(other.start + other.length - 5, 90)
        assert not found.foreign(other.start + other.length, 90)


def test_who_looks_back_past_a_new_layout_finds_only_what_is_counted_in_it() -> None:
    """A quiet feature's last panes are looked at over more than a window, also of a larger one."""
    before = pane([0] * SIZE + [7], start=0, layout="old")
    found = store(before, pane(ONE, start=20), pane(TWO, start=30))
    assert total(found, 0, 40) == SUM
    assert found.versions(0, 40, None) == {"1": 7 + 3 + 6}


def test_after_a_new_layout_the_pane_is_counted_again() -> None:
    """A worker that restarts with a new layout counts the open pane in it, from `first`."""
    found = store(pane(ONE, layout="old", until=9), pane(TWO, until=7))
    assert not found.foreign(0, EVERY)
    assert total(found) == TWO


def test_a_layout_that_had_another_id_before_is_the_same() -> None:
    found = PaneStore(EVERY, ("ref", "older"), SIZE)
    for offset, one in enumerate((pane(ONE, layout="older", until=7), pane(TWO, until=9))):
        found.add(one, offset)
    assert found.change(0, EVERY) is None
    assert total(found) == TWO


def test_a_pane_that_does_not_fit_the_reference_is_refused() -> None:
    with pytest.raises(RecordError, match="does not fit its reference"):
        total(store(pane([0] * SIZE + [1])))
