"""Expected counts as a baseline has them: whole numbers, and exact distribution functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftline.detectors.counts import EXTRA_CELLS
from driftline.detectors.grid import FloatArray, IntArray

_FINE = 1 << 16  # of an event: what counts are rounded to, so that sums are exact in any order


@dataclass(frozen=True, eq=False)
class ExpectedCells:
    """Where the expected counts of some features lie.

    Attributes:
        cells: flat index of all that is counted of them, ascending, shape (n,).
        first: place of each feature's first cell, and the end of the last, shape (F + 1,).
        numeric: how many of them are numbers; they come first.
    """

    cells: IntArray
    first: IntArray
    numeric: int

    def sums(self, expected: FloatArray) -> IntArray:
        """Return each feature's counts up to and with each cell, times `_FINE`, shape (n,)."""
        total = np.cumsum(np.rint(expected * _FINE).astype(np.int64))
        before = np.concatenate([[0], total])[self.first[:-1]]
        sums: IntArray = total - np.repeat(before, np.diff(self.first))
        return sums

    def rounded(self, sums: IntArray) -> IntArray:
        """Return whole counts, shape (n,), whose sums are as near as can be."""
        whole = (sums + _FINE // 2) // _FINE
        counts = np.diff(whole, prepend=0)
        counts[self.first[:-1]] = whole[self.first[:-1]]
        return counts

    def distribution(self, sums: IntArray) -> tuple[FloatArray, FloatArray, IntArray]:
        """Return the numbers' distribution functions, as `features.distance.cumulate` does.

        Returns:
            Its values after each gap and after each tie, and the pairs that they belong to.
        """
        first = self.first[: self.numeric + 1]
        begin, end = first[:-1], first[1:]
        valid = sums[end - EXTRA_CELLS - 1].astype(np.float64)
        cdf = sums[: first[-1]] / np.repeat(np.where(valid > 0, valid, np.nan), end - begin)
        after_gap, after_tie = cdf[::2].copy(), cdf[1::2].copy()
        last = end // 2 - 1
        after_tie[last - 1] = after_gap[last - 1]  # beside the last gap stands no tie
        after_gap[last] = after_tie[last] = 0.0
        return after_gap, after_tie, self.cells[: first[-1] : 2] // 2
