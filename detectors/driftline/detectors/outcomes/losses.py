"""Log loss and Brier score of predicted probabilities, both larger for worse predictions.

Sources: Good, "Rational decisions", Journal of the Royal Statistical Society B 14, 1952 (log loss);
Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78,
1950. Intervals by the central limit theorem.
"""

from __future__ import annotations

from math import nan, sqrt

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.counting import LOSS_UNIT
from driftline.detectors.outcomes.figure import Figure, mean_figure
from driftline.detectors.outcomes.fixed_point import total
from driftline.detectors.outcomes.layout import OutcomeLayout


def losses(layout: OutcomeLayout, counts: IntArray) -> dict[str, Figure]:
    """Measure both.

    Args:
        layout: one whose scores are probabilities.
        counts: flat counts, shape (layout.size,).

    Returns:
        `log_loss`: mean of -ln(probability given to what happened), in nats; a probability below
        2.2e-16 counts as that. `brier`: mean of (1 - that probability)**2, 0 to 1. NaN without
        pairs, and no interval for a single one.
    """
    n = int(layout.view(counts, "joint").sum())
    return {name: _mean(layout, counts, name, n) for name in ("log_loss", "brier")}


def _mean(layout: OutcomeLayout, counts: IntArray, name: str, n: int) -> Figure:
    if n == 0:
        return Figure.none()
    mean = total(layout.view(counts, name), LOSS_UNIT) / n
    square = total(layout.view(counts, f"{name}_squared"), LOSS_UNIT) / n
    error = sqrt(max(square - mean * mean, 0.0) / (n - 1)) if n > 1 else nan
    return mean_figure(mean, error, n, least=0.0)
