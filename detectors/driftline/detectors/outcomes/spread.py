"""How far values lie from 0, as a power of two: the same whatever order and parts they come in."""

from __future__ import annotations

from typing import Self

import numpy as np

from driftline.detectors.exact_sum import ExactSum
from driftline.detectors.grid import FloatArray


class Spread:
    """Adds up the squares of values.

    Args:
        largest: the size of the largest of all; no square of a share of it overflows.

    Example:
        >>> spread = Spread(3.0)
        >>> spread.add(np.array([3.0, -1.0]))
        >>> spread.scale(otherwise=1.0)
        2.0
    """

    def __init__(self, largest: float) -> None:
        self._largest, self._n, self._squares = largest, 0, ExactSum()

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Return that of all values, shape (m,), m at least 1."""
        spread = cls(float(np.abs(values).max()))
        spread.add(values)
        return spread

    def add(self, values: FloatArray) -> None:
        """Take in some values."""
        self._n += values.size
        if self._largest > 0.0:
            parts = values / self._largest
            self._squares.add(parts * parts)

    def merge(self, other: Self) -> None:
        """Take in what another has of other values."""
        self._n += other._n
        self._squares.merge(other._squares)

    def scale(self, otherwise: float) -> float:
        """Return the power of two nearest the root mean square; `otherwise` where that is 0."""
        if self._largest == 0.0:
            return otherwise
        square = float(np.log2(self._squares.mean(self._n)))
        return 2.0 ** round(float(np.log2(self._largest)) + square / 2.0)
