"""What of a model its cost depends on: features, cells, streams, and how they fill with events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.capacity.measured import PANE_BYTES, STREAM_BYTES
from driftline.consumer.judge.model_streams import reference_streams
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.messages import LARGEST_MESSAGE
from driftline.consumer.wire.samples import sample_size

FloatArray = NDArray[np.float64]
JOINED = 50
"""Panes that judge looks back at."""
_HASH = 8  # bytes of an event in a pane's sample
_WIDTHS = ((1, 1 << 8), (2, 1 << 16), (4, 1 << 32))


@dataclass(frozen=True)
class PaneSize:
    """Messages of one pane, bytes of all of them, and cells in them that are not empty."""

    messages: int
    bytes: float
    cells: float


@dataclass(frozen=True)
class Cells:
    """What is counted of a model.

    Attributes:
        features: that are watched, each in every stream.
        streams: the whole model, and its segments.
        each: cells of a stream.
        shares: reads, per stream, which part of the whole model's events each cell has: a fleet's
            are not held all at once.
    """

    features: int
    streams: int
    each: int
    shares: Callable[[], tuple[FloatArray, ...]]


@dataclass(frozen=True)
class Spans:
    """Times of a model, ms: of its windows, and how far back of the next pane judge keeps panes."""

    pane: int
    every: int
    length: int
    reach: int


@dataclass(frozen=True)
class Labels:
    """Labels of a model: their topic, for how long (ms) predictions wait, cells of an outcome."""

    topic: str
    horizon: int
    cells: int


@dataclass(frozen=True)
class ModelShape:
    """What a model's cost depends on.

    Attributes:
        name: of the model.
        topics: of its predictions.
        counted: what of it.
        spans: of its windows.
        labels: None: none are read.
        sizes: of panes, those worked out already, by the events of a message.
    """

    name: str
    topics: tuple[str, ...]
    counted: Cells
    spans: Spans
    labels: Labels | None
    sizes: dict[float, PaneSize] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, name: str) -> ModelShape:
        """Return the shape of a model of a plan."""
        config, reference = plan.config.models[name], plan.references[name]
        streams, window = reference_streams(config, reference), config.window
        watched = [f for f in reference.layout.features if not config.is_ignored(f.name)]
        shares = partial(_shares, plan, name, streams)
        pane, labels = plan.pane(name), config.labels
        return cls(
            name=name,
            topics=config.predictions,
            counted=Cells(len(watched), len(streams), reference.size, shares),
            spans=Spans(pane, window.every, window.length, max(window.length, JOINED * pane)),
            labels=None
            if labels is None
            else Labels(labels.topic, labels.horizon, plan.outcome_layout(name).size),
        )

    @property
    def series(self) -> int:
        """Features of all streams."""
        return self.counted.streams * self.counted.features

    @property
    def cells(self) -> int:
        """Cells of all streams."""
        return self.counted.streams * self.counted.each

    @property
    def pane(self) -> float:
        """Length of a pane, seconds."""
        return self.spans.pane / 1_000

    @property
    def every(self) -> float:
        """From one window to the next, seconds."""
        return self.spans.every / 1_000

    def pane_size(self, events: float) -> PaneSize:
        """Return what the message of a pane with a number of events is expected to have.

        The events fill the cells by the shares of the reference. Gaps between cells that are not
        empty, and counts, are written in 1, 2 or 4 bytes each, by the largest of the stream.
        """
        events = float(f"{events:.3g}")
        if events not in self.sizes:
            self.sizes[events] = self._size(events)
        return self.sizes[events]

    def _size(self, events: float) -> PaneSize:
        size = PANE_BYTES.value + _HASH * min(
            events, sample_size(self.spans.pane, self.spans.every)
        )
        filled = 0.0
        for shares in self.counted.shares():
            mean = events * shares
            cells = float(-np.expm1(-mean).sum())
            width = _gap_width(mean) + _count_width(mean)
            size += STREAM_BYTES.value + cells * width
            filled += cells
        messages = 1
        while size / messages > LARGEST_MESSAGE:
            messages *= 2  # it is halved by features
        return PaneSize(messages, size, filled)


def _shares(plan: Plan, name: str, streams: Sequence[str | None]) -> tuple[FloatArray, ...]:
    """Return the part of a model's events that each cell of its streams has."""
    reference = plan.references[name]
    events = max(reference.events, 1)
    found = [reference.counts[reference.streams.index(each)] / events for each in streams]
    if plan.config.models[name].joint is not None and reference.joint is not None:
        # Of pairs, nine cells each, of the whole model alone.
        pairs = np.full(reference.joint.layout.size, 1 / 9)
        found[0] = np.concatenate([found[0], pairs])
    return tuple(found)


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
