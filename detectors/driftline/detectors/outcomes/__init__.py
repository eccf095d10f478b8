"""How well a model did, from counts of its predictions and their ground truth.

Lay out what is counted on the reference (`OutcomeLayout`), count pairs as the labels come
(`count_outcomes`), add the counts as needed, and `measure` them. `correctness` tests them against
the reference's, which `Outcomes` reads.

The table of metrics needs neither numpy nor scipy; the other names are imported when they are first
used.
"""

from typing import TYPE_CHECKING

from driftline.detectors.lazy import later
from driftline.detectors.outcomes.metrics import GAP, METRICS, Metric, figure_named, names_of

if TYPE_CHECKING:
    from driftline.detectors.outcomes.baseline import Outcomes
    from driftline.detectors.outcomes.calibration import calibrate
    from driftline.detectors.outcomes.changing_cells import ChangingCells
    from driftline.detectors.outcomes.comparison import IndependentTest, PairedTest
    from driftline.detectors.outcomes.counting import OutcomeRows, count_outcomes
    from driftline.detectors.outcomes.error_model import estimate_errors
    from driftline.detectors.outcomes.estimation import (
        count_predictions,
        estimate,
        estimate_size,
        gap,
        gap_figure,
    )
    from driftline.detectors.outcomes.excess import error_gap
    from driftline.detectors.outcomes.figure import Figure
    from driftline.detectors.outcomes.layout import OutcomeLayout
    from driftline.detectors.outcomes.performance import measure
    from driftline.detectors.outcomes.probabilities import probability_sums
    from driftline.detectors.outcomes.residuals import residual_quantiles
    from driftline.detectors.outcomes.watched import correctness, watched_metric
else:
    _LATER = {
        "baseline": ("Outcomes",),
        "calibration": ("calibrate",),
        "changing_cells": ("ChangingCells",),
        "comparison": ("IndependentTest", "PairedTest"),
        "watched": ("correctness", "watched_metric"),
        "counting": ("OutcomeRows", "count_outcomes"),
        "excess": ("error_gap",),
        "error_model": ("estimate_errors",),
        "estimation": ("count_predictions", "estimate", "estimate_size", "gap", "gap_figure"),
        "figure": ("Figure",),
        "layout": ("OutcomeLayout",),
        "performance": ("measure",),
        "probabilities": ("probability_sums",),
        "residuals": ("residual_quantiles",),
    }
    __getattr__ = later(__name__, _LATER)


__all__ = [
    "GAP",
    "METRICS",
    "ChangingCells",
    "Figure",
    "IndependentTest",
    "Metric",
    "OutcomeLayout",
    "OutcomeRows",
    "Outcomes",
    "PairedTest",
    "calibrate",
    "correctness",
    "count_outcomes",
    "count_predictions",
    "error_gap",
    "estimate",
    "estimate_errors",
    "estimate_size",
    "figure_named",
    "gap",
    "gap_figure",
    "measure",
    "names_of",
    "probability_sums",
    "residual_quantiles",
    "watched_metric",
]
