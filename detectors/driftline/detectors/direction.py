"""Which way a number went, where that is sure: up or down, apart or together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray

SURE = 2.33
"""Standard errors from which on a direction is told: in 1 of 100 samples it is the wrong one."""


class Ways(NamedTuple):
    """Which way a number went: 1, -1, or 0 where few events or none tell it.

    Attributes:
        location: up (1) or down (-1).
        spread: away from the middle (1) or towards it (-1).
    """

    location: int
    spread: int


def ways(normal: IntArray, now: IntArray, phi: float = 1.0) -> Ways:
    """Return which way the events of a window surely differ from those of a reference.

    Each value has its rank among the reference's, 0 to 1; values that are equal share the middle of
    theirs. The mean rank, and the mean distance of the rank from a half, are compared with those of
    the reference (Wilcoxon 1945; Ansari and Bradley 1960), in standard errors, of the larger
    variance of both.

    Args:
        normal: the reference's events per slot, in the order of the values.
        now: the window's.
        phi: how many events tell as much as one independent one.

    Example:
        >>> normal = np.full(10, 100)
        >>> ways(normal, np.arange(10)), ways(normal, np.array([20, 9, 0, 0, 0, 0, 0, 0, 9, 20]))
        (Ways(location=1, spread=0), Ways(location=0, spread=1))
    """
    m, n = int(normal.sum()), int(now.sum())
    if not m or not n:
        return Ways(0, 0)
    shares, window = normal / m, now / n
    ranks = np.cumsum(shares) - shares / 2.0
    unit = np.sqrt(phi * (1.0 / n + 1.0 / m))
    found = [_sign(score, shares, window, unit) for score in (ranks, np.abs(ranks - 0.5))]
    return Ways(*found)


def _sign(score: FloatArray, shares: FloatArray, window: FloatArray, unit: float) -> int:
    means = [float(score @ each) for each in (shares, window)]
    # Of a constant the window alone shows how much its values vary.
    variance = max(
        float((score - mean) ** 2 @ each)
        for mean, each in zip(means, (shares, window), strict=True)
    )
    away = means[1] - means[0]
    return int(np.sign(away)) if abs(away) >= SURE * unit * np.sqrt(variance) else 0
