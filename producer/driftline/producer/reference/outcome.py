"""How well the model did on the reference: the baseline of later performance alerts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.exact_sum import ExactSum
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows, count_outcomes, measure
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
from driftline.producer.reference.events import Events

_LARGEST = 1e75  # of a prediction or actual value, so that fourth powers are finite
_PART = 1 << 18
_ENOUGH = 20  # events whose ground truth is one of two numbers, to take these for classes
_POSITIVE = {frozenset(pair): pair[1] for pair in (ZERO_ONE, BOOLEAN)}


class RowsOf(Protocol):
    """Tells predictions and ground truth of events; it pickles."""

    def of(self, events: Events, first: int) -> OutcomeRows:
        """Return those of some events, of which the first has the number `first`."""
        ...


@dataclass(frozen=True)
class KeptRows:
    """Predictions and ground truth of all events, in their order."""

    rows: OutcomeRows

    def of(self, events: Events, first: int) -> OutcomeRows:
        """Return those of some events, of which the first has the number `first`."""
        return self.rows.select(slice(first, first + events.rows))


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
        rows: of all n events; those without prediction or ground truth have an `actual` of NaN.
        unmeasured: why there is a prediction and ground truth, but nothing was measured.
        perhaps: what the ground truth of a regression may be instead.
    """

    positive_label: str | None
    summary: dict[str, Any] | None = None
    layout: OutcomeLayout | None = None
    rows: RowsOf | None = None
    unmeasured: str | None = None
    perhaps: str | None = None


@dataclass(frozen=True, eq=False)
class ModelTask:
    """What a model does, by its predictions and ground truth.

    Attributes:
        classes: those of a classifier; empty for a regression.
        predicted: of n events.
        actual: of n events.
        positive_label: the class that the score speaks of, if known.
        labelled: the model names classes.
    """

    classes: set[str]
    predicted: Labels
    actual: Labels
    positive_label: str | None
    labelled: bool


def measure_outcome(answers: Answers, positive_label: str | None) -> MeasuredOutcome:
    """Compare predictions with ground truth.

    Args:
        answers: of n events, predictions and ground truth.
        positive_label: as of `task_of`.

    Raises:
        InputError: as `task_of`.
    """
    task = task_of(answers, positive_label)
    score = answers.score
    if task.labelled or task.classes:
        return _classification(task, score)
    truth = np.where(measurable(score, answers.actual_score), answers.actual_score, np.nan)
    return _regression(score, truth, task.positive_label)


def task_of(answers: Answers, positive_label: str | None) -> ModelTask:
    """Tell what a model does.

    It is a classifier if it names classes (`prediction.label`), or else if the ground truth
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
    if {name.lower() for name in predicted.used()} <= {*BOOLEAN}:  # a boolean feature, see `look`
        predicted = predicted.renamed({name: name.lower() for name in predicted.used()})
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

    scored = named or _zero_one(score, truth) or not measurable(score, truth).any()
    if not labelled and not scored:
        classes = set()
    return ModelTask(classes, predicted, actual, positive_label, labelled)


def measurable(score: FloatArray, truth: FloatArray) -> NDArray[np.bool_]:
    """Return which events have a prediction and a ground truth that are numbers, shape (n,)."""
    found: NDArray[np.bool_] = (np.abs(score) < _LARGEST) & (np.abs(truth) < _LARGEST)
    return found


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


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of a classifier, and which of them n events have.

    Attributes:
        names: ascending.
        predicted: of n events.
        actual: of n events; none where what is counted lacks a prediction.
        summary: what to tell, as of `MeasuredOutcome`; None where it is known by counts alone.
    """

    names: list[str]
    predicted: Labels
    actual: Labels
    summary: dict[str, Any] | None = None

    def rows(self, score: FloatArray) -> OutcomeRows:
        """Return what is counted of the events; `score`: of each."""
        code = {name: i for i, name in enumerate(self.names)}
        named = [code.get(name, len(code)) for name in self.predicted.names]
        guesses = np.array([*named, len(code)], np.int32)
        truths = np.array([*(code.get(name, math.nan) for name in self.actual.names), math.nan])
        return OutcomeRows(guesses[self.predicted.codes], score, truths[self.actual.codes])


