"""Sums of floats that are rounded once, whatever the order and the parts in which they come."""

from __future__ import annotations

from typing import Self

import numpy as np

from driftline.detectors.grid import FloatArray

_BITS, _LEAST = 53, -1074  # of a mantissa; the smallest exponent that `frexp` gives, but for 0
_PLACES = 1024 - _LEAST + 1
_HALF = 27  # bits of the lower half of a mantissa: 2**36 of them add up in 64 bits


class ExactSum:
    """Adds up finite floats exactly: whole mantissas, by their exponent.

    Example:
        >>> first, second = ExactSum(), ExactSum()
        >>> first.add(np.array([1e100, 0.1, 0.2]))
        >>> second.add(np.array([-1e100, 0.3]))
        >>> first.merge(second)
        >>> first.value()
        0.6
    """

    def __init__(self) -> None:
        self._high = np.zeros(_PLACES, np.int64)
        self._low = np.zeros(_PLACES, np.int64)

    def add(self, values: FloatArray) -> None:
        """Add finite floats."""
        mantissa, exponent = np.frexp(values)
        whole = np.ldexp(mantissa, _BITS).astype(np.int64)
        place = exponent - _LEAST
        np.add.at(self._high, place, whole >> _HALF)
        np.add.at(self._low, place, whole & ((1 << _HALF) - 1))

    def merge(self, other: Self) -> None:
        """Add what another sum has."""
        self._high += other._high
        self._low += other._low

    def value(self) -> float:
        """Return the sum, rounded to the nearest float.

        Raises:
            OverflowError: it is larger than a float can be.
        """
        return self._units() / (1 << (_BITS - _LEAST))

    def mean(self, n: int) -> float:
        """Return the sum divided by n, rounded once."""
        return self._units() / (n << (_BITS - _LEAST))

    def _units(self) -> int:
        total = 0
        for place in np.flatnonzero(self._high | self._low).tolist():
            total += ((int(self._high[place]) << _HALF) + int(self._low[place])) << place
        return total
