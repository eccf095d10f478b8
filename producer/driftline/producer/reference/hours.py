"""Events of each hour, from their times in any order."""

from __future__ import annotations

from typing import Self

import numpy as np

from driftline.detectors.grid import IntArray
from driftline.detectors.volume import DAY, HOUR, LEAST_DAYS, MOST_DAYS, StepEvents

_MOST = 1 << 20  # hours that are told apart: more than a century
_CLOSE = 1 << 14  # hours in a row, of which most hold events of one table


class HourCounts:
    """Counts the events of each hour.

    >>> hours = HourCounts()
    >>> hours.add(np.repeat(np.arange(9 * DAY) * HOUR, 3))
    >>> found = hours.within(0, 9 * DAY * HOUR)
    >>> found.first, found.events.size, set(found.events.tolist())
    (1, 214, {3})
    """

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, times: IntArray) -> None:
        """Take in times, ms since 1970."""
        if not times.size or len(self._counts) > _MOST:
            return
        numbers = times // HOUR
        first = int(numbers.min())
        if int(numbers.max()) - first < _CLOSE:
            counted = np.bincount(numbers - first)
            hours = np.flatnonzero(counted)
            number = counted[hours]
            hours += first
        else:
            hours, number = np.unique(numbers, return_counts=True)
        for hour, events in zip(hours.tolist(), number.tolist(), strict=True):
            self._counts[hour] = self._counts.get(hour, 0) + events

    def merge(self, other: Self) -> None:
        """Add the counts of other events."""
        for hour, events in other._counts.items():
            self._counts[hour] = self._counts.get(hour, 0) + events

    def within(self, start: int, end: int) -> StepEvents | None:
        """Return the last weeks before `end` (ms), from `start` on; None of less than a week.

        The first hour and the last may not be whole, and are left out.
        """
        inside = [hour for hour in self._counts if start // HOUR <= hour <= (end - 1) // HOUR]
        if not inside or len(self._counts) > _MOST:
            return None
        first, last = min(inside) + 1, max(inside)
        if last - first < LEAST_DAYS * DAY:
            return None
        hours = range(max(first, last - MOST_DAYS * DAY), last)
        events = [self._counts.get(hour, 0) for hour in hours]
        return StepEvents(hours.start, np.array(events, np.int64))
