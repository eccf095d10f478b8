from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from driftline.detectors.features.rates import rate
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import (
    OutcomeLayout,
    OutcomeRows,
    correctness,
    count_outcomes,
    watched_metric,
)

from .windows import binary, classes, likely, scored, values

LABELS = OutcomeLayout.classification(["a", "b"], None, True)
SCORES = binary(np.random.default_rng(0).random(10_000), labelled=False)


def labels(n: int, wrong: int) -> IntArray:
    codes = np.zeros(n, np.int32)
    return count_outcomes(LABELS, classes(codes, np.arange(n) < wrong))


def ranked(rng: np.random.Generator, n: int, share: float, apart: float) -> OutcomeRows:
    positive = rng.random(n) < share
    margin = rng.normal(0, 1, n) + apart * positive
    return scored(1 / (1 + np.exp(-margin)), positive)


def test_accuracy_is_tested_by_the_rate_of_errors() -> None:
    found = correctness(LABELS, labels(1_000, 90), labels(10_000, 600), 1e-4)["accuracy"]
    wanted = rate(np.array([90.0]), 1_000, np.array([600.0]), 10_000, np.array([1e-4]))
    assert found.value == pytest.approx(0.91)
    assert found.p_value == pytest.approx(float(wanted.p_value[0]), rel=1e-9)
    assert found.threshold == pytest.approx(1 - float(wanted.threshold[0]))
    assert found.effect == pytest.approx(0.03)


def test_the_threshold_of_accuracy_is_where_it_becomes_significant() -> None:
    reference = labels(10_000, 600)
    limit = correctness(LABELS, labels(1_000, 60), reference, 1e-3)["accuracy"].threshold
    wrong = round((1 - limit) * 1_000)
    assert correctness(LABELS, labels(1_000, wrong), reference, 1e-3)["accuracy"].p_value <= 1e-3
    assert correctness(LABELS, labels(1_000, wrong - 1), reference, 1e-3)["accuracy"].p_value > 1e-3


def test_fewer_errors_are_no_alarm() -> None:
    found = correctness(LABELS, labels(1_000, 5), labels(10_000, 600), 1e-4)["accuracy"]
    assert found.p_value > 0.9
    assert found.effect < 0


def test_each_layout_watches_one_metric() -> None:
    rng = np.random.default_rng(1)
    regression = OutcomeLayout.regression(rng.normal(size=50), rng.normal(size=50))
    nothing = OutcomeLayout.classification(["a", "b"], None, False)
    assert watched_metric(LABELS) == watched_metric(binary(rng.random(50))) == "accuracy"
    assert watched_metric(SCORES) == "roc_auc"
    assert watched_metric(regression) == "mae"
    assert watched_metric(nothing) is None
    assert correctness(nothing, np.zeros(0, np.int64), np.zeros(0, np.int64), 0.1) == {}


@pytest.mark.parametrize("layout", [LABELS, SCORES], ids=["labels", "scores"])
def test_empty_windows_and_references_say_nothing(layout: OutcomeLayout) -> None:
    none = np.zeros(layout.size, np.int64)
    score = np.random.default_rng(2).random(50)
    some = count_outcomes(layout, scored(score, score > 0.4))
    for window, reference in ((none, some), (some, none), (none, none)):
        (found,) = correctness(layout, window, reference, 0.01).values()
        assert math.isnan(found.p_value)


def test_one_class_says_nothing() -> None:
    rng = np.random.default_rng(3)
    reference = count_outcomes(SCORES, ranked(rng, 5_000, 0.3, 1.0))
    window = count_outcomes(SCORES, scored(rng.random(100), np.ones(100)))
    found = correctness(SCORES, window, reference, 0.01)["roc_auc"]
    assert math.isnan(found.value)
    assert math.isnan(found.p_value)


@pytest.mark.parametrize(("share", "apart"), [(0.5, 1.0), (0.1, 2.5), (0.03, 2.0)])
def test_quiet_windows_keep_the_level_of_roc_auc(share: float, apart: float) -> None:
    rng = np.random.default_rng(4)
    p_values = []
    for _ in range(15):
        reference = count_outcomes(SCORES, ranked(rng, 20_000, share, apart))
        for _ in range(100):
            window = count_outcomes(SCORES, ranked(rng, 500, share, apart))
            p_values.append(correctness(SCORES, window, reference, 0.01)["roc_auc"].p_value)
    for alpha in (0.05, 0.01, 0.002):
        expected = alpha * len(p_values)
        assert np.sum(np.array(p_values) <= alpha) <= expected + 3 * math.sqrt(expected)


def test_a_fall_of_roc_auc_is_found_and_a_rise_is_not() -> None:
    rng = np.random.default_rng(5)
    reference = count_outcomes(SCORES, ranked(rng, 20_000, 0.3, 1.5))
    worse = correctness(
        SCORES, count_outcomes(SCORES, ranked(rng, 2_000, 0.3, 1.0)), reference, 1e-4
    )
    better = correctness(
        SCORES, count_outcomes(SCORES, ranked(rng, 2_000, 0.3, 2.5)), reference, 1e-4
    )
    assert worse["roc_auc"].p_value < 1e-6
    assert worse["roc_auc"].value < worse["roc_auc"].threshold
    assert 0.05 < worse["roc_auc"].effect < 0.15
    assert better["roc_auc"].p_value > 0.999
    assert better["roc_auc"].effect < 0


