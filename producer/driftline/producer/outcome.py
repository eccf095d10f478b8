"""How well the model did on the reference: the baseline of later performance alerts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from driftline.detectors.rounding import significant
from driftline.producer.column import Column
from driftline.producer.errors import InputError

MOST_CLASSES = 100
_DIGITS = 10
_POSITIVE = {frozenset({"0", "1"}): "1", frozenset({"false", "true"}): "true"}


@dataclass(frozen=True)
class Outcomes:
    """Predictions and ground truth of the same events, as columns in the same order."""

    predicted: Column
    score: Column
    actual: Column
    actual_score: Column


def measure_outcome(
    outcomes: Outcomes, positive_label: str | None
) -> tuple[str | None, dict[str, Any] | None, list[str]]:
    """Compare predictions with ground truth.

    Args:
        outcomes: the columns; empty ones where nothing is mapped.
        positive_label: the class that the score speaks of; None: "1" or "true" if the classes are
            0 and 1 or false and true, else none.

    Returns:
        The positive label; the outcome, None without ground truth; sentences about it. A
        classifier's outcome is `{"n", "accuracy", "confusion": {actual: {predicted: events}}}`, a
        regression's `{"n", "mae", "rmse", "bias"}`, in the unit of the prediction, bias being the
        mean of prediction - actual. Rounded to 10 significant digits.

    Raises:
        InputError: `positive_label` is not among the classes.
    """
    predicted = _labels(outcomes.predicted)
    actual = _labels(outcomes.actual, outcomes.actual_score if any(predicted) else None)
    classes = (set(predicted) | set(actual)) - {None}
    if positive_label is None:
        positive_label = _POSITIVE.get(frozenset(cast("set[str]", classes)))
    elif classes and positive_label not in classes:
        names = ", ".join(sorted(cast("set[str]", classes))[:10])
        raise InputError(f"positive_label {positive_label}: never occurs; the classes are {names}")

    if any(predicted):
        outcome, notes = _classification(predicted, actual)
    else:
        outcome, notes = _regression(outcomes.score, outcomes.actual_score), []
        if outcome is None and any(actual):
            notes = ["no performance measured: actual has classes, but prediction.label is not set"]
    return positive_label, outcome, notes


def _labels(column: Column, numbers: Column | None = None) -> list[str | None]:
    """Class texts; where there is none, that of a bare number (which is a score by its type)."""
    labels = cast("Sequence[str | None]", column.prepare("categorical").values)
    if numbers is None:
        return list(labels)
    texts = cast("Sequence[str | None]", numbers.prepare("categorical").values)
    return [text if label is None else label for label, text in zip(labels, texts, strict=True)]


def _classification(
    predicted: list[str | None], actual: list[str | None]
) -> tuple[dict[str, Any] | None, list[str]]:
    pairs = Counter(pair for pair in zip(actual, predicted, strict=True) if None not in pair)
    if not pairs:
        return None, []
    truths, guesses = {truth for truth, _ in pairs}, {guess for _, guess in pairs}
    if not truths & guesses:
        return None, [
            f"no performance measured: prediction.label ({_some(guesses)}) and actual"
            f" ({_some(truths)}) have no class in common"
        ]
    if len(truths | guesses) > MOST_CLASSES:
        return None, [f"no performance measured: more than {MOST_CLASSES} classes"]
    n = sum(pairs.values())
    correct = sum(count for (truth, guess), count in pairs.items() if truth == guess)
    confusion: dict[str, dict[str, int]] = {}
    for (truth, guess), count in sorted(pairs.items(), key=str):
        confusion.setdefault(str(truth), {})[str(guess)] = count
    return {"n": n, "accuracy": _rounded(correct / n), "confusion": confusion}, []


def _regression(score: Column, actual: Column) -> dict[str, Any] | None:
    x = np.asarray(score.prepare("numeric").values, np.float64)
    y = np.asarray(actual.prepare("numeric").values, np.float64)
    both = np.isfinite(x) & np.isfinite(y)
    errors = (x[both] - y[both]).tolist()
    n = len(errors)
    if n == 0:
        return None
    # fsum is exact, so the order of the events does not show in the last digit.
    return {
        "n": n,
        "mae": _rounded(math.fsum(map(abs, errors)) / n),
        "rmse": _rounded(math.sqrt(math.fsum(e * e for e in errors) / n)),
        "bias": _rounded(math.fsum(errors) / n),
    }


def _some(classes: set[str | None]) -> str:
    return ", ".join(sorted(map(str, classes))[:3])


def _rounded(value: float) -> float:
    return float(significant(value, _DIGITS))