def classes_of(task: ModelTask, weight: IntArray | None = None) -> Classes | MeasuredOutcome:
    """Return the classes of a classifier; or why nothing can be measured.

    Args:
        task: what it does.
        weight: how often each event counts, shape (n,); None: once.
    """
    positive = task.positive_label
    if not task.labelled:
        if positive is None or len(task.classes) > MOST_CLASSES:
            why = (
                "prediction.label is not set, and it is not known which class prediction.score"
                " speaks of: give it with --positive-label"
            )
            return MeasuredOutcome(positive, unmeasured=why)
        unknown = Labels(np.full(task.actual.codes.size, -1, np.int32), ())
        return Classes(sorted(task.classes), unknown, task.actual)
    predicted, actual = task.predicted, task.actual
    pairs = _pairs(actual, predicted, weight)
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
    summary = {"n": n, "accuracy": _rounded(correct / n), "confusion": confusion}
    paired = Labels(np.where(predicted.codes < 0, -1, actual.codes), actual.names)
    return Classes(sorted(classes), predicted, paired, summary)


def _classification(task: ModelTask, score: FloatArray) -> MeasuredOutcome:
    positive, found = task.positive_label, classes_of(task)
    if isinstance(found, MeasuredOutcome):
        return found
    rows = found.rows(score)
    scores = _answered(score, rows)
    if not task.labelled and np.isnan(scores).all():
        return MeasuredOutcome(positive)
    layout = OutcomeLayout.classification(found.names, positive, task.labelled, scores)
    summary = found.summary
    if summary is None:
        summary = scoring_summary(layout, count_outcomes(layout, rows))
    return MeasuredOutcome(positive, summary, layout, KeptRows(rows))


def scoring_summary(layout: OutcomeLayout, counts: IntArray) -> dict[str, Any]:
    """Return what to tell of a classifier that leaves it to others to draw the line.

    Args:
        layout: of its outcomes.
        counts: of these.
    """
    figures = measure(layout, counts)
    told = {name: figures[name].value for name in ("roc_auc", "brier") if name in figures}
    summary: dict[str, Any] = {"n": int(layout.view(counts, "joint").sum())}
    return summary | {name: value for name, value in told.items() if not math.isnan(value)}


def _pairs(
    actual: Labels, predicted: Labels, weight: IntArray | None
) -> dict[tuple[str, str], int]:
    """Return how many events have each actual and predicted class, where both are known."""
    width = len(predicted.names) + 1
    found: Counter[int] = Counter()
    for part in _parts(actual.codes.size):
        truth, guess = actual.codes[part], predicted.codes[part]
        both = (truth >= 0) & (guess >= 0)
        places = truth[both] * np.int64(width) + guess[both]
        if weight is None:
            cells, counts = np.unique(places, return_counts=True)
        else:
            cells, place = np.unique(places, return_inverse=True)
            counts = np.zeros(cells.size, np.int64)
            np.add.at(counts, place, weight[part][both])
        found.update(dict(zip(cells.tolist(), counts.tolist(), strict=True)))
    return {
        (actual.names[cell // width], predicted.names[cell % width]): count
        for cell, count in found.items()
    }


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
    sums = map(_exact_sum, (np.abs(errors), errors * errors, errors))
    layout = OutcomeLayout.regression(x, y)
    kept = KeptRows(OutcomeRows(np.zeros(score.size, np.int32), score, truth))
    perhaps = perhaps_classes(np.unique(y), n)
    return MeasuredOutcome(positive, error_summary(n, *sums), layout, kept, perhaps=perhaps)


def error_summary(n: int, size: float, square: float, bias: float) -> dict[str, Any]:
    """Return what to tell of a regression.

    Args:
        n: events.
        size: sum of the sizes of prediction - actual; rounded once, so that the order of the
            events does not show in the last digit.
        square: of the squares.
        bias: of prediction - actual.
    """
    return {
        "n": n,
        "mae": _rounded(size / n),
        "rmse": _rounded(math.sqrt(square / n)),
        "bias": _rounded(bias / n),
    }


def perhaps_classes(truths: FloatArray, n: int) -> str | None:
    """Return what to do if numbers are two classes, None if they are more or too few to tell.

    Args:
        truths: distinct values of the ground truth; of many some more than two will do.
        n: events with ground truth.
    """
    if n < _ENOUGH or truths.size != 2:
        return None
    low, high = map(category_text, sorted(truths.tolist()))
    return (
        f"the ground truth is {low} or {high} throughout: if these are classes, not amounts, give"
        f" --positive-label {high}"
    )


def _some(classes: set[str]) -> str:
    return ", ".join(sorted(classes)[:3])


def _rounded(value: float) -> float:
    return float(significant(value, 10))


def _exact_sum(values: FloatArray) -> float:
    total = ExactSum()
    total.add(values)
    return total.value()
