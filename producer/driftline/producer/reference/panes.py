"""The reference's panes in the order of time: how much more they vary than independent events.

Panes are cut as the monitor cuts them, at multiples of their length since 1970, whatever order the
events come in. They are as short as holds about 100 events, so that what neighbours share is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftline.detectors.counts import Columns, Layout
from driftline.detectors.dispersion import Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.pane_lengths import EVENTS, LEAST_PANES, LENGTHS
from driftline.detectors.rounding import significant
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.variation import Directions, reference_phi
from driftline.producer.records.timestamp_column import UNREADABLE
from driftline.producer.reference.distinct import DistinctNumbers

_SAMPLE = 1 << 14  # distinct times that tell when most events were
_MARGIN = 0.02  # of the time in which 98 % of them are
_RUN = 512  # panes in a row, where not all are kept
_MOST_CELLS = 1 << 24
_DIGITS = 6  # of phi: it is an estimate, and files stay small


def pane_length(events: int, span: float) -> int | None:
    """Return the length of panes, ms: about 100 events, but 30 panes; None where that cannot be.

    Args:
        events: how many.
        span: of their times, ms.

    Example:
        >>> pane_length(50_000, 30 * 86_400_000) // 60_000, pane_length(40, 86_400_000)
        (120, None)
    """
    if span <= 0 or events < 2 * LEAST_PANES:
        return None
    most = span / LEAST_PANES
    fitting = [length for length in LENGTHS if length <= most]
    if not fitting:
        return None
    return next((each for each in fitting if events * each / span >= EVENTS), fitting[-1])


class TimesSeen:
    """What is known of the events' times after one reading, in any order."""

    def __init__(self) -> None:
        self._times = DistinctNumbers(_SAMPLE)
        self._events = 0

    def add(self, times: IntArray) -> None:
        """Take in times, ms; those that cannot be read say nothing."""
        there = times[times != UNREADABLE]
        self._events += there.size
        self._times.add(there.astype(np.float64))

    def plan(self) -> PanePlan | None:
        """Return how panes are cut; None without times, or where they are too few."""
        sample = self._times.some()
        if not sample.size:
            return None
        low, high = np.quantile(sample, (0.01, 0.99))
        margin = _MARGIN * (high - low)
        length = pane_length(self._events, float(high - low) / 0.98)
        if length is None:
            return None
        first = int((max(float(sample[0]), low - margin)) // length)
        last = int((min(float(sample[-1]), high + margin)) // length)
        return PanePlan(length, first, last + 1 - first)


@dataclass(frozen=True)
class PanePlan:
    """How panes are cut: `count` of `length` ms, from the number `first` on."""

    length: int
    first: int
    count: int


class PaneCounts:
    """Counts panes, in one reading.

    Args:
        plan: how they are cut.
        layout: of the reference; `counts`: of the whole model.
    """

    def __init__(self, plan: PanePlan, layout: Layout, counts: IntArray) -> None:
        self._plan, self._layout = plan, layout
        self._bins = PaneBins(layout, counts)
        size = self._bins.owner.size + self._bins.features
        # Of too many panes runs are kept, as many from every time.
        runs = -(-plan.count // _RUN)
        self._step = max(1, -(-plan.count * size // _MOST_CELLS))
        kept = min(plan.count, -(-runs // self._step) * _RUN)
        self._counts = np.zeros((kept, size), np.int32)

    def add(self, times: IntArray, columns: Columns) -> None:
        """Count events.

        Args:
            times: ms, shape (n,).
            columns: n events.
        """
        number = times // self._plan.length - self._plan.first
        run, place = np.divmod(number, _RUN)
        kept = (times != UNREADABLE) & (number >= 0) & (number < self._plan.count)
        kept &= run % self._step == 0
        rows = (run // self._step * _RUN + place)[kept]
        found = self._bins.of_events(self._layout, columns)[kept]
        none = self._bins.owner.size + np.arange(self._bins.features)
        flat = np.where(found >= 0, found, none) + (rows * self._counts.shape[1])[:, None]
        np.add.at(self._counts.reshape(-1), flat.reshape(-1), 1)

    def dispersion(self) -> Dispersion | None:
        """Return how much the panes vary; None where fewer than 30 have events."""
        rows = np.flatnonzero(self._counts.any(axis=1))
        if rows.size < LEAST_PANES:
            return None
        run, place = np.divmod(rows, _RUN)
        numbers = run * self._step * _RUN + place + self._plan.first
        directions = Directions.of(self._bins, self._layout.numeric)
        panes = self._counts[rows].astype(np.int64)
        phi, events = reference_phi(self._bins, directions, panes, numbers)
        rounded = (significant(each, _DIGITS) for each in (events, phi))
        return Dispersion(self._plan.length, rows.size, *rounded)
