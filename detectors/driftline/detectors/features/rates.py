"""Rates of bad values: did the share of missing, invalid or unseen values rise?

Two tests of a 2 x 2 table (window or reference, bad or not), and the larger p-value counts:

* Pearson's chi-square, which alone would alarm too often where few bad events are expected;
* given the t bad events of both together, those in the window follow a hypergeometric law. The
  binomial law of t trials with probability n / (n + m) bounds its tail (Hoeffding 1963, section
  6; Uhlmann 1966), and so does that of the good events; the smaller bound is taken. It keeps its
  level however few bad events are expected, and is near 1 for a rate that fell.

So the first missing value of a feature that never missed one is not an alarm.

Of events that vary phi times as much as independent ones (bad ones that come in a row) a phi-th is
counted.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from driftline.detectors import special
from driftline.detectors.features.cells import Result
from driftline.detectors.grid import FloatArray

if TYPE_CHECKING:
    from driftline.detectors.quiet import QuietWindow


def rate(
    bad: FloatArray,
    n: int,
    reference_bad: FloatArray,
    m: ArrayLike,
    alpha: FloatArray,
    phi: ArrayLike = 1.0,
    added: ArrayLike = 0.0,
) -> Result:
    """Compare the rate of bad events with the reference's; only a rise has a small p-value.

    Args:
        bad: bad events of the window, shape (F,); NaN where the rate does not apply.
        n: events of the window.
        reference_bad: bad events of the reference, shape (F,).
        m: events of the reference, one number or shape (F,).
        alpha: level of one test per feature, shape (F,).
        phi: how many times as much as independent events they vary, one number or shape (F,).
        added: bad events that the test adds to the reference's phi-th, likewise, see `Rate`.

    Returns:
        Value: bad / n; p-value as above; threshold: the smallest rate of n events with a p-value
        of `alpha` or less, NaN where even n bad events would not have one. All NaN without events.

    Example:
        >>> one = np.array([1.0])
        >>> result = rate(5 * one, 1000, 0 * one, 50_000, 1e-5 * one)
        >>> result.value, result.p_value.round(11), result.threshold
        (array([0.005]), array([2.9e-09]), array([0.003]))
    """
    size, times, more = (
        np.broadcast_to(np.asarray(each, np.float64), bad.shape) for each in (m, phi, added)
    )
    judged = ~np.isnan(bad) & (n > 0) & (size > 0)
    value, p_value, threshold = np.full((3, bad.size), np.nan)
    x, times = bad[judged], times[judged]
    value[judged] = x / (n or 1)
    now, x, all_of = n / times, x / times, size[judged] / times
    r = reference_bad[judged] / times + more[judged]
    p_value[judged] = np.maximum(_tail(x, now, r, all_of), _pearson(x, now, r, all_of))
    # The inverses are slow, and most features have the same few counts (no bad event at all), so
    # each combination of reference counts and level is solved once.
    distinct, back = np.unique([r, all_of, alpha[judged], times], axis=1, return_inverse=True)
    r, of, level, times = distinct
    limit = np.maximum(
        _tail_limit(n, r, of, level, times),
        np.ceil(times * _pearson_limit(n / times, r, of, level)),
    )
    threshold[judged] = np.where(limit <= n, limit / (n or 1), np.nan)[back.ravel()]
    return Result(value, p_value, threshold)


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows whose rate is `level` or more: the binomial law."""
    needed = ceil(level * window.events - 1e-9)
    if needed <= 0:
        return 1.0
    fewer = (window.events - needed) / window.phi
    return float(special.betainc(needed / window.phi, fewer + 1.0, window.rate))


def _tail(x: FloatArray, n: FloatArray, r: FloatArray, m: FloatArray) -> FloatArray:
    """P(window has x bad events or more), given the total."""
    some = x > 0
    p_value = np.ones(x.size)
    x, n, r, m = x[some], n[some], r[some], m[some]
    share = n / (n + m)
    bad = special.betainc(x, r + 1.0, share)
    # n - x good ones or fewer
    good = special.betainc(np.maximum(m - r, 1.0), n - x + 1.0, 1.0 - share)
    p_value[some] = np.where(r < m, np.minimum(bad, good), bad)
    return p_value


def _tail_limit(
    n: int, r: FloatArray, m: FloatArray, alpha: FloatArray, phi: FloatArray
) -> FloatArray:
    """Smallest number of the n events with `_tail` of `alpha` or less; may be more than n.

    r and m are a phi-th of the reference's.
    """
    share = n / phi / (n / phi + m)
    bad = np.ceil(np.maximum(phi * special.btdtria(alpha, r + 1.0, share), 1.0))
    most = phi * (special.btdtrib(np.maximum(m - r, 1.0), alpha, 1.0 - share) - 1.0)
    good = n - np.floor(most)
    limit: FloatArray = np.where(r < m, np.minimum(bad, good), bad)
    return limit


def _pearson(x: FloatArray, n: FloatArray, r: FloatArray, m: FloatArray) -> FloatArray:
    total = x + r
    mixed = (total > 0.0) & (total < n + m)
    scale = np.where(mixed, n * m * total * (n + m - total), 1.0)
    statistic = np.where(mixed, (x * m - r * n) ** 2 * (n + m) / scale, 0.0)
    p_value: FloatArray = special.chdtrc(np.ones_like(statistic), statistic)
    return p_value


def _pearson_limit(n: FloatArray, r: FloatArray, m: FloatArray, alpha: FloatArray) -> FloatArray:
    """The x above the expectation with `_pearson` of `alpha`: a quadratic in x."""
    both = n + m
    c = special.chdtri(np.ones_like(alpha), alpha) * n * m
    a = m * m * both + c
    b = 2.0 * m * n * r * both + c * (both - 2.0 * r)
    constant = (n * r) ** 2 * both - c * r * (both - r)
    x: FloatArray = (b + np.sqrt(np.maximum(b * b - 4.0 * a * constant, 0.0))) / (2.0 * a)
    return x
