"""Log loss, Brier score and calibration error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import (
    Figure,
    OutcomeLayout,
    count_outcomes,
    measure,
    probability_sums,
)

from .windows import SCORES, Draw, binary, likely, scored

NAMES = ("log_loss", "brier", "calibration_error")
DRAWN = {name: draw for name, draw in SCORES.items() if name != "margin"}


def measured(
    layout: OutcomeLayout, score: FloatArray, positive: np.typing.ArrayLike
) -> dict[str, Figure]:
    found = measure(layout, count_outcomes(layout, scored(score, positive)))
    return {name: found[name] for name in NAMES}


def plain_calibration_error(score: FloatArray, positive: np.typing.NDArray[np.bool_]) -> float:
    bins = np.maximum(np.ceil(score * 10), 1).astype(int)
    parts = [abs(score[bins == b].sum() - positive[bins == b].sum()) for b in range(1, 11)]
    return float(sum(parts)) / score.size


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
@pytest.mark.parametrize("decimals", [1, 2, 15])
@pytest.mark.parametrize("n", [2, 10, 1_000, 30_000])
def test_equal_the_oracles(draw: Draw, decimals: int, n: int) -> None:
    rng = np.random.default_rng(n)
    layout = binary(draw(rng, 5_000))
    score = draw(rng, n).round(decimals)
    positive = likely(rng, score)
    found = measured(layout, score, positive)
    wanted = log_loss(positive, score, labels=[False, True])
    assert found["log_loss"].value == pytest.approx(wanted, rel=1e-6, abs=1e-8)
    assert found["brier"].value == pytest.approx(brier_score_loss(positive, score), rel=1e-6)
    wanted = plain_calibration_error(score, positive)
    assert found["calibration_error"].value == pytest.approx(wanted, abs=1e-6)
    for figure in found.values():
        assert figure.n == n
        assert 0 <= figure.low <= figure.value <= figure.high


def test_certain_and_wrong_costs_what_scikit_learn_says() -> None:
    layout = binary(np.array([0.0, 0.5, 1.0]))
    score, positive = np.array([0.0, 1.0, 1.0, 0.3]), np.array([True, False, True, False])
    found = measured(layout, score, positive)
    assert found["log_loss"].value == pytest.approx(log_loss(positive, score), rel=1e-9)


@pytest.mark.parametrize("label", [False, True])
def test_one_class_has_values(label: bool) -> None:
    rng = np.random.default_rng(3)
    score = rng.random(400)
    positive = np.full(400, label)
    found = measured(binary(rng.random(500)), score, positive)
    wanted = log_loss(positive, score, labels=[False, True])
    assert found["log_loss"].value == pytest.approx(wanted, rel=1e-6)
    wanted = float(np.mean((score - label) ** 2))
    assert found["brier"].value == pytest.approx(wanted, rel=1e-6)


def test_an_empty_window_has_no_value_and_a_single_pair_no_interval() -> None:
    layout = binary(np.random.default_rng(4).random(500))
    for figure in measured(layout, np.empty(0), np.empty(0)).values():
        assert figure.n == 0
        assert all(map(math.isnan, (figure.value, figure.low, figure.high)))
    single = measured(layout, np.array([0.8]), np.array([True]))
    assert single["brier"].value == pytest.approx(0.04)
    assert single["calibration_error"].value == pytest.approx(0.2, abs=1e-6)
    for figure in single.values():
        assert figure.n == 1
        assert math.isnan(figure.low)
        assert math.isnan(figure.high)


def test_sums_of_probabilities() -> None:
    rng = np.random.default_rng(5)
    layout = binary(rng.beta(1, 4, 5_000))
    score = np.append(rng.beta(1, 4, 10_000), [0.0, 1.0])
    positive = likely(rng, score)
    sums, squares = probability_sums(layout, count_outcomes(layout, scored(score, positive)))
    bins = layout.score_bins(score)
    for label in (0, 1):
        own = positive == label
        wanted = np.bincount(bins[own], score[own], layout.bins)
        assert sums[label] == pytest.approx(wanted, abs=1e-4)
        assert sums[label].sum() == pytest.approx(wanted.sum(), rel=1e-6)
        assert squares[label].sum() == pytest.approx(np.sum(score[own] ** 2), rel=1e-6)


def test_a_calibrated_model_is_not_blamed_for_chance() -> None:
    rng = np.random.default_rng(6)
    layout = binary(rng.random(5_000))
    found, blamed = [], 0
    for _ in range(400):
        score = rng.random(1_000)
        figure = measured(layout, score, likely(rng, score))["calibration_error"]
        found.append(figure.value)
        blamed += figure.low > 0.0
    # The mean that pure chance gives: sqrt(2 / pi) times the standard deviation of each bin's sum.
    middles = np.arange(10) / 10 + 0.05
    chance = math.sqrt(2 / math.pi) * np.sqrt(100 * middles * (1 - middles)).sum() / 1_000
    assert np.mean(found) == pytest.approx(chance, rel=0.05)
    assert blamed / 400 <= 0.07
