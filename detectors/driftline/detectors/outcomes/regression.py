"""Metrics of a regression: MAE, RMSE, R2 and bias. A residual is prediction - actual.

Sources: intervals by the central limit theorem and the delta method (Cramer, "Mathematical Methods
of Statistics", 1946, chapter 28), for the mean square and for 1 - R2 on the scale of logarithms.
The influence of a pair on R2 = 1 - E e**2 / Var y is ((1 - R2) (y - E y)**2 - e**2) / Var y.
"""

from __future__ import annotations

from math import exp, nan, sqrt

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.counting import moment_unit
from driftline.detectors.outcomes.figure import NORMAL, Figure, mean_figure
from driftline.detectors.outcomes.fixed_point import total
from driftline.detectors.outcomes.layout import MOMENTS, OutcomeLayout
from driftline.detectors.outcomes.metrics import names_of

_CONSTANT = 1e-14  # variance over mean square below which actual values are all the same
# A fourth moment is rounded to its unit, and to a float before it is centred. Where more than a
# hundredth of it can be rounding, nothing is known of the spread.
_LEAST_SQUARE = sqrt(100.0 * 2.0 ** moment_unit(MOMENTS["eeee"]))
_MOST_SHIFT = sqrt(2.0**50 / 100.0)  # mean square over variance


def error_metrics(layout: OutcomeLayout, counts: IntArray) -> dict[str, Figure]:
    """Measure all four.

    Args:
        layout: a regression's.
        counts: flat counts, shape (layout.size,).

    Returns:
        `mae`, `rmse`, `r2`, `bias`; r2 without unit, the others in the prediction's. NaN without
        pairs, r2 also if all actual values are the same. No interval for a single pair; none of
        rmse and r2 where residuals are far below the reference's (a fortieth), none of r2 where
        the spread of the actual values is, or 1,800 times smaller than their distance from them.
    """
    grid, n = layout.grid, int(layout.view(counts, "pairs")[0])
    if grid is None or n == 0:
        return dict.fromkeys(names_of(["errors"]), Figure.none())
    cells = layout.view(counts, "moments")
    # In units of the grid's scales, so that no power overflows.
    mean = {
        name: total(own, moment_unit(powers)) / n
        for own, (name, powers) in zip(cells, MOMENTS.items(), strict=True)
    }
    unit = grid.scale
    absolute, square, bias = mean["absolute"], mean["ee"], mean["e"]
    error = _error(mean["eeee"], square, n) if _resolved(square) else nan
    low, high = _scale_interval(square, error)
    return {
        "mae": mean_figure(absolute * unit, _error(square, absolute, n) * unit, n, least=0.0),
        "rmse": Figure.of(sqrt(square) * unit, sqrt(low) * unit, sqrt(high) * unit, n),
        "r2": _r2(mean, n, grid.scale / grid.actual_scale),
        "bias": mean_figure(bias * unit, _error(square, bias, n) * unit, n),
    }


def _resolved(square: float) -> bool:
    return square == 0.0 or square >= _LEAST_SQUARE


def _error(square: float, mean: float, n: int) -> float:
    """Standard error of a mean, from the mean of the squares."""
    return sqrt(max(square - mean * mean, 0.0) / (n - 1)) if n > 1 else nan


def _scale_interval(value: float, error: float) -> tuple[float, float]:
    """Interval of a positive value whose logarithm is nearer to normal than itself."""
    if value <= 0.0:
        return value + error, value + error
    factor = exp(NORMAL * error / value)
    return value / factor, value * factor


def _r2(mean: dict[str, float], n: int, ratio: float) -> Figure:
    """Measure R2; `ratio` is the unit of e over that of y."""
    units = ratio * ratio
    centre = mean["y"]
    variance = mean["yy"] - centre**2
    if n < 2 or variance <= _CONSTANT * mean["yy"]:
        return Figure.none(n)
    rest = mean["ee"] * units / variance  # 1 - R2
    fourth = mean["yyyy"] - 4 * centre * mean["yyy"] + 6 * centre**2 * mean["yy"] - 3 * centre**4
    both = (mean["eeyy"] - 2 * centre * mean["eey"] + centre**2 * mean["ee"]) * units
    influence = mean["eeee"] * units * units - 2 * rest * both + rest * rest * fourth
    error = sqrt(max(influence, 0.0) / (n - 1)) / variance
    known = variance >= max(_LEAST_SQUARE, mean["yy"] / _MOST_SHIFT)
    low, high = _scale_interval(rest, error if known and _resolved(mean["ee"]) else nan)
    return Figure.of(1.0 - rest, 1.0 - high, 1.0 - low, n)
