"""Two-sample Kolmogorov-Smirnov test: the largest distance of two distribution functions.

Exact where the grid holds every distinct reference value; with a cut grid it may be too small by
at most the feature's `ks_error`. Sources: Smirnov 1948 (the limit law); dos Reis et al., KDD 2016
(the statistic from counts between reference values).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.detectors import special
from driftline.detectors.features.cells import Result
from driftline.detectors.grid import FloatArray

if TYPE_CHECKING:
    from driftline.detectors.quiet import QuietWindow
    from driftline.detectors.samples import Samples


def ks(distance: FloatArray, n: FloatArray, m: FloatArray, alpha: FloatArray) -> Result:
    """Judge the largest distances.

    Args:
        distance: largest |F_reference - G_window| over all slots, 0 to 1, shape (F,).
        n: window events, shape (F,); a phi-th of those that vary phi times as much as independent
            ones.
        m: reference events, likewise.
        alpha: level of one test, shape (F,).

    Returns:
        Value: the distance; p-value: the Kolmogorov distribution of D sqrt(n m / (n + m));
        threshold: its inverse at `alpha`. On tied data the p-value is conservative.

    Example:
        >>> one = np.array([1.0])
        >>> ks(0.430551 * one, 991 * one, 50_000 * one, one / 90).threshold.round(7)
        array([0.0516913])
    """
    effective = np.sqrt(n * m / (n + m))
    return Result(
        distance, special.kolmogorov(distance * effective), special.kolmogi(alpha) / effective
    )


def figures(samples: Samples) -> Result:
    """Judge all features; NaN where not numeric."""
    bins, phi = samples.bins, samples.phi
    m = np.where(bins.judged & samples.numeric, bins.m, np.nan)
    return ks(samples.distances[0], bins.n / phi, m / phi, samples.shared_level)


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows with a distance of `level` or more."""
    return float(special.kolmogorov(level / np.sqrt(window.variance)))
