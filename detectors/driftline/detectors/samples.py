"""The two samples that every detector compares, counted in the ways that detectors need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.baseline import Baseline
from driftline.detectors.counts import EXTRA_CELLS
from driftline.detectors.features.cells import Cells, Result
from driftline.detectors.features.distance import distances
from driftline.detectors.grid import FloatArray, IntArray

_BLOCK = 1 << 17  # cells at a time


@dataclass(frozen=True, eq=False)
class Samples:
    """The reference and one window of all features. What several detectors need is made once.

    Attributes:
        baseline: the reference.
        window: flat counts of the window.
        level: of one test per feature, shape (F,).
        phi: how many times as much as independent events the values vary, shape (F,).

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("free", "paid"))])
        >>> baseline = Baseline(layout, np.array([6000, 4000, 0, 0, 0, 0]))
        >>> window = np.array([45, 54, 0, 1, 0, 0])
        >>> samples = Samples(baseline, window, np.array([0.001]), np.ones(1))
        >>> samples.bins.window, samples.bins.n
        (array([45, 54,  0]), array([99.]))
    """

    baseline: Baseline
    window: IntArray
    level: FloatArray
    phi: FloatArray

    @property
    def features(self) -> int:
        """Number F of features."""
        return len(self.baseline.layout.features)

    @cached_property
    def numeric(self) -> NDArray[np.bool_]:
        """Which features are numeric, shape (F,)."""
        return np.arange(self.features) < self.baseline.layout.numeric

    @cached_property
    def binned(self) -> IntArray:
        """Window events per bin, those of missing, absent and invalid values too."""
        return self.baseline.bin_counts(self.window)

    @cached_property
    def bins(self) -> Cells:
        """The bins of every feature that hold values: ten of a number, or one a category."""
        base = self.baseline
        reference, window = base.binned[base.valued], self.binned[base.valued]
        return Cells(base.owner, reference, window, self.features, self.phi)

    @cached_property
    def few(self) -> NDArray[np.bool_]:
        """Which of the cells of `bins` are of categories, booleans, or numbers of few values."""
        return (~self.numeric | self.baseline.few)[self.bins.owner]

    def over_values(self, judge: Callable[[Cells, FloatArray], Result]) -> Result:
        """Judge the distinct values of every numeric feature; NaN for the others.

        Some features at a time, so that the working arrays stay small.

        Args:
            judge: takes what `values` returns, and the level of one test for each feature.
        """
        layout = self.baseline.layout
        none = np.full(self.features - layout.numeric, np.nan)
        parts = [Result(none, none, none)]
        end = layout.numeric
        while end > 0:
            # Whole features, at least one.
            begin = int(np.searchsorted(layout.starts, layout.starts[end] - _BLOCK))
            begin = min(begin, end - 1)
            parts.append(judge(self.values(begin, end), self.level[begin:end]))
            end = begin
        parts.reverse()
        return Result(
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.p_value for part in parts]),
            np.concatenate([part.threshold for part in parts]),
        )

    def values(self, begin: int, end: int) -> Cells:
        """The distinct values of some numeric features in ascending order, with the events of each.

        Exact where the grid holds all values of the reference: what the window alone has in an open
        gap is taken as values of one event each. With a cut grid a gap that has events of the
        reference is one value.

        Args:
            begin: number of the first feature.
            end: number of the last, and one more.
        """
        starts = self.baseline.layout.starts[begin : end + 1]
        part = slice(int(starts[0]), int(starts[-1]))
        reference = self.baseline.held[part].astype(np.int64)
        window = self.window[part].copy()
        starts = starts - starts[0]
        for counts in (reference, window):
            for cell in range(1, EXTRA_CELLS + 1):
                counts[starts[1:] - cell] = 0
        slots = np.flatnonzero(reference + window)
        owner = np.searchsorted(starts, slots, "right") - 1
        reference, window = reference[slots], window[slots]
        apart = (reference == 0) & ((slots - starts[owner]) % 2 == 0)
        if apart.any():
            times = np.where(apart, window, 1)
            owner, reference, window = (
                np.repeat(x, times) for x in (owner, reference, np.where(apart, 1, window))
            )
        return Cells(owner, reference, window, end - begin, self.phi[begin:end])

    @property
    def shared_level(self) -> FloatArray:
        """The level of one of the tests that the budget makes of a feature, shape (F,).

        There are two of a number of few values, as `Comparison.tests` says.
        """
        return self.level / np.where(self.baseline.few, 2, 1)

    @cached_property
    def distances(self) -> tuple[FloatArray, FloatArray]:
        """`features.distance.distances` of all features, shape (F,) each; NaN if not numeric."""
        layout = self.baseline.layout
        padding = np.full(self.features - layout.numeric, np.nan)
        n = self.bins.n[: layout.numeric]
        largest, area = distances(layout, self.baseline.cdf, self.window, n)
        return np.concatenate([largest, padding]), np.concatenate([area, padding])
