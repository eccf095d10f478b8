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
_ROUNDING = 1e-12  # as a share of the value
_NEAR = 4  # units in the last place of a 32-bit float
_LARGEST_HALF = 65_504.0  # of 16-bit floats


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
    return count_sorted(grid, grid, np.sort(column))


def count_sorted(lower: FloatArray, upper: FloatArray, column: FloatArray) -> IntArray:
    """Count finite values of a sorted column per slot.

    Args:
        lower: the smallest value that counts as each value of the grid, shape (k,).
        upper: the largest; the grid itself twice where only what is equal counts.
        column: ascending, shape (n,).

    Returns:
        Counts per slot, shape (2k + 1,).
    """
    size = lower.size
    if column.size < 2 * size:
        below = np.searchsorted(upper, column)
        tied = lower[np.minimum(below, size - 1)] <= column
        tied &= below < size
        return np.bincount(2 * below + tied, minlength=2 * size + 1)
    # Searching the grid in the sorted column gives cumulative counts at once.
    cumulative = np.empty(2 * size + 2, np.int64)
    cumulative[0] = 0
    cumulative[1:-1:2] = np.searchsorted(column, lower, "left")
    cumulative[2:-1:2] = np.searchsorted(column, upper, "right")
    cumulative[-1] = column.size
    return np.diff(cumulative)


def tie_reach(grid: FloatArray, ties: IntArray) -> FloatArray:
    """Return how far from each value of a grid another one still counts as it, shape (k,).

    0, but for the values at `ties`: there 4 units in the last place of a 32-bit float, and less
    than half the way to the next value. A model that computes in 32 bits logs 0.1 as
    0.10000000149; for people that is the same number. Of a reference that was kept in 16 bits
    (0.1 is 0.09997559 there) it is what its rounding may have taken away.

    Args:
        grid: ascending distinct values, shape (k,).
        ties: places of values that many events share.

    Example:
        >>> tie_reach(np.array([0.1, 0.2, 0.5]), np.array([0])).round(9)
        array([3.e-08, 0.e+00, 0.e+00])
    """
    reach = np.zeros(grid.size)
    with np.errstate(over="ignore", invalid="ignore"):
        singles = np.abs(grid[ties]).astype(np.float32)
        near = _NEAR * np.spacing(singles).astype(np.float64)
        if _in_16_bits(grid):
            wide = np.spacing(singles.astype(np.float16)).astype(np.float64) / 2.0
            np.maximum(near, wide, out=near, where=np.isfinite(wide))
    gaps = np.diff(grid, prepend=-np.inf, append=np.inf)
    least = np.minimum(gaps[ties], gaps[ties + 1])
    # A value too large for 32 bits has no such neighbour.
    reach[ties] = np.where(np.isfinite(near), np.minimum(near, 0.49 * least), 0.0)
    return reach


def _in_16_bits(grid: FloatArray) -> bool:
    """Return whether all fractions were rounded to 16-bit floats.

    One has a shorter text there, and needs nearly all the digits that 16 bits have: 64ths do not.
    """
    if np.abs(grid).max(initial=0.0) > _LARGEST_HALF:
        return False
    fractions = grid[grid % 1 != 0]
    halves = fractions.astype(np.float16)
    if not np.array_equal(halves, fractions):
        return False
    full = halves[fractions % (4.0 * np.spacing(np.abs(halves))) != 0]
    return any(float(str(half)) != float(half) for half in full)


def shared_values(slots: IntArray) -> IntArray:
    """Return the places in the grid of values that each 1 % of the events share, two at least.

    Args:
        slots: counts per slot, shape (2k + 1,).

    Example:
        >>> shared_values(np.array([0, 50, 0, 1, 0, 49, 0]))
        array([0, 2])
    """
    return np.flatnonzero((100 * slots[1::2] >= slots.sum()) & (slots[1::2] > 1))


def merge_equal(grid: FloatArray) -> tuple[FloatArray, IntArray]:
    """Keep one of the values that differ by the rounding of arithmetic alone: the shortest.

    Args:
        grid: ascending distinct values, shape (k,).

    Returns:
        The values kept, and the places among them of those that stand for others, too.

    Example:
        >>> merge_equal(np.array([0.1, 0.3, 0.1 + 0.2, 0.5]))
        (array([0.1, 0.3, 0.5]), array([1]))
    """
    near = np.diff(grid) <= _ROUNDING * np.abs(grid[1:])
    if not near.any():
        return grid, np.zeros(0, np.int64)
    group = np.concatenate([[0], np.cumsum(~near)])
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(starts, append=grid.size)
    kept = starts.copy()
    for g in np.flatnonzero(sizes > 1):
        places = range(starts[g], starts[g] + sizes[g])
        kept[g] = min(places, key=lambda place: (len(repr(float(grid[place]))), place))
    return grid[kept], np.flatnonzero(sizes > 1)


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
