"""Laws of quiet windows that scipy does not have as plain functions, and their critical values.

The squared distance of two distribution functions, added up with weights, follows in quiet windows
the law of a sum of squares of independent normal numbers with weights 1 / z[k]. Its tail is
(Smirnov 1937; Martynov, "The omega-squared criteria", Nauka 1978)

    P(S > x) = 1/pi sum over k (-1)^k of the integrals from z[2k] to z[2k + 1] of
               exp(-x u / 2) / (u sqrt(|D(u)|)) du,    D(u) = product over k of (1 - u / z[k]).

The integrand has a pole of order 1/2 at either end, for which the Chebyshev points are made: 64 of
them give ten digits and more, in the far tail too, where one minus a distribution function has
none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import isnan

import numpy as np

from driftline.detectors.grid import FloatArray

_INTERVALS = 20
_POINTS = 64


class SquaredLaw:
    """The law of a weighted sum of squares.

    Args:
        ends: k-th interval's ends in t, from t = 0 on, for an array of k = 0, 1, 2, ...
        rate: u of an array of t; rising.
        density: du/dt / (u sqrt(|D(u)|)) of an array of t.
        least: below it all of the law lies above, to ten digits.
    """

    def __init__(
        self,
        ends: Callable[[FloatArray], tuple[FloatArray, FloatArray]],
        rate: Callable[[FloatArray], FloatArray],
        density: Callable[[FloatArray], FloatArray],
        least: float,
    ) -> None:
        k = np.arange(_INTERVALS, dtype=np.float64)
        low, high = (end[:, np.newaxis] for end in ends(k))
        angle = (np.arange(_POINTS) + 0.5) * np.pi / _POINTS
        half = (high - low) / 2.0
        t = (high + low) / 2.0 - half * np.cos(angle)
        sign = np.where(k % 2 == 0, 1.0, -1.0)[:, np.newaxis]
        self._weights = (sign * density(t) * half * np.sin(angle)).ravel() / _POINTS
        self._rates = rate(t).ravel() / 2.0
        self._least = least

    def tail(self, x: FloatArray) -> FloatArray:
        """P(S > x), shape of `x`; NaN where `x` is."""
        x = np.asarray(x, np.float64)
        terms = np.exp(-np.outer(np.maximum(x, self._least), self._rates))
        found = (terms @ self._weights).reshape(x.shape)
        return np.where(x < self._least, 1.0, np.clip(found, 0.0, 1.0))


def critical(
    tail: Callable[[FloatArray], FloatArray], alpha: FloatArray, most: float
) -> FloatArray:
    """Values that a law exceeds with probability `alpha`, shape of `alpha`; NaN where it is.

    Args:
        tail: P(S > x), falling in x.
        alpha: probabilities.
        most: a value that no `alpha` needs.

    Example:
        >>> critical(lambda x: np.exp(-x), np.array([0.5, 0.01, np.nan]), 800.0).round(4)
        array([0.6931, 4.6052,    nan])
    """
    distinct, back = np.unique(alpha, return_inverse=True)
    return np.array([_critical(tail, level, most) for level in distinct.tolist()])[back]


@lru_cache(maxsize=4096)  # the windows of a stream have one level, or a few
def _critical(tail: Callable[[FloatArray], FloatArray], alpha: float, most: float) -> float:
    if isnan(alpha):
        return alpha
    low, high = 0.0, most
    while low < (middle := (low + high) / 2.0) < high:
        low, high = (middle, high) if tail(np.array([middle]))[0] > alpha else (low, middle)
    return high
