"""How large the change of a rate is, on the same scale as the other effects."""

from __future__ import annotations

import numpy as np

from driftline.detectors.baseline import Baseline
from driftline.detectors.features.psi import SMOOTHING
from driftline.detectors.grid import FloatArray, IntArray


def normal_rates(baseline: Baseline) -> dict[str, FloatArray]:
    """Return each rate in the reference, shape (F,); NaN where it does not apply.

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("free", "paid"))])
        >>> normal_rates(Baseline(layout, np.array([60, 30, 0, 10, 0, 0])))["missing"]
        array([0.1])
    """
    events = np.maximum(baseline.feature_events, 1)
    return {name: bad / events for name, bad in baseline.normally_bad.items()}


def rate_effect(rate: FloatArray, normal: FloatArray, events: IntArray) -> FloatArray:
    """Return the population stability index of bad and good events, shape (F,).

    Args:
        rate: share of bad events in the window.
        normal: share of bad events in the reference.
        events: events of the window; half an event is added to each cell, of the reference's too.

    Example:
        >>> rate_effect(np.array([0.1]), np.array([0.01]), np.array([1000])).round(3)
        array([0.212])
    """
    n = np.maximum(events, 1).astype(np.float64)
    q = (rate * n + SMOOTHING) / (n + 2 * SMOOTHING)
    p = (normal * n + SMOOTHING) / (n + 2 * SMOOTHING)
    effect: FloatArray = (q - p) * (np.log(q / p) - np.log((1 - q) / (1 - p)))
    return effect
