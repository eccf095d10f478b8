"""What comes: events a second by topic, partitions, workers, and how events are keyed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from driftline.consumer.capacity.measured import ADDED_BYTES
from driftline.consumer.capacity.shape import ModelShape
from driftline.consumer.config import Config
from driftline.consumer.service.merging import WAIT_MS
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
        merged: partitions whose panes a worker adds up before it sends them; 1: none are.
    """

    shape: ModelShape
    rate: float
    partitions: int
    silent: int
    idle: float
    merged: float = 1

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
    def closings(self) -> float:
        """Panes that a worker closes of each pane of the model: those of its partitions."""
        return self.closed * self.shape.pane * self.merged / self.partitions

    @property
    def together(self) -> float:
        """Closed panes that go in one message: all that a worker closes while the first waits."""
        if self.merged == 1 or self.closings <= 1:
            return 1.0
        together = self.closings / moments(self.closings, self.each, WAIT_MS / 1_000)
        # What would be too large goes alone.
        return together if self.shape.pane_size(self.events * together).messages == 1 else 1.0

    @property
    def messages(self) -> Mapping[float, float]:
        """Counts of panes that are sent a second, by the events that each has."""
        sums, silent = self.closed / self.together, self.silences
        if self.together == 1:
            return {self.events: sums + silent}
        return {self.events * self.together: sums, self.events: silent}

    @property
    def panes(self) -> float:
        """Messages of panes a second."""
        size = self.shape.pane_size
        return sum(rate * size(events).messages for events, rate in self.messages.items())

    @property
    def pane_bytes(self) -> float:
        """Bytes a second of panes' messages."""
        size = self.shape.pane_size
        parts = self.closed * ADDED_BYTES.value if self.together > 1 else 0.0
        return parts + sum(rate * size(events).bytes for events, rate in self.messages.items())

    @property
    def pane_cells(self) -> float:
        """Cells a second in them that are not empty."""
        size = self.shape.pane_size
        return sum(rate * size(events).cells for events, rate in self.messages.items())

    @property
    def polled(self) -> float:
        """Batches a second that hold events of it, over all partitions."""
        return self.partitions * -math.expm1(-self.each * POLL_S) / POLL_S


def moments(closed: float, each: float, width: float) -> float:
    """Return in how many stretches of time some of a pane's partitions close it.

    They do so soon after one another: each with its first event behind it.

    Args:
        closed: partitions that close it.
        each: events a second in one of them.
        width: of a stretch, seconds.
    """
    slots = max(1.0, (1 + math.log(closed)) / each / width)
    return max(1.0, -slots * math.expm1(-closed / slots))


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
        workers = min(load.workers, partitions) if config.output.merge_panes else used
        merged = max(used / workers, 1.0)
        found[topic] = [Stream(shape, rate, used, partitions - used, idle, merged) for shape in own]
    return found
