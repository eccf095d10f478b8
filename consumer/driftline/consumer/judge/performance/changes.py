"""Watches the performance of one stream pane by pane."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from math import inf

import numpy as np

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.features.change_state import StreamChanges
from driftline.consumer.judge.features.changes import Change, ChangeWatch, Evidence
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import ChangingCells, Outcomes
from driftline.detectors.reference import Reference, ReferenceCounts
from driftline.detectors.sequential.group import Comparing


class MetricChanges:
    """Adds up evidence that the performance of a stream changed.

    Whether a change is for the worse, and large enough, its caller decides.

    Args:
        reference: what the model is compared with; `outcomes`: of it.
        segment: of the stream.
        watched: names of the metrics that may alarm.
        limit: natural logarithm of the evidence at which one alarms.
        window: length and step of the windows; its panes are as long as a step.
        kept: what was kept of the stream; None: nothing.

    Attributes:
        names: the metrics for which evidence is added up, in their order.
    """

    def __init__(
        self,
        reference: Reference,
        outcomes: Outcomes,
        segment: str | None,
        watched: Collection[str],
        limit: float,
        window: WindowConfig,
        kept: StreamChanges | None,
    ) -> None:
        self._segment, self._every, self._size = segment, window.every, outcomes.layout.size
        self._cells = ChangingCells(outcomes.layout, outcomes.counts[0])
        layout = self._cells.layout
        self.names = [feature.name for feature in layout.features]
        counts = np.array([self._cells.count(own) for own in outcomes.counts])
        events = counts[:, : layout.starts[1]].sum(axis=1)
        versions = reference.versions
        normal = Reference(
            reference.model,
            layout,
            ReferenceCounts(
                reference.streams, counts, events,
                versions={name: replace(own, dispersion=None) for name, own in versions.items()},
            ),
            reference.segments,
        )  # fmt: skip
        limits = np.array([limit if name in watched else np.nan for name in self.names])
        self._watch = ChangeWatch(
            normal, segment, limits, window.every, window, -inf, kept, Comparing(upwards=True)
        )

    def reach(self) -> int:
        """Return how far back of the last pane it looks, ms."""
        return self._watch.reach()

    def add(self, start: int, panes: PaneStore, firing: Collection[str]) -> list[Change]:
        """Take in the final pane that starts at `start` (ms); return what changed.

        `firing`: metrics of which an alert says already that they became worse.
        """
        frozen = np.array([name in firing for name in self.names], bool)
        flat = self._counts(panes, start, start + self._every)
        return self._watch.add(start, flat, partial(self._counts, panes), frozen)

    def of(self, name: str) -> Evidence | None:
        """Return what is known of a metric; None where no evidence is added up, or none came."""
        return self._watch.of(self.names.index(name)) if name in self.names else None

    def fired(self, change: Change, end: int, panes: PaneStore) -> None:
        """Take what came since the change out of what is normal; an alert speaks of it now."""
        self._watch.fired(change, end, partial(self._counts, panes))

    def began(
        self, change: Change, end: int, panes: PaneStore, tags: Iterable[str]
    ) -> dict[str, str]:
        """Return what was released when a change began, of predictions that have labels."""
        return panes.begun(*self._watch.around(change, end), end, tags)

    def reset(self, name: str) -> None:
        """Begin a metric anew: what changed is over."""
        if name in self.names:
            self._watch.reset(self.names.index(name))

    def state(self) -> StreamChanges:
        """Return what has to be kept."""
        return self._watch.state()

    def _counts(self, panes: PaneStore, first: int, end: int, part: str | None = None) -> IntArray:
        stream = self._segment if part is None else part
        return self._cells.count(panes.counts(first, end, stream)[: self._size])
