"""What holds the past back, and where reading may begin again."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.join import marks as marks_module
from driftline.consumer.join.anchors import Anchors, meetings
from driftline.consumer.join.marks import Marks, Source
from driftline.consumer.log.clock import Heard
from driftline.detectors.grid import IntArray

_ids = st.lists(st.integers(0, 12), min_size=1, max_size=6, unique=True)
_times = st.integers(0, 100)
steps = st.lists(st.tuples(st.sampled_from(["add", "prolong", "forget"]), _ids, _times, _times))


def times(value: int, like: list[int]) -> IntArray:
    return np.full(len(like), value)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_anchors_hold_what_a_dict_holds(steps: list[tuple[str, list[int], int, int]]) -> None:
    anchors, known = Anchors(), dict[int, tuple[int, int]]()
    met = dict[int, int]()  # meeting to id
    now = 0
    for verb, some, since, until in steps:
        ids = np.array(some, np.uint64)
        if verb == "add":
            anchors.add(ids, times(since, some), times(now + until, some))
            anchors.meet(ids, meetings(ids, times(since, some)))
            for i, meeting in zip(some, meetings(ids, times(since, some)).tolist(), strict=True):
                first, last = known.get(i, (since, now + until))
                known[i] = min(first, since), max(last, now + until)
                met[meeting] = i
        elif verb == "prolong":
            anchors.prolong(ids, times(now + until, some))
            for i in some:
                if i in known:
                    known[i] = known[i][0], max(known[i][1], now + until)
        else:
            now += since
            anchors.forget(now)
            known = {i: (first, last) for i, (first, last) in known.items() if last > now}
            met = {meeting: i for meeting, i in met.items() if i in known}
            assert set(anchors.met().tolist()) == set(met)
        assert anchors.first_time() == min((first for first, _ in known.values()), default=None)


def test_many_anchors_that_are_over_take_no_room() -> None:
    anchors = Anchors()
    for step in range(200):
        ids = np.arange(1_000 * step, 1_000 * step + 1_000).astype(np.uint64)
        anchors.add(ids, np.full(1_000, step), np.full(1_000, step + 2))
        anchors.meet(ids, meetings(ids, np.full(1_000, step)))
        anchors.forget(step)
        assert len(anchors.met()) <= 3_000
    assert len(anchors._ids) < 20_000
    assert anchors.first_time() == 198


def test_meetings_are_of_ids_and_times() -> None:
    ids = np.array([1, 1, 2, 2], np.uint64)
    assert len(set(meetings(ids, np.array([5, 6, 5, 6])).tolist())) == 4


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50)), max_size=60), st.data())
def test_no_row_before_a_mark_is_as_late_as_asked_for(
    blocks: list[tuple[int, int]], data: st.DataObject
) -> None:
    marks, heard = Marks(0, {}, {}), dict[Source, Heard]()
    taken = [dict[Source, int]()]
    for offset, (source, time) in enumerate(blocks, 1):
        marks.take(("t", source), offset, time)
        heard["t", source] = Heard(time, offset, 0, 3, time, stale=False)
        taken.append({**taken[-1], ("t", source): offset})
        if data.draw(st.booleans()):
            marks.note(offset, heard, now=True)
    for asked in sorted(data.draw(st.lists(st.integers(0, 60), max_size=4))):
        offset, then, told = marks.before(asked)
        assert all(time < asked for _, time in blocks[:offset])
        assert then == taken[offset]
        assert {source: one.until for source, one in told.items()} == taken[offset]


def test_marks_are_few_and_the_last_is_near() -> None:
    marks = Marks(7, {("t", 0): 3}, {})
    assert marks.before(0) == (7, {("t", 0): 3}, {})
    for offset in range(8, 1_000_000, 97):
        marks.take(("t", 0), offset, newest=offset)
        marks.note(offset, {})
    assert len(marks._marks) <= marks_module._MOST
    offset, taken, _ = marks.before(500_000)
    assert taken == {("t", 0): offset}
    assert 400_000 < offset < 500_000
