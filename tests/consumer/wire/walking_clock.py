"""The clock in its plain form, an oracle: whatever is asked, it walks all partitions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftline.consumer.wire.clock import SourceProgress, Sources
from driftline.consumer.wire.messages import Horizon


class WalkingClock:
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
