"""95 % intervals hold the true value in 93 to 97 of 100 windows of 1,000 pairs."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest

from driftline.detectors.outcomes import (
    METRICS,
    Figure,
    OutcomeLayout,
    OutcomeRows,
    count_outcomes,
    measure,
    residual_quantiles,
)
from driftline.detectors.outcomes.figure import mean_figure, share_figure, share_interval

from .windows import binary, classes, likely, scored, values

WINDOWS, PAIRS = 1_200, 1_000  # 400 would do, and leave the figures to chance by twice as much
Rows = Callable[[np.random.Generator, int], OutcomeRows]


def coverage(layout: OutcomeLayout, draw: Rows, truth: dict[str, float]) -> dict[str, float]:
    rng = np.random.default_rng(0)
    held = dict.fromkeys(truth, 0)
    for _ in range(WINDOWS):
        for name, figure in all_figures(layout, draw(rng, PAIRS)).items():
            held[name] += figure.low <= truth[name] <= figure.high
    return {name: count / WINDOWS for name, count in held.items()}


def all_figures(layout: OutcomeLayout, rows: OutcomeRows) -> dict[str, Figure]:
    counts = count_outcomes(layout, rows)
    quantiles = residual_quantiles(layout, counts)
    found = measure(layout, counts, METRICS)
    return found | {f"q{share}": figure for share, figure in quantiles.items()}


def truth_of(layout: OutcomeLayout, draw: Rows) -> dict[str, float]:
    """Measure two million pairs, 2,000 times the window: the error is a 45th of a window's."""
    rng = np.random.default_rng(99)
    counts = sum(
        (count_outcomes(layout, draw(rng, 250_000)) for _ in range(8)),
        np.zeros(layout.size, np.int64),
    )
    found: dict[str, float] = {
        name: figure.value for name, figure in measure(layout, counts, METRICS).items()
    }
    quantiles = residual_quantiles(layout, counts)
    return found | {f"q{share}": figure.value for share, figure in quantiles.items()}


def miscalibrated(rng: np.random.Generator, n: int) -> OutcomeRows:
    score = rng.beta(2, 3, n)
    return scored(score, likely(rng, score**1.5))


def confused(rng: np.random.Generator, n: int) -> OutcomeRows:
    actual = rng.choice(5, n, p=[0.4, 0.25, 0.2, 0.1, 0.05])
    hit = rng.random(n) < np.array([0.9, 0.7, 0.8, 0.6, 0.75])[actual]
    return classes(np.where(hit, actual, rng.integers(0, 6, n)), actual)


def normal_residuals(rng: np.random.Generator, n: int) -> OutcomeRows:
    actual = rng.normal(100, 20, n)
    return values(actual + rng.normal(1, 5, n), actual)


def skewed_residuals(rng: np.random.Generator, n: int) -> OutcomeRows:
    actual = rng.gamma(4, 10, n)
    return values(actual + rng.gamma(3, 2, n) - 5, actual)


def regression(draw: Rows) -> OutcomeLayout:
    rows = draw(np.random.default_rng(7), 20_000)
    return OutcomeLayout.regression(rows.score, rows.actual)


def rare_class(rng: np.random.Generator, n: int) -> OutcomeRows:
    actual = rng.choice(4, n, p=[0.6, 0.3, 0.085, 0.015])
    return classes(np.where(rng.random(n) < 0.8, actual, rng.integers(0, 4, n)), actual)


CASES: dict[str, tuple[OutcomeLayout, Rows]] = {
    "scores": (binary(np.random.default_rng(7).beta(2, 3, 20_000)), miscalibrated),
    "classes": (OutcomeLayout.classification(list("abcde"), None, True), confused),
    "rare class": (OutcomeLayout.classification(list("abcd"), None, True), rare_class),
    "normal residuals": (regression(normal_residuals), normal_residuals),
    "skewed residuals": (regression(skewed_residuals), skewed_residuals),
}


@pytest.mark.parametrize("name", CASES)
def test_intervals_hold_the_truth(name: str) -> None:
    layout, draw = CASES[name]
    covered = coverage(layout, draw, truth_of(layout, draw))
    outside = {metric: share for metric, share in covered.items() if not 0.93 <= share <= 0.97}
    assert not outside, covered


def test_a_calibrated_models_interval_holds_zero() -> None:
    def calibrated(rng: np.random.Generator, n: int) -> OutcomeRows:
        score = rng.random(n)
        return scored(score, likely(rng, score))

    layout = binary(np.random.default_rng(7).random(20_000))
    rng = np.random.default_rng(1)
    figures = [all_figures(layout, calibrated(rng, PAIRS))["calibration_error"] for _ in range(400)]
    assert np.mean([figure.low == 0.0 for figure in figures]) >= 0.93


def test_figures_have_ten_digits() -> None:
    figure = mean_figure(1 / 3, 0.01, 5)
    assert figure.value == 0.3333333333
    assert figure.n == 5


def test_a_share_has_its_own_wilson_interval() -> None:
    low, high = share_interval(0.3, 50)
    figure = share_figure(0.3, 0.3 * 0.7 / 50, 50, 50)
    assert (figure.low, figure.high) == pytest.approx((low, high))
    assert low == pytest.approx(
        (0.3 + 0.0384146 - sqrt(0.0768292 * 0.21 + 0.0384146**2)) / 1.0768292
    )
