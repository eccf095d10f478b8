"""Kuiper's two-sample test: how far two distribution functions part, upwards and downwards.

V = max(F - G) + max(G - F), from 0 to 1. The Kolmogorov-Smirnov statistic sees a shift best; this
one sees a change of spread or in the tails as well, and where a circle is cut open does not matter:
it is the test for an hour of the day or an angle. Exact where the grid holds every distinct
reference value; with a cut grid each of the two distances may be too small by at most the feature's
`ks_error`.

Without a change V sqrt(nm / (n + m)) exceeds x with probability 2 sum over j of
(4 j^2 x^2 - 1) exp(-2 j^2 x^2). On tied data, and in small windows, the p-value is conservative.

Sources: Kuiper, "Tests concerning random points on a circle", Indagationes Mathematicae 63, 1960;
Stephens, Biometrika 52, 1965.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.detectors.features.cells import Cells, Result
from driftline.detectors.features.laws import critical
from driftline.detectors.grid import FloatArray

if TYPE_CHECKING:
    from driftline.detectors.quiet import QuietWindow
    from driftline.detectors.samples import Samples

_TERMS = np.arange(1.0, 21.0)
_LEAST = 0.35  # all but 2e-15 of the law lies above
_MOST = 20.0  # nothing that a double can hold does


def kuiper(values: Cells, alpha: FloatArray) -> Result:
    """Judge the distinct values of each feature.

    Args:
        values: distinct values in ascending order; none for a feature it does not apply to.
        alpha: level of one test per feature, shape (F,).

    Returns:
        Value V; p-value and threshold from the limit law; NaN without events on either side.

    Example:
        >>> values = Cells(np.zeros(3, int), np.array([500, 0, 500]), np.array([10, 80, 10]), 1)
        >>> result = kuiper(values, np.array([0.01]))
        >>> result.value, result.p_value.round(14), result.threshold.round(4)
        (array([0.8]), array([0.]), array([0.2099]))
    """
    n, m, owner = np.maximum(values.n, 1.0), np.maximum(values.m, 1.0), values.owner
    apart = values.running(values.reference) / m[owner] - values.running(values.window) / n[owner]
    up, down = np.zeros((2, values.features))
    np.maximum.at(up, owner, apart)
    np.maximum.at(down, owner, -apart)
    scale = 1.0 / np.sqrt(values.variance)
    value = np.where(values.judged, up + down, np.nan)
    return Result(value, _tail(value * scale), critical(_tail, alpha, _MOST) / scale)


def figures(samples: Samples) -> Result:
    """Judge all features; NaN where not numeric."""
    return samples.over_values(kuiper)


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows with a value of `level` or more."""
    return float(_tail(np.array([level / np.sqrt(window.variance)]))[0])


def _tail(x: FloatArray) -> FloatArray:
    squares = np.outer(np.maximum(x, _LEAST), _TERMS) ** 2
    found = 2.0 * ((4.0 * squares - 1.0) * np.exp(-2.0 * squares)).sum(axis=1)
    return np.where(x < _LEAST, 1.0, np.clip(found, 0.0, 1.0))
