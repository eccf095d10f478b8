"""Hellinger distance of binned counts: 0 (equal) to 1 (disjoint), on the PSI's bins.

H^2 = 1/2 sum over bins of (sqrt(p) - sqrt(q))^2 = 1 - sum of sqrt(p q). Unlike the Jensen-Shannon
divergence it is a distance; for small changes H^2 is about JS, and an eighth of PSI. Without a
change 8 H^2 / v follows a chi-square law with B - 1 degrees of freedom, v = 1/n + 1/m.

Sources: Hellinger, Journal fuer die reine und angewandte Mathematik 136, 1909; Pardo, "Statistical
Inference Based on Divergence Measures", Chapman & Hall 2006 (the law that all these divergences
share).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.detectors import special
from driftline.detectors.features.cells import Cells, Result, chi_square_share
from driftline.detectors.grid import FloatArray

if TYPE_CHECKING:
    from driftline.detectors.quiet import QuietWindow
    from driftline.detectors.samples import Samples


def hellinger(cells: Cells, alpha: FloatArray) -> Result:
    """Hellinger distance H (not its square).

    Args:
        cells: bins or categories; shares are taken as they are, without smoothing.
        alpha: level of one test per feature, shape (F,).

    Returns:
        Value 0 to 1; p-value from the chi-square law, and threshold sqrt(v * isf(alpha) / 8); with
        fewer than two occupied bins 0, 1 and no threshold; all NaN without events on either side.

    Example:
        >>> cells = Cells(np.zeros(2, int), np.array([500, 500]), np.array([70, 30]), 1)
        >>> result = hellinger(cells, np.array([0.01]))
        >>> result.value.round(4), result.p_value.round(6), result.threshold.round(4)
        (array([0.1452]), array([9.e-05]), array([0.0955]))
    """
    p, q = cells.shares
    squared = np.where(cells.judged, cells.total((np.sqrt(p) - np.sqrt(q)) ** 2) / 2.0, np.nan)
    v, freedom = cells.variance, cells.freedom
    p_value = np.where(squared == 0.0, 1.0, special.chdtrc(freedom, 8.0 * squared / v))
    return Result(np.sqrt(squared), p_value, np.sqrt(v * special.chdtri(freedom, alpha) / 8.0))


def figures(samples: Samples) -> Result:
    """Measure all features."""
    return hellinger(samples.bins, samples.level)


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows whose distance is `level` or more."""
    return chi_square_share(window.bins, 8.0 * max(level, 0.0) ** 2 / window.variance)
