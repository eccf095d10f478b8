"""Parts added up and sums that run on: the same as keeping every message and adding all anew."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from tests.consumer.judge.windows.plain_store import PlainStore

from driftline.consumer.judge.windows.pane_sum import add_packed
from driftline.consumer.judge.windows.panes import TWO_CONFIGURATIONS, PaneStore
from driftline.consumer.wire.codec import decode, encode, pack_integers
from driftline.consumer.wire.messages import Pane, StreamCounts
from driftline.consumer.wire.samples import EventSample, Note, event_hashes

SIZE, EVERY, WINDOW = 40, 10, 50
STARTS = range(0, 80, EVERY)
LAYOUTS = ("ref", "older", "other")
STREAMS = (None, "tier=gold")
SOURCES = (("in", 0), ("in", 1), ("also", 0))


@dataclass(frozen=True)
class Count:
    """What a worker says of a part of a pane."""

    start: int
    source: tuple[str, int]
    first: int
    until: int
    layout: str = "ref"
    length: int = EVERY

    @property
    def key(self) -> tuple[Any, ...]:
        return self.start, self.source, self.first

    def messages(self) -> list[Pane]:
        """The part, in one message or two; the same whenever it is sent."""
        seed = [self.start, *map(ord, self.source[0]), self.source[1], self.first, self.until]
        rng = np.random.default_rng([*seed, LAYOUTS.index(self.layout)])
        found, cuts = [], [0, *([SIZE // 2] if rng.random() < 0.4 else []), SIZE]
        names, chosen = ["a", "b", "c"], [s for s in STREAMS if s is None or rng.random() < 0.6]
        counts = {stream: rng.poisson(rng.choice([0.1, 2.0]), SIZE) for stream in chosen}
        counts = {stream: each - (rng.random(SIZE) < 0.1) for stream, each in counts.items()}
        versions = {s: {str(v): int(rng.integers(0, 9)) for v in "12"} for s in chosen}
        events = {s: sum(versions[s].values()) for s in chosen}
        offsets = np.arange(self.first, self.first + int(rng.integers(1, 12)))
        hashes = np.sort(event_hashes(self.source[1], offsets))[:8].astype("<u8").tobytes()
        new = {name: int(rng.integers(1, 5)) for name in names if rng.random() < 0.5}
        sample = EventSample(hashes, {0: [Note("field", "a", "text")]}, new)
        releases = {"image": {str(rng.integers(0, 3)): 5}}
        for low, high in pairwise(cuts):
            streams = []
            for stream in chosen:
                where = np.flatnonzero(counts[stream][low:high]) + low
                packed = np.diff(where, prepend=0), counts[stream][where]
                named = {} if low else versions[stream]
                streams.append(
                    StreamCounts(stream, events[stream], named, *map(pack_integers, packed))
                )
            first = low == 0 and (rng.random() < 0.95)
            found.append(
                Pane(
                    *self.source, "m", self.start, self.length, self.layout, self.first,
                    self.until, low, high, streams, sample=sample if first else None,
                    releases=UNSET if low else releases,
                )
            )  # fmt: skip
        return found


ADDED = st.builds(
    Count,
    st.sampled_from(STARTS),
    st.sampled_from(SOURCES),
    st.integers(0, 2),
    st.integers(3, 6),
    st.sampled_from([*LAYOUTS[:1] * 6, *LAYOUTS[1:]]),
    st.sampled_from([EVERY] * 9 + [2 * EVERY]),
)
CLOSED = st.tuples(
    st.just("close"), st.sampled_from(SOURCES), st.integers(0, 9), st.sampled_from([0, 0, 0, 40])
)
OTHERS = st.tuples(st.sampled_from(["fold", "drop"]), st.sampled_from([*STARTS, 15]))


def said(store: PaneStore | PlainStore) -> list[Any]:
    """All that is asked of a store, over windows that run on, and over other ranges."""
    found: list[Any] = [list(store.starts()), store.rewind()]
    ranges = [(at, at + WINDOW) for at in range(0, 40, EVERY)]
    for start, end in (*ranges, (20, 20 + EVERY), (0, 80), (15, 35)):
        found += [store.foreign(start, end), store.change(start, end), store.any(start, end)]
        found += [store.sample(start, end), store.releases(start, end, "image")]
        found.append(store.begun(start, start + 20, end, ["image", "model_version"]))
        for stream in STREAMS:
            found.append(store.counts(start, end, stream).tolist())
            found += [store.events(start, end, stream), store.versions(start, end, stream)]
    return found


def part(number: int, partition: int) -> Count:
    """The part of a pane, by its number, that a partition holds."""
    return Count(number * EVERY, ("in", partition), 3 * number, 3 * number + 2)


def fed(partitions: int, panes: int = 8) -> PaneStore:
    """A store with panes of which each partition holds a part that it closed."""
    store = PaneStore(EVERY, LAYOUTS[:1], SIZE, WINDOW)
    for number in range(panes):
        for partition in range(partitions):
            for message in part(number, partition).messages():
                store.add(decode(encode(message), Pane), number)
            store.close(("in", partition), (number + 1) * EVERY, (number + 1) * EVERY)
        store.fold((number + 1) * EVERY)
    return store


@settings(max_examples=150, deadline=None)
@given(st.lists(ADDED | CLOSED | OTHERS, max_size=40))
def test_it_says_what_adding_every_message_anew_says(steps: list[Any]) -> None:
    """Of a part that its source closed because of its events nothing but repeats comes.

    Of one that was closed for a silence, or is of another layout, whatever may.
    """
    kept, plain = PaneStore(EVERY, LAYOUTS[:2], SIZE, WINDOW), PlainStore(EVERY, LAYOUTS[:2], SIZE)
    known: dict[Any, Count] = {}
    closed: set[Any] = set()
    lasting: set[Any] = set()
    offset = 0
    for step in steps:
        if isinstance(step, Count):
            count = known[step.key] if step.key in closed else step
            before = known.get(count.key)
            changed = before is None or (LAYOUTS.index(before.layout) < 2) != (
                LAYOUTS.index(count.layout) < 2
            )
            if before is None or changed or count.until > before.until:
                known[count.key] = count
            for message in count.messages():
                offset += 1
                for store in (kept, plain):
                    store.add(decode(encode(message), Pane), offset)
        elif step[0] == "close":
            _, source, panes, behind = step
            until = panes * EVERY
            kept.close(source, until, until - behind)
            for key, count in known.items():
                if key[1] == source and key[0] + EVERY <= until and key not in closed | lasting:
                    own = LAYOUTS.index(count.layout) < 2 and count.length == EVERY
                    final = own and key[0] + EVERY <= until - behind
                    (closed if final else lasting).add(key)
        elif step[0] == "fold":
            kept.fold(step[1])
        else:
            for store in (kept, plain):
                store.drop_before(step[1])
            gone = {key for key in known if key[0] not in plain.starts()}
            known = {key: count for key, count in known.items() if key not in gone}
            closed, lasting = closed - gone, lasting - gone
        assert said(kept) == said(plain)


@settings(max_examples=150, deadline=None)
@given(st.lists(ADDED | st.sampled_from(["on", "on", "look", "drop", "close"]), max_size=60))
def test_a_window_that_runs_on_is_the_window_added_up_anew(steps: list[Any]) -> None:
    """Panes come, grow and change while it moves, and leave it before they are gone, or after."""
    kept, plain = PaneStore(EVERY, LAYOUTS[:2], SIZE, WINDOW), PlainStore(EVERY, LAYOUTS[:2], SIZE)
    start = -2 * EVERY
    for offset, step in enumerate(steps):
        if isinstance(step, Count):
            for message in step.messages():
                for store in (kept, plain):
                    store.add(message, offset)
        elif step == "close":  # that they last is seen above
            kept.close(SOURCES[0], start + EVERY, 0)
        elif step == "drop":
            for store in (kept, plain):
                store.drop_before(start + offset % 2 * EVERY)
        else:
            start += EVERY if step == "on" else 0
            for stream in STREAMS:
                found = kept.counts(start, start + WINDOW, stream)
                assert found.tolist() == plain.counts(start, start + WINDOW, stream).tolist()


@pytest.mark.parametrize("behind", [0, EVERY])
def test_panes_leave_a_window_that_runs_on_also_once_they_are_gone(behind: int) -> None:
    kept, plain = fed(2), PlainStore(EVERY, LAYOUTS[:1], SIZE)
    for number in range(8):
        for partition in range(2):
            for message in part(number, partition).messages():
                plain.add(message, number)
    for start in range(0, 80 - WINDOW + 1, EVERY):
        found = kept.counts(start, start + WINDOW, None)
        assert found.tolist() == plain.counts(start, start + WINDOW, None).tolist()
        kept.drop_before(start + EVERY - behind)


def test_a_part_in_the_sum_that_is_counted_otherwise_leaves_the_pane_unjudged() -> None:
    """Workers of two configurations counted it: one closed it where the other still counts."""
    for second in (Count(0, ("in", 0), 0, 9), Count(0, ("in", 0), 0, 2, "other")):
        found = PaneStore(EVERY, LAYOUTS[:1], SIZE)
        first = Count(0, ("in", 0), 0, 5)
        for message in (*first.messages(), *Count(10, ("in", 0), 7, 9).messages()):
            found.add(message, 1)
        found.close(("in", 0), 10, 10)
        counts = found.counts(0, EVERY, None).tolist()
        for message in (*second.messages(), *first.messages()):
            found.add(message, 5)
        assert found.change(0, EVERY) == TWO_CONFIGURATIONS
        assert found.counts(0, EVERY, None).tolist() == counts
        assert found.change(10, 20) is None
        found.drop_before(10)
        assert not found.foreign(0, 100)


def additions(partitions: int) -> int:
    """Return how many sparse counts are added or subtracted for the next window."""
    store = fed(partitions)
    store.counts(0, WINDOW, None)
    added = mock.Mock(side_effect=add_packed)
    with (
        mock.patch("driftline.consumer.judge.windows.pane_sum.add_packed", added),
        mock.patch("driftline.consumer.judge.windows.held_pane.add_packed", added),
    ):
        store.counts(EVERY, EVERY + WINDOW, None)
    return added.call_count


@pytest.mark.parametrize("partitions", [2, 100])
def test_a_window_adds_as_much_however_many_partitions_there_are(partitions: int) -> None:
    assert additions(partitions) == 2  # one pane comes, and one leaves


def test_what_is_kept_does_not_grow_with_the_partitions() -> None:
    def kept(partitions: int) -> int:
        gc.collect()
        tracemalloc.start()
        store = fed(partitions)
        gc.collect()
        found = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert store.rewind() == 0
        return found

    kept(3)
    few, many = kept(3), kept(300)
    # Beside the sums: up to where each part was counted, 24 bytes, and what is known of a source.
    assert many - few < 300 * (8 * 24 + 400)


def test_a_pane_that_may_still_grow_stays_apart() -> None:
    """It was sent for a silence, then it is closed for one: a worker begun anew may count more."""
    found = PaneStore(EVERY, LAYOUTS[:1], SIZE, WINDOW)
    source = ("in", 0)
    for until, by_events in ((0, 0), (10, 5), (10, 30)):
        found.close(source, until, by_events)
        for message in Count(0, source, 0, 4 + until + by_events).messages():
            found.add(message, 1)
    alone = PlainStore(EVERY, LAYOUTS[:1], SIZE)
    for message in Count(0, source, 0, 44).messages():
        alone.add(message, 1)
    assert said(found) == said(alone)
