"""How well the model did on the reference: the baseline of later performance alerts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows, count_outcomes, measure
from driftline.detectors.outcomes.error_model import exact_sum
from driftline.detectors.outcomes.layout import MOST_CLASSES
from driftline.detectors.rounding import significant
from driftline.producer.errors import InputError
from driftline.producer.records.category import (
    BOOLEAN,
    ZERO_ONE,
    category_text,
    named_class,
    other_forms,
)
from driftline.producer.reference.answers import Answers, Labels

_LARGEST = 1e75  # of a prediction or actual value, so that fourth powers are finite
_PART = 1 << 18
_ENOUGH = 20  # events whose ground truth is one of two numbers, to take these for classes
_POSITIVE = {frozenset(pair): pair[1] for pair in (ZERO_ONE, BOOLEAN)}


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
        perhaps: what the ground truth of a regression may be instead.
    """

    positive_label: str | None
    summary: dict[str, Any] | None = None
    layout: OutcomeLayout | None = None
    rows: OutcomeRows | None = None
    unmeasured: str | None = None
    perhaps: str | None = None


def measure_outcome(answers: Answers, positive_label: str | None) -> MeasuredOutcome:
    """Compare predictions with ground truth.

    The model is a classifier if it names classes (`prediction.label`), or else if the ground truth
    does, or is 0 or 1 throughout while all scores are in 0 to 1, or where `positive_label` names
    one of two numbers that it is throughout. A classifier's ground truth may also be a bare number:
    1 is the class "1". Where the predicted classes are 0 and 1, a ground truth of false and true is
    of the same classes, and the other way round.

    Args:
        answers: of n events, predictions and ground truth.
        positive_label: the class that the score speaks of, in any form (`named_class`); None: "1"
            or "true" if the classes are 0 and 1 or false and true, else none.

    Raises:
        InputError: `positive_label` is not among the classes, or the ground truth is numbers that
            are no two classes.
    """
    predicted, score, truth = answers.predicted, answers.score, answers.actual_score
    labelled = predicted.any()
    actual = answers.actual
    if labelled:
        actual = actual.or_else(answers.actual_texts).or_else(_of_numbers(truth))
        forms = other_forms(predicted.used())
        if actual.used() <= {*forms, *forms.values()}:
            actual = actual.renamed(forms)
    elif _zero_one(score, truth):
        codes = np.where(np.isnan(truth), -1.0, truth).astype(np.int32)
        actual = Labels(codes, ZERO_ONE)
    elif positive_label is not None and not np.isnan(truth).all():
        actual = actual.or_else(answers.actual_texts).or_else(_of_numbers(truth))
        if len(actual.names) > 2:
            raise InputError(
                f"positive_label {positive_label}: the ground truth is one of"
                f" {len(actual.names):,} numbers, not of two classes; leave positive_label out, or"
                " give the predicted class as prediction.label"
            )

    classes = predicted.used() | actual.used()
    if not labelled:  # a reference that happens to have one of two classes only
        classes = next((set(pair) for pair in _POSITIVE if classes and classes <= pair), classes)
    named = positive_label is not None
    if positive_label is None:
        positive_label = _POSITIVE.get(frozenset(classes))
    elif classes:
        known = named_class(positive_label, classes)
        if known is None:
            names = ", ".join(sorted(classes)[:10])
            why = f"never occurs; the classes are {names}"
            raise InputError(f"positive_label {positive_label}: {why}")
        positive_label = known

    if labelled:
        return _classification(predicted, actual, score, positive_label)
    measurable = (np.abs(score) < _LARGEST) & (np.abs(truth) < _LARGEST)
    if classes and (named or _zero_one(score, truth) or not measurable.any()):
        return _scoring(actual, score, classes, positive_label)
    return _regression(score, np.where(measurable, truth, np.nan), positive_label)


def _of_numbers(values: FloatArray) -> Labels:
    """Return the classes that bare numbers name."""
    distinct = np.empty(0)
    for part in _parts(values.size):
        distinct = np.union1d(distinct, values[part][~np.isnan(values[part])])
    codes = np.full(values.size, -1, np.int32)
    for part in _parts(values.size):
        there = ~np.isnan(values[part])
        codes[part][there] = np.searchsorted(distinct, values[part][there])
    return Labels(codes, [category_text(number) or "" for number in distinct.tolist()])


def _parts(n: int) -> Iterator[slice]:
    """Yield parts of n events, so that what is worked out for millions stays small."""
    for start in range(0, n, _PART):
        yield slice(start, start + _PART)


