"""Estimated performance against scikit-learn with expected labels, and against simulated ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes import (
    OutcomeLayout,
    OutcomeRows,
    count_outcomes,
    measure,
    names_of,
)
from driftline.detectors.outcomes.calibration import Calibration, calibrate
from driftline.detectors.outcomes.estimation import (
    count_predictions,
    estimate,
    estimate_size,
    gap,
)

Draw = Callable[[np.random.Generator, int], FloatArray]

ESTIMATED = names_of(["classes", "scores", "probabilities"], estimated=True)


def rows_of(score: FloatArray, positive: NDArray[Any]) -> OutcomeRows:
    return OutcomeRows((score >= 0.5).astype(np.int32), score, positive.astype(np.float64))


def reference_of(
    score: FloatArray, positive: NDArray[Any], labelled: bool = True
) -> tuple[OutcomeLayout, Calibration]:
    layout = OutcomeLayout.classification(["0", "1"], "1", labelled, score)
    calibration = calibrate(layout, count_outcomes(layout, rows_of(score, positive)))
    assert calibration is not None
    return layout, calibration


def predictions(layout: OutcomeLayout, score: FloatArray) -> IntArray:
    return count_predictions(layout, (score >= 0.5).astype(np.int32), score)


def test_equals_sklearn_with_labels_of_expected_weight() -> None:
    """Each event once as a positive of weight q, once as a negative of weight 1 - q."""
    rng = np.random.default_rng(1)
    score = rng.integers(0, 41, 4_000) / 40
    layout, calibration = reference_of(score, rng.random(4_000) < score**2)
    window = rng.integers(4, 38, 700) / 40
    q = calibration.probability[layout.score_bins(window)]
    truth = np.repeat([1, 0], 700)
    p, weight = np.tile(window, 2), np.concatenate([q, 1.0 - q])
    called = p >= 0.5
    wanted = {
        "accuracy": metrics.accuracy_score(truth, called, sample_weight=weight),
        "precision": metrics.precision_score(truth, called, sample_weight=weight),
        "recall": metrics.recall_score(truth, called, sample_weight=weight),
        "f1": metrics.f1_score(truth, called, sample_weight=weight),
        "roc_auc": metrics.roc_auc_score(truth, p, sample_weight=weight),
        "log_loss": metrics.log_loss(truth, p, sample_weight=weight),
        "brier": metrics.brier_score_loss(truth, p, sample_weight=weight),
    }
    found = estimate(layout, calibration, predictions(layout, window))
    assert tuple(found) == ESTIMATED
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(value, abs=1e-6), name
        assert found[name].low < found[name].value < found[name].high
        assert found[name].n == 700


def test_the_reference_estimates_itself() -> None:
    rng = np.random.default_rng(2)
    score = rng.beta(0.4, 0.6, 20_000)
    positive = rng.random(20_000) < 0.05 + 0.8 * score
    layout, calibration = reference_of(score, positive)
    counts = count_outcomes(layout, rows_of(score, positive))
    realised = measure(layout, counts)
    for name, figure in estimate(layout, calibration, predictions(layout, score)).items():
        assert figure.value == pytest.approx(realised[name].value, abs=0.004), name


def shifted(a: float, b: float) -> Draw:
    return lambda rng, n: rng.beta(a, b, n)


@pytest.mark.parametrize(
    ("window", "size"),
    [(shifted(0.5, 0.5), 1_000), (shifted(1.5, 0.8), 1_000), (shifted(0.5, 0.5), 8_000)],
    ids=["quiet", "covariate shift", "as many events as the reference"],
)
def test_realised_values_lie_in_the_interval_in_95_percent(window: Draw, size: int) -> None:
    rng = np.random.default_rng(3)
    inside = dict.fromkeys(ESTIMATED, 0)
    off = dict.fromkeys(ESTIMATED, 0.0)
    for run in range(400):
        if run % 4 == 0:
            score = rng.beta(0.5, 0.5, 8_000)
            layout, calibration = reference_of(score, rng.random(8_000) < truth(score))
        score = window(rng, size)
        positive = rng.random(size) < truth(score)
        realised = measure(layout, count_outcomes(layout, rows_of(score, positive)))
        for name, figure in estimate(layout, calibration, predictions(layout, score)).items():
            inside[name] += figure.low <= realised[name].value <= figure.high
            off[name] += (figure.value - realised[name].value) / 400
    assert all(0.92 <= count / 400 <= 0.98 for count in inside.values()), inside
    assert abs(off.pop("log_loss")) < 0.004
    assert max(map(abs, off.values())) < 0.003, off


def truth(score: FloatArray) -> FloatArray:
    """The score is right about the order, but too sure of itself."""
    return 0.1 + 0.8 * score


@given(st.lists(st.tuples(st.floats(-1, 2), st.sampled_from([0, 1, 2])), max_size=30))
def test_counts_of_predictions_are_those_of_the_pairs(pairs: list[tuple[float, int]]) -> None:
    """What is counted without labels is what is counted with them, summed over the labels."""
    rng = np.random.default_rng(len(pairs))
    layout = OutcomeLayout.classification(["0", "1"], "1", True, rng.random(300))
    score = np.array([s for s, _ in pairs])
    codes = np.array([code for _, code in pairs], np.int32)
    cells = count_predictions(layout, codes, score)
    assert cells.size == estimate_size(layout)
    labels = rng.integers(0, 2, score.size).astype(np.float64)
    joint = layout.view(count_outcomes(layout, OutcomeRows(codes, score, labels)), "joint")
    assert np.array_equal(cells.reshape(2, -1), joint.sum(axis=0))


def test_what_has_no_value_is_nan() -> None:
    layout, calibration = reference_of(np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.0, 1, 0, 1]))
    empty = estimate(layout, calibration, np.zeros(estimate_size(layout), np.int64))
    assert tuple(empty) == ESTIMATED
    assert all(np.isnan([f.value, f.low, f.high]).all() and f.n == 0 for f in empty.values())
    assert np.isnan(gap(layout, calibration, np.zeros(layout.size, np.int64))).all()
    never = estimate(layout, calibration, predictions(layout, np.array([0.1, 0.4])))
    assert np.isnan(never["precision"].value)
    assert never["accuracy"].n == 2
    usable = predictions(layout, np.array([0.1, np.nan, np.inf]))
    assert usable.sum() == 1


def test_models_without_classes_or_probabilities_have_fewer_metrics() -> None:
    rng = np.random.default_rng(4)
    score, positive = rng.random(500), rng.integers(0, 2, 500).astype(np.float64)
    layout, calibration = reference_of(score, positive, labelled=False)
    found = estimate(layout, calibration, predictions(layout, score))
    assert tuple(found) == ("roc_auc", "log_loss", "brier")
    layout, calibration = reference_of(score * 9.0, positive, labelled=False)
    assert tuple(estimate(layout, calibration, predictions(layout, score))) == ("roc_auc",)


RARE = shifted(0.02, 10)  # one event in 500 is a positive, few are ever called one
SURE = shifted(0.1, 0.1)


@pytest.mark.parametrize("labelled", [True, False], ids=["accuracy", "Brier score"])
@pytest.mark.parametrize(
    ("draw", "size"), [(SURE, 10_000), (RARE, 50_000)], ids=["both classes", "rare class"]
)
def test_quiet_windows_have_no_gap(draw: Draw, size: int, labelled: bool) -> None:
    rng = np.random.default_rng(5)
    p_values = []
    for run in range(1_000):
        if run % 20 == 0:
            score = draw(rng, size)
            layout, calibration = reference_of(score, rng.random(size) < score, labelled)
        score = draw(rng, 2_000)
        counts = count_outcomes(layout, rows_of(score, rng.random(2_000) < score))
        p_values.append(gap(layout, calibration, counts)[1])
    for alpha, most in ((0.05, 75), (0.01, 22), (0.001, 5)):
        assert np.sum(np.array(p_values) <= alpha) <= most
    assert np.sum(np.array(p_values) <= 0.05) >= 10


def good(score: FloatArray) -> FloatArray:
    return score


def weak(score: FloatArray) -> FloatArray:
    return 0.5 + 0.1 * (score - 0.5)


@pytest.mark.parametrize(
    ("model", "size", "pairs", "labelled"),
    [
        (weak, 50, 500, True),
        (good, 200, 1_000, True),
        (weak, 200, 1_000, True),
        (weak, 200, 500, False),
        (weak, 1_000, 5_000, True),
    ],
)
def test_small_references_raise_no_more_gaps_than_promised(
    model: Callable[[FloatArray], FloatArray], size: int, pairs: int, labelled: bool
) -> None:
    """About 10 and 1 of 1,000 quiet windows; with isotonic pools it was 17 to 67, and 3 to 11."""
    rng = np.random.default_rng(8)
    p_values = []
    for run in range(3_000):
        if run % 2 == 0:
            score = rng.beta(2, 2, size)
            layout, calibration = reference_of(score, rng.random(size) < model(score), labelled)
        score = rng.beta(2, 2, pairs)
        counts = count_outcomes(layout, rows_of(score, rng.random(pairs) < model(score)))
        p_values.append(gap(layout, calibration, counts)[1])
    assert np.sum(np.array(p_values) <= 0.01) <= 45
    assert np.sum(np.array(p_values) <= 0.001) <= 8


@pytest.mark.parametrize(
    ("model", "size", "auc"), [(good, 1_000, 0.004), (weak, 1_000, 0.006), (weak, 200, 0.008)]
)
def test_a_small_reference_makes_no_model_look_better(
    model: Callable[[FloatArray], FloatArray], size: int, auc: float
) -> None:
    """Isotonic pools: AUC .006, .019 and .052 too high, log loss covered in 91, 83 and 62 %."""
    rng = np.random.default_rng(9)
    off, inside = [], []
    for _ in range(500):
        score = rng.beta(2, 2, size)
        layout, calibration = reference_of(score, rng.random(size) < model(score))
        score = rng.beta(2, 2, 1_000)
        counts = count_outcomes(layout, rows_of(score, rng.random(1_000) < model(score)))
        realised = measure(layout, counts)
        found = estimate(layout, calibration, predictions(layout, score))
        off.append(found["roc_auc"].value - realised["roc_auc"].value)
        loss = found["log_loss"]
        inside.append(loss.low <= realised["log_loss"].value <= loss.high)
    assert abs(np.mean(off)) < auc
    assert 0.92 <= np.mean(inside) <= 0.98


def test_a_threshold_within_a_group_does_not_lower_the_estimate() -> None:
    """One in 300 is called positive, nearly all of them rightly: less than a group."""
    rng = np.random.default_rng(10)
    score = np.append(rng.beta(1, 9, 29_900) / 2, rng.uniform(0.5, 1, 100))
    positive = rng.random(30_000) < np.where(score > 0.5, 0.95, 0.01)
    layout, calibration = reference_of(score, positive)
    realised = measure(layout, count_outcomes(layout, rows_of(score, positive)))
    found = estimate(layout, calibration, predictions(layout, score))
    for name in ("accuracy", "precision", "recall", "f1"):
        assert found[name].value == pytest.approx(realised[name].value, abs=1e-9), name


def test_a_class_that_nobody_knows_is_a_gap() -> None:
    """Half of what was called negative now gets another name, and so is wrong."""
    rng = np.random.default_rng(11)
    score = rng.beta(0.4, 0.4, 20_000)
    layout, calibration = reference_of(score, rng.random(20_000) < score)
    score = rng.beta(0.4, 0.4, 2_000)
    rows = rows_of(score, rng.random(2_000) < score)
    rows.predicted[(rows.predicted == 0) & (rng.random(2_000) < 0.5)] = 2
    counts = count_outcomes(layout, rows)
    value, p_value = gap(layout, calibration, counts)
    estimated = estimate(layout, calibration, predictions(layout, score))["accuracy"].value
    assert value == pytest.approx(measure(layout, counts)["accuracy"].value - estimated, abs=1e-9)
    assert value < -0.15
    assert p_value < 1e-9


def test_pairs_without_score_have_no_say_in_the_gap() -> None:
    rng = np.random.default_rng(12)
    score = rng.beta(0.4, 0.4, 20_000)
    layout, calibration = reference_of(score, rng.random(20_000) < score)
    rows = rows_of(score[:2_000], rng.random(2_000) < score[:2_000])
    wrong = OutcomeRows(np.full(500, 2, np.int32), np.full(500, np.nan), np.zeros(500))
    counts = count_outcomes(layout, rows)
    both = counts + count_outcomes(layout, wrong)
    assert gap(layout, calibration, both) == gap(layout, calibration, counts)


@pytest.mark.parametrize("labelled", [True, False], ids=["accuracy", "Brier score"])
def test_gap_tells_concept_drift_from_covariate_shift(labelled: bool) -> None:
    rng = np.random.default_rng(6)
    score = rng.beta(0.3, 0.3, 20_000)
    layout, calibration = reference_of(score, rng.random(20_000) < score, labelled)
    other = rng.beta(2, 2, 2_000)  # harder events, but scores mean the same
    counts = count_outcomes(layout, rows_of(other, rng.random(2_000) < other))
    value, p_value = gap(layout, calibration, counts)
    assert abs(value) < 0.03
    assert p_value > 0.01
    same = rng.beta(0.3, 0.3, 2_000)  # the same events, but more of them turn out otherwise
    counts = count_outcomes(layout, rows_of(same, rng.random(2_000) < 0.1 + 0.8 * same))
    value, p_value = gap(layout, calibration, counts)
    assert value < -0.02
    assert p_value < 1e-6
    better = count_outcomes(layout, rows_of(same, same >= 0.5))
    assert gap(layout, calibration, better)[0] > 0.0
    assert gap(layout, calibration, better)[1] > 0.99


def test_gap_is_realised_less_estimated() -> None:
    rng = np.random.default_rng(7)
    score = rng.integers(0, 21, 3_000) / 20
    layout, calibration = reference_of(score, rng.random(3_000) < score)
    window = rng.integers(0, 21, 400) / 20
    rows = rows_of(window, rng.random(400) < 0.5)
    counts = count_outcomes(layout, rows)
    estimated = estimate(layout, calibration, predictions(layout, window))
    realised = measure(layout, counts)
    difference = realised["accuracy"].value - estimated["accuracy"].value
    assert gap(layout, calibration, counts)[0] == pytest.approx(difference, abs=1e-9)
    layout, calibration = reference_of(score, rng.random(3_000) < score, labelled=False)
    counts = count_outcomes(layout, rows)
    estimated = estimate(layout, calibration, predictions(layout, window))
    difference = estimated["brier"].value - measure(layout, counts)["brier"].value
    assert gap(layout, calibration, counts)[0] == pytest.approx(difference, abs=1e-6)
