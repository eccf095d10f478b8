"""The sum of a window's panes, kept per stream from one window to the next.

What comes is added and what leaves is subtracted: counts are whole numbers, so nothing drifts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from driftline.detectors.grid import IntArray

AddCounts = Callable[[IntArray, int, str | None, int], None]
"""Adds the counts of a stream in the pane that starts at a time to flat ones, 1 or -1 times."""


@dataclass
class _Sum:
    """The counts of a stream in the panes from `start` to `end` (ms)."""

    start: int
    end: int
    counts: IntArray


class RunningSums:
    """Sums over windows of one length.

    Args:
        pane: length of a pane, ms.
        window: length of the windows (ms), 0 where no sum is kept.
        cells: length of the flat counts.
        add: what adds the counts of one pane.
    """

    def __init__(self, pane: int, window: int, cells: int, add: AddCounts) -> None:
        self._pane, self._window, self._cells, self._add = pane, window, cells, add
        self._sums: dict[str | None, _Sum] = {}

    def counts(self, start: int, end: int, stream: str | None) -> IntArray | None:
        """Return the flat counts of a stream from `start` to `end` (ms); None: not kept."""
        if not self._window or end - start != self._window:
            return None
        known = self._sums.get(stream)
        if known is None or not self._is_near(known, start, end):
            known = _Sum(start, start, np.zeros(self._cells, np.int32))
        wide = known.counts.astype(np.int64)
        for at in range(known.start, start, self._pane):
            self._add(wide, at, stream, -1)
        for at in range(known.end, end, self._pane):
            self._add(wide, at, stream, 1)
        if (known.start, known.end) != (start, end):
            self._sums[stream] = _Sum(start, end, _narrow(wide))
        return wide

    def forget(self, start: int) -> None:
        """Take in that the pane that starts at a time (ms) has other counts than before."""
        over = [name for name, each in self._sums.items() if each.start <= start < each.end]
        for name in over:
            del self._sums[name]

    def leave(self, starts: Iterable[int]) -> None:
        """Take in that the panes that start at some times (ms) will be gone; they still are there.

        They are older than all that are left.
        """
        last = max(starts, default=None)
        if last is None:
            return
        for name, known in list(self._sums.items()):
            if last >= known.end - self._pane:
                del self._sums[name]
            elif last >= known.start:
                after = known.start + ((last - known.start) // self._pane + 1) * self._pane
                wide = known.counts.astype(np.int64)
                for at in range(known.start, after, self._pane):
                    self._add(wide, at, name, -1)
                self._sums[name] = _Sum(after, known.end, _narrow(wide))

    def _is_near(self, known: _Sum, start: int, end: int) -> bool:
        """Return whether it takes less to go on from a sum than to add up anew."""
        if not known.start <= start <= known.end <= end or (start - known.start) % self._pane:
            return False
        return (start - known.start) + (end - known.end) < end - start


def _narrow(counts: IntArray) -> IntArray:
    """Return counts in four bytes each, where they fit."""
    small = np.iinfo(np.int32)
    fits = counts.size == 0 or (counts.max() <= small.max and counts.min() >= small.min)
    return counts.astype(np.int32) if fits else counts
