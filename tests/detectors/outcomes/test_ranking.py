"""Areas under the ROC and the precision-recall curve against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import Figure, OutcomeLayout, count_outcomes, measure

from .windows import SCORES, Draw, binary, likely, scored


def areas(
    layout: OutcomeLayout, score: FloatArray, positive: np.typing.ArrayLike
) -> tuple[Figure, Figure]:
    found = measure(layout, count_outcomes(layout, scored(score, positive)))
    return found["roc_auc"], found["pr_auc"]


def errors(
    layout: OutcomeLayout, score: FloatArray, positive: np.typing.NDArray[np.bool_]
) -> tuple[float, float]:
    roc, pr = areas(layout, score, positive)
    return (
        abs(roc.value - roc_auc_score(positive, score)),
        abs(pr.value - average_precision_score(positive, score)),
    )


@pytest.mark.parametrize("draw", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize("informative", [True, False])
@pytest.mark.parametrize("decimals", [15, 3])
def test_256_bins_are_enough_for_random_windows(
    draw: Draw, informative: bool, decimals: int
) -> None:
    rng = np.random.default_rng(12)
    layout = binary(draw(rng, 20_000).round(decimals))
    for n, of_roc, of_pr in ((1_000, 1e-4, 1e-3), (4_000, 5e-5, 1e-3), (20_000, 1e-5, 1e-3)):
        for _ in range(5):
            score = draw(rng, n).round(decimals)
            positive = likely(rng, score) if informative else rng.random(n) < 0.5
            roc, pr = errors(layout, score, positive)
            assert roc <= of_roc
            assert pr <= of_pr


@pytest.mark.parametrize("draw", SCORES.values(), ids=SCORES)
def test_few_positives_cost_a_little(draw: Draw) -> None:
    rng = np.random.default_rng(13)
    layout = binary(draw(rng, 20_000))
    for _ in range(5):
        score = draw(rng, 2_000)
        roc, pr = errors(layout, score, rng.random(2_000) < 0.03)
        assert roc <= 5e-4
        assert pr <= 5e-3


@pytest.mark.parametrize("draw", SCORES.values(), ids=SCORES)
@pytest.mark.parametrize("n", [5, 50, 1_000, 50_000])
def test_tied_scores_are_exact(draw: Draw, n: int) -> None:
    rng = np.random.default_rng(14)
    layout = binary(draw(rng, 20_000).round(1))
    score = draw(rng, n).clip(-4, 4).round(1)
    positive = likely(rng, score)
    positive[:2] = [True, False]
    assert max(errors(layout, score, positive)) < 1e-9


def test_tied_scores_are_exact_in_bins_that_did_not_expect_them() -> None:
    rng = np.random.default_rng(15)
    layout = binary(rng.random(20_000))
    score = rng.random(5_000).round(1)
    assert max(errors(layout, score, likely(rng, score))) < 1e-9


def test_a_heavy_tie_among_different_scores_is_exact() -> None:
    rng = np.random.default_rng(16)

    def draw(n: int) -> FloatArray:
        return np.where(rng.random(n) < 0.3, 0.3512, rng.random(n))

    layout = binary(draw(20_000))
    score = draw(5_000)
    roc, pr = errors(layout, score, likely(rng, score))
    assert roc <= 1e-4
    assert pr <= 1e-3


@pytest.mark.parametrize("moved", [lambda s: 0.5 + s / 2, lambda s: s**3, lambda s: s / 10])
def test_windows_that_drifted_are_still_resolved(moved: Draw) -> None:
    rng = np.random.default_rng(17)
    layout = binary(rng.beta(2, 5, 20_000))
    for _ in range(5):
        score = np.asarray(moved(rng.beta(2, 5, 5_000)))  # type: ignore[call-arg, arg-type]  # lambdas of one argument
        roc, pr = errors(layout, score, rng.random(5_000) < 0.2 + 0.5 * score)
        assert roc <= 1e-3
        assert pr <= 2e-3


@pytest.mark.parametrize(
    ("low", "high", "of_roc"),
    [(0.0, 1.25, 1e-3), (-0.3, 1.0, 1e-3), (0.0, 2.0, 3e-3), (-3, 5, 0.02), (0.0, 100.0, 0.03)],
)
@pytest.mark.parametrize("n", [1_000, 4_000])
def test_scores_beyond_0_to_1_are_ranked(low: float, high: float, of_roc: float, n: int) -> None:
    """Beyond it there is one bin a side, so all that it holds rests on means and spreads."""
    rng = np.random.default_rng(23)
    layout = binary(rng.random(20_000))
    assert layout.probability
    for _ in range(5):
        share = rng.random(n)
        roc, _ = errors(layout, low + share * (high - low), rng.random(n) < 0.1 + 0.8 * share)
        assert roc <= of_roc


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_few_pairs_are_exact(n: int) -> None:
    rng = np.random.default_rng(18)
    layout = binary(rng.random(1_000))
    compared = 0
    while compared < 50:
        score = rng.random(n).round(2)
        positive = rng.random(n) < 0.5
        if 0 < positive.sum() < n:
            assert max(errors(layout, score, positive)) < 1e-9
            compared += 1


def test_two_scores_of_a_class_in_one_bin_are_exact() -> None:
    layout = binary(np.linspace(0.0, 1.0, 11))
    for positive in ([1, 0, 1, 0], [0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1]):
        score = np.array([0.1203, 0.1239, 0.1281, 0.1347])
        assert np.unique(layout.score_bins(score)).size == 1
        roc, pr = errors(layout, score, np.array(positive) == 1)
        assert max(roc, pr) < 1e-9


@pytest.mark.parametrize("n", [0, 1, 500])
@pytest.mark.parametrize("label", [False, True])
def test_one_class_has_no_roc_auc(n: int, label: bool) -> None:
    rng = np.random.default_rng(19)
    roc, pr = areas(binary(rng.random(500)), rng.random(n), np.full(n, label))
    assert roc.n == pr.n == n
    assert all(map(math.isnan, (roc.value, roc.low, roc.high)))
    assert math.isnan(pr.value) == (n == 0 or not label)
    assert label is False or n == 0 or pr.value == 1.0


def test_perfect_and_reversed_windows() -> None:
    layout = binary(np.random.default_rng(20).random(500))
    score = np.linspace(0.01, 0.99, 40)
    roc, pr = areas(layout, score, score > 0.5)
    assert roc.value == pr.value == roc.high == pr.high == 1.0
    assert 0.7 < roc.low < 1.0
    assert 0.7 < pr.low < 1.0
    roc, pr = areas(layout, score, score < 0.5)
    assert roc.value == roc.low == 0.0
    assert roc.high < 0.3


def test_intervals_hold_the_value() -> None:
    rng = np.random.default_rng(21)
    layout = binary(rng.random(2_000))
    for n in (2, 5, 20, 200):
        known = 0
        for _ in range(20):
            score = rng.random(n)
            for figure in areas(layout, score, likely(rng, score)):
                if not math.isnan(figure.low):
                    assert 0 <= figure.low <= figure.value <= figure.high <= 1
                    known += 1
        assert known > 10


def test_delong_interval_of_a_published_size() -> None:
    # Hanley and McNeil 1982, formula 2, for normal scores one unit apart: area 0.76, 100 of each.
    rng = np.random.default_rng(22)
    widths = []
    layout = binary(rng.normal(0.5, 1.1, 20_000))
    for _ in range(50):
        score = np.concatenate([rng.normal(0, 1, 100), rng.normal(1, 1, 100)])
        roc, _ = areas(layout, score, np.arange(200) >= 100)
        widths.append(roc.high - roc.low)
    area = 0.76
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    error = math.sqrt((area * (1 - area) + 99 * (q1 + q2 - 2 * area**2)) / 100**2)
    assert np.mean(widths) == pytest.approx(2 * 1.96 * error, rel=0.05)