def _zero_one(score: FloatArray, truth: FloatArray) -> bool:
    if np.isnan(score).all() or np.isnan(truth).all():
        return False
    within = np.nanmin(score) >= 0.0 and np.nanmax(score) <= 1.0
    return bool(within and (np.isnan(truth) | (truth == 0.0) | (truth == 1.0)).all())


def _classification(
    predicted: Labels, actual: Labels, score: FloatArray, positive: str | None
) -> MeasuredOutcome:
    pairs = _pairs(actual, predicted)
    if not pairs:
        return MeasuredOutcome(positive)
    truths, guesses = {truth for truth, _ in pairs}, {guess for _, guess in pairs}
    classes = truths | guesses | ({positive} if positive else set())
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
        confusion.setdefault(truth, {})[guess] = count
    paired = Labels(np.where(predicted.codes < 0, -1, actual.codes), actual.names)
    rows = _rows(sorted(classes), predicted, score, paired)
    return MeasuredOutcome(
        positive,
        {"n": n, "accuracy": _rounded(correct / n), "confusion": confusion},
        OutcomeLayout.classification(list(classes), positive, True, _answered(score, rows)),
        rows,
    )


def _pairs(actual: Labels, predicted: Labels) -> dict[tuple[str, str], int]:
    """Return how many events have each actual and predicted class, where both are known."""
    width = len(predicted.names) + 1
    found: Counter[int] = Counter()
    for part in _parts(actual.codes.size):
        truth, guess = actual.codes[part], predicted.codes[part]
        both = (truth >= 0) & (guess >= 0)
        cells, counts = np.unique(truth[both] * np.int64(width) + guess[both], return_counts=True)
        found.update(dict(zip(cells.tolist(), counts.tolist(), strict=True)))
    return {
        (actual.names[cell // width], predicted.names[cell % width]): count
        for cell, count in found.items()
    }


def _scoring(
    actual: Labels, score: FloatArray, classes: set[str], positive: str | None
) -> MeasuredOutcome:
    """A classifier that gives a score and leaves it to others to draw the line."""
    if positive is None or len(classes) > MOST_CLASSES:
        why = (
            "prediction.label is not set, and it is not known which class prediction.score speaks"
            " of: give it with --positive-label"
        )
        return MeasuredOutcome(positive, unmeasured=why)
    unknown = Labels(np.full(score.size, -1, np.int32), ())
    rows = _rows(sorted(classes), unknown, score, actual)
    scores = _answered(score, rows)
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
    classes: Sequence[str], predicted: Labels, score: FloatArray, actual: Labels
) -> OutcomeRows:
    code = {name: i for i, name in enumerate(classes)}
    guesses = np.array([*(code.get(name, len(code)) for name in predicted.names), len(code)])
    truths = np.array([*(code.get(name, math.nan) for name in actual.names), math.nan])
    return OutcomeRows(guesses.astype(np.int32)[predicted.codes], score, truths[actual.codes])


def _answered(score: FloatArray, rows: OutcomeRows) -> FloatArray:
    """Return the scores of events with ground truth."""
    gone = np.isnan(rows.actual)
    return score[~gone] if gone.any() else score


def _regression(score: FloatArray, truth: FloatArray, positive: str | None) -> MeasuredOutcome:
    pairs = np.flatnonzero(~np.isnan(truth))
    n = pairs.size
    if n == 0:
        return MeasuredOutcome(positive)
    x, y = score[pairs], truth[pairs]
    errors = x - y
    # These sums are exact, so the order of the events does not show in the last digit.
    summary = {
        "n": n,
        "mae": _rounded(exact_sum(np.abs(errors)) / n),
        "rmse": _rounded(math.sqrt(exact_sum(errors * errors) / n)),
        "bias": _rounded(exact_sum(errors) / n),
    }
    order = np.lexsort((x, y))  # nor in the layout
    layout = OutcomeLayout.regression(x[order], y[order])
    rows = OutcomeRows(np.zeros(score.size, np.int32), score, truth)
    return MeasuredOutcome(positive, summary, layout, rows, perhaps=_perhaps_classes(y))


def _perhaps_classes(truth: FloatArray) -> str | None:
    """Return what to do if numbers are two classes, None if they are more or too few to tell."""
    low, high = float(truth.min()), float(truth.max())
    if truth.size < _ENOUGH or low == high or not ((truth == low) | (truth == high)).all():
        return None
    names = f"{category_text(low)} or {category_text(high)}"
    return (
        f"the ground truth is {names} throughout: if these are classes, not amounts, give"
        f" --positive-label {category_text(high)}"
    )


def _some(classes: set[str]) -> str:
    return ", ".join(sorted(classes)[:3])


def _rounded(value: float) -> float:
    return float(significant(value, 10))
