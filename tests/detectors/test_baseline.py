from __future__ import annotations

import numpy as np
import pytest

from driftline.detectors import Baseline, Columns, Feature, Layout, compare, count_columns
from driftline.detectors.grid import FloatArray, IntArray


def numeric(values: FloatArray, grid: FloatArray | None = None) -> tuple[Layout, IntArray]:
    layout = Layout.of([Feature("x", "numeric", np.unique(values) if grid is None else grid)])
    return layout, counted(layout, values)


def counted(layout: Layout, values: FloatArray) -> IntArray:
    return count_columns(layout, Columns(values[:, None], np.empty((values.size, 0), np.int32)))


def test_bins_end_at_the_smallest_value_that_reaches_each_decile() -> None:
    values = np.random.default_rng(1).normal(size=997)
    layout, counts = numeric(values)
    bins = Baseline(layout, counts).bins(0)
    assert bins.upper is not None
    wanted = np.quantile(values, np.arange(1, 10) / 10, method="inverted_cdf")
    assert np.array_equal(bins.upper, wanted)
    where = np.searchsorted(wanted, values, "left")  # above the end before, up to its own
    assert np.array_equal(bins.reference, np.bincount(where, minlength=10))
    assert bins.window.tolist() == [0] * 10


def test_tied_values_share_a_bin() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 3.0], [700, 100, 100, 100])
    layout, counts = numeric(values)
    bins = Baseline(layout, counts).bins(0)
    assert bins.upper is not None
    assert bins.upper.tolist() == [0.0, 1.0, 2.0]
    assert bins.reference.tolist() == [700, 100, 100, 100]


@pytest.mark.parametrize("now", [4.0, 6.0, -1e9, 1e9])
def test_constant_that_changes_has_an_effect(now: float) -> None:
    layout, counts = numeric(np.full(5_000, 5.0))
    baseline = Baseline(layout, counts)
    same = compare(baseline, counted(layout, np.full(500, 5.0)), 0.001)
    other = compare(baseline, counted(layout, np.full(500, now)), 0.001)
    assert same.effect[0] == 0.0
    assert other.effect[0] > 1.0
    assert other.detectors["ks"].value[0] == 1.0
    assert other.out_of_range[0] == 500
    bins = baseline.bins(0, counted(layout, np.full(500, now)))
    assert bins.reference.tolist() == ([0, 5000] if now < 5 else [5000, 0])
    assert bins.window.tolist() == bins.reference[::-1].clip(0, 500).tolist()
    assert bins.upper is not None
    assert bins.upper[0] == (np.nextafter(5.0, -np.inf) if now < 5 else 5.0)
    assert bins.contribution.sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("values", "shares"),
    [
        ([0.0, 1.0], [0.03, 0.97]),
        ([0.0, 1.0], [0.97, 0.03]),
        ([-1.0, 0.0, 1.0], [0.02, 0.96, 0.02]),
        ([1.0, 2.0, 3.0], [0.52, 0.04, 0.44]),
        ([-1e308, 5e-324, 1e308], [0.05, 0.9, 0.05]),
        ([1.0, 2.0, 3.0, 4.0, 5.0], [0.05, 0.15, 0.3, 0.3, 0.2]),
    ],
)
def test_each_of_few_values_has_a_bin(values: list[float], shares: list[float]) -> None:
    counts = [round(1_000 * share) for share in shares]
    layout, flat = numeric(np.repeat(values, counts))
    baseline = Baseline(layout, flat)
    assert baseline.few.tolist() == [True]
    bins = baseline.bins(0, flat)
    assert bins.upper is not None
    assert bins.upper.tolist() == values[:-1]
    assert bins.reference.tolist() == bins.window.tolist() == counts
    assert baseline.only_values(0, flat).tolist() == values
    changed = counted(layout, np.repeat(values, counts[::-1]))
    found = compare(baseline, changed, 1e-5)
    if counts != counts[::-1]:
        assert found.effect[0] > 0.02
    same = compare(baseline, flat, 1e-5)
    assert same.detectors["chi_square"].value[0] == 0.0
    assert same.detectors["chi_square"].p_value[0] == 1.0


def test_a_huge_tie_among_many_values_has_a_bin() -> None:
    rest = np.linspace(0.0, 0.99, 60)
    layout, flat = numeric(np.concatenate([rest, np.full(940, 1.0)]))
    baseline = Baseline(layout, flat)
    window = counted(layout, np.concatenate([rest, rest, rest, np.full(320, 1.0)]))
    bins = baseline.bins(0, window)
    assert bins.upper is not None
    assert bins.upper.tolist() == [0.99]
    assert bins.window.tolist() == [180, 320]
    assert np.isnan(baseline.only_values(0, window)).tolist() == [True, False]
    found = compare(baseline, window, 1e-5)
    assert found.effect[0] > 0.5
    assert found.tests.tolist() == [2]


