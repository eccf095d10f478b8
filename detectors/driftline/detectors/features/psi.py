"""Population stability index, corrected for its bias: the effect size of every feature.

PSI = sum over bins of (q - p) ln(q / p). Without any change PSI / v follows a chi-square law with
B - 1 degrees of freedom, v = 1/n + 1/m, so its mean is (B - 1) v: a small window shows a large PSI
by chance alone (0.2 for 100 against 100 events in 10 bins). What is reported is PSI - (B - 1) v,
which is 0 on average when nothing changed; it may be negative. Where events vary phi times as much
as independent ones v is phi times as large.

Sources: Yurdakul, "Statistical Properties of Population Stability Index", Western Michigan
University 2018 (the law); Haldane 1956 and Anscombe 1956 (adding 1/2
to a count before taking a logarithm).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.detectors import special
from driftline.detectors.features.cells import Cells, Result
from driftline.detectors.grid import FloatArray

if TYPE_CHECKING:
    from driftline.detectors.quiet import QuietWindow
    from driftline.detectors.samples import Samples

SMOOTHING = 0.5


def psi_terms(cells: Cells) -> FloatArray:
    """Each cell's part of the uncorrected PSI in nats, shape (M,); never negative.

    Shares are (count + 1/2) / (total + B/2), over the B cells in which either side has an event.
    """
    added = SMOOTHING * np.maximum(cells.used, 1.0)
    p = (cells.reference + SMOOTHING) / (cells.m + added)[cells.owner]
    q = (cells.window + SMOOTHING) / (cells.n + added)[cells.owner]
    return np.where(cells.occupied, (q - p) * np.log(q / p), 0.0)


def psi(cells: Cells, alpha: FloatArray) -> Result:
    """Bias-corrected PSI in nats.

    Args:
        cells: bins (10 quantile bins of a numeric feature) or categories.
        alpha: level of one test per feature, shape (F,).

    Returns:
        Value PSI - (B - 1) v; p-value from the chi-square law; threshold
        v * isf(alpha) - (B - 1) v. With fewer than two occupied bins the value is 0, the p-value 1,
        and there is no threshold; without events on one side all are NaN.

    Example:
        >>> cells = Cells(np.zeros(2, int), np.array([500, 500]), np.array([70, 30]), 1)
        >>> result = psi(cells, np.array([0.01]))
        >>> result.value.round(4), result.p_value.round(5), result.threshold.round(4)
        (array([0.1549]), array([0.0001]), array([0.062]))
    """
    v, freedom = cells.variance, cells.freedom
    raw = np.where(cells.judged, cells.total(psi_terms(cells)), np.nan)
    bias = (cells.used - 1.0) * v
    p_value = np.where(raw == 0.0, 1.0, special.chdtrc(freedom, raw / v))
    return Result(raw - bias, p_value, v * special.chdtri(freedom, alpha) - bias)


def figures(samples: Samples) -> Result:
    """Measure all features."""
    return psi(samples.bins, samples.level)


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows whose bias-corrected PSI is `level` or more.

    A feature whose events all lie in one bin has a PSI of 0 in every one of them.
    """
    if window.bins < 2:
        return float(level <= 0)
    freedom = window.bins - 1
    return float(special.chdtrc(freedom, max(level / window.variance + freedom, 0.0)))