def test_the_threshold_of_roc_auc_divides_significant_from_not() -> None:
    rng = np.random.default_rng(6)
    reference = count_outcomes(SCORES, ranked(rng, 20_000, 0.3, 1.5))
    for _ in range(30):
        window = count_outcomes(SCORES, ranked(rng, 500, 0.3, 1.3))
        found = correctness(SCORES, window, reference, 0.05)["roc_auc"]
        assert (found.value < found.threshold) == (found.p_value < 0.05)


def residuals(rng: np.random.Generator, n: int, scale: float) -> OutcomeRows:
    actual = rng.normal(0, 10, n)
    return values(actual + rng.normal(0, scale, n), actual)


def test_larger_residuals_are_found_and_smaller_ones_are_not() -> None:
    rng = np.random.default_rng(7)
    rows = residuals(rng, 20_000, 3.0)
    layout = OutcomeLayout.regression(rows.score, rows.actual)
    reference = count_outcomes(layout, rows)
    for scale, significant in ((3.6, True), (2.4, False)):
        window = count_outcomes(layout, residuals(rng, 1_000, scale))
        found = correctness(layout, window, reference, 1e-4)["mae"]
        assert (found.p_value < 1e-4) == significant
        assert found.effect > 0.02  # it changed in either case
        assert found.value == pytest.approx(scale * math.sqrt(2 / math.pi), rel=0.1)
        assert math.isnan(found.threshold)


def test_a_few_large_residuals_are_found_by_the_tail() -> None:
    rng = np.random.default_rng(8)
    rows = residuals(rng, 20_000, 3.0)
    layout = OutcomeLayout.regression(rows.score, rows.actual)
    window = residuals(rng, 2_000, 3.0)
    window.score[:60] += 12.0
    found = correctness(layout, count_outcomes(layout, window), count_outcomes(layout, rows), 1e-4)
    assert found["mae"].p_value < 1e-6


def test_quiet_windows_keep_the_level_of_residuals() -> None:
    rng = np.random.default_rng(9)
    p_values = []
    for _ in range(10):
        rows = residuals(rng, 20_000, 3.0)
        layout = OutcomeLayout.regression(rows.score, rows.actual)
        reference = count_outcomes(layout, rows)
        for _ in range(100):
            window = count_outcomes(layout, residuals(rng, 1_000, 3.0))
            p_values.append(correctness(layout, window, reference, 0.01)["mae"].p_value)
    small = np.array(p_values)
    assert np.sum(small <= 0.02) <= 20 + 3 * math.sqrt(20)
    changed = small[small < 1.0]  # half of the windows have a larger MAE
    assert 0.4 < changed.size / small.size < 0.6
    assert stats.kstest(changed, "uniform").pvalue > 1e-4


@pytest.mark.parametrize("normally", [0.0, 0.005])
def test_a_regression_that_is_nearly_always_right_is_watched(normally: float) -> None:
    rng = np.random.default_rng(11)
    actual = rng.poisson(3, 20_000).astype(np.float64)
    wrong = np.arange(20_000) < normally * 20_000
    layout = OutcomeLayout.regression(actual + 5.0 * wrong, actual)
    reference = count_outcomes(layout, values(actual + 5.0 * wrong, actual))
    for share, significant in ((normally, False), (0.03, True), (0.2, True), (1.0, True)):
        now = actual[:1_000] + 5.0 * (np.arange(1_000) < share * 1_000)
        window = count_outcomes(layout, values(now, actual[:1_000]))
        found = correctness(layout, window, reference, 1e-4)["mae"]
        assert (found.p_value <= 1e-4) == significant
        assert found.p_value == 1.0 or significant


def test_where_chi_square_cannot_tell_the_rate_of_residuals_keeps_its_level() -> None:
    rng = np.random.default_rng(12)

    def draw(n: int) -> OutcomeRows:
        return values(np.where(rng.random(n) < 0.01, rng.geometric(0.3, n), 0.0), np.zeros(n))

    p_values = []
    for run in range(2_000):
        if run % 20 == 0:
            rows = draw(2_000)
            layout = OutcomeLayout.regression(rows.score, rows.actual)
            reference = count_outcomes(layout, rows)
        window = count_outcomes(layout, draw(500))
        p_values.append(correctness(layout, window, reference, 0.01)["mae"].p_value)
    assert not np.isnan(p_values).any()
    for alpha in (0.05, 0.01, 0.002):
        assert np.sum(np.array(p_values) <= alpha) <= 2_000 * alpha + 3 * math.sqrt(2_000 * alpha)


def test_likely_labels_have_the_areas_the_test_needs() -> None:
    rng = np.random.default_rng(10)
    score = rng.random(5_000)
    counts = count_outcomes(SCORES, scored(score, likely(rng, score)))
    found = correctness(SCORES, counts, counts, 0.01)["roc_auc"]
    assert found.value == pytest.approx(5 / 6, abs=0.02)
    assert found.p_value == 0.5
    assert found.effect == 0.0
