"""A model's clock: how far every source of it has come (docs/design.md, Time)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


Sources = dict[tuple[str, int], SourceProgress]
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

    Args:
        topics: the model's input topics.
        sources: the progress reported so far.
    """

    def __init__(self, topics: Sequence[str], sources: Sources) -> None:
        self._topics = tuple(topics)
        self.sources = sources

    def advance(self, horizon: Horizon) -> None:
        """Take in one horizon record.

        A partition that the topic did not have before holds the clock where it is.
        """
        before = self.now()
        self._note(horizon)
        if before is not None and self.now() is None:
            self.lift(before)

    def _note(self, horizon: Horizon) -> None:
        key = (horizon.source, horizon.partition)
        known = self.sources.get(key)
        if known is None:
            known = self.sources[key] = SourceProgress(
                None, 0, -1, horizon.partitions, None, stale=False
            )
        if horizon.idle and (horizon.generation < known.generation or horizon.until < known.until):
            return  # a frozen worker woke up: its partition is not idle for its new owner
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
        if horizon.idle:  # lifted, for the clock only: it closes no pane
            known.horizon = _largest(*(h.horizon for h in self.sources.values()))

    def now(self) -> int | None:
        """Return the time before which every pane is final; None while one has not reported.

        It never falls while its topics are the same.
        """
        horizons = list(self._horizons())
        if not horizons or None in horizons:
            return None
        return min(h for h in horizons if h is not None)

    def lift(self, time: int) -> None:
        """Let every partition count as having come to a time (ms), for the clock only."""
        for key in list(self._keys()):
            known = self.sources.setdefault(key, SourceProgress(None, 0, -1, 1, None, stale=False))
            known.horizon = _largest(known.horizon, time)

    def stale(self) -> bool:
        """Return whether the model is silent in all of its partitions."""
        keys = list(self._keys())
        return bool(keys) and all(k in self.sources and self.sources[k].stale for k in keys)

    def idle(self) -> bool:
        """Return whether every source was silent when it last reported."""
        keys = list(self._keys())
        return bool(keys) and all(k in self.sources and self.sources[k].idle for k in keys)

    def progress(self) -> int | None:
        """Return the largest event time reported."""
        return _largest(*(h.progress for h in self.sources.values()))

    def holding(self) -> tuple[str, int] | None:
        """Return the partition that holds the clock back: alone, or for an open transaction.

        None where none does: of several that are equally far each may be the slow one.
        """
        keys = list(self._keys())
        behind = [k for k in keys if k not in self.sources or self.sources[k].horizon is None]
        if not behind:
            now = self.now()
            behind = [k for k in keys if self.sources[k].horizon == now]
        if len(behind) == 1 and len(keys) > 1:
            return behind[0]
        return next((k for k in behind if k in self.sources and self.sources[k].held), None)

    def _keys(self) -> Iterator[tuple[str, int]]:
        """Yield the partitions of all topics, as far as their number is known."""
        for topic in self._topics:
            known = [h.partitions for (t, _), h in self.sources.items() if t == topic]
            for partition in range(max(known, default=1)):
                yield topic, partition

    def _horizons(self) -> Iterator[int | None]:
        for key in self._keys():
            sources = self.sources.get(key)
            yield None if sources is None else sources.horizon


def _largest(*times: int | None) -> int | None:
    return max((t for t in times if t is not None), default=None)
