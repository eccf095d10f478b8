"""A model's clock: how far every source of it has come (docs/design.md, Time)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush, heapreplace

import msgspec

from driftline.consumer.wire.messages import Horizon


class SourceProgress(msgspec.Struct):
    """How far one input partition has come, as last reported; times in ms since 1970.

    Attributes:
        horizon: every pane that ends there or before counts as final, for the clock.
        until: offset read up to.
        generation: the highest that reported; an older one's idle mark is void.
        partitions: how many the topic has.
        progress: largest event time seen.
        stale: silent for `stale_after`.
        idle: whether its last report was an idle mark.
        held: whether an open transaction keeps the rest of it from being read.
    """

    horizon: int | None
    until: int
    generation: int
    partitions: int
    progress: int | None
    stale: bool
    idle: bool = False
    held: bool = False


Source = tuple[str, int]
"""A partition of an input: its topic and number."""
Sources = dict[Source, SourceProgress]
"""The progress of each source, by topic and partition."""
Listed = list[tuple[str, int, SourceProgress]]
"""The same as it stands in a state."""


def by_source(listed: Listed) -> Sources:
    """Return a copy of what a state lists."""
    return {(topic, place): msgspec.structs.replace(one) for topic, place, one in listed}


def listed(sources: Sources) -> Listed:
    """Return a copy for a state, in order."""
    return [(*key, msgspec.structs.replace(one)) for key, one in sorted(sources.items())]


class Clock:
    """The smallest horizon over all partitions of a model's topics.

    A model is told of each of its partitions, so what is asked after each horizon is kept: no
    horizon looks at the other partitions, however many there are.

    Args:
        topics: the model's input topics.
        sources: the progress reported so far; the clock alone changes it from then on.
    """

    def __init__(self, topics: Sequence[str], sources: Sources) -> None:
        self._topics = tuple(dict.fromkeys(topics))
        self.sources = sources
        # Of each topic, what its sources say how many partitions it has, and how many say so.
        self._said: dict[str, Counter[int]] = {topic: Counter() for topic in self._topics}
        for (topic, _), known in sources.items():
            if topic in self._said:
                self._said[topic][known.partitions] += 1
        self._newest = _largest(*(known.horizon for known in sources.values()))
        self._progress = _largest(*(known.progress for known in sources.values()))
        self._count()

    def advance(self, horizon: Horizon) -> None:
        """Take in one horizon record.

        A partition that the topic did not have before holds the clock where it is.
        """
        before = self.now()
        self._note(horizon)
        if before is not None and self.now() is None:
            self.lift(before)

    def now(self) -> int | None:
        """Return the time before which every pane is final; None while one has not reported.

        It never falls while its topics are the same.
        """
        return None if self._missing or not self._heap else self._smallest()

    def lift(self, time: int) -> None:
        """Let every partition count as having come to a time (ms), for the clock only."""
        for key in self._missing:
            known = self.sources.get(key)
            if known is None:
                known = self.sources[key] = SourceProgress(None, 0, -1, 1, None, stale=False)
                self._said[key[0]][1] += 1
            known.horizon = time
            heappush(self._heap, (time, key))
        self._missing.clear()
        while self._heap and self._smallest() < time:
            key = self._heap[0][1]
            self.sources[key].horizon = time
            heapreplace(self._heap, (time, key))
        if self._heap:
            self._newest = _largest(self._newest, time)

    def stale(self) -> bool:
        """Return whether the model is silent in all of its partitions."""
        return 0 < self._total == self._stale

    def idle(self) -> bool:
        """Return whether every source was silent when it last reported."""
        return 0 < self._total == self._idle

    def progress(self) -> int | None:
        """Return the largest event time reported."""
        return self._progress

    def holding(self) -> tuple[str, int] | None:
        """Return the partition that holds the clock back: alone, or for an open transaction.

        None where none does: of several that are equally far each may be the slow one.
        """
        if self._missing:
            alone = next(iter(self._missing)) if len(self._missing) == 1 else None
            held = self._held & self._missing
        elif not self._heap:
            return None
        else:
            now = self._smallest()
            first = heappop(self._heap)
            alone = first[1] if not self._heap or self._smallest() > now else None
            heappush(self._heap, first)
            held = {key for key in self._held if self.sources[key].horizon == now}
        if alone is not None and self._total > 1:
            return alone
        return min(held, key=lambda key: (self._topics.index(key[0]), key[1]), default=None)

    def _note(self, horizon: Horizon) -> None:
        key = (horizon.source, horizon.partition)
        known = self.sources.get(key)
        if known is None:
            known = self.sources[key] = SourceProgress(
                None, 0, -1, horizon.partitions, None, stale=False
            )
            self._say(key, None, known.partitions)
        if horizon.idle and (horizon.generation < known.generation or horizon.until < known.until):
            return  # a frozen worker woke up: its partition is not idle for its new owner
        partitions, stale, idle = known.partitions, known.stale, known.idle
        known.horizon = _largest(known.horizon, horizon.horizon)
        known.progress = _largest(known.progress, horizon.progress)
        known.until = max(known.until, horizon.until)
        if horizon.generation >= known.generation:  # a woken worker knows less than the owner
            known.partitions, known.stale, known.held = (
                horizon.partitions,
                horizon.stale,
                horizon.held,
            )
        known.generation = max(known.generation, horizon.generation)
        known.idle = horizon.idle
        self._newest = _largest(self._newest, known.horizon)
        self._progress = _largest(self._progress, known.progress)
        if horizon.idle:  # lifted, for the clock only: it closes no pane
            known.horizon = self._newest
        if key[1] < self._sizes.get(key[0], 0):
            self._stale += known.stale - stale
            self._idle += known.idle - idle
            self._note_place(key, known)
        self._say(key, partitions, known.partitions)

    def _note_place(self, key: Source, known: SourceProgress) -> None:
        """Note whether a partition of the model keeps the clock from having a time, and why."""
        if known.held:
            self._held.add(key)
        else:
            self._held.discard(key)
        if known.horizon is not None and key in self._missing:
            self._missing.remove(key)
            heappush(self._heap, (known.horizon, key))

    def _say(self, key: Source, before: int | None, now: int) -> None:
        """Note that a source says another number of partitions of its topic than before."""
        said = self._said.get(key[0])
        if said is None or before == now:
            return
        said[now] += 1
        if before is not None:
            said[before] -= 1
            said += Counter()  # without those that none says any more
        if max(said) != self._sizes[key[0]]:
            self._count()

    def _count(self) -> None:
        """Look at every partition: at first, and where a topic has another number of them."""
        self._sizes = {topic: max(said, default=1) for topic, said in self._said.items()}
        self._total = sum(self._sizes.values())
        self._missing: set[Source] = set()  # partitions without a horizon
        # Of each other one a time that its horizon was: it only rises, so that the smallest of
        # these, once it is up to date, is the smallest of all.
        self._heap: list[tuple[int, Source]] = []
        self._held: set[Source] = set()
        self._stale = self._idle = 0
        for key in self._keys():
            known = self.sources.get(key)
            if known is None or known.horizon is None:
                self._missing.add(key)
            else:
                self._heap.append((known.horizon, key))
            if known is not None:
                self._stale += known.stale
                self._idle += known.idle
                self._note_place(key, known)
        heapify(self._heap)

    def _smallest(self) -> int:
        """Return the smallest horizon of the partitions that have one."""
        while True:
            time, key = self._heap[0]
            horizon = self.sources[key].horizon
            if horizon is None or horizon == time:
                return time
            heapreplace(self._heap, (horizon, key))

    def _keys(self) -> Iterator[Source]:
        """Yield the partitions of all topics, as far as their number is known."""
        for topic, size in self._sizes.items():
            for partition in range(size):
                yield topic, partition


def _largest(*times: int | None) -> int | None:
    return max((t for t in times if t is not None), default=None)
