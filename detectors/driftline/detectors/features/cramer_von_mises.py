"""Two-sample Cramer-von Mises test: the squared distance of two distribution functions, added up.

T = nm / N^2 times the sum of (F - G)^2 over all N = n + m values of both sides. It weighs the whole
distance, where the Kolmogorov-Smirnov statistic takes its largest one, and so it sees a small shift
of all values sooner. Exact where the grid holds every distinct reference value.

Values that are tied, or lie in one gap of a cut grid, count as evenly mixed: F and G rise together
in a straight line. The usual form with midranks is no test then: the ranks of each side in itself
and in both together grow apart without any change, and values rounded to one decimal alarm in every
window. With this form the p-value of tied data is conservative.

Without a change T, set to the mean 1/6 and the variance 1/45 of its limit, has the law of the
weighted sum of squares with weights 1 / (pi k)^2.

Source: Anderson, "On the distribution of the two-sample Cramer-von Mises criterion", Annals of
Mathematical Statistics 33, 1962.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.detectors.features.cells import Cells, Result
from driftline.detectors.features.laws import SquaredLaw, critical
from driftline.detectors.grid import FloatArray

if TYPE_CHECKING:
    from driftline.detectors.quiet import QuietWindow
    from driftline.detectors.samples import Samples

_LAW = SquaredLaw(
    lambda k: ((2.0 * k + 1.0) * np.pi, (2.0 * k + 2.0) * np.pi),
    lambda t: t**2,
    lambda t: 2.0 / np.sqrt(t * np.abs(np.sin(t))),  # D(u) = sin(sqrt(u)) / sqrt(u), u = t^2
    least=0.005,
)
_MOST = 200.0  # nothing that a double can hold lies above


def cramer_von_mises(values: Cells, alpha: FloatArray) -> Result:
    """Judge the distinct values of each feature.

    Args:
        values: distinct values in ascending order; none for a feature it does not apply to.
        alpha: level of one test per feature, shape (F,).

    Returns:
        Value T, about 1/6 when nothing changed; p-value and threshold from the limit law; all NaN
        without events on either side.

    Example:
        >>> reference, window = np.array([500, 0, 500]), np.array([60, 5, 35])
        >>> values = Cells(np.zeros(3, int), reference, window, 1)
        >>> result = cramer_von_mises(values, np.array([0.01]))
        >>> result.value.round(3), result.p_value.round(6), result.threshold.round(3)
        (array([0.492]), array([0.041418]), array([0.742]))
    """
    n, m, owner = values.n, values.m, values.owner
    ties = values.reference + values.window
    # (G - F) m n after each value, and how much of it came with the value: whole numbers.
    rise = values.window * m[owner] - values.reference * n[owner]
    before = values.running(values.window) * m[owner] - values.running(values.reference) * n[owner]
    before -= rise
    # The sum over i = 1 .. t of (before + rise i / t)^2.
    squares = before**2 * ties + before * rise * (ties + 1.0)
    squares += rise**2 * (ties + 1.0) * (2.0 * ties + 1.0) / (6.0 * ties)
    n, m = (np.where(values.judged, x, np.nan) for x in (n, m))
    value = values.total(squares) / (n * m * (n + m) ** 2)
    phi = values.phi
    mean, spread = _moments(n / phi, m / phi)
    p_value = _LAW.tail((value / phi - mean) / spread + 1.0 / 6.0)
    threshold = phi * (mean + (critical(_LAW.tail, alpha, _MOST) - 1.0 / 6.0) * spread)
    return Result(value, p_value, threshold)


def figures(samples: Samples) -> Result:
    """Judge all features; NaN where not numeric."""
    return samples.over_values(cramer_von_mises)


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows with a value of `level` or more."""
    n, m = np.array([[window.events], [window.reference_events]], np.float64) / window.phi
    mean, spread = _moments(n, m)
    return float(_LAW.tail((level / window.phi - mean) / spread + 1.0 / 6.0)[0])


def _moments(n: FloatArray, m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean, and standard deviation in units of the limit's; NaN where all values of T are equal."""
    both = n + m
    product = 4.0 * n * m
    variance = (both + 1.0) * (product * both - 3.0 * (n**2 + m**2) - product / 2.0)
    variance /= both**2 * product
    return (1.0 + 1.0 / both) / 6.0, np.sqrt(np.where(variance > 0.0, variance, np.nan))
