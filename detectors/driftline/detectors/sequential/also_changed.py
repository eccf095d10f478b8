"""Which other features changed as well, where one is known to have."""

from __future__ import annotations

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray

FALSE_SHARE = 0.1
"""Share of the named features that did not change, at most, on average."""


def also_changed(evidence: FloatArray, panes: FloatArray) -> IntArray:
    """Return the places of the features that are named, ascending.

    The e-values R / t are sorted; the k largest are named, for the largest k whose smallest is at
    least F / (k * FALSE_SHARE) (e-BH: Wang and Ramdas 2022, "False discovery rate control with
    e-values"; for detection over time Dandapanthula and Ramdas, arXiv 2501.04130).

    Args:
        evidence: natural logarithm of each feature's R, shape (F,).
        panes: how many each has been added up over, shape (F,).

    Example:
        >>> also_changed(np.array([12.0, 0.1, 9.0, 1.0]), np.full(4, 50.0))
        array([0, 2])
    """
    with np.errstate(divide="ignore"):
        e_values = evidence - np.log(np.maximum(panes, 1.0))
    order = np.argsort(-e_values, kind="stable")
    needed = np.log(e_values.size / (np.arange(1, e_values.size + 1) * FALSE_SHARE))
    reached = np.flatnonzero(e_values[order] >= needed)
    named = order[: reached[-1] + 1] if reached.size else order[:0]
    return np.sort(named)
