"""Two-sample Anderson-Darling test: as Cramer-von Mises, with more weight on both tails.

A^2 = 1/(nm) times the sum over i = 1 .. N - 1 of (m W_i - n R_i)^2 / (i (N - i)), where R_i and W_i
of the i smallest of all N = n + m values are the reference's and the window's. Its mean is 1 when
nothing changed. Exact where the grid holds every distinct reference value.

Values that are tied, or lie in one gap of a cut grid, count as evenly mixed: R and W rise together
in a straight line. The form with midranks alarms on quiet flags and numbers of few values far above
its level (7 windows of 100 at the level of 1 in 100 where one value has 95 %). With this form the
p-value of tied data is conservative.

Without a change A^2 has the law of the weighted sum of squares with weights 1 / (k (k + 1)).

Sources: Pettitt, Biometrika 63, 1976 (the statistic); Anderson and Darling, Annals of Mathematical
Statistics 23, 1952 (the law); Scholz and Stephens, Journal of the American Statistical Association
82, 1987 (ties).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.detectors import special
from driftline.detectors.features.cells import Cells, Result
from driftline.detectors.features.laws import SquaredLaw, critical
from driftline.detectors.grid import FloatArray, IntArray

if TYPE_CHECKING:
    from driftline.detectors.quiet import QuietWindow
    from driftline.detectors.samples import Samples

_LAW = SquaredLaw(
    lambda k: (4.0 * k + 3.0, 4.0 * k + 5.0),
    lambda t: (t**2 - 1.0) / 4.0,
    # D(u) = -cos(pi t / 2) / (pi u) with t = sqrt(1 + 4 u)
    lambda t: t * np.sqrt(np.pi / ((t**2 - 1.0) * np.abs(np.cos(np.pi * t / 2.0)))),
    least=0.04,
)
_MOST = 800.0  # nothing that a double can hold lies above


def anderson_darling(values: Cells, alpha: FloatArray) -> Result:
    """Judge the distinct values of each feature.

    Args:
        values: distinct values in ascending order; none for a feature it does not apply to.
        alpha: level of one test per feature, shape (F,).

    Returns:
        Value A^2, not set to the variance 1 as some do; p-value and threshold from the limit law;
        all NaN without events on either side.

    Example:
        >>> reference, window = np.array([500, 0, 500]), np.array([60, 5, 35])
        >>> values = Cells(np.zeros(3, int), reference, window, 1)
        >>> result = anderson_darling(values, np.array([0.01]))
        >>> result.value.round(3), result.p_value.round(6), result.threshold.round(3)
        (array([2.292]), array([0.063855]), array([3.878]))
    """
    n, m = values.n[values.owner], values.m[values.owner]
    ties = values.reference + values.window
    last, rest = values.running(ties), n + m  # values up to and with the tie, and behind it
    rest -= last
    after = m * values.running(values.window) - n * values.running(values.reference)
    terms = after**2 / np.maximum(last * rest, 1.0)
    tied = ties > 1
    slope = (m * values.window - n * values.reference)[tied] / ties[tied]
    terms[tied] = _mixed(after[tied], slope, ties[tied], last[tied], rest[tied])
    n, m = (np.where(values.judged, x, np.nan) for x in (values.n, values.m))
    value = np.maximum(values.total(terms), 0.0) / (n * m)
    phi = values.phi
    threshold = np.where(values.judged, phi * critical(_LAW.tail, alpha, _MOST), np.nan)
    return Result(value, _LAW.tail(value / phi), threshold)


def figures(samples: Samples) -> Result:
    """Judge all features; NaN where not numeric."""
    return samples.over_values(anderson_darling)


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows with a value of `level` or more."""
    return float(_LAW.tail(np.array([level / window.phi]))[0])


def _mixed(
    after: FloatArray, slope: FloatArray, ties: IntArray, last: IntArray, rest: FloatArray
) -> FloatArray:
    """Sum the terms of tied values, y^2 / (i (N - i)) on the line y that ends at (last, after).

    With y(0) and y(N) where that line would begin and end, a term is
    y(0)^2 / (N i) + y(N)^2 / (N (N - i)) - slope^2.
    """
    start, end = after - slope * last, after + slope * rest
    low = special.digamma(last + 1.0) - special.digamma(last - ties + 1.0)
    least = np.maximum(rest, 1.0)  # with no rest, y(N) is 0
    high = special.digamma(rest + ties) - special.digamma(least)
    terms: FloatArray = (start**2 * low + end**2 * high) / (last + rest) - slope**2 * ties
    return terms
