"""Whole numbers mixed to hashes of 64 bits, the same everywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST = np.uint64(31)


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a hash of each number: the step of SplitMix64, which maps none to that of another.

    Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).

    >>> hex(mixed(np.array([0], np.uint64))[0])
    '0xe220a8397b1dcdaf'
    """
    found: NDArray[np.uint64] = numbers + _STEP
    for shift, factor in _ROUNDS:
        found = (found ^ (found >> shift)) * factor
    return found ^ (found >> _LAST)
