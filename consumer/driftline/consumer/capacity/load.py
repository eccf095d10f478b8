"""What comes: events a second by topic, partitions, workers, and how events are keyed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from driftline.consumer.capacity.shape import ModelShape
from driftline.consumer.config import Config
from driftline.consumer.service.worker import POLL_S


@dataclass(frozen=True)
class Load:
    """What a deployment has to bear.

    Attributes:
        rates: events a second of each input topic.
        partitions: of each input topic.
        outputs: partitions of each output topic.
        workers: processes that share the work.
        keyed: whether all events of a model are in one partition of their topic.
    """

    rates: Mapping[str, float]
    partitions: Mapping[str, int]
    outputs: int
    workers: int = 1
    keyed: bool = False


@dataclass(frozen=True)
class Stream:
    """A model's events in one topic, evenly over the models that it has.

    Attributes:
        shape: of the model.
        rate: its events a second.
        partitions: those that have events of it.
        silent: those of the topic that have none.
        idle: seconds of silence after which a partition is marked idle.
    """

    shape: ModelShape
    rate: float
    partitions: int
    silent: int
    idle: float

    @property
    def each(self) -> float:
        """Events a second in one partition."""
        return self.rate / self.partitions

    @property
    def events(self) -> float:
        """Events in a pane's message, of those that have any."""
        events = self.each * self.shape.pane
        return events / -math.expm1(-events) if events else 0.0

    @property
    def closed(self) -> float:
        """Panes closed a second: each once in every partition that has an event of it."""
        return self.partitions * -math.expm1(-self.each * self.shape.pane) / self.shape.pane

    @property
    def silences(self) -> float:
        """Silences a second that are longer than `idle`: an open pane is sent in each."""
        return self.partitions * self.each * self._lasting

    @property
    def marks(self) -> float:
        """Idle marks a second of partitions that have events: one in every `idle` of a silence."""
        return self.silences / -math.expm1(-self.each * self.idle) if self.each else 0.0

    @property
    def silent_marks(self) -> float:
        """Idle marks a second of the partitions that have no event of it."""
        return self.silent / self.idle

    @property
    def _lasting(self) -> float:
        """The part of the gaps between events that is longer than `idle`."""
        return math.exp(-self.each * self.idle)

    @property
    def panes(self) -> float:
        """Messages of panes a second."""
        return (self.closed + self.silences) * self.shape.pane_size(self.events).messages

    @property
    def pane_bytes(self) -> float:
        """Bytes a second of panes' messages."""
        return (self.closed + self.silences) * self.shape.pane_size(self.events).bytes

    @property
    def polled(self) -> float:
        """Batches a second that hold events of it, over all partitions."""
        return self.partitions * -math.expm1(-self.each * POLL_S) / POLL_S


def streams_of(
    shapes: Mapping[str, ModelShape], config: Config, load: Load
) -> dict[str, list[Stream]]:
    """Return the events of each model by topic: topic to its models'."""
    models: dict[str, list[ModelShape]] = {}
    for shape in shapes.values():
        for topic in shape.topics:
            models.setdefault(topic, []).append(shape)
    idle = config.limits.idle_after / 1_000
    found = {}
    for topic, own in models.items():
        partitions, rate = load.partitions[topic], load.rates.get(topic, 0.0) / len(own)
        used = 1 if load.keyed else partitions
        found[topic] = [Stream(shape, rate, used, partitions - used, idle) for shape in own]
    return found
