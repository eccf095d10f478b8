"""Quantiles of a regression's residuals (prediction - actual), from counts per bin.

Source of the interval: that of order statistics, in the normal approximation to the binomial law
(Conover, "Practical Nonparametric Statistics", 3rd edition, 1999, section 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.figure import NORMAL, Figure
from driftline.detectors.outcomes.layout import OutcomeLayout

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def residual_quantiles(
    layout: OutcomeLayout, counts: IntArray, shares: Sequence[float] = QUANTILES
) -> dict[float, Figure]:
    """Measure quantiles to the width of a bin, within which residuals count as evenly spread.

    Args:
        layout: any; what is no regression has no residuals.
        counts: flat counts, shape (layout.size,).
        shares: which quantiles, each between 0 and 1.

    Returns:
        Share to quantile, in the prediction's unit; NaN without pairs.

    Example:
        >>> from driftline.detectors.outcomes.counting import OutcomeRows, count_outcomes
        >>> actual = np.zeros(1001)
        >>> layout = OutcomeLayout.regression(np.linspace(-1.0, 1.0, 1001), actual)
        >>> rows = OutcomeRows(np.zeros(1001, np.int32), np.linspace(0.0, 2.0, 1001), actual)
        >>> found = residual_quantiles(layout, count_outcomes(layout, rows))
        >>> round(found[0.25].value, 2), round(found[0.25].low, 2), round(found[0.25].high, 2)
        (0.5, 0.45, 0.55)
    """
    if layout.grid is None:
        return {}
    bins, edges = layout.view(counts, "residuals"), layout.grid.edges
    n = int(bins.sum())
    if n == 0:
        return {share: Figure.none() for share in shares}
    at = np.array(shares)
    half = NORMAL * np.sqrt(at * (1.0 - at) / n)
    wanted = np.clip(np.stack([at, at - half, at + half]), 0.0, 1.0) * n
    values: list[list[float]] = _invert(bins, edges, wanted).T.tolist()
    return {
        share: Figure.of(value, low, high, n)
        for share, (value, low, high) in zip(shares, values, strict=True)
    }


def _invert(bins: IntArray, edges: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return the values below which `wanted` residuals lie; beyond the edges it is the edge."""
    after = np.cumsum(bins)
    own = np.minimum(np.searchsorted(after, wanted), bins.size - 1)
    lower, upper = edges[np.maximum(own - 1, 0)], edges[np.minimum(own, edges.size - 1)]
    inside = wanted - (after[own] - bins[own])
    share = np.clip(inside / np.maximum(bins[own], 1), 0.0, 1.0)
    value: FloatArray = lower + (upper - lower) * share
    return value
