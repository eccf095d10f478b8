from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import (
    Figure,
    OutcomeLayout,
    count_outcomes,
    measure,
    residual_quantiles,
)

from .windows import values

NAMES = ("mae", "rmse", "r2", "bias")


def measured(layout: OutcomeLayout, predicted: FloatArray, actual: FloatArray) -> dict[str, Figure]:
    found = measure(layout, count_outcomes(layout, values(predicted, actual)))
    assert tuple(found) == NAMES
    return found


def reference(rng: np.random.Generator, centre: float, scale: float) -> OutcomeLayout:
    actual = rng.normal(centre, scale, 5_000)
    return OutcomeLayout.regression(actual + rng.normal(0.1, 0.3, 5_000) * scale, actual)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [2, 10, 1_000])
@pytest.mark.parametrize(("centre", "scale"), [(0, 1), (1e4, 5), (-3, 1e-9), (1e12, 1e9)])
@pytest.mark.parametrize("worse", [1e-3, 1, 1_000])
def test_equal_scikit_learn(seed: int, n: int, centre: float, scale: float, worse: float) -> None:
    rng = np.random.default_rng(seed)
    layout = reference(rng, centre, scale)
    actual = rng.normal(centre, scale, n)
    predicted = actual + rng.standard_t(3, n) * scale * worse * 0.3
    found = measured(layout, predicted, actual)
    wanted = {
        "mae": metrics.mean_absolute_error(actual, predicted),
        "rmse": metrics.root_mean_squared_error(actual, predicted),
        "r2": metrics.r2_score(actual, predicted),
        "bias": float(np.mean(predicted - actual)),
    }
    for name in NAMES:
        assert found[name].value == pytest.approx(wanted[name], rel=1e-8)
        assert found[name].n == n
        if math.isnan(found[name].low):
            assert name in ("rmse", "r2")
            assert worse == 1e-3  # far below the reference's
        else:
            assert found[name].low <= found[name].value <= found[name].high


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=30))
def test_any_window_equals_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    layout = reference(np.random.default_rng(1), 0.0, 10.0)
    predicted, actual = np.array(pairs).T
    found = measured(layout, predicted, actual)
    wanted = metrics.mean_absolute_error(actual, predicted)
    assert found["mae"].value == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    if not math.isnan(found["r2"].value) and actual.std() > 1e-3:
        assert found["r2"].value == pytest.approx(metrics.r2_score(actual, predicted), rel=1e-6)


def test_an_empty_window_has_no_value() -> None:
    layout = reference(np.random.default_rng(2), 0.0, 1.0)
    for figure in measured(layout, np.empty(0), np.empty(0)).values():
        assert figure.n == 0
        assert all(map(math.isnan, (figure.value, figure.low, figure.high)))
    for figure in residual_quantiles(layout, np.zeros(layout.size, np.int64)).values():
        assert math.isnan(figure.value)


def test_a_single_pair_has_values_without_interval() -> None:
    found = measured(reference(np.random.default_rng(2), 0.0, 1.0), np.array([3.0]), np.ones(1))
    assert found["mae"].value == found["rmse"].value == found["bias"].value == 2.0
    assert math.isnan(found["mae"].low)
    assert math.isnan(found["rmse"].high)
    assert math.isnan(found["r2"].value)


@pytest.mark.parametrize("constant", [0.0, 7.3, 1e6])
def test_constant_ground_truth_has_no_r2(constant: float) -> None:
    layout = reference(np.random.default_rng(2), 5.0, 1.0)
    found = measured(layout, constant + np.arange(50.0), np.full(50, constant))
    assert math.isnan(found["r2"].value)
    assert found["bias"].value == pytest.approx(24.5)


def test_a_perfect_window() -> None:
    actual = np.random.default_rng(3).normal(size=100)
    found = measured(reference(np.random.default_rng(2), 0.0, 1.0), actual, actual)
    assert found["mae"].value == found["rmse"].value == found["bias"].value == 0.0
    assert found["r2"].value == found["r2"].high == 1.0


def test_a_perfect_reference_still_measures() -> None:
    rng = np.random.default_rng(4)
    actual = rng.normal(3.0, 2.0, 1_000)
    layout = OutcomeLayout.regression(actual, actual)
    found = measured(layout, actual + rng.normal(0, 50, 1_000), actual)
    assert found["rmse"].value == pytest.approx(50, rel=0.1)


def test_residuals_far_below_the_references_have_no_interval_rather_than_an_empty_one() -> None:
    rng = np.random.default_rng(8)
    layout = reference(rng, 0.0, 10.0)
    actual, noise = rng.normal(0, 10, 1_000), rng.normal(0, 3, 1_000)
    for scale, known in ((1.0, True), (0.1, True), (1e-3, False), (1e-6, False)):
        found = measured(layout, actual + scale * noise, actual)
        assert found["rmse"].value == pytest.approx(float(np.std(scale * noise)), rel=0.01)
        relative = (found["rmse"].high - found["rmse"].low) / found["rmse"].value
        if known:  # of normal residuals: 2 * 1.96 / sqrt(2 n)
            assert relative == pytest.approx(2 * 1.96 / math.sqrt(2_000), rel=0.1)
            assert found["r2"].low < found["r2"].value < found["r2"].high
        else:
            assert math.isnan(found["rmse"].low)
            assert math.isnan(found["r2"].high)


@pytest.mark.parametrize("size", [1e-3, 1e-6, 1e-12, 1e3])
def test_a_constant_target_does_not_set_the_scale_of_residuals(size: float) -> None:
    rng = np.random.default_rng(9)
    actual = np.full(5_000, 7.3)
    layout = OutcomeLayout.regression(7.3 + rng.normal(0, size, 5_000), actual)
    assert layout.grid is not None
    assert 0.5 < layout.grid.scale / size < 2.0
    assert layout.grid.actual_scale == 1.0
    found = measured(layout, 7.3 + rng.normal(0, size, 1_000), actual[:1_000])["rmse"]
    assert (found.high - found.low) / found.value == pytest.approx(0.0877, rel=0.1)


