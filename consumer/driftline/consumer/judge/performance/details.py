"""What the verdict on a metric holds besides its value: the confusion matrix, and residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from driftline.consumer.wire.records import DetectorValue
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import OutcomeLayout, residual_quantiles

# A matrix of 20 classes has 420 numbers, one of 100 would make a verdict of 60 kB.
_MOST_CLASSES = 20


@dataclass(frozen=True)
class Details:
    """What stands in one metric's verdict besides its value.

    Attributes:
        detectors: further figures, by the names that stand where detectors' names do.
        confusion: `classes`, and counts `[actual][predicted]` in the `reference` and the `window`;
            the last column is another class, or none.
    """

    detectors: Mapping[str, DetectorValue] = field(default_factory=dict)
    confusion: dict[str, Any] | None = None


NO_DETAILS = Details()


def details_of(
    metric: str, layout: OutcomeLayout, counts: IntArray, reference: IntArray
) -> Details:
    """Return the details of a metric: `accuracy` has the confusion matrix, `bias` the residuals.

    Args:
        metric: its name.
        layout: what was counted.
        counts: of the window, flat, shape (layout.size,).
        reference: the same of the reference.

    Example:
        >>> import numpy as np
        >>> layout = OutcomeLayout.classification(["no", "yes"], "yes", True)
        >>> counts = np.zeros(layout.size, np.int64)
        >>> layout.view(counts, "confusion")[:] = [[7, 1, 0], [2, 5, 1]]
        >>> details_of("accuracy", layout, counts, counts).confusion["window"]
        [[7, 1, 0], [2, 5, 1]]
    """
    details = _DETAILS.get(metric)
    return NO_DETAILS if details is None else details(layout, counts, reference)


def _confusion(layout: OutcomeLayout, counts: IntArray, reference: IntArray) -> Details:
    if len(layout.classes) > _MOST_CLASSES:
        return NO_DETAILS
    both = {"reference": reference, "window": counts}
    matrices = {name: layout.view(own, "confusion").tolist() for name, own in both.items()}
    return Details(confusion={"classes": list(layout.classes), **matrices})


def _residuals(layout: OutcomeLayout, counts: IntArray, reference: IntArray) -> Details:
    normal = residual_quantiles(layout, reference)
    return Details(
        {
            f"residual_q{round(100 * share):02}": DetectorValue.of(
                figure.value,
                interval=(figure.low, figure.high),
                reference=normal[share].value,
            )
            for share, figure in residual_quantiles(layout, counts).items()
        }
    )


CONFUSION_OF = "accuracy"
"""The metric whose verdict has the confusion matrix."""
_DETAILS = {CONFUSION_OF: _confusion, "bias": _residuals}
