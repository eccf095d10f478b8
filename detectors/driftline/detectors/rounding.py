"""Rounding to significant digits, so that the last bits of a computation decide nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from driftline.detectors.grid import FloatArray

DIGITS = 10
_LARGEST = 300
# Powers as the nearest doubles; numpy's own power may differ between processors in the last bit.
_POWERS = np.array([float(f"1e{k}") for k in range(_LARGEST + 1)])


def significant(values: ArrayLike, digits: int = DIGITS) -> FloatArray:
    """Round to `digits` significant decimal digits; NaN and infinities stay.

    Every statistic passes through here before it is compared with a limit or published, so batch
    sizes, the order of summation and the processor cannot change a verdict. Below 1e-290 fewer
    digits are kept, which nothing but a p-value reaches.

    Args:
        values: any shape.
        digits: significant digits, 1 to 15.

    Returns:
        float64, same shape.

    Example:
        >>> significant([0.123456789049, -98765432109.87, 0.0, np.nan])
        array([ 1.23456789e-01, -9.87654321e+10,  0.00000000e+00,             nan])
    """
    x = np.asarray(values, np.float64)
    usable = np.isfinite(x) & (x != 0.0)
    magnitude = np.floor(np.log10(np.abs(x), where=usable, out=np.zeros_like(x)))
    shift = np.clip(digits - 1 - magnitude, -_LARGEST, _LARGEST).astype(np.int64)
    power = _POWERS[np.abs(shift)]
    up = shift >= 0
    # Dividing by a power is exact where multiplying with its inverse is not.
    whole = np.rint(np.where(up, x * np.where(up, power, 1.0), x / np.where(up, 1.0, power)))
    rounded = np.where(up, whole / power, whole * np.where(up, 1.0, power))
    return np.where(usable, rounded, x) + 0.0
