"""The share of negatives that were called negative."""

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import Figure, Metric, OutcomeLayout
from driftline.detectors.outcomes.figure import share_interval
from driftline.detectors.outcomes.metrics import MetricScale

METRIC = Metric(
    "specificity",
    words="specificity",
    family="classes",
    scale=MetricScale("share", 0.0, 1.0, worse=-1),
    interval="Wilson",
    aliases=("tnr", "true_negative_rate"),
)


def figure(layout: OutcomeLayout, counts: IntArray) -> Figure:
    """Measure one window: from the confusion matrix [actual][predicted], the last: no class."""
    confusion = layout.view(counts, "confusion")
    n = int(confusion.sum())
    if layout.positive is None or len(layout.classes) != 2:
        return Figure.none(n)
    actual = confusion[1 - layout.positive]
    if not actual.sum():
        return Figure.none(n)
    share = int(actual[1 - layout.positive]) / int(actual.sum())
    return Figure.of(share, *share_interval(share, int(actual.sum())), n)
