"""The clock keeps what it is asked: it says what walking all partitions says, and walks none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.wire.walking_clock import WalkingClock

from driftline.consumer.wire.clock import Clock, Source, SourceProgress, by_source, listed
from driftline.consumer.wire.messages import Horizon

TOPICS = ("in", "also", "elsewhere")
TIMES = st.none() | st.integers(0, 12)


@st.composite
def horizons(draw: st.DrawFn) -> Horizon:
    """A record of one of four partitions; its topic may have had fewer until now, or has."""
    partition = draw(st.integers(0, 3))
    return Horizon(
        draw(st.sampled_from(TOPICS)),
        partition,
        draw(st.integers(partition + 1, 4) | st.integers(1, 4)),
        "m",
        draw(TIMES),
        draw(TIMES),
        draw(st.integers(0, 5)),
        draw(st.integers(0, 3)),
        idle=draw(st.booleans()),
        stale=draw(st.booleans()),
        held=draw(st.booleans()),
    )


def said(clock: Clock | WalkingClock) -> tuple[Any, ...]:
    """All that a clock is asked."""
    times = clock.now(), clock.progress()
    return (*times, clock.stale(), clock.idle(), clock.holding(), listed(clock.sources))


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(TOPICS[:2]), min_size=1, max_size=2, unique=True),
    st.lists(horizons() | st.integers(0, 14) | st.just("again"), max_size=30),
)
def test_it_says_what_walking_all_partitions_says(topics: list[str], steps: list[Any]) -> None:
    """A step is a record, a lift of the clock to a time, or going on from what a state lists."""
    kept, walking = Clock(topics, {}), WalkingClock(topics, {})
    assert said(kept) == said(walking)
    for step in steps:
        if isinstance(step, Horizon):
            kept.advance(step)
            walking.advance(step)
        elif isinstance(step, int):
            kept.lift(step)
            walking.lift(step)
        else:
            kept = Clock(topics, by_source(listed(kept.sources)))
        assert said(kept) == said(walking)


class Counted(dict[Source, SourceProgress]):
    """Sources that count how often one of them is looked at."""

    looks = 0

    def __getitem__(self, key: Source) -> SourceProgress:
        self.looks += 1
        return super().__getitem__(key)

    def get(self, key: Source, default: Any = None) -> Any:
        self.looks += 1
        return super().get(key, default)

    def __iter__(self) -> Iterator[Source]:
        self.looks += len(self)
        return super().__iter__()

    def values(self) -> Any:
        self.looks += len(self)
        return super().values()

    def items(self) -> Any:
        self.looks += len(self)
        return super().items()


def looks(make: Callable[[Any, Any], Clock | WalkingClock], partitions: int) -> float:
    """Return how many sources are looked at for a record, on average, in four rounds of them."""
    sources = Counted()
    clock = make(("in",), sources)
    for partition in range(partitions):
        clock.advance(Horizon("in", partition, partitions, "m", 0, 0, 0, 1))
    sources.looks = 0
    for time in range(1, 5):
        for partition in range(partitions):
            idle = partition % 3 == 0
            clock.advance(Horizon("in", partition, partitions, "m", time, time, time, 1, idle=idle))
            assert clock.now() == (time if partition == partitions - 1 else time - 1)
            assert not clock.stale()
            assert clock.progress() == time
            clock.holding()
    return sources.looks / (4 * partitions)


@pytest.mark.parametrize("partitions", [10, 100, 1_000])
def test_a_record_looks_at_few_sources_however_many_there_are(partitions: int) -> None:
    assert looks(Clock, partitions) <= 12


def test_that_a_clock_walks_is_found_out() -> None:
    assert looks(WalkingClock, 30) > 12 * 4
