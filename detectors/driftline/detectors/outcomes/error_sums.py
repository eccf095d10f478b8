"""What is summed of a regression's errors before its error model is fitted."""

from __future__ import annotations

from typing import Self

import numpy as np

from driftline.detectors.exact_sum import ExactSum
from driftline.detectors.grid import FloatArray


class ErrorSums:
    """Sums of errors, in any order and in any parts.

    Attributes:
        events: how many.
        largest: the size of the largest.
        size: sum of the sizes.
        square: of the squares.
        fourth: of the fourth powers.

    Example:
        >>> sums = ErrorSums()
        >>> sums.add(np.array([1.0, -2.0]))
        >>> sums.events, sums.largest, sums.size.value(), sums.fourth.value()
        (2, 2.0, 3.0, 17.0)
    """

    def __init__(self) -> None:
        self.events, self.largest = 0, 0.0
        self.size, self.square, self.fourth = ExactSum(), ExactSum(), ExactSum()

    def add(self, residual: FloatArray) -> None:
        """Take in prediction - actual of some events; below 1e75 in size."""
        size = np.abs(residual)
        square = size * size
        self.events += residual.size
        self.largest = max(self.largest, float(size.max(initial=0.0)))
        self.size.add(size)
        self.square.add(square)
        self.fourth.add(square * square)

    def merge(self, other: Self) -> None:
        """Take in what another has."""
        self.events += other.events
        self.largest = max(self.largest, other.largest)
        for own, more in (
            (self.size, other.size), (self.square, other.square), (self.fourth, other.fourth),
        ):  # fmt: skip
            own.merge(more)