@pytest.mark.parametrize("moved", [0.0, 1e3, 3e4, 1e5, 1e6])
def test_r2_of_targets_far_away_has_the_same_interval_or_none(moved: float) -> None:
    rng = np.random.default_rng(10)
    layout = reference(rng, 0.0, 3.0)
    actual = rng.normal(0, 3, 1_000)
    predicted = actual + rng.normal(0, 1, 1_000)
    near = measured(layout, predicted, actual)["r2"]
    far = measured(layout, predicted + moved, actual + moved)["r2"]
    assert far.value == pytest.approx(near.value, rel=1e-5)
    assert math.isnan(far.low) == math.isnan(far.high) == (moved > 1e4)
    if not math.isnan(far.low):
        assert (far.low, far.high) == pytest.approx((near.low, near.high), abs=1e-4)


def test_numbers_whose_squares_overflow() -> None:
    rng = np.random.default_rng(11)
    actual, noise = rng.normal(10, 3, 5_000), rng.normal(0, 1, 5_000)
    plain = OutcomeLayout.regression(actual + noise, actual)
    wanted = measured(plain, actual + noise, actual)
    layout = OutcomeLayout.regression((actual + noise) * 1e200, actual * 1e200)
    found = measured(layout, (actual + noise) * 1e200, actual * 1e200)
    assert found["r2"].value == pytest.approx(wanted["r2"].value, rel=1e-8)
    for name in ("mae", "rmse", "bias"):
        assert found[name].value == pytest.approx(wanted[name].value * 1e200, rel=1e-6)
        assert found[name].high == pytest.approx(wanted[name].high * 1e200, rel=1e-6)


def test_the_largest_numbers_make_finite_edges() -> None:
    predicted, actual = np.array([1e308, -1e308, 1.0]), np.array([-1e308, 1e308, 1.0])
    layout = OutcomeLayout.regression(predicted, actual)
    assert layout.grid is not None
    assert np.isfinite(layout.grid.edges).all()
    assert measured(layout, predicted, actual)["bias"].value == 0.0


@pytest.mark.parametrize("spread", [2, 8])
def test_quantiles_of_whole_residuals_are_whole(spread: int) -> None:
    rng = np.random.default_rng(12)

    def draw(n: int) -> FloatArray:
        return np.rint(rng.laplace(0.3, spread / 2, n))

    actual = rng.poisson(30, 20_000).astype(np.float64)
    layout = OutcomeLayout.regression(actual + draw(20_000), actual)
    for n in (101, 1_001, 5_001):
        residual = draw(n)
        window = values(actual[:n] + residual, actual[:n])
        for share, figure in residual_quantiles(layout, count_outcomes(layout, window)).items():
            assert figure.value == np.quantile(residual, share, method="inverted_cdf")
            assert figure.low == round(figure.low) <= figure.value
            assert figure.value <= figure.high == round(figure.high)


@pytest.mark.parametrize("constant", [0.0, 2.5, -1e-3])
def test_quantiles_of_constant_residuals_are_that_constant(constant: float) -> None:
    actual = np.random.default_rng(13).normal(0, 1, 1_000)
    for actual_now in (actual, np.zeros(1_000)):
        layout = OutcomeLayout.regression(actual_now + constant, actual_now)
        counts = count_outcomes(layout, values(actual_now + constant, actual_now))
        for figure in residual_quantiles(layout, counts).values():
            assert (figure.value, figure.low, figure.high) == pytest.approx((constant,) * 3)


def test_a_perfect_window_of_a_model_that_never_was_has_quantiles_of_0() -> None:
    layout = reference(np.random.default_rng(14), 0.0, 1.0)
    counts = count_outcomes(layout, values(np.arange(90.0), np.arange(90.0)))
    assert {figure.value for figure in residual_quantiles(layout, counts).values()} == {0.0}


@pytest.mark.parametrize("moved", [0.0, 3.0, -40.0])
@pytest.mark.parametrize("stretched", [0.2, 1.0, 5.0])
def test_residual_quantiles_to_the_width_of_a_bin(moved: float, stretched: float) -> None:
    rng = np.random.default_rng(5)
    layout = reference(rng, 0.0, 10.0)
    residual = rng.normal(moved, 3.0 * stretched, 20_000)
    actual = rng.normal(0, 10, 20_000)
    found = residual_quantiles(layout, count_outcomes(layout, values(actual + residual, actual)))
    assert list(found) == [0.05, 0.25, 0.5, 0.75, 0.95]
    assert layout.grid is not None
    for share, figure in found.items():
        exact = float(np.quantile(residual, share))
        place = int(np.searchsorted(layout.grid.edges, exact))
        width = float(layout.grid.edges[place] - layout.grid.edges[place - 1])
        assert abs(figure.value - exact) <= width
        assert figure.low < figure.value < figure.high
        assert figure.n == 20_000


def test_residuals_beyond_the_edges_are_at_the_edge() -> None:
    layout = reference(np.random.default_rng(6), 0.0, 1.0)
    assert layout.grid is not None
    actual = np.zeros(10)
    counts = count_outcomes(layout, values(actual + 1e9, actual))
    assert residual_quantiles(layout, counts, [0.5])[0.5].value == layout.grid.edges[-1]


def test_a_classifier_has_no_residuals() -> None:
    layout = OutcomeLayout.classification(["a", "b"], None, True)
    assert residual_quantiles(layout, np.zeros(layout.size, np.int64)) == {}
