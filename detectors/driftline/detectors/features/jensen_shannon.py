"""Jensen-Shannon divergence of binned counts, in nats: 0 (equal) to ln 2 (disjoint).

Source: Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information
Theory 37(1), 1991. Without a change 8 JS / v follows a chi-square law with B - 1 degrees of
freedom, v = 1/n + 1/m (the second-order expansion that all f-divergences share).
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


def jensen_shannon(cells: Cells, alpha: FloatArray) -> Result:
    """Jensen-Shannon divergence with equal weights (not its square root), on the PSI's bins.

    Args:
        cells: bins or categories; shares are taken as they are, without smoothing.
        alpha: level of one test per feature, shape (F,).

    Returns:
        Value in nats; p-value and threshold v * isf(alpha) / 8 from the chi-square law; with fewer
        than two occupied bins 0, 1 and no threshold.

    Example:
        >>> cells = Cells(np.zeros(2, int), np.array([500, 500]), np.array([70, 30]), 1)
        >>> jensen_shannon(cells, np.array([0.01])).value.round(5)
        array([0.02101])
    """
    p, q = cells.shares
    mixed = np.where(cells.occupied, (p + q) / 2.0, 1.0)
    value = cells.total(special.xlogy(p, p / mixed) + special.xlogy(q, q / mixed)) / 2.0
    value = np.where(cells.judged, value, np.nan)
    v, freedom = cells.variance, cells.freedom
    p_value = np.where(value == 0.0, 1.0, special.chdtrc(freedom, 8.0 * value / v))
    return Result(value, p_value, v * special.chdtri(freedom, alpha) / 8.0)


def figures(samples: Samples) -> Result:
    """Measure all features."""
    return jensen_shannon(samples.bins, samples.level)


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows whose divergence is `level` or more."""
    return chi_square_share(window.bins, 8.0 * level / window.variance)
