from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from driftline.detectors import choose_grid, count_slots
from driftline.detectors.grid import count_sorted, half_gaps, merge_equal, tie_reach

VALUES = st.floats(-100, 100).map(lambda x: round(x, 1))
COLUMNS = st.lists(VALUES, max_size=200).map(lambda xs: np.array(xs, np.float64))


@given(COLUMNS, COLUMNS)
def test_slots_are_gaps_and_ties(reference: np.ndarray, column: np.ndarray) -> None:
    grid = np.unique(reference)
    slots = np.searchsorted(grid, column, "left") + np.searchsorted(grid, column, "right")
    assert count_slots(grid, column).tolist() == (
        np.bincount(slots, minlength=2 * grid.size + 1).tolist()
    )


@given(arrays(np.float64, st.integers(1, 40), elements=VALUES))
def test_both_ways_of_counting_agree(column: np.ndarray) -> None:
    """A column shorter than the grid is searched in it, a longer one the other way round."""
    grid = np.arange(-100.0, 101.0, 5.0)
    assert np.array_equal(count_slots(grid, column) * 50, count_slots(grid, np.tile(column, 50)))


@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 1)), min_size=1, max_size=50))
def test_what_32_bits_make_of_a_tie_counts_as_it(values: list[float]) -> None:
    grid = np.unique(np.array(values) + 0.0)
    reach = tie_reach(grid, np.arange(grid.size))
    singles = np.sort(grid.astype(np.float32).astype(np.float64))
    for column in (singles, np.repeat(singles, 3)):  # shorter and longer than the grid's slots
        counts = count_sorted(grid - reach, grid + reach, column)
        assert counts[1::2].tolist() == [column.size // grid.size] * grid.size


def test_a_tie_reaches_less_than_half_way_to_the_next_value() -> None:
    seconds = 1.7e9 + np.arange(5.0)  # 32 bits cannot tell them apart
    reach = tie_reach(seconds, np.arange(5))
    assert ((seconds + reach)[:-1] < (seconds - reach)[1:]).all()
    assert tie_reach(np.array([1e300]), np.array([0])).tolist() == [0.0]
    assert tie_reach(np.array([5.0]), np.array([0]))[0] == 4 * np.spacing(np.float32(5))


def test_values_apart_by_rounding_are_one_the_shortest() -> None:
    grid, stand_for_others = merge_equal(np.array([0.3, 0.1 + 0.2, 0.7, 0.7999999999999999, 0.8]))
    assert (grid.tolist(), stand_for_others.tolist()) == ([0.3, 0.7, 0.8], [0, 2])


def test_exact_grid_keeps_every_value() -> None:
    values = np.sort(np.random.default_rng(1).normal(size=5_000))
    assert np.array_equal(choose_grid(values, None), values)


def test_few_distinct_values_are_all_kept() -> None:
    values = np.repeat(np.arange(100.0), 50)
    assert np.array_equal(choose_grid(values, 1024), np.arange(100.0))


@pytest.mark.parametrize("m", [1_025, 9_999, 50_000])
@pytest.mark.parametrize("limit", [11, 100, 1024])
def test_grid_is_within_the_limit_and_holds_extremes_and_deciles(m: int, limit: int) -> None:
    values = np.sort(np.random.default_rng(m).normal(size=m))
    grid = choose_grid(values, limit)
    assert grid.size <= limit
    assert np.all(np.diff(grid) > 0)
    assert {values[0], values[-1]} <= set(grid)
    deciles = np.quantile(values, np.arange(1, 10) / 10, method="inverted_cdf")
    assert set(deciles) <= set(grid)


def test_heavily_tied_columns_keep_their_tail() -> None:
    values = np.sort(np.concatenate([np.zeros(90_000), np.random.default_rng(2).random(10_000)]))
    grid = choose_grid(values, 1024)
    assert grid[0] == 0.0
    assert grid[-1] == values[-1]
    assert grid.size > 90  # a tenth of the events, so about a tenth of the steps


def test_empty_column_has_an_empty_grid() -> None:
    assert choose_grid(np.empty(0), 1024).size == 0
    assert count_slots(np.empty(0), np.array([1.0, 2.0])).tolist() == [2]


def test_too_small_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 11"):
        choose_grid(np.arange(50.0), 10)


def test_cut_grid_misses_no_more_of_ks_than_its_largest_gap_holds() -> None:
    rng = np.random.default_rng(3)
    for shift in (0.0, 0.1, 0.5):
        old, new = np.sort(rng.normal(size=20_000)), rng.normal(shift, 1, 1_000)
        grid = choose_grid(old, 1024)
        r, w = count_slots(grid, old), count_slots(grid, new)
        exact = stats.ks_2samp(old, new, method="asymp").statistic
        seen = np.abs(np.cumsum(r) / r.sum() - np.cumsum(w) / w.sum()).max()
        assert 0 <= exact - seen <= r[::2].max() / r.sum() <= 1.02 / 1024


def test_half_gaps_add_up_to_the_range() -> None:
    grid = np.unique(np.random.default_rng(4).normal(size=100))
    halves = half_gaps(grid)
    assert halves.size == 2 * grid.size + 1
    assert halves.sum() == pytest.approx(grid[-1] - grid[0])
    assert halves[0] == halves[-1] == 0.0


@pytest.mark.parametrize("wide", [np.float32, np.float64])
def test_values_that_were_kept_in_16_bits_are_met_by_what_they_were(wide: type) -> None:
    values = np.array([0.1, 0.3, 2.7, 12.6, 1_000.3])
    grid = values.astype(np.float16).astype(np.float64)

    reach = tie_reach(grid, np.arange(grid.size))

    assert (np.abs(values.astype(wide) - grid) <= reach).all()
    assert (np.abs(values * 1.002 - grid) > reach).all()


def test_fractions_that_16_bits_hold_as_they_are_say_nothing_of_16_bits() -> None:
    grid = np.array([0.25, 0.5, 1.75, 3.0])

    assert (tie_reach(grid, np.arange(4)) == 4 * np.spacing(grid.astype(np.float32))).all()
    assert tie_reach(np.array([0.1, 0.5]), np.array([1]))[1] == 4 * np.spacing(np.float32(0.5))


HALVES = np.array([0.1, 0.3, 2.7]).astype(np.float16).astype(np.float64)


@pytest.mark.parametrize(
    "grid",
    [
        np.arange(1, 256) / 64,
        np.append(HALVES, 70_000.0),
        np.append(-70_000.0, HALVES),
    ],
)
def test_what_was_not_kept_in_16_bits_reaches_as_far_as_32_bits_do(grid: np.ndarray) -> None:
    reach = tie_reach(grid, np.arange(grid.size))

    assert (reach == 4 * np.spacing(np.abs(grid).astype(np.float32))).all()


def test_the_largest_number_of_16_bits_has_a_reach() -> None:
    grid = np.append(HALVES, 65_504.0)

    assert (tie_reach(grid, np.arange(4)) > 0).all()
