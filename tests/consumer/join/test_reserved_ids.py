"""What is known of rows that are gone, and where reading may begin again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.join import resume_points as marks_module
from driftline.consumer.join.reserved_ids import EarlyMatches, ReservedIds
from driftline.consumer.join.resume_points import ResumePoints, Source
from driftline.consumer.wire.clock import SourceProgress

lives = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 30), st.integers(1, 20)), min_size=1, max_size=12
)


@given(lives, st.integers(0, 3), st.lists(st.integers(0, 60), max_size=4))
def test_those_that_were_taken_longest_are_named(
    lives: list[tuple[int, int, int]], most: int, asked: list[int]
) -> None:
    reserved = ReservedIds(most)
    for one, since, length in lives:
        reserved.add(np.array([one], np.uint64), np.array([since]), np.array([since + length]))
    for time in sorted(asked):
        ids, until = reserved.across(time)
        wanted = sorted(((-a - n, i) for i, a, n in lives if a < time < a + n))[:most]
        assert list(zip((-until).tolist(), ids.tolist(), strict=True)) == wanted
        assert len(reserved) == sum(a + n > time for _, a, n in lives)


@given(lives, st.lists(st.tuples(st.integers(0, 6), st.integers(0, 60)), min_size=1))
def test_an_id_is_held_until_its_row_was_gone(
    lives: list[tuple[int, int, int]], rows: list[tuple[int, int]]
) -> None:
    reserved = ReservedIds(100)
    columns = np.array([(one, since, since + length) for one, since, length in lives])
    reserved.add(columns[:, 0].astype(np.uint64), columns[:, 1], columns[:, 2])
    ids, times = np.array(rows).T
    found = reserved.holds(ids.astype(np.uint64), times)
    until = {one: max(a + n for i, a, n in lives if i == one) for one, _, _ in lives}
    assert found.tolist() == [time < until.get(one, 0) for one, time in rows]


def test_meetings_are_of_ids_and_times() -> None:
    ids = np.array([1, 1, 2, 2], np.uint64)
    assert len(set(EarlyMatches.of(ids, np.array([5, 6, 5, 6])).tolist())) == 4


@given(st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=20), st.data())
def test_meetings_are_all_known_or_none(gaps: list[list[int]], data: st.DataObject) -> None:
    early_matches, known = EarlyMatches(most=5), list[tuple[int, int]]()
    now = asked = 0
    for number, some in enumerate(gaps):
        at = np.cumsum([now, *some])[1:]
        now = int(at[-1]) if some else now
        ids = np.arange(len(some), dtype=np.uint64) + np.uint64(100 * number)
        early_matches.add(ids, at)
        known += zip(EarlyMatches.of(ids, at).tolist(), at.tolist(), strict=True)
        if data.draw(st.booleans()):
            asked = data.draw(st.integers(asked, max(asked, now)))
            found = early_matches.since(asked)
            if found is None:
                assert len(known) > 5
            else:
                assert set(found.tolist()) == {one for one, time in known if time >= asked}
    assert early_matches.since(now + 1) is not None


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50)), max_size=60), st.data())
def test_no_row_before_a_mark_is_as_late_as_asked_for(
    blocks: list[tuple[int, int]], data: st.DataObject
) -> None:
    resume_points, sources = ResumePoints(0, {}, {}), dict[Source, SourceProgress]()
    positions = [dict[Source, int]()]
    for offset, (source, time) in enumerate(blocks, 1):
        resume_points.take(("t", source), offset, time)
        sources["t", source] = SourceProgress(time, offset, 0, 3, time, stale=False)
        positions.append({**positions[-1], ("t", source): offset})
        if data.draw(st.booleans()):
            resume_points.note(offset, sources, now=True)
    for asked in sorted(data.draw(st.lists(st.integers(0, 60), max_size=4))):
        offset, then, told = resume_points.before(asked)
        assert all(time < asked for _, time in blocks[:offset])
        assert then == positions[offset]
        assert {source: one.until for source, one in told.items()} == positions[offset]


def test_marks_are_few_and_the_last_is_near() -> None:
    resume_points = ResumePoints(7, {("t", 0): 3}, {})
    assert resume_points.before(0) == (7, {("t", 0): 3}, {})
    for offset in range(8, 1_000_000, 97):
        resume_points.take(("t", 0), offset, newest=offset)
        resume_points.note(offset, {})
    assert len(resume_points._marks) <= marks_module._MOST
    offset, positions, _ = resume_points.before(500_000)
    assert positions == {("t", 0): offset}
    assert 400_000 < offset < 500_000
