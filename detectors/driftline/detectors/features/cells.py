"""Ragged arrays: reference and window counts of many features' bins side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from driftline.detectors import special
from driftline.detectors.grid import FloatArray, IntArray


@dataclass(frozen=True)
class Result:
    """What one detector found for every feature; arrays of shape (F,), NaN where not applicable.

    Attributes:
        value: in the detector's unit.
        p_value: probability of so large a value, or a larger one, in a quiet window.
        threshold: the value that a quiet window reaches with probability `alpha`.
    """

    value: FloatArray
    p_value: FloatArray
    threshold: FloatArray


@dataclass(frozen=True)
class Cells:
    """The cells (bins or categories) of F features, one after another.

    Attributes:
        owner: the feature of each cell, ascending, shape (M,).
        reference: reference counts, shape (M,).
        window: window counts, shape (M,).
        features: F; a feature may have no cells.
        phi: how many times as much as independent events they vary, at least 1, shape (F,) or one
            number: n of them tell as much as n / phi, see `driftline.detectors.dispersion`.

    Example:
        >>> cells = Cells(np.array([0, 0, 1]), np.array([3, 1, 5]), np.array([2, 0, 4]), 2)
        >>> cells.m, cells.n, cells.used
        (array([4., 5.]), array([2., 4.]), array([2., 1.]))
    """

    owner: NDArray[np.intp]
    reference: IntArray
    window: IntArray
    features: int
    phi: FloatArray | float = 1.0

    def total(self, per_cell: NDArray[np.generic]) -> FloatArray:
        """Sum over each feature's cells, in their order, shape (F,)."""
        return np.bincount(self.owner, weights=per_cell, minlength=self.features).astype(np.float64)

    def running(self, counts: IntArray) -> IntArray:
        """Sum of each feature's counts up to and with each cell, shape (M,).

        Example:
            >>> cells = Cells(np.array([0, 0, 1]), np.array([3, 1, 5]), np.array([2, 0, 4]), 2)
            >>> cells.running(cells.reference)
            array([3, 4, 5])
        """
        total = np.concatenate([[0], np.cumsum(counts)])
        first = np.searchsorted(self.owner, np.arange(self.features))
        before: IntArray = total[first][self.owner]
        return total[1:] - before

    @cached_property
    def m(self) -> FloatArray:
        """Reference events per feature, shape (F,)."""
        return self.total(self.reference)

    @cached_property
    def n(self) -> FloatArray:
        """Window events per feature, shape (F,)."""
        return self.total(self.window)

    @cached_property
    def shares(self) -> tuple[FloatArray, FloatArray]:
        """Each cell's share of the reference and of the window, shape (M,); NaN if not judged."""
        m, n = (np.where(self.judged, total, np.nan) for total in (self.m, self.n))
        return self.reference / m[self.owner], self.window / n[self.owner]

    @cached_property
    def occupied(self) -> NDArray[np.bool_]:
        """Cells in which the reference or the window has an event; the others do not count."""
        return (self.reference + self.window) > 0

    @cached_property
    def used(self) -> FloatArray:
        """Number B of occupied cells per feature, shape (F,)."""
        return self.total(self.occupied)

    @cached_property
    def judged(self) -> NDArray[np.bool_]:
        """Features with events on both sides, shape (F,)."""
        return (self.m > 0) & (self.n > 0)

    @cached_property
    def variance(self) -> FloatArray:
        """The factor v = phi (1/n + 1/m) of every law here, shape (F,); NaN if not judged."""
        n, m = (np.where(self.judged, total, np.nan) for total in (self.n, self.m))
        return self.phi * (1.0 / n + 1.0 / m)

    @cached_property
    def freedom(self) -> FloatArray:
        """Degrees of freedom B - 1, shape (F,); NaN where fewer than two cells are occupied."""
        return np.where(self.judged & (self.used > 1), self.used - 1.0, np.nan)


def chi_square_share(bins: int, statistic: float) -> float:
    """Share of quiet windows in which a statistic of `bins` occupied cells is so large, or larger.

    Example:
        >>> round(chi_square_share(10, 21.666), 4), chi_square_share(1, 5.0)
        (0.01, 0.0)
    """
    return float(special.chdtrc(bins - 1, max(statistic, 0.0))) if bins > 1 else 0.0
