"""A baseline at some hours or days: the counts that windows of features with a season expect.

The cells of a cycle are known by bins alone (`sequential.pane_bins`). Inside a bin the counts keep
the proportions of the whole reference, and so do missing, absent and invalid values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from driftline.detectors.baseline import Baseline
from driftline.detectors.counts import EXTRA_CELLS
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import FeatureSeason
from driftline.detectors.sequential.cell_shares import CellShares, Mix
from driftline.detectors.sequential.pane_bins import PaneBins

_FINE = 1 << 16  # of an event: what counts are rounded to, so that sums are exact in any order


class SeasonalBaseline:
    """The baselines of one stream.

    Args:
        baseline: of all events.
        seasons: of its features, by place in the layout.

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> baseline = Baseline(layout, np.array([700, 700, 0, 0, 0, 0]))
        >>> counts = np.array([[190, 10, 0, 0]] + [[85, 115, 0, 0]] * 6)
        >>> seasonal = SeasonalBaseline(baseline, {0: FeatureSeason("day_of_week", 20.0, counts)})
        >>> seasonal.at({"day_of_week": Mix.of([0], [1])}).counts
        array([199,  21,   0,   0,   0,   0])
    """

    def __init__(self, baseline: Baseline, seasons: Mapping[int, FeatureSeason]) -> None:
        self._baseline = baseline
        cycles = sorted({season.cycle for season in seasons.values()})
        self._parts = [
            _Part.of(baseline, {f: own for f, own in sorted(seasons.items()) if own.cycle == cycle})
            for cycle in cycles
        ]

    def at(self, mixes: Mapping[str, Mix]) -> Baseline:
        """Return the baseline of a window.

        Args:
            mixes: of the window's cells, by cycle.
        """
        counts, cdf = self._baseline.counts.copy(), self._baseline.cdf.copy()
        for part in self._parts:
            sums = part.sums(mixes[part.shares.cycle])
            counts[part.cells] = part.rounded(sums)
            after_gap, after_tie, pairs = part.distribution(sums)
            cdf[0, pairs], cdf[1, pairs] = after_gap, after_tie
        return self._baseline.with_counts(counts, cdf)


@dataclass(frozen=True, eq=False)
class _Part:
    """The features that follow one cycle.

    Attributes:
        shares: of their cells.
        cells: flat index of all that is counted of them, ascending, shape (n,).
        parts: of each of these its share of its bin, shape (n,).
        bins: its bin; those of events without a usable value come behind, one a feature.
        first: place of each feature's first cell, and the end of the last, shape (F + 1,).
        numeric: how many of them are numbers; they come first.
    """

    shares: CellShares
    cells: IntArray
    parts: FloatArray
    bins: IntArray
    first: IntArray
    numeric: int

    @classmethod
    def of(cls, baseline: Baseline, seasons: Mapping[int, FeatureSeason]) -> _Part:
        layout, counts = baseline.layout, baseline.counts
        places = np.array([*seasons], np.int64)
        bins = PaneBins(layout, counts, places)
        sizes = np.diff(layout.starts)[places]
        first = np.concatenate([[0], np.cumsum(sizes)])
        cells = np.arange(first[-1]) + np.repeat(layout.starts[places] - first[:-1], sizes)
        own = np.searchsorted(bins.cells, cells, "right") - 1
        for cell in range(1, EXTRA_CELLS + 1):
            own[first[1:] - cell] = bins.owner.size + np.arange(places.size)
        valued = bins.count(counts)
        events = np.concatenate([valued, bins.count_none(counts)])
        parts = counts[cells] / np.maximum(events[own], 1)
        numeric = int((places < layout.numeric).sum())
        # Windows are compared with events alone, without the halves that evidence adds to bins.
        shares = replace(CellShares.of(bins, [*seasons.values()]), every=valued.astype(np.float64))
        return cls(shares, cells, parts, own, first, numeric)

    def sums(self, mix: Mix) -> IntArray:
        """Return each feature's counts up to and with each cell, times `_FINE`, shape (n,)."""
        known = self.shares.mixed(mix)
        expected = np.concatenate([known.values, known.none])[self.bins] * self.parts
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
