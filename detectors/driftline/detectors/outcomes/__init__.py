"""How well a model did, from counts of its predictions and their ground truth.

Lay out what is counted on the reference (`OutcomeLayout`), count pairs as the labels come
(`count_outcomes`), add the counts as needed, and `measure` them. `correctness` tests them against
the reference's, which `Outcomes` reads.
"""

from driftline.detectors.outcomes.baseline import Outcomes
from driftline.detectors.outcomes.calibration import Calibration, calibrate
from driftline.detectors.outcomes.comparison import IndependentTest, PairedTest
from driftline.detectors.outcomes.correctness import Correctness, correctness, watched_metric
from driftline.detectors.outcomes.counting import OutcomeRows, count_outcomes
from driftline.detectors.outcomes.error_model import ErrorModel, estimate_errors, fit_errors
from driftline.detectors.outcomes.estimate import count_predictions, estimate, estimate_size, gap
from driftline.detectors.outcomes.figure import Figure
from driftline.detectors.outcomes.layout import OutcomeKind, OutcomeLayout
from driftline.detectors.outcomes.performance import METRICS, WORSE, measure
from driftline.detectors.outcomes.probabilities import probability_sums
from driftline.detectors.outcomes.residuals import residual_quantiles

__all__ = [
    "METRICS",
    "WORSE",
    "Calibration",
    "Correctness",
    "ErrorModel",
    "Figure",
    "IndependentTest",
    "OutcomeKind",
    "OutcomeLayout",
    "OutcomeRows",
    "Outcomes",
    "PairedTest",
    "calibrate",
    "correctness",
    "count_outcomes",
    "count_predictions",
    "estimate",
    "estimate_errors",
    "estimate_size",
    "fit_errors",
    "gap",
    "measure",
    "probability_sums",
    "residual_quantiles",
    "watched_metric",
]
