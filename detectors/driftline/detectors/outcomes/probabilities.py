"""Metrics of predicted probabilities: log loss, Brier score and expected calibration error.

All are larger for worse predictions. The calibration error: in ten bins of even width, (0, 0.1] to
(0.9, 1] with 0 in the first, the mean over all pairs of |mean probability - share of positives| of
the pair's bin. The plain estimate is too large by chance: a perfectly calibrated model shows about
0.027 in 1,000 pairs. The interval is for the true error. It holds those multiples s of the seen
differences d under which so large a sum of |N(s d, sd)| is neither too rare nor too common. So its
lower end may be far below the value; the upper end is never below it.

Sources: Good, "Rational decisions", Journal of the Royal Statistical Society B 14, 1952 (log loss);
Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78,
1950; their intervals by the central limit theorem. Naeini, Cooper and Hauskrecht, "Obtaining well
calibrated probabilities using Bayesian binning", AAAI 2015; Guo, Pleiss, Sun and Weinberger, "On
calibration of modern neural networks", ICML 2017; Leone, Nelson and Nottingham, "The folded normal
distribution", Technometrics 3, 1961.
"""

from __future__ import annotations

from math import nan, sqrt

import numpy as np

from driftline.detectors import special
from driftline.detectors.grid import DECILES, FloatArray, IntArray
from driftline.detectors.outcomes.counting import LOSS_UNIT, POSITION_STEPS
from driftline.detectors.outcomes.figure import NORMAL, Figure, mean_figure
from driftline.detectors.outcomes.fixed_point import total
from driftline.detectors.outcomes.layout import OutcomeLayout

_GRID = 257


def probability_metrics(layout: OutcomeLayout, counts: IntArray) -> dict[str, Figure]:
    """Measure all three.

    Args:
        layout: one whose scores are probabilities.
        counts: flat counts, shape (layout.size,).

    Returns:
        `log_loss`: mean of -ln(probability given to what happened), in nats; a probability below
        2.2e-16 counts as that. `brier`: mean of (1 - that probability)**2, 0 to 1.
        `calibration_error`: 0 to 1. NaN without pairs, and no interval for a single one.
    """
    n = int(layout.view(counts, "joint").sum())
    losses = {name: _mean(layout, counts, name, n) for name in ("log_loss", "brier")}
    return losses | {"calibration_error": _calibration_error(layout, counts)}


def _mean(layout: OutcomeLayout, counts: IntArray, name: str, n: int) -> Figure:
    if n == 0:
        return Figure.none()
    mean = total(layout.view(counts, name), LOSS_UNIT) / n
    square = total(layout.view(counts, f"{name}_squared"), LOSS_UNIT) / n
    error = sqrt(max(square - mean * mean, 0.0) / (n - 1)) if n > 1 else nan
    return mean_figure(mean, error, n, least=0.0)


def _calibration_error(layout: OutcomeLayout, counts: IntArray) -> Figure:
    count = layout.view(counts, "joint").sum(axis=1)
    n = int(count.sum())
    if n == 0:
        return Figure.none()
    p, p_squared = probability_sums(layout, counts)
    bins = np.searchsorted(np.arange(1, DECILES) / DECILES, np.append(layout.edges, np.inf))
    difference = _per_bin(bins, p.sum(axis=0) - count[1]) / n
    # (p - y)**2 is p**2 for a negative, and p**2 - 2 p + 1 for a positive.
    squares = _per_bin(bins, p_squared.sum(axis=0) - 2.0 * p[1] + count[1]) / n
    sd = np.sqrt(np.maximum(squares - difference**2, 0.0) / n)
    value = float(np.abs(difference).sum())
    if n == 1:
        return Figure.of(value, nan, nan, n)
    low, high = _interval(value, difference, sd)
    return Figure.of(value, low, max(high, value), n)


def probability_sums(layout: OutcomeLayout, counts: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the sums of p and of p**2 per [actual is positive][score bin], shape (2, B) each.

    To 1e-6 of the number of pairs.
    """
    count = layout.view(counts, "joint").sum(axis=1)
    lower, upper = (
        np.concatenate([layout.edges[:1], layout.edges]),
        np.append(layout.edges, layout.edges[-1]),
    )
    width = (upper - lower) / POSITION_STEPS
    steps = layout.view(counts, "position")
    squares = layout.view(counts, "position_squared")
    return (
        lower * count + width * steps,
        lower**2 * count + 2.0 * lower * width * steps + width**2 * squares,
    )


def _per_bin(bins: IntArray, values: FloatArray) -> FloatArray:
    return np.bincount(bins, values, DECILES).astype(np.float64)


def _interval(value: float, difference: FloatArray, sd: FloatArray) -> tuple[float, float]:
    """Invert the test of each multiple of the differences; the multiples are a grid."""
    noise = NORMAL * float(np.sqrt(np.sum(sd**2)))
    if value == 0.0 or noise == 0.0:
        return value, value + noise
    multiples = np.linspace(0.0, 1.0 + noise / value, _GRID)
    mean, spread = _folded(multiples[:, None] * difference, sd)
    ends = (
        np.interp(value, mean + NORMAL * spread, multiples),
        np.interp(value, np.maximum.accumulate(mean - NORMAL * spread), multiples),
    )
    return float(ends[0]) * value, float(ends[1]) * value


def _folded(mean: FloatArray, sd: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of the sum over the last axis of |N(mean, sd)|."""
    ratio = np.abs(mean) / np.where(sd > 0.0, sd, 1.0)
    density = np.exp(-(ratio**2) / 2.0) * np.sqrt(2.0 / np.pi)
    folded = np.where(
        sd > 0.0, sd * density + np.abs(mean) * (1.0 - 2.0 * special.ndtr(-ratio)), np.abs(mean)
    )
    variance = np.maximum(mean**2 + sd**2 - folded**2, 0.0)
    return folded.sum(axis=-1), np.sqrt(variance.sum(axis=-1))
