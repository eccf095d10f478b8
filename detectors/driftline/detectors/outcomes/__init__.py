"""How well a model did, from counts of its predictions and their ground truth.

Lay out what is counted on the reference (`OutcomeLayout`), count pairs as the labels come
(`count_outcomes`), add the counts as needed, and `measure` them. `correctness` tests them against
the reference's, which `Outcomes` reads.
"""

from .baseline import Outcomes
from .calibration import Calibration, calibrate
from .calibration_error import probability_sums
from .comparison import IndependentTest, PairedTest
from .correctness import Correctness, correctness, watched_metric
from .counting import OutcomeRows, count_outcomes
from .error_model import ErrorModel, estimate_errors, fit_errors
from .estimate import count_predictions, estimate, estimate_size, gap
from .figure import Figure
from .layout import OutcomeKind, OutcomeLayout
from .performance import METRICS, WORSE, measure
from .residuals import residual_quantiles

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
