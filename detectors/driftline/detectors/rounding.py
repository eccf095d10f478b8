"""Rounding to significant digits, so that the last bits of a computation decide nothing."""

from __future__ import annotations

from math import floor, isfinite, log10

import numpy as np
from numpy.typing import ArrayLike

from driftline.detectors.grid import FloatArray

DIGITS = 10
_LARGEST = 300
# Powers as the nearest doubles; numpy's own power may differ between processors in the last bit.
_POWER = [float(f"1e{k}") for k in range(_LARGEST + 1)]
_POWERS = np.array(_POWER)
_FEW = 32  # values: one by one they take less time than as an array


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
    if x.size <= _FEW:
        each = [_significant(value, digits) for value in x.ravel().tolist()]
        return np.array(each, np.float64).reshape(x.shape) + 0.0
    usable = np.isfinite(x) & (x != 0.0)
    magnitude = np.floor(np.log10(np.abs(x), where=usable, out=np.zeros_like(x)))
    shift = np.clip(digits - 1 - magnitude, -_LARGEST, _LARGEST).astype(np.int64)
    power = _POWERS[np.abs(shift)]
    up = shift >= 0
    # Dividing by a power is exact where multiplying with its inverse is not.
    whole = np.rint(np.where(up, x * np.where(up, power, 1.0), x / np.where(up, 1.0, power)))
    rounded = np.where(up, whole / power, whole * np.where(up, 1.0, power))
    return np.where(usable, rounded, x) + 0.0


def _significant(x: float, digits: int) -> float:
    """Do the same to one value, in the same steps."""
    if x == 0.0 or not isfinite(x):
        return x
    shift = min(max(digits - 1 - floor(log10(abs(x))), -_LARGEST), _LARGEST)
    power = _POWER[abs(shift)]
    return round(x * power) / power if shift >= 0 else round(x / power) * power
