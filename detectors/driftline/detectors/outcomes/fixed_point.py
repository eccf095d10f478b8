"""Sums of real numbers that are exact, and so the same in any order and undone by weight -1.

A value is written as a whole number of units, and that number in limbs of 31 bits, each of which
is summed in a cell of its own. 2**31 values can be added before a cell overflows. (Kulisch's long
accumulator, "Computer Arithmetic and Validity", 2013, with as many limbs as the data need.)
"""

from __future__ import annotations

from math import ldexp

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray

LIMB = 31  # bits


def split(values: FloatArray, unit: int, limbs: int) -> FloatArray:
    """Write each value as whole numbers below 2**31, all of the value's sign.

    Args:
        values: shape (n,), smaller in size than 2**(unit + 31 * limbs).
        unit: the unit is 2**unit; what is below it is rounded.
        limbs: how many, at least 1.

    Returns:
        Whole numbers, shape (limbs, n), the most significant first.

    Example:
        >>> split(np.array([1.5, -3.0]), -31, 2).tolist()
        [[1.0, -3.0], [1073741824.0, 0.0]]
    """
    parts = np.empty((limbs, values.size))
    rest = np.rint(values * 2.0**-unit)
    for i in range(limbs - 1):
        weight = 2.0 ** (LIMB * (limbs - 1 - i))
        np.trunc(rest / weight, out=parts[i])
        rest = rest - parts[i] * weight
    parts[-1] = rest
    return parts


def total(cells: IntArray, unit: int) -> float:
    """Return the sum that the cells hold, rounded once.

    Args:
        cells: sums of limbs, shape (limbs,), the most significant first.
        unit: as given to `split`.

    Example:
        >>> total(split(np.array([1.5, -3.0]), -31, 2).sum(axis=1).astype(np.int64), -31)
        -1.5
    """
    whole = 0
    for cell in cells.tolist():
        whole = (whole << LIMB) + cell
    # Far more bits than a float's are shifted out first, so that large numbers do not overflow.
    return ldexp(float(whole), unit)
