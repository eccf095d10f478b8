"""What of a model its cost depends on: features, cells, streams, and how they fill with events."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.capacity.measured import PANE_BYTES, STREAM_BYTES
from driftline.consumer.judge.model_streams import reference_streams
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.messages import LARGEST_MESSAGE
from driftline.consumer.wire.samples import sample_size

FloatArray = NDArray[np.float64]
_HASH = 8  # bytes of an event in a pane's sample
_WIDTHS = ((1, 1 << 8), (2, 1 << 16), (4, 1 << 32))


@dataclass(frozen=True)
class PaneSize:
    """Messages of one pane, bytes of all of them, and cells in them that are not empty."""

    messages: int
    bytes: float
    cells: float


@dataclass(frozen=True)
class ModelShape:
    """What a model's cost depends on.

    Attributes:
        name: of the model.
        topics: of its predictions.
        features: of its reference, each in every stream.
        shares: per stream, of each cell how many of the whole model's events are counted there.
        pane, every, length: of its windows, ms.
        reach: how far back of the next pane judge keeps panes, ms.
        labels: the topic of its labels; None: none are read.
        horizon: for how long a prediction waits for its label, ms.
        outcomes: cells of its outcomes; 0 without labels.
        metrics: verdicts of a window beside those of features, a stream.
    """

    name: str
    topics: tuple[str, ...]
    features: int
    shares: tuple[FloatArray, ...]
    pane: int
    every: int
    length: int
    reach: int
    labels: str | None
    horizon: int
    outcomes: int
    metrics: int

    @classmethod
    def of(cls, plan: Plan, name: str) -> ModelShape:
        """Return the shape of a model of a plan."""
        config, reference = plan.config.models[name], plan.references[name]
        streams = reference_streams(config, reference)
        events = max(reference.events, 1)
        places = [reference.streams.index(each) for each in streams]
        outcomes = plan.outcome_layout(name).size if config.labels is not None else 0
        watched = [f for f in reference.layout.features if not config.is_ignored(f.name)]
        return cls(
            name=name,
            topics=config.predictions,
            features=len(watched),
            shares=tuple(reference.counts[place] / events for place in places),
            pane=plan.pane(name),
            every=config.window.every,
            length=config.window.length,
            reach=max(config.window.length, 50 * plan.pane(name)),
            labels=None if config.labels is None else config.labels.topic,
            horizon=0 if config.labels is None else config.labels.horizon,
            outcomes=outcomes,
            metrics=0,
        )

    @property
    def streams(self) -> int:
        """How many streams are counted."""
        return len(self.shares)

    @property
    def cells(self) -> int:
        """Cells of a stream."""
        return len(self.shares[0])

    @cached_property
    def _sizes(self) -> dict[float, PaneSize]:
        """Those worked out already, by the events of a message."""
        return {}

    def pane_size(self, events: float) -> PaneSize:
        """Return what the message of a pane of so many events has, as is to be expected.

        The events fill the cells by the shares of the reference. Gaps between cells that are not
        empty, and counts, are written in 1, 2 or 4 bytes each, by the largest of the stream.
        """
        events = float(f"{events:.3g}")
        if events not in self._sizes:
            self._sizes[events] = self._size(events)
        return self._sizes[events]

    def _size(self, events: float) -> PaneSize:
        size = PANE_BYTES.value + _HASH * min(events, sample_size(self.pane, self.every))
        filled = 0.0
        for shares in self.shares:
            mean = events * shares
            cells = float(-np.expm1(-mean).sum())
            width = _gap_width(mean) + _count_width(mean)
            size += STREAM_BYTES.value + cells * width
            filled += cells
        messages = 1
        while size / messages > LARGEST_MESSAGE:
            messages *= 2  # it is halved by features
        return PaneSize(messages, size, filled)


def _gap_width(mean: FloatArray) -> int:
    """Return the bytes of a gap: does one of 256 cells or more come, that of 65,536?

    `mean`: events to be expected in each cell.
    """
    until = np.concatenate([[0.0], np.cumsum(mean)])
    filled = -np.expm1(-mean)
    for width, longest in _WIDTHS:
        if longest > len(mean):
            return width
        empty = np.exp(-(until[longest:] - until[1 : len(until) - longest + 1]))
        # From the beginning on, or behind a cell that is not empty.
        begins = np.concatenate([[1.0], filled])[: len(empty)]
        if float((empty * begins).sum()) < 0.5:
            return width
    return _WIDTHS[-1][0]


def _count_width(mean: FloatArray) -> int:
    """Return the bytes of a count: the largest lies above what is to be expected by chance."""
    most = float(mean.max(initial=0.0))
    largest = most + 2 * most**0.5
    return next(width for width, longest in _WIDTHS if largest < longest)
