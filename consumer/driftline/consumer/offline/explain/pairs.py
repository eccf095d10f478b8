"""Pairs of columns that go together in another way than before, whatever each of them does.

The counts of two binned columns on both sides are a table of a x b x side. Without an interaction
of all three, its expected counts have the margins (a, b), (a, side) and (b, side); they are found
by iterative proportional fitting, and the deviance from them has a chi-square law with
(A - 1)(B - 1) degrees of freedom. Source: Bishop, Fienberg and Holland, "Discrete Multivariate
Analysis", MIT Press 1975, chapters 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.offline.explain.columns import Column
from driftline.consumer.offline.explain.ranks import Bools
from driftline.detectors import special
from driftline.detectors.grid import FloatArray, IntArray

MOST_COLUMNS = 30
_LEVELS = 3
_ROUNDS = 60
_LEVEL = 0.01  # of all pairs together
_LEAST = 0.02  # share of the rows by which a cell differs from what is expected


@dataclass(frozen=True, eq=False)
class Pair:
    """Two columns that go together in another way than before.

    Attributes:
        names: of the columns.
        p_value: that chance makes them differ so much.
        levels: of each column, what its bins are called.
        now, quiet: share of the rows in each cell, shape (A, B).
        expected: what now would be if both columns had only changed for themselves.
    """

    names: tuple[str, str]
    p_value: float
    levels: tuple[tuple[str, ...], tuple[str, ...]]
    now: FloatArray
    quiet: FloatArray
    expected: FloatArray

    @property
    def change(self) -> float:
        """Share of the rows by which a cell differs most from what is expected."""
        return float(np.abs(self.now - self.expected).max())

    @property
    def cell(self) -> tuple[int, int]:
        """The cell that differs most from what is expected."""
        found = np.unravel_index(np.abs(self.now - self.expected).argmax(), self.now.shape)
        return int(found[0]), int(found[1])


def changed_pairs(columns: Sequence[Column], now: Bools, most: int = 5) -> list[Pair]:
    """Return the pairs that surely changed, the largest change first.

    Args:
        columns: at most `MOST_COLUMNS` are useful.
        now: which rows are of now, bool (n,).
        most: pairs that are returned.
    """
    binned = [found for found in map(_binned, columns) if found is not None]
    found = []
    tests = max(len(binned) * (len(binned) - 1) // 2, 1)
    for first, second in combinations(binned, 2):
        pair = _pair(first, second, now)
        if pair is not None and pair.p_value * tests <= _LEVEL and pair.change >= _LEAST:
            found.append(pair)
    found.sort(key=lambda pair: -pair.change)
    return found[:most]


@dataclass(frozen=True, eq=False)
class _Binned:
    name: str
    levels: tuple[str, ...]
    codes: IntArray  # -1 where there is no value


def _binned(column: Column) -> _Binned | None:
    """Return a column in three parts of about as many rows, or its most frequent categories."""
    if column.is_tag:
        return None
    codes = np.where(column.codes == column.missing, -1, column.codes)
    if column.numbers is None:
        kept = np.where((codes >= _LEVELS - 1) & (codes >= 0), _LEVELS - 1, codes)
        few = len(column.names) <= _LEVELS
        levels = column.names if few else (*column.names[: _LEVELS - 1], "others")
        return None if len(levels) < 2 else _Binned(column.name, levels, codes if few else kept)
    known = codes[codes >= 0]
    ends = np.unique(np.quantile(known, [1 / 3, 2 / 3], method="inverted_cdf"))
    ends = ends[ends < known.max()]
    names = {1: ("low", "high"), 2: ("low", "middle", "high")}.get(len(ends))
    if names is None:
        return None
    parts = np.where(codes < 0, -1, np.searchsorted(ends, codes, "left"))
    return _Binned(column.name, names, parts)


def _pair(first: _Binned, second: _Binned, now: Bools) -> Pair | None:
    usable = (first.codes >= 0) & (second.codes >= 0)
    shape = len(first.levels), len(second.levels), 2
    place = np.ravel_multi_index(
        (first.codes[usable], second.codes[usable], now[usable].astype(np.int64)), shape
    )
    counts = np.bincount(place, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    margins = [counts.sum(axis=axis) for axis in (0, 1, 2)]
    if min(float(margin.min()) for margin in margins) <= 0 or _too_few(margins[2]):
        return None
    expected = _fitted(margins)
    some = counts > 0
    deviance = 2.0 * float((counts[some] * np.log(counts[some] / expected[some])).sum())
    freedom = (shape[0] - 1) * (shape[1] - 1)
    p_value = float(special.chdtrc(freedom, max(deviance, 0.0)))
    sides = counts.sum(axis=(0, 1))
    return Pair(
        (first.name, second.name),
        p_value,
        (first.levels, second.levels),
        counts[:, :, 1] / sides[1],
        counts[:, :, 0] / sides[0],
        expected[:, :, 1] / sides[1],
    )


def _too_few(cells: FloatArray) -> bool:
    """Tell whether a cell of both sides has too few rows for the chi-square law."""
    return bool(cells.min() < 5)


def _fitted(margins: Sequence[NDArray[np.float64]]) -> FloatArray:
    """Return the counts with these margins, and no interaction of all three."""
    fitted = np.ones((margins[2].shape[0], margins[2].shape[1], 2))
    for _ in range(_ROUNDS):
        fitted *= (margins[2] / fitted.sum(axis=2))[:, :, None]
        fitted *= (margins[1] / fitted.sum(axis=1))[:, None, :]
        fitted *= (margins[0] / fitted.sum(axis=0))[None, :, :]
    return fitted
