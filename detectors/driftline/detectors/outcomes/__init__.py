"""How well a model did, from counts of its predictions and their ground truth.

Lay out what is counted on the reference (`OutcomeLayout`), count pairs as the labels come
(`count_outcomes`), add the counts as needed, and `measure` them. `correctness` tests them against
the reference's, which `Outcomes` reads.

The table of metrics needs neither numpy nor scipy; the other names are imported when they are first
used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from driftline.detectors.outcomes.metrics import GAP, METRICS, Metric, figure_named, names_of

if TYPE_CHECKING:
    from driftline.detectors.outcomes.baseline import Outcomes
    from driftline.detectors.outcomes.calibration import Calibration, calibrate
    from driftline.detectors.outcomes.comparison import IndependentTest, PairedTest
    from driftline.detectors.outcomes.counting import OutcomeRows, count_outcomes
    from driftline.detectors.outcomes.error_model import ErrorModel, estimate_errors, fit_errors
    from driftline.detectors.outcomes.estimation import (
        count_predictions,
        estimate,
        estimate_size,
        gap,
    )
    from driftline.detectors.outcomes.figure import Figure
    from driftline.detectors.outcomes.layout import OutcomeKind, OutcomeLayout
    from driftline.detectors.outcomes.performance import measure
    from driftline.detectors.outcomes.probabilities import probability_sums
    from driftline.detectors.outcomes.residuals import residual_quantiles
    from driftline.detectors.outcomes.watched import Correctness, correctness, watched_metric
else:
    _LATER = {
        "baseline": ("Outcomes",),
        "calibration": ("Calibration", "calibrate"),
        "comparison": ("IndependentTest", "PairedTest"),
        "watched": ("Correctness", "correctness", "watched_metric"),
        "counting": ("OutcomeRows", "count_outcomes"),
        "error_model": ("ErrorModel", "estimate_errors", "fit_errors"),
        "estimation": ("count_predictions", "estimate", "estimate_size", "gap"),
        "figure": ("Figure",),
        "layout": ("OutcomeKind", "OutcomeLayout"),
        "performance": ("measure",),
        "probabilities": ("probability_sums",),
        "residuals": ("residual_quantiles",),
    }
    _MODULES = {name: module for module, names in _LATER.items() for name in names}

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


__all__ = [
    "GAP",
    "METRICS",
    "Calibration",
    "Correctness",
    "ErrorModel",
    "Figure",
    "IndependentTest",
    "Metric",
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
    "figure_named",
    "fit_errors",
    "gap",
    "measure",
    "names_of",
    "probability_sums",
    "residual_quantiles",
    "watched_metric",
]
