"""Marks hold what has changed from one to the next, and give what whole copies would."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.join import resume_points as module
from driftline.consumer.join.resume_points import Positions, ResumePoints, Source
from driftline.consumer.wire.clock import SourceProgress

OLD: Source = ("t", 0)
SOURCES = 2_000

steps = st.lists(
    st.tuples(
        st.integers(0, 19),  # whose block it is
        st.integers(0, 5),  # how much later than its offset its rows are
        st.booleans(),  # it has rows
        st.integers(0, 2),  # sources that are lifted with it
        st.sampled_from(["note", "note", "note", "", "ask"]),
        st.integers(0, 60),  # how far back is asked
    ),
    max_size=80,
)


def progress(horizon: int, until: int) -> SourceProgress:
    return SourceProgress(horizon, until, 0, 4, horizon, stale=False)


@given(steps, st.integers(4, 12))
def test_as_if_each_mark_had_copies_of_all(
    blocks: list[tuple[int, int, bool, int, str, int]], most: int
) -> None:
    sources = {OLD: progress(1, 3)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST", most)
        points = ResumePoints(0, {OLD: 3}, sources)
        whole: dict[int, tuple[Positions, dict[Source, SourceProgress]]] = {}
        whole[0] = ({OLD: 3}, deepcopy(sources))
        asked = newest = 0
        for offset, (number, later, rows, lifted, then, back) in enumerate(blocks, 1):
            time = offset + later
            newest = max(newest, time)
            if rows:
                points.take(("t", number), offset, time)
            sources["t", number] = progress(time, offset)
            for each in list(sources)[:lifted]:
                sources[each].horizon = newest  # the clock changes them where they are
            if then == "note":
                points.note(offset, sources, now=True)
                whole[offset] = (dict(points.positions), deepcopy(sources))
            if then == "ask":
                asked = max(asked, time - back)
                at, positions, known = points.before(asked)
                assert (positions, known) == whole[at]


def test_a_mark_is_as_large_as_what_has_changed() -> None:
    sources = {("t", number): progress(0, 0) for number in range(SOURCES)}
    points = ResumePoints(0, dict.fromkeys(sources, 0), sources)
    for offset in range(1, 100_000):
        source = ("t", offset % 7)
        points.take(source, offset, newest=offset)
        sources[source] = progress(offset, offset)
        points.note(offset, sources)
    first, *later = points._marks
    assert len(first.sources) == len(first.positions) == SOURCES
    assert len(later) > 60
    assert max(max(len(mark.sources), len(mark.positions)) for mark in later) == 7