def test_a_number_of_many_values_is_none_of_few() -> None:
    layout, flat = numeric(np.random.default_rng(1).normal(size=900))
    found = compare(Baseline(layout, flat), flat, 1e-5)
    assert found.tests.tolist() == [1]
    assert np.isnan(found.detectors["chi_square"].value[0])


def test_a_rare_value_of_a_number_is_tested_as_a_class_is() -> None:
    """2 % of ones become 8 %: the largest distance of the distributions alone does not tell."""
    layout, flat = numeric(np.repeat([0.0, 1.0], [9_800, 200]))
    found = compare(Baseline(layout, flat), counted(layout, np.repeat([0.0, 1.0], [460, 40])), 1e-5)
    assert found.detectors["ks"].p_value[0] > 1e-3
    assert found.detectors["chi_square"].p_value[0] < 1e-10
    assert found.effect[0] > 0.05


def test_quantiles_lie_on_the_grid_or_in_the_middle_of_a_gap() -> None:
    layout, counts = numeric(np.arange(0.0, 100.0, 10.0))
    baseline = Baseline(layout, counts)
    assert baseline.quantile(0, 0.5) == 40.0
    window = counted(layout, np.array([1.0, 42.0, 43.0, 44.0, 99.0]))
    assert baseline.quantile(0, 0.5, window) == 45.0
    assert baseline.quantile(0, 0.0, window) == 5.0
    assert baseline.quantile(0, 1.0, window) == 90.0  # beyond the extremes: the extreme
    assert baseline.quantile(0, 0.5, counted(layout, np.array([-7.0]))) == 0.0
    assert np.isnan(baseline.quantile(0, 0.5, np.zeros_like(counts)))


@pytest.mark.parametrize(
    ("low", "high", "middle"), [(28919.0, 28924.0, 28921.0), (0.25, 0.5, 0.37), (1.5, 2.0, 1.7)]
)
def test_middle_of_a_gap_has_the_decimals_of_its_ends(
    low: float, high: float, middle: float
) -> None:
    layout, counts = numeric(np.array([low, high]))
    between = counted(layout, np.array([(low + high) / 2]))
    assert Baseline(layout, counts).quantile(0, 0.5, between) == middle


def test_quantile_of_the_window_equals_numpy_on_grid_values() -> None:
    rng = np.random.default_rng(2)
    values = rng.integers(0, 50, 4_000).astype(np.float64)
    layout, counts = numeric(values)
    baseline, window = Baseline(layout, counts), rng.integers(10, 60, 301).clip(0, 49).astype(float)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        wanted = np.quantile(window, share, method="inverted_cdf")
        assert baseline.quantile(0, share, counted(layout, window)) == wanted


def test_unseen_categories_are_shown_only_where_there_are_some() -> None:
    layout = Layout.of([Feature("c", "categorical", np.empty(0), ("a", "b"))])
    baseline = Baseline(layout, np.array([60, 40, 0, 0, 0, 0]))
    assert baseline.bins(0, np.array([6, 4, 0, 0, 0, 0])).categories == ("a", "b")
    shown = baseline.bins(0, np.array([6, 4, 5, 0, 0, 0]))
    assert shown.categories == ("a", "b", "__other__")
    assert shown.window.tolist() == [6, 4, 5]
    assert baseline.events == 100


def test_values_that_come_once_in_a_small_reference_are_none_of_few() -> None:
    rng = np.random.default_rng(5)
    layout, flat = numeric(rng.normal(size=8))
    baseline = Baseline(layout, flat)
    assert baseline.few.tolist() == [False]
    found = compare(baseline, counted(layout, rng.normal(size=1_000)), 1e-4)
    assert found.detectors["ks"].p_value[0] > 0.01
    assert np.isnan(found.detectors["chi_square"].value[0])


def test_a_quiet_number_keeps_the_level_against_a_small_reference() -> None:
    rng = np.random.default_rng(6)

    def draw(events: int) -> FloatArray:
        return np.where(rng.random(events) < 0.92, 0.0, rng.lognormal(size=events))

    for _ in range(20):
        layout, flat = numeric(draw(50))
        found = compare(Baseline(layout, flat), counted(layout, draw(5_000)), 1e-3)
        for name in ("ks", "chi_square"):
            assert not found.detectors[name].p_value[0] <= 1e-3
