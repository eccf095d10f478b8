"""How many different numbers a column has, by sums and unions alone."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_BITS = 24  # of the hash that decide which numbers are kept


class DistinctNumbers:
    """The different numbers of a column; where there are too many, those of smallest hash.

    Which are kept does not depend on the order of the numbers or on the parts they come in. (K
    minimum values: Bar-Yossef et al., "Counting Distinct Elements in a Data Stream", RANDOM 2002.)

    Args:
        most: to keep, at least 11; None keeps all.

    >>> numbers = DistinctNumbers(100)
    >>> numbers.add(np.array([1.0, 2.0, 1.0]))
    >>> numbers.all().tolist(), numbers.about()
    ([1.0, 2.0], 2)
    >>> numbers.add(np.arange(50_000.0))
    >>> numbers.all() is None, 30_000 < numbers.about() < 70_000
    (True, True)
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._shift = 0  # 1 in 2**shift is kept
        self._parts: list[Doubles] = [np.empty(0)]
        self._merged = self._waiting = 0

    def add(self, numbers: Doubles) -> None:
        """Take in finite numbers."""
        kept = self._chosen(numbers + 0.0)  # -0.0 and 0.0 are one
        self._parts.append(kept)
        self._waiting += kept.size
        if self._waiting > max(self._merged, 1 << 16):
            self._merge()

    def merge(self, other: Self) -> None:
        """Take in those of another."""
        found = other._merge()
        if other._shift > self._shift:
            self._shift = other._shift
            self._parts = [self._chosen(self._merge())]
            self._merged = self._parts[0].size
        self.add(found)

    def all(self) -> Doubles | None:
        """Return all different numbers, ascending; None if they are too many."""
        found = self._merge()
        return None if self._shift else found

    def some(self) -> Doubles:
        """Return the different numbers that are kept, ascending: all, or those of smallest hash."""
        return self._merge()

    def about(self) -> int:
        """Return how many there are; beyond `most`, which gives the error: 1 / sqrt(most / 2)."""
        return int(self._merge().size) << self._shift

    def _merge(self) -> Doubles:
        if len(self._parts) > 1:
            found = np.unique(np.concatenate(self._parts))
            while self._most is not None and found.size > self._most:
                self._shift += 1
                found = self._chosen(found)
            self._parts, self._merged, self._waiting = [found], found.size, 0
        return self._parts[0]

    def _chosen(self, numbers: Doubles) -> Doubles:
        if not self._shift:
            return numbers
        bits = numbers.view(np.uint64)
        mixed = (bits ^ (bits >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        least = np.uint64(1 << (_BITS - self._shift))
        chosen: Doubles = numbers[mixed >> np.uint64(64 - _BITS) < least]
        return chosen
