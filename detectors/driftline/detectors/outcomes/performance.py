"""All metrics of performance of a window, from its counts."""

from __future__ import annotations

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.confusion import confusion_metrics
from driftline.detectors.outcomes.figure import Figure
from driftline.detectors.outcomes.layout import OutcomeLayout
from driftline.detectors.outcomes.probabilities import probability_metrics
from driftline.detectors.outcomes.regression import regression_metrics
from driftline.detectors.outcomes.scores import score_metrics

# Metric to the direction that is worse: +1 larger, -1 smaller, 0 away from the reference.
WORSE = {
    "accuracy": -1,
    "precision": -1,
    "recall": -1,
    "f1": -1,
    "roc_auc": -1,
    "pr_auc": -1,
    "log_loss": 1,
    "brier": 1,
    "calibration_error": 1,
    "mae": 1,
    "rmse": 1,
    "r2": -1,
    "bias": 0,
}
METRICS = tuple(WORSE)


def measure(layout: OutcomeLayout, counts: IntArray) -> dict[str, Figure]:
    """Measure the metrics that the layout has, in the order of `METRICS`.

    Accuracy, precision, recall and f1 need predicted classes; roc_auc and pr_auc a score and its
    positive class; log_loss, brier and calibration_error scores that are probabilities; a
    regression has mae, rmse, r2 and bias.

    Args:
        layout: what was counted.
        counts: flat counts, shape (layout.size,).

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
    if layout.grid is not None:
        return regression_metrics(layout, layout.grid, counts)
    found: dict[str, Figure] = {}
    if layout.labelled:
        found |= confusion_metrics(layout.view(counts, "confusion"), layout.positive)
    if layout.bins:
        found |= score_metrics(layout, counts)
    if layout.probability:
        found |= probability_metrics(layout, counts)
    return found
