"""How the events of a reference are cut into panes, in the order of time, and counted in them.

Panes are cut as the monitor cuts them, at multiples of their length since 1970, whatever order the
events come in. They are those nearest to 100 events, so that what neighbours share is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import IntArray
from driftline.detectors.pane_lengths import LEAST_PANES, LENGTHS, nearest
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.volume import StepEvents
from driftline.producer.records.local_times import local_times
from driftline.producer.records.time_zone import Zone
from driftline.producer.records.timestamp_column import UNREADABLE
from driftline.producer.reference.distinct import DistinctNumbers
from driftline.producer.reference.hours import HourCounts

_SAMPLE = 1 << 14  # distinct times that tell when most events were
_MARGIN = 0.02  # of the time in which 98 % of them are
_AT_ONCE = 1 << 22  # counts
UNCOUNTED = -2
"""The bin of an event that does not count in a feature."""
_RUN = 512  # panes in a row, where not all are kept
_MOST_CELLS = 1 << 24


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
    return nearest(fitting, events / span) if fitting else None


class TimesSeen:
    """What is known of the events' times after one reading, in any order."""

    def __init__(self) -> None:
        self._times = DistinctNumbers(_SAMPLE)
        self._events = 0
        self._hours = HourCounts()

    def add(self, times: IntArray) -> None:
        """Take in times, ms; those that cannot be read say nothing."""
        there = times[times != UNREADABLE]
        self._events += there.size
        self._times.add(there.astype(np.float64))
        self._hours.add(there)

    def merge(self, other: Self) -> None:
        """Take in the times of other events."""
        self._events += other._events
        self._times.merge(other._times)
        self._hours.merge(other._hours)

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

    def hours(self, plan: PanePlan | None) -> StepEvents | None:
        """Return the events of each hour; None where they tell of less than a week.

        `plan`: how panes are cut: what lies far from most of the events is left out.
        """
        if plan is None:
            return None
        return self._hours.within(plan.first * plan.length, (plan.first + plan.count) * plan.length)


@dataclass(frozen=True)
class PanePlan:
    """How panes are cut: `count` of `length` ms, from the number `first` on."""

    length: int
    first: int
    count: int

    def numbers(self, times: IntArray) -> IntArray:
        """Return the pane of each time, from the first on; -1 for a time that is in none."""
        number = times // self.length - self.first
        inside = (times != UNREADABLE) & (number >= 0) & (number < self.count)
        found: IntArray = np.where(inside, number, -1)
        return found

    def local(self, numbers: IntArray, zone: Zone) -> IntArray:
        """Return what the clocks of a zone show in the middle of panes, ms since 1970."""
        return local_times(zone, (self.first + numbers) * self.length + self.length // 2)


def count_panes(
    numbers: IntArray, found: IntArray, bins: PaneBins
) -> Iterator[tuple[IntArray, IntArray]]:
    """Count events by their panes, a few panes at a time.

    Args:
        numbers: pane of each event; a negative one is not counted.
        found: bin of each event and feature, as `PaneBins.of_events` has it, or `UNCOUNTED`.
        bins: the bins.

    Yields:
        Numbers of panes, ascending, and the events of each per bin, then those without a usable
        value per feature, shape (panes, M + F).
    """
    size = bins.owner.size
    width = size + bins.features
    panes, place = np.unique(numbers, return_inverse=True)
    step = max(1, _AT_ONCE // width)
    for first in range(int(np.searchsorted(panes, 0)), panes.size, step):
        own = panes[first : first + step]
        inside = (place >= first) & (place < first + own.size)
        part, row = (found, place) if inside.all() else (found[inside], place[inside])
        counts = np.empty((own.size, width), np.int64)
        for i, (begin, end) in enumerate(pairwise(bins.first.tolist())):
            # The first cell is that of events without a value, the last of those to leave out.
            cells = np.maximum(part[:, i], begin - 1) - (begin - 1)
            cells[part[:, i] == UNCOUNTED] = end - begin + 1
            each = end - begin + 2
            cells += (row - first) * each
            counted = np.bincount(cells, minlength=own.size * each).reshape(own.size, each)
            counts[:, begin:end], counts[:, size + i] = counted[:, 1:-1], counted[:, 0]
        yield own, counts


def add_rows(matrix: NDArray[np.signedinteger], rows: IntArray, counts: IntArray) -> None:
    """Add counts to the rows of a matrix; several may go to one row.

    Example:
        >>> matrix = np.zeros((3, 1), int)
        >>> add_rows(matrix, np.array([2, 0, 2]), np.array([[1], [10], [100]]))
        >>> matrix.ravel().tolist()
        [10, 0, 101]
    """
    if not rows.size:
        return
    order = np.argsort(rows, kind="stable")
    own, starts = np.unique(rows[order], return_index=True)
    matrix[own] += np.add.reduceat(counts[order], starts, axis=0)


class KeptPanes:
    """The counts of panes; of too many, runs in a row are kept, as many from every time.

    Args:
        plan: how panes are cut.
        width: counts of each.
    """

    def __init__(self, plan: PanePlan, width: int) -> None:
        runs = -(-plan.count // _RUN)
        self._step = max(1, -(-plan.count * width // _MOST_CELLS))
        kept = min(plan.count, -(-runs // self._step) * _RUN)
        self.counts = np.zeros((kept, width), np.int32)

    def add(self, panes: IntArray, counts: IntArray) -> None:
        """Add counts to panes.

        Args:
            panes: their numbers, not negative.
            counts: of each, shape (n, width).
        """
        run, place = np.divmod(panes, _RUN)
        kept = run % self._step == 0
        add_rows(self.counts, (run // self._step * _RUN + place)[kept], counts[kept])

    def merge(self, other: Self) -> None:
        """Add the counts of other events."""
        self.counts += other.counts

    def filled(self) -> tuple[IntArray, IntArray]:
        """Return the rows of `counts` that hold an event, and the numbers of their panes."""
        rows = np.flatnonzero(self.counts.any(axis=1))
        run, place = np.divmod(rows, _RUN)
        return rows, run * self._step * _RUN + place
