"""Performance without ground truth: what the calibrated scores let expect.

Confidence-based performance estimation (CBPE; NannyML's documentation, "Estimation of Performance
of the Monitored Model"): an event with calibrated probability q that the model calls positive is
right with probability q, and so on for every cell of the confusion matrix. It is true as long as
only the mix of events changes (covariate shift); once a score means something else, it is wrong,
and `gap` shows it when the first ground truth comes.

Every estimate is the mean over what the labels may turn out to be, so its interval is where the
realised value will lie in 95 % of windows: what is uncertain is each label, given q, and q itself,
which rests on the events of a finite reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np

from driftline.detectors import special
from driftline.detectors.counts import CodeArray
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.calibration import Calibration
from driftline.detectors.outcomes.figure import Figure, mean_figure
from driftline.detectors.outcomes.layout import OutcomeLayout
from driftline.detectors.outcomes.metrics import METRICS, names_of
from driftline.detectors.rounding import significant

_SMALLEST = float(np.finfo(np.float64).eps)  # log loss is bounded as the realised one is
_Parts = tuple[float, FloatArray | float]  # an estimate, and what one label more changes in it


def estimate_size(layout: OutcomeLayout) -> int:
    """Length of the flat vector that estimates need; 0 where there is no score to go by."""
    return 2 * layout.bins


def count_predictions(layout: OutcomeLayout, predicted: CodeArray, score: FloatArray) -> IntArray:
    """Count predictions whose ground truth is not known (or not looked at).

    Args:
        layout: what is counted.
        predicted: code of the predicted class, shape (n,), as in `OutcomeRows`.
        score: shape (n,); an event with a score that is not finite is not counted.

    Returns:
        Flat counts of [predicted is positive][score bin], shape (2 * bins,), int64. They add.

    Example:
        >>> layout = OutcomeLayout.classification(["no", "yes"], "yes", True, [0.0, 0.5])
        >>> codes, score = np.array([0, 1, 1], np.int32), np.array([0.1, 0.8, np.nan])
        >>> counts = count_predictions(layout, codes, score)
        >>> counts.size == estimate_size(layout), np.flatnonzero(counts).size
        (True, 2)
    """
    if not layout.bins:
        return np.zeros(0, np.int64)
    usable = np.isfinite(score)
    called = (predicted[usable] == layout.positive) & layout.labelled
    bins = layout.score_bins(score[usable])
    return np.bincount(bins + layout.bins * called, minlength=2 * layout.bins)


def estimate(layout: OutcomeLayout, calibration: Calibration, cells: IntArray) -> dict[str, Figure]:
    """Estimate the metrics of a window from its predictions alone.

    Args:
        layout: what is counted.
        calibration: from `calibrate`, of the same layout.
        cells: the window's predictions, from `count_predictions`.

    Returns:
        Metric to its estimate, with the interval in which the realised value will lie in 95 % of
        windows, and the number of predictions; NaN where it has no value. `accuracy`, `precision`,
        `recall` and `f1` of the positive class for two classes that the model names, `roc_auc`,
        and `log_loss` and `brier` for probabilities.

    Example:
        >>> from driftline.detectors.outcomes.calibration import calibrate
        >>> from driftline.detectors.outcomes.counting import OutcomeRows, count_outcomes
        >>> layout = OutcomeLayout.classification(["no", "yes"], "yes", True, [0.2, 0.9])
        >>> codes, score = np.array([0, 0, 1, 1], np.int32), np.array([0.2, 0.2, 0.9, 0.9])
        >>> rows, times = OutcomeRows(codes, score, np.array([0, 1, 0, 1])), [800, 200, 100, 900]
        >>> reference = count_outcomes(layout, rows, np.array(times))
        >>> calibration = calibrate(layout, reference)
        >>> times = [50, 50, 150, 150]
        >>> cells = count_predictions(layout, codes.repeat(times), score.repeat(times))
        >>> estimate(layout, calibration, cells)["accuracy"]
        Figure(value=0.875, low=0.839395058, high=0.910604942, n=400)
    """
    n = int(cells.sum())
    counts = cells.reshape(2, -1)
    parts: dict[str, _Parts | None] = {}
    if layout.labelled and len(layout.classes) == 2:
        parts |= _confusion(calibration.probability, counts)
    parts["roc_auc"] = _roc_auc(calibration.probability, counts.sum(axis=0))
    if layout.probability:
        parts |= _losses(calibration, counts.sum(axis=0))
    figures = {}
    for name in names_of(layout.families, estimated=True):
        if name not in parts:
            continue
        part = parts[name]
        if part is None:
            figures[name] = Figure.none(n)
            continue
        value, slope = part
        error = sqrt(_cumulants(calibration, counts, slope)[0])
        scale = METRICS[name].scale
        figures[name] = mean_figure(value, error, n, scale.least, scale.most)
    return figures


def gap(
    layout: OutcomeLayout, calibration: Calibration, counts: IntArray, phi: float = 1.0
) -> tuple[float, float]:
    """Compare the realised performance of labelled events with the estimate for the same events.

    Where they differ, a score no longer means what it did in the reference: the concept drifted,
    and estimates can no longer be trusted.

    Args:
        layout: what is counted.
        calibration: from `calibrate`, of the same layout.
        counts: the window's flat counts of outcomes, shape (layout.size,).
        phi: how many times as much as independent events they vary, at least 1: a phi-th is
            counted.

    Returns:
        Realised less estimated accuracy for two classes that the model names; else estimated less
        realised Brier score: below 0 is worse than estimated. And the probability of so bad a
        value, or a worse one, if scores mean what they did: from the gamma law with the variance
        and skewness of what the labels, and the reference's, could be, which stays honest where
        few errors are expected. (Simulated, references of 10 to 5,000 events: significant at .01
        in at most 1.3 %, at .001 in at most 1.6 of 1,000 quiet windows; in fewer where a class has
        less than about 50 events in the reference.) NaN, NaN without events.

    Example:
        >>> from driftline.detectors.outcomes.calibration import calibrate
        >>> from driftline.detectors.outcomes.counting import OutcomeRows, count_outcomes
        >>> layout = OutcomeLayout.classification(["no", "yes"], "yes", True, [0.2, 0.9])
        >>> codes, score = np.array([0, 0, 1, 1], np.int32), np.array([0.2, 0.2, 0.9, 0.9])
        >>> rows = OutcomeRows(codes, score, np.array([0, 1, 0, 1]))
        >>> counts = [count_outcomes(layout, rows, np.array(times)) for times in
        ...           ([800, 200, 100, 900], [80, 20, 10, 90], [80, 20, 30, 70])]
        >>> calibration = calibrate(layout, counts[0])
        >>> [gap(layout, calibration, window) for window in counts[1:]]
        [(0.0, 0.5278878009), (-0.1, 0.0002933558319)]
    """
    found = _excess(layout, calibration, counts)
    if found is None:
        return nan, nan
    parts = (found.errors - found.step / 2.0, found.variance, found.third)
    p_value = _upper_tail(*(part / phi for part in parts))
    value, p_value = significant([-found.errors / found.n, p_value]).tolist()
    return value, p_value


def gap_figure(layout: OutcomeLayout, calibration: Calibration, counts: IntArray) -> Figure:
    """Return the value of `gap` with the interval that the estimate gives it."""
    found = _excess(layout, calibration, counts)
    if found is None:
        return Figure.none()
    return mean_figure(-found.errors / found.n, sqrt(found.variance) / found.n, found.n)


@dataclass(frozen=True)
class _Excess:
    """Of n events: errors beyond those estimated, in steps, and cumulants if nothing changed."""

    n: int
    errors: float
    step: float
    variance: float
    third: float


def _excess(layout: OutcomeLayout, calibration: Calibration, counts: IntArray) -> _Excess | None:
    if not layout.bins:
        return None
    negatives, positives = layout.view(counts, "joint")
    events = negatives + positives
    n = int(events.sum())
    if n == 0:
        return None
    if layout.labelled and len(layout.classes) == 2:
        worse, step = np.array([[1.0], [-1.0]]), 1.0  # a positive not called one is an error more
        beside = _unnamed(layout, counts)
    else:
        worse, step, beside = 1.0 - 2.0 * calibration.score[None, :], 0.0, 0.0
    worse = np.broadcast_to(worse, events.shape)
    excess = float((worse * (positives - events * calibration.probability)).sum())
    return _Excess(n, excess + beside, step, *_cumulants(calibration, events, worse))


def _unnamed(layout: OutcomeLayout, counts: IntArray) -> float:
    """Negatives for which the model named neither class: wrong, though not called positive.

    Exact if every pair has a score; else a lower bound.
    """
    negative = 1 - (layout.positive or 0)
    right = int(layout.view(counts, "confusion")[negative, negative])
    return max(float(layout.view(counts, "joint")[0, 0].sum()) - right, 0.0)


def _confusion(q: FloatArray, counts: IntArray) -> dict[str, _Parts | None]:
    called = np.array([[0.0], [1.0]])
    n, m = float(counts.sum()), float(counts[1].sum())
    true = float(counts[1] @ q)  # events called positive that are
    positive = float(counts.sum(axis=0) @ q)
    right = true + float(counts[0] @ (1.0 - q))
    recall, f1 = true / (positive or 1.0), 2.0 * true / ((m + positive) or 1.0)
    return {
        "accuracy": (right / n, (2.0 * called - 1.0) / n) if n else None,
        "precision": (true / m, called / m) if m else None,
        "recall": (recall, (called - recall) / positive) if positive else None,
        "f1": (f1, (2.0 * called - f1) / (m + positive)) if m + positive else None,
    }


def _roc_auc(q: FloatArray, counts: IntArray) -> _Parts | None:
    positive, negative = counts * q, counts * (1.0 - q)
    p, n = float(positive.sum()), float(negative.sum())
    if not (p > 0.0 and n > 0.0):
        return None
    negatives_below = np.cumsum(negative) - negative / 2.0
    positives_above = p - np.cumsum(positive) + positive / 2.0
    auc = float(positive @ negatives_below) / (p * n)
    # One event more that is positive: pairs it wins, less those that it lost as a negative.
    return auc, (negatives_below - positives_above) / (p * n) - auc * (1.0 / p - 1.0 / n)


def _losses(calibration: Calibration, counts: IntArray) -> dict[str, _Parts | None]:
    n = float(counts.sum())
    if n == 0.0:
        return {"log_loss": None, "brier": None}
    q, p = calibration.probability, calibration.score
    if_positive = np.stack([-np.log(np.maximum(p, _SMALLEST)), (1.0 - p) ** 2])
    if_negative = np.stack([-np.log(np.maximum(1.0 - p, _SMALLEST)), p**2])
    values = (if_positive * q + if_negative * (1.0 - q)) @ counts / n
    slopes = (if_positive - if_negative) / n
    return {name: (float(values[i]), slopes[i]) for i, name in enumerate(("log_loss", "brier"))}


def _cumulants(
    calibration: Calibration, counts: IntArray, slope: FloatArray | float
) -> tuple[float, float]:
    """Variance and third cumulant of the sum of `slope` over the events that are positive.

    Labels are independent given their group's probability, which follows its Beta law: the laws of
    total variance and cumulance.

    Args:
        calibration: the groups.
        counts: events, shape (2, B).
        slope: what one positive adds, broadcast to (2, B).
    """
    once, twice, thrice = (
        calibration.grouped((counts * slope**power).sum(axis=0)) for power in (1, 2, 3)
    )
    first, second, third = calibration.moments
    spread = first - second  # mean of q (1 - q)
    variance = twice * spread + once**2 * (second - first**2)
    skewed = (
        thrice * (first - 3.0 * second + 2.0 * third)
        + 3.0 * once * twice * (second - third - first * spread)
        + once**3 * (third - 3.0 * first * second + 2.0 * first**3)
    )
    return float(variance.sum()), float(skewed.sum())


def _upper_tail(x: float, variance: float, third: float) -> float:
    """P(X >= x) of mean 0: shifted gamma law; the normal one where that would be cut above."""
    if third <= 0.0:
        return float(special.ndtr(-x / np.sqrt(variance))) if variance > 0.0 else float(x <= 0.0)
    shape = 4.0 * variance**3 / third**2
    return float(special.gammaincc(shape, max(2.0 * variance * x / third + shape, 0.0)))
