"""The grid of a numeric feature: the reference's values that everything is counted against.

A grid of k distinct values cuts the line into 2k + 1 slots: slot 2j is the open gap below the
j-th value, slot 2j + 1 is a tie with it, slot 2k is the open gap above the last. Between two grid
values the reference's distribution function is flat and the window's only rises, so the largest
distance of the two is reached at the end of a slot: counts per slot give the Kolmogorov-Smirnov
statistic exactly. (dos Reis et al., "Fast Unsupervised Online Drift Detection Using Incremental
Kolmogorov-Smirnov Test", KDD 2016, keep a treap for this; a frozen reference needs none.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DECILES = 10
SMALLEST_LIMIT = DECILES + 1


def choose_grid(sorted_values: FloatArray, limit: int | None) -> FloatArray:
    """Choose at most `limit` distinct values that stand for the whole column.

    All distinct values if they fit; else order statistics at even steps of rank, with the minimum,
    the maximum and the nine deciles always among them.

    Args:
        sorted_values: finite values in ascending order, shape (m,); m may be 0.
        limit: most grid values to keep, at least 11; None keeps every distinct value.

    Returns:
        Ascending distinct values, shape (k,).

    Raises:
        ValueError: `limit` is below 11.

    Example:
        >>> choose_grid(np.array([1.0, 1.0, 2.0, 5.0]), None)
        array([1., 2., 5.])
        >>> len(choose_grid(np.arange(50_000.0), 1024)) <= 1024
        True
    """
    if limit is not None and limit < SMALLEST_LIMIT:
        raise ValueError(f"a grid of {limit} values is too small: give at least {SMALLEST_LIMIT}")
    distinct: FloatArray = np.unique(sorted_values)
    if limit is None or distinct.size <= limit:
        return distinct
    return np.unique(sorted_values[grid_ranks(sorted_values.size, limit)])


def grid_ranks(m: int, limit: int) -> IntArray:
    """Return the ranks, from 0, of the order statistics that `choose_grid` takes of m values.

    Returns:
        Ascending and distinct, at most `limit`.

    Example:
        >>> grid_ranks(100, 11).tolist()
        [0, 9, 19, 29, 39, 49, 59, 69, 79, 89, 99]
    """
    deciles = -(-np.arange(1, DECILES) * m // DECILES) - 1  # smallest rank with cdf >= i / 10
    even = np.linspace(0, m - 1, limit - deciles.size).round().astype(np.int64)
    return np.unique(np.concatenate([even, deciles]))


def count_slots(grid: FloatArray, column: FloatArray) -> IntArray:
    """Count finite values per slot of `grid`.

    Args:
        grid: ascending distinct values, shape (k,).
        column: finite values in any order, shape (n,).

    Returns:
        Counts per slot, shape (2k + 1,); even slots are open gaps, odd ones ties.

    Example:
        >>> count_slots(np.array([1.0, 2.0]), np.array([0.5, 1.0, 1.0, 1.5, 9.0]))
        array([1, 2, 1, 0, 1])
    """
    return count_sorted(grid, np.sort(column))


def count_sorted(grid: FloatArray, column: FloatArray) -> IntArray:
    """Count as `count_slots` does, for a column that is sorted already."""
    if column.size < 2 * grid.size:
        below = np.searchsorted(grid, column)
        tied = grid[np.minimum(below, grid.size - 1)] == column
        return np.bincount(2 * below + tied, minlength=2 * grid.size + 1)
    # Searching the grid in the sorted column gives cumulative counts at once.
    cumulative = np.empty(2 * grid.size + 2, np.int64)
    cumulative[0] = 0
    cumulative[1:-1:2] = np.searchsorted(column, grid, "left")
    cumulative[2:-1:2] = np.searchsorted(column, grid, "right")
    cumulative[-1] = column.size
    return np.diff(cumulative)


def half_gaps(grid: FloatArray) -> FloatArray:
    """Length over which the distance of two distributions at each slot holds, shape (2k + 1,).

    A value in an open gap counts at the gap's middle, one beyond the extremes at the extreme. The
    distribution functions step at each grid value and at the middle of each gap: after a tie
    the distance holds for the first half of the gap above it, after a gap's middle for the second.

    Example:
        >>> half_gaps(np.array([1.0, 3.0, 4.0]))
        array([0. , 1. , 1. , 0.5, 0.5, 0. , 0. ])
    """
    halves = np.zeros(2 * grid.size + 1)
    if grid.size:
        gaps = np.diff(grid)
        halves[1:-2:2] = gaps / 2.0
        halves[2:-1:2] = gaps / 2.0
    return halves
