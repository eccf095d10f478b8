"""How far all partitions of a topic have come together: one horizon a model, sent by the driver.

Judge hears of a topic that Spark reads as of one with a single partition. The product's own clock
tells how far that one is: no further than the partition that is furthest behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from driftline.consumer.sketch.state import ModelProgress, SketchState
from driftline.consumer.wire.clock import Clock
from driftline.consumer.wire.messages import Horizon


class MergedClock:
    """The clock of one model over the partitions of one topic.

    Where workers read the topic before, judge knows its partitions, and the first of them, which
    has the merged one's number, may be far ahead of the others. So nothing is reported until all
    have come as far as any had: then the clock goes on where it stood, and the others are let go.

    Args:
        model: its name.
        topic: the input.
        awaited: the time (ms) that all have to reach first; None where no other body has reported.
    """

    def __init__(self, model: str, topic: str, awaited: int | None) -> None:
        self.awaited = awaited
        self._model, self._topic = model, topic
        self._clock = Clock((topic,), {})
        self._sent: Horizon | None = None

    def advance(self, horizon: Horizon) -> None:
        """Take in what one partition reports."""
        self._clock.advance(horizon)

    def repeat(self) -> None:
        """Report anew what judge may not have heard."""
        self._sent = None

    def report(self, states: Mapping[int, SketchState]) -> Iterator[Horizon]:
        """Yield what judge is to hear that it has not heard yet; an idle mark is repeated.

        Args:
            states: of each partition.
        """
        now = self._clock.now()
        if self.awaited is not None:
            if now is None or now < self.awaited:
                return
            self.awaited = None
            for number, state in states.items():
                if number:
                    yield self._horizon(number, state)
        horizon = self._horizon(0, states[0])
        horizon = msgspec.structs.replace(
            horizon, horizon=now, progress=self._clock.progress(),
            idle=self._clock.idle(), stale=self._clock.stale(),
        )  # fmt: skip
        before, self._sent = self._sent, horizon
        if horizon.idle or before is None or _news(horizon) != _news(before):
            yield horizon

    def _horizon(self, number: int, state: SketchState) -> Horizon:
        """Return the report of a partition that is the only one now, or part of it."""
        return Horizon(
            self._topic, number, 1, self._model, None, None, state.position, state.generation
        )


def _news(horizon: Horizon) -> tuple[object, ...]:
    return horizon.horizon, horizon.progress, horizon.idle, horizon.stale, horizon.generation


class MergedClocks:
    """The clocks of all models whose events a topic holds.

    Args:
        models: their names.
        topic: the input.
        awaited: see `SketchState`.
    """

    def __init__(self, models: Iterable[str], topic: str, awaited: Mapping[str, int]) -> None:
        self._clocks = {name: MergedClock(name, topic, awaited.get(name)) for name in models}

    @property
    def awaited(self) -> dict[str, int]:
        """See `SketchState`."""
        found = {name: clock.awaited for name, clock in self._clocks.items()}
        return {name: time for name, time in found.items() if time is not None}

    def advance(self, horizon: Horizon) -> None:
        """Take in what one partition reports of a model."""
        if (clock := self._clocks.get(horizon.model)) is not None:
            clock.advance(horizon)

    def repeat(self) -> None:
        """Report anew what judge may not have heard."""
        for clock in self._clocks.values():
            clock.repeat()

    def report(self, states: Mapping[int, SketchState]) -> Iterator[Horizon]:
        """Yield what judge is to hear; see `MergedClock.report`."""
        for clock in self._clocks.values():
            yield from clock.report(states)


def horizons(
    topic: str, number: int, partitions: int, before: SketchState, after: SketchState
) -> Iterator[Horizon]:
    """Yield how far the models have come that had events between two states of a partition."""
    for name, model in after.models.items():
        known = before.models.get(name)
        if known is None or _come(known) != _come(model):
            yield Horizon(
                topic, number, partitions, name, model.horizon, model.progress, after.position,
                after.generation, stale=model.stale,
            )  # fmt: skip


def _come(model: ModelProgress) -> tuple[object, ...]:
    return model.horizon, model.progress, model.stale, model.active_at
