"""The test that watches performance by default: is the model wrong more often than normally?

* A model that names classes: did the error rate rise? (`features.rates.rate`)
* One that only gives scores: did the area under the ROC curve fall? The difference of the areas on
  the arcsine scale, on which their variance hardly depends on them, with DeLong's variance of
  window and reference together. In quiet windows of 15 to 250 positives it is significant at 1e-3
  in 0.4 to 1.4 of 1,000 (simulated); the plain difference would be in up to 6.
* A regression: did the sizes of the residuals change, and their mean (MAE) rise? Pearson's
  chi-square over bins that resolve the upper tail. Where too few residuals fall into more than one
  of them, as if nearly all are 0: did the share beyond the first bin rise? (`features.rates.rate`)

Sources: `features/rates.py`; DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; Bartlett,
"The use of transformations", Biometrics 3, 1947; `features/chi_square.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, isnan, nan, sin, sqrt

import numpy as np

from driftline.detectors import special
from driftline.detectors.features.cells import Cells
from driftline.detectors.features.chi_square import pearson
from driftline.detectors.features.psi import psi
from driftline.detectors.features.rates import rate
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.layout import OutcomeLayout
from driftline.detectors.outcomes.metrics import METRICS
from driftline.detectors.outcomes.performance import measure
from driftline.detectors.outcomes.scores import components, rank, roc_auc
from driftline.detectors.rounding import significant


@dataclass(frozen=True)
class Correctness:
    """The result of the test on one window; NaN where there is none.

    Attributes:
        value: of the metric.
        p_value: probability of so bad a window, or a worse one, if nothing changed.
        threshold: the value beyond which that probability is `alpha`; NaN for a regression, whose
            test is not one of the value.
        effect: how much worse: rise of the error rate, fall of the area (0 to 1), bias-corrected
            PSI of the sizes of residuals. Can be below 0.
    """

    value: float
    p_value: float
    threshold: float
    effect: float


def watched_metric(layout: OutcomeLayout) -> str | None:
    """Return the metric that is tested: `accuracy`, `roc_auc`, `mae` or none."""
    return next((metric for metric in _TESTS if METRICS[metric].family in layout.families), None)


def correctness(
    layout: OutcomeLayout, counts: IntArray, reference: IntArray, alpha: float, phi: float = 1.0
) -> dict[str, Correctness]:
    """Test a window against the reference; only what became worse has a small p-value.

    Args:
        layout: what was counted.
        counts: the window's flat counts, shape (layout.size,).
        reference: the reference's flat counts of the same stream, shape (layout.size,).
        alpha: level of the test.
        phi: how many times as much as independent events those of both vary, at least 1: a phi-th
            is counted.

    Returns:
        `watched_metric` to the result of the test; empty for a layout without one.

    Example:
        >>> layout = OutcomeLayout.classification(["no", "yes"], None, True)
        >>> window = np.array([440, 60, 0, 40, 460, 0])
        >>> reference = np.array([4700, 300, 0, 300, 4700, 0])
        >>> found = correctness(layout, window, reference, 1e-4)["accuracy"]
        >>> found.value, found.p_value < 1e-4, found.threshold, found.effect
        (0.9, True, 0.906, 0.04)
    """
    metric = watched_metric(layout)
    if metric is None:
        return {}
    numbers = significant(_TESTS[metric](layout, counts, reference, alpha, phi)).tolist()
    return {metric: Correctness(*numbers)}


_Numbers = tuple[float, float, float, float]  # of Correctness


def _accuracy(
    layout: OutcomeLayout, counts: IntArray, reference: IntArray, alpha: float, phi: float
) -> _Numbers:
    now, normal = layout.view(counts, "confusion"), layout.view(reference, "confusion")
    n, m = int(now.sum()), int(normal.sum())
    wrong, normally = n - int(np.trace(now)), m - int(np.trace(normal))
    one = np.ones(1)
    result = rate(wrong * one, n, normally * one, m, alpha * one, phi)
    value, p_value, threshold = (
        float(numbers[0]) for numbers in (result.value, result.p_value, result.threshold)
    )
    effect = value - normally / m if m else nan
    return 1.0 - value, p_value, 1.0 - threshold, effect


def _roc_auc(
    layout: OutcomeLayout, counts: IntArray, reference: IntArray, alpha: float, phi: float
) -> _Numbers:
    now, normal, both = (rank(layout, flat) for flat in (counts, reference, counts + reference))
    area, normal_area, joint_area = (roc_auc(ranking).value for ranking in (now, normal, both))
    if isnan(area) or isnan(normal_area):
        return area, nan, nan, nan
    of_positives, of_negatives = components(both)
    variance = phi * sum(
        of * (1.0 / ranking_now.sum() + 1.0 / ranking_normal.sum())
        for of, ranking_now, ranking_normal in (
            (of_positives, now.positives, normal.positives),
            (of_negatives, now.negatives, normal.negatives),
        )
    )
    spread = joint_area * (1.0 - joint_area)
    if not variance > 0.0 or spread <= 0.0:
        return area, nan, nan, normal_area - area
    error = sqrt(variance / spread) / 2.0  # of the arcsine of the root of the area
    angle = asin(sqrt(normal_area))
    p_value = float(special.ndtr((asin(sqrt(area)) - angle) / error))
    limit = angle + float(special.ndtri(alpha)) * error
    return area, p_value, sin(limit) ** 2 if limit > 0.0 else nan, normal_area - area


def _residuals(
    layout: OutcomeLayout, counts: IntArray, reference: IntArray, alpha: float, phi: float
) -> _Numbers:
    now, normal = layout.view(counts, "tails"), layout.view(reference, "tails")
    cells, level = Cells(np.zeros(now.size, np.intp), normal, now, 1, phi), np.array([alpha])
    value, normally = (measure(layout, flat)["mae"].value for flat in (counts, reference))
    p_value = float(pearson(cells, level).p_value[0])
    if isnan(p_value):
        beyond, normally_beyond = (np.array([own[1:].sum()], float) for own in (now, normal))
        tested = rate(beyond, int(now.sum()), normally_beyond, int(normal.sum()), level, phi)
        p_value = float(tested.p_value[0])
    if value <= normally and not isnan(p_value):
        p_value = 1.0
    return value, p_value, nan, float(psi(cells, level).value[0])


# The first whose family a layout has is watched.
_TESTS = {"accuracy": _accuracy, "roc_auc": _roc_auc, "mae": _residuals}
