"""How well the model did on the reference: the baseline of later performance alerts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows, count_outcomes, measure
from driftline.detectors.outcomes.layout import MOST_CLASSES
from driftline.detectors.rounding import significant
from driftline.producer.errors import InputError
from driftline.producer.reference.column import Column

_LARGEST = 1e75  # of a prediction or actual value, so that fourth powers are finite
_ZERO_ONE, _BOOLEAN = ("0", "1"), ("false", "true")
_POSITIVE = {frozenset(pair): pair[1] for pair in (_ZERO_ONE, _BOOLEAN)}
_Labels = list[str | None]


@dataclass(frozen=True)
class OutcomeColumns:
    """Predictions and ground truth of the same n events, as columns in the same order."""

    predicted: Column
    score: Column
    actual: Column
    actual_score: Column


@dataclass(frozen=True)
class MeasuredOutcome:
    """How well the model did.

    Attributes:
        positive_label: the class that the score speaks of, if known.
        summary: what to tell; None if nothing was measured. For a model that names classes
            `{"n", "accuracy", "confusion": {actual: {predicted: events}}}`; for one that only
            gives scores `n` and what there is of `roc_auc` and `brier`; for a regression
            `{"n", "mae", "rmse", "bias"}`, in the unit of the prediction, bias being the mean of
            prediction - actual. Rounded to 10 significant digits.
        layout: what is counted of the outcomes; None if nothing was measured.
        rows: all n events; those without prediction or ground truth have an `actual` of NaN.
        unmeasured: why there is a prediction and ground truth, but nothing was measured.
    """

    positive_label: str | None
    summary: dict[str, Any] | None = None
    layout: OutcomeLayout | None = None
    rows: OutcomeRows | None = None
    unmeasured: str | None = None


def measure_outcome(columns: OutcomeColumns, positive_label: str | None) -> MeasuredOutcome:
    """Compare predictions with ground truth.

    The model is a classifier if it names classes (`prediction.label`), or else if the ground truth
    does, or is 0 or 1 throughout while all scores are in 0 to 1. A classifier's ground truth may
    also be a bare number: 1 is the class "1".

    Args:
        columns: the events; empty columns where nothing is mapped.
        positive_label: the class that the score speaks of; None: "1" or "true" if the classes are
            0 and 1 or false and true, else none.

    Raises:
        InputError: `positive_label` is not among the classes.
    """
    predicted = _labels(columns.predicted)
    labelled = any(text is not None for text in predicted)
    score, truth = _numbers(columns.score), _numbers(columns.actual_score)
    actual = _labels(columns.actual, columns.actual_score if labelled else None)
    if not labelled and _zero_one(score, truth):
        actual = [None if math.isnan(y) else _ZERO_ONE[int(y)] for y in truth.tolist()]

    classes = {text for text in (*predicted, *actual) if text is not None}
    if not labelled:  # a reference that happens to have one of two classes only
        classes = next((set(pair) for pair in _POSITIVE if classes and classes <= pair), classes)
    if positive_label is None:
        positive_label = _POSITIVE.get(frozenset(classes))
    elif classes and positive_label not in classes:
        names = ", ".join(sorted(classes)[:10])
        raise InputError(f"positive_label {positive_label}: never occurs; the classes are {names}")

    if labelled:
        return _classification(predicted, actual, score, positive_label)
    measurable = (np.abs(score) < _LARGEST) & (np.abs(truth) < _LARGEST)
    if classes and (_zero_one(score, truth) or not measurable.any()):
        return _scoring(actual, score, classes, positive_label)
    return _regression(score, np.where(measurable, truth, np.nan), positive_label)


def _labels(column: Column, numbers: Column | None = None) -> _Labels:
    """Class texts; where there is none, that of a bare number (which is a score by its type)."""
    labels = cast("Sequence[str | None]", column.prepare("categorical").values)
    if numbers is None:
        return list(labels)
    texts = cast("Sequence[str | None]", numbers.prepare("categorical").values)
    return [text if label is None else label for label, text in zip(labels, texts, strict=True)]


def _numbers(column: Column) -> FloatArray:
    """Finite numbers, NaN where there is none."""
    values = np.asarray(column.prepare("numeric").values, np.float64)
    return np.where(np.isfinite(values), values, np.nan)


def _zero_one(score: FloatArray, truth: FloatArray) -> bool:
    scores, truths = score[~np.isnan(score)], truth[~np.isnan(truth)]
    within = bool(scores.size and scores.min() >= 0.0 and scores.max() <= 1.0)
    return within and truths.size > 0 and bool(np.isin(truths, (0.0, 1.0)).all())


def _classification(
    predicted: _Labels, actual: _Labels, score: FloatArray, positive: str | None
) -> MeasuredOutcome:
    pairs = Counter(pair for pair in zip(actual, predicted, strict=True) if None not in pair)
    if not pairs:
        return MeasuredOutcome(positive)
    truths, guesses = {truth for truth, _ in pairs}, {guess for _, guess in pairs}
    classes = cast("set[str]", truths | guesses) | ({positive} if positive else set())
    if not truths & guesses:
        why = (
            f"prediction.label ({_some(guesses)}) and actual ({_some(truths)}) have no class in"
            " common"
        )
        return MeasuredOutcome(positive, unmeasured=why)
    if len(classes) > MOST_CLASSES:
        return MeasuredOutcome(positive, unmeasured=f"more than {MOST_CLASSES} classes")
    n = sum(pairs.values())
    correct = sum(count for (truth, guess), count in pairs.items() if truth == guess)
    confusion: dict[str, dict[str, int]] = {}
    for (truth, guess), count in sorted(pairs.items(), key=str):
        confusion.setdefault(str(truth), {})[str(guess)] = count
    paired = [
        None if guess is None else truth for truth, guess in zip(actual, predicted, strict=True)
    ]
    rows = _rows(sorted(classes), predicted, score, paired)
    return MeasuredOutcome(
        positive,
        {"n": n, "accuracy": _rounded(correct / n), "confusion": confusion},
        OutcomeLayout.classification(list(classes), positive, True, score[~np.isnan(rows.actual)]),
        rows,
    )


def _scoring(
    actual: _Labels, score: FloatArray, classes: set[str], positive: str | None
) -> MeasuredOutcome:
    """A classifier that gives a score and leaves it to others to draw the line."""
    if positive is None or len(classes) > MOST_CLASSES:
        why = (
            "prediction.label is not set, and it is not known which class prediction.score speaks"
            " of: give its positive_label"
        )
        return MeasuredOutcome(positive, unmeasured=why)
    rows = _rows(sorted(classes), [None] * len(actual), score, actual)
    scores = score[~np.isnan(rows.actual)]
    if np.isnan(scores).all():
        return MeasuredOutcome(positive)
    layout = OutcomeLayout.classification(list(classes), positive, False, scores)
    counts = count_outcomes(layout, rows)
    figures = measure(layout, counts)
    told = {name: figures[name].value for name in ("roc_auc", "brier") if name in figures}
    summary: dict[str, Any] = {"n": int(layout.view(counts, "joint").sum())}
    summary |= {name: value for name, value in told.items() if not math.isnan(value)}
    return MeasuredOutcome(positive, summary, layout, rows)


def _rows(
    classes: Sequence[str], predicted: _Labels, score: FloatArray, actual: _Labels
) -> OutcomeRows:
    code: dict[str | None, int] = {name: i for i, name in enumerate(classes)}
    unknown = len(code)
    return OutcomeRows(
        np.fromiter((code.get(text, unknown) for text in predicted), np.int32, len(predicted)),
        score,
        np.fromiter((code.get(text, math.nan) for text in actual), np.float64, len(actual)),
    )


def _regression(score: FloatArray, truth: FloatArray, positive: str | None) -> MeasuredOutcome:
    pairs = np.flatnonzero(~np.isnan(truth))
    n = pairs.size
    if n == 0:
        return MeasuredOutcome(positive)
    x, y = score[pairs], truth[pairs]
    errors = (x - y).tolist()
    # fsum is exact, so the order of the events does not show in the last digit.
    summary = {
        "n": n,
        "mae": _rounded(math.fsum(map(abs, errors)) / n),
        "rmse": _rounded(math.sqrt(math.fsum(e * e for e in errors) / n)),
        "bias": _rounded(math.fsum(errors) / n),
    }
    order = np.lexsort((x, y))  # nor in the layout
    layout = OutcomeLayout.regression(x[order], y[order])
    rows = OutcomeRows(np.zeros(score.size, np.int32), score, truth)
    return MeasuredOutcome(positive, summary, layout, rows)


def _some(classes: set[str | None]) -> str:
    return ", ".join(sorted(map(str, classes))[:3])


def _rounded(value: float) -> float:
    return float(significant(value, 10))
