"""All metrics of performance of a window, from its counts."""

from __future__ import annotations

from collections.abc import Callable, Container
from importlib import import_module

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.confusion import class_metrics
from driftline.detectors.outcomes.figure import Figure
from driftline.detectors.outcomes.layout import OutcomeLayout
from driftline.detectors.outcomes.metrics import METRICS, Family, names_of
from driftline.detectors.outcomes.probabilities import probability_metrics
from driftline.detectors.outcomes.regression import error_metrics
from driftline.detectors.outcomes.scores import score_metrics

MEASURES: dict[Family, Callable[[OutcomeLayout, IntArray], dict[str, Figure]]] = {
    "classes": class_metrics,
    "scores": score_metrics,
    "probabilities": probability_metrics,
    "errors": error_metrics,
}
"""Family to what measures its metrics, from a layout that has it and flat counts."""


def measure(
    layout: OutcomeLayout, counts: IntArray, named: Container[str] = ()
) -> dict[str, Figure]:
    """Measure the metrics that the layout has, in the order of `METRICS`.

    Args:
        layout: what was counted; its `families` tell which metrics there are.
        counts: flat counts, shape (layout.size,).
        named: metrics that are wanted besides those that are always there.

    Returns:
        Metric to figure. A metric that has no value in this window is NaN, never 0.

    Example:
        >>> import numpy as np
        >>> from driftline.detectors.outcomes.counting import OutcomeRows, count_outcomes
        >>> layout = OutcomeLayout.classification(["0", "1"], "1", False, [0.1, 0.4, 0.8])
        >>> score, actual = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0.0, 0.0, 1.0, 1.0])
        >>> counts = count_outcomes(layout, OutcomeRows(np.zeros(4, np.int32), score, actual))
        >>> {name: round(figure.value, 4) for name, figure in measure(layout, counts).items()}
        {'roc_auc': 0.75, 'pr_auc': 0.8333, 'log_loss': 0.4723, 'brier': 0.1581, \
'calibration_error': 0.1375}
    """
    found: dict[str, Figure] = {}
    for family in layout.families:
        found |= MEASURES[family](layout, counts)
    names = names_of(layout.families)
    wanted = [METRICS[name] for name in names if METRICS[name].always or name in named]
    added = {each.name: import_module(each.module) for each in wanted if each.module}
    found |= {name: module.figure(layout, counts) for name, module in added.items()}
    return {each.name: found[each.name] for each in wanted}
