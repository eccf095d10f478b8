"""Outcomes of a mixture: what a window expects whose labels come in parts, each its own normal.

All that is counted of outcomes adds up: pairs per cell of the confusion matrix and per bin of the
score, where in its bin a score lies, losses, and sums of residuals and of their products. So a
mixture of parts with the shares w expects, of each cell, the sum of w c / n, where a part's
reference has c of n labelled events, and every metric of that is the metric of the mixture: also
those of pooled scores (ROC AUC) or pooled residuals (R2), which are no means of the parts' metrics.
It is known as if by M events, 1 / M = sum of w^2 / n, as the counts of features are
(`mixed_baseline.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.fixed_point import LIMB
from driftline.detectors.outcomes.layout import LOSSES, OutcomeLayout

_SUMS = (*LOSSES, "moments", "expected")  # sections of fixed-point sums: limbs, the last axis


def labelled_events(layout: OutcomeLayout, counts: IntArray) -> int:
    """Return how many predictions with their ground truth are in flat counts.

    >>> layout = OutcomeLayout.classification(["no", "yes"], None, True)
    >>> labelled_events(layout, np.array([44, 6, 0, 4, 45, 1]))
    100
    """
    sections = ("pairs", "confusion", "joint")
    first = next(section for section in sections if section in layout.sections)
    return int(layout.view(counts, first).sum())


def mixed_outcomes(
    layout: OutcomeLayout, parts: Sequence[IntArray], events: Sequence[int]
) -> IntArray | None:
    """Return the flat counts of a mixture, shape (layout.size,); None where nothing is known of it.

    Args:
        layout: what is counted.
        parts: flat counts of the parts' references, each of shape (layout.size,).
        events: the labelled events of each part in the window.

    Example:
        >>> layout = OutcomeLayout.classification(["no", "yes"], None, True)
        >>> old, new = np.array([400, 0, 0, 0, 400, 0]), np.array([300, 100, 0, 100, 300, 0])
        >>> mixed_outcomes(layout, [old, new], [900, 300]).tolist()
        [600, 40, 0, 40, 600, 0]
    """
    known = [
        (counts, size, many)
        for counts, many in zip(parts, events, strict=True)
        if many and (size := labelled_events(layout, counts))
    ]
    total = sum(many for _, _, many in known)
    if not total:
        return None
    if len(known) == 1:
        return known[0][0]
    size = round(1 / sum(Fraction(many, total) ** 2 / own for _, own, many in known))
    weights = [Fraction(many, total) * size / own for _, own, many in known]
    expected = np.zeros(layout.size)
    for (counts, _, _), weight in zip(known, weights, strict=True):
        expected += float(weight) * counts
    mixed = _rounded(layout, expected)
    for section in _SUMS:
        if section not in layout.sections:
            continue
        cells = [np.atleast_2d(layout.view(counts, section)) for counts, _, _ in known]
        into = np.atleast_2d(layout.view(mixed, section))
        for row in range(len(into)):
            wholes = (_whole(own[row]) for own in cells)
            into[row] = _limbs(
                round(sum(w * whole for w, whole in zip(weights, wholes, strict=True))),
                into.shape[1],
            )
    return mixed


def _rounded(layout: OutcomeLayout, expected: FloatArray) -> IntArray:
    """Return whole counts: no sum of neighbouring cells is off by more than one.

    Each cell by itself would lose what is rare, of which a curve over hundreds of bins is made.
    """
    mixed = np.zeros(layout.size, np.int64)
    for section in ("pairs", "confusion", "joint", "tails", "residuals", "estimated"):
        if section in layout.sections:
            into, own = layout.view(mixed, section), expected[layout.sections[section]]
            sums = np.rint(np.cumsum(own.reshape(into.shape), axis=-1)).astype(np.int64)
            into[:] = np.diff(sums, axis=-1, prepend=0)
    if layout.bins:
        events = expected[layout.sections["joint"]].reshape(2, 2, -1).sum(axis=1)
        found = layout.view(mixed, "joint").sum(axis=1)
        for section in ("position", "position_squared"):
            own = expected[layout.sections[section]].reshape(2, -1)
            mean = np.divide(own, events, out=np.zeros_like(own), where=events > 0)
            layout.view(mixed, section)[:] = np.rint(mean * found)
    return mixed


def _whole(limbs: IntArray) -> int:
    """Return the whole number that limbs hold, exactly."""
    whole = 0
    for limb in limbs.tolist():
        whole = (whole << LIMB) + limb
    return whole


def _limbs(whole: int, limbs: int) -> list[int]:
    """Undo `_whole`: the first limb holds what is left."""
    size, sign, found = abs(whole), -1 if whole < 0 else 1, list[int]()
    for _ in range(limbs - 1):
        size, low = size >> LIMB, size & ((1 << LIMB) - 1)
        found.append(sign * low)
    return [sign * size, *reversed(found)]
