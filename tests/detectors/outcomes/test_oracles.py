"""Every metric equals scikit-learn's on random, tied, one-class and empty windows."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import (
    METRICS,
    OutcomeLayout,
    OutcomeRows,
    count_outcomes,
    measure,
    names_of,
)

from .windows import values

# The AUC of one window in 200 of 1,000 pairs is off by more than 1e-4; the most of 900 was 1.2e-4.
AREAS = {1_000: {"roc_auc": 1.3e-4, "pr_auc": 1e-3}, 4_000: {"roc_auc": 1e-4, "pr_auc": 1e-3}}
Draw = Callable[[np.random.Generator, int], FloatArray]
WINDOWS: dict[str, Draw] = {
    "random": lambda rng, n: rng.beta(2, 3, n),
    "tied": lambda rng, n: rng.beta(2, 3, n).round(1),
    "all the same": lambda rng, n: np.full(n, 0.3),
}


def drawn(rng: np.random.Generator, score: FloatArray, count: int, mix: str) -> OutcomeRows:
    """Class 1 follows the score; some predictions name a class beyond the last."""
    n = score.size
    actual = np.where(rng.random(n) < score, 1, rng.integers(0, count, n))
    if mix == "one class":
        actual[:] = 1
    elif mix == "the other class":
        actual[:] = 0
    predicted = np.where(score > 0.4, 1, rng.integers(0, count + (count > 2), n))
    return OutcomeRows(predicted.astype(np.int32), score, actual.astype(np.float64))


def wanted(rows: OutcomeRows, count: int) -> dict[str, float]:
    names = range(count)
    average = "binary" if count == 2 else "macro"
    kept = [1] if count == 2 else [c for c in names if c in {*rows.actual, *rows.predicted}]
    found = {"accuracy": metrics.accuracy_score(rows.actual, rows.predicted)}
    for name in ("precision", "recall", "f1"):
        found[name] = getattr(metrics, f"{name}_score")(
            rows.actual, rows.predicted, labels=kept, average=average, zero_division=np.nan
        )
    occurring = np.unique(rows.actual)
    found["balanced_accuracy"] = metrics.recall_score(
        rows.actual, rows.predicted, labels=occurring, average="macro"
    )
    if {*rows.predicted} <= {*occurring}:  # else it warns
        balanced = metrics.balanced_accuracy_score(rows.actual, rows.predicted)
        assert balanced == pytest.approx(found["balanced_accuracy"])
    positive = rows.actual == 1
    if 0 < positive.sum() < positive.size:
        found["roc_auc"] = metrics.roc_auc_score(positive, rows.score)
    if positive.any():
        found["pr_auc"] = metrics.average_precision_score(positive, rows.score)
    found["log_loss"] = metrics.log_loss(positive, rows.score, labels=[False, True])
    found["brier"] = metrics.brier_score_loss(positive, rows.score, labels=[False, True])
    found["calibration_error"] = calibration_error(rows.score, positive)
    return found


def calibration_error(score: FloatArray, positive: NDArray[np.bool_]) -> float:
    """By its definition: scikit-learn has none."""
    own = np.maximum(np.ceil(score * 10), 1).astype(int)
    parts = [abs(np.sum(score[own == b]) - np.sum(positive[own == b])) for b in range(1, 11)]
    return float(sum(parts)) / score.size


@pytest.mark.parametrize("mix", ["all classes", "one class", "the other class"])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("n", [1_000, 4_000])
def test_classifier(window: str, mix: str, count: int, n: int) -> None:
    rng = np.random.default_rng(n + count)
    reference = WINDOWS["random"](rng, 50_000)
    layout = OutcomeLayout.classification([str(c) for c in range(count)], "1", True, reference)
    for _ in range(5):
        rows = drawn(rng, WINDOWS[window](rng, n), count, mix)
        found = measure(layout, count_outcomes(layout, rows), METRICS)
        oracle = wanted(rows, count)
        for name, figure in found.items():
            value = oracle.get(name, math.nan)
            within = AREAS[n].get(name, 1e-6)
            assert figure.value == pytest.approx(value, abs=within, nan_ok=True), name
            assert figure.n == n


@pytest.mark.parametrize("count", [2, 4])
def test_an_empty_window_has_no_value(count: int) -> None:
    score = np.random.default_rng(0).random(1_000)
    layout = OutcomeLayout.classification([str(c) for c in range(count)], "1", True, score)
    found = measure(layout, np.zeros(layout.size, np.int64), METRICS)
    assert [*found] == [*names_of(layout.families)]
    for figure in found.values():
        assert figure.n == 0
        assert np.isnan([figure.value, figure.low, figure.high]).all()


@pytest.mark.parametrize("decimals", [0, 15])
@pytest.mark.parametrize("constant", [False, True])
@pytest.mark.parametrize("n", [1, 2, 1_000])
def test_regression(decimals: int, constant: bool, n: int) -> None:
    rng = np.random.default_rng(n)
    actual = rng.normal(20, 6, 5_000)
    layout = OutcomeLayout.regression(actual + rng.normal(0, 2, 5_000), actual)
    actual = np.full(n, 17.0) if constant else rng.normal(20, 6, n).round(decimals)
    predicted = actual + rng.normal(0.5, 2, n).round(decimals)
    found = measure(layout, count_outcomes(layout, values(predicted, actual)), METRICS)
    oracle = wanted_errors(predicted, actual)
    assert list(found) == list(oracle)
    for name, figure in found.items():
        assert figure.value == pytest.approx(oracle[name], rel=1e-8, abs=1e-9, nan_ok=True), name


def wanted_errors(predicted: FloatArray, actual: FloatArray) -> dict[str, float]:
    constant = actual.size < 2 or bool((actual == actual[0]).all())
    return {
        "mae": metrics.mean_absolute_error(actual, predicted),
        "rmse": metrics.root_mean_squared_error(actual, predicted),
        "r2": math.nan if constant else metrics.r2_score(actual, predicted),
        "bias": float(np.mean(predicted - actual)),
    }


def test_every_metric_has_an_oracle() -> None:
    rng = np.random.default_rng(0)
    rows = drawn(rng, rng.random(100), 2, "all classes")
    assert [*wanted(rows, 2), *wanted_errors(rng.random(9), rng.random(9))] == [*METRICS]
