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
from driftline.detectors.expected import ExpectedCells
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import FeatureSeason
from driftline.detectors.sequential.cell_shares import CellShares, Mix
from driftline.detectors.sequential.pane_bins import PaneBins


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
            sums, cells = part.sums(mixes[part.shares.cycle]), part.cells
            counts[cells.cells] = cells.rounded(sums)
            after_gap, after_tie, pairs = cells.distribution(sums)
            cdf[0, pairs], cdf[1, pairs] = after_gap, after_tie
        return self._baseline.with_counts(counts, cdf)


@dataclass(frozen=True, eq=False)
class _Part:
    """The features that follow one cycle.

    Attributes:
        shares: of their cells.
        cells: all that is counted of them, n cells.
        parts: of each of these its share of its bin, shape (n,).
        bins: its bin; those of events without a usable value come behind, one a feature.
    """

    shares: CellShares
    cells: ExpectedCells
    parts: FloatArray
    bins: IntArray

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
        return cls(shares, ExpectedCells(cells, first, numeric), parts, own)

    def sums(self, mix: Mix) -> IntArray:
        """Return each feature's counts up to and with each cell, see `ExpectedCells`."""
        known = self.shares.mixed(mix)
        return self.cells.sums(np.concatenate([known.values, known.none])[self.bins] * self.parts)
