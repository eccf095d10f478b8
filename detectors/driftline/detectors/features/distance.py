"""The distance of two distribution functions at every slot: its largest value and its area.

A feature's block is k + 2 pairs of cells: k times a gap and the tie above it, then the last gap
with `missing`, then `absent` with `invalid`. So the running sum, which is the slow part, is taken
over pairs; the sum up to the gap alone is one subtraction more.
"""

from __future__ import annotations

import numpy as np

from driftline.detectors.counts import Layout
from driftline.detectors.grid import FloatArray, IntArray

_BLOCK = 1 << 16  # pairs at a time: the working arrays stay in the processor's cache


def cumulate(layout: Layout, flat: IntArray) -> FloatArray:
    """Distribution function at every slot of the numeric features.

    Returns:
        Shape (2, pairs): after each gap and after each tie; NaN for a feature without events.
    """
    cdf = np.zeros((2, int(layout.starts[layout.numeric]) // 2))
    for f in range(layout.numeric):
        cumulative = np.cumsum(layout.slots(flat, f))
        share = cumulative / (cumulative[-1] or np.nan)
        begin = layout.starts[f] // 2
        cdf[0, begin : begin + share[::2].size] = share[::2]
        cdf[1, begin : begin + share[1::2].size] = share[1::2]
        cdf[1, begin + share[1::2].size] = share[-1]  # what stands beside the last gap is no tie
    return cdf


def distances(
    layout: Layout, cdf: FloatArray, window: IntArray, n: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Measure |F_reference - G_window| over the slots of every numeric feature.

    Args:
        layout: where the counts lie.
        cdf: the reference's, from `cumulate`.
        window: flat counts.
        n: valid window events of the numeric features, shape (numeric,).

    Returns:
        The largest distance and the area (in the feature's unit), each of shape (numeric,); NaN
        without events on either side.

    Example:
        >>> from driftline.detectors.counts import Feature
        >>> layout = Layout.of([Feature("age", "numeric", np.array([20.0, 30.0]))])
        >>> cdf = cumulate(layout, np.array([0, 1, 0, 1, 0, 0, 0, 0]))
        >>> distances(layout, cdf, np.array([0, 0, 0, 4, 0, 9, 9, 9]), np.array([4.0]))
        (array([0.5]), array([5.]))
    """
    bounds = layout.starts[: layout.numeric + 1] // 2
    largest, area = np.zeros((2, layout.numeric))
    events = np.where(n > 0, n, np.nan)
    begin = 0
    while begin < layout.numeric:
        # Whole features, at least one.
        end = max(begin + 1, int(np.searchsorted(bounds, bounds[begin] + _BLOCK)) - 1)
        features, part = slice(begin, end), slice(int(bounds[begin]), int(bounds[end]))
        first = bounds[features] - bounds[begin]
        last = bounds[begin + 1 : end + 1] - bounds[begin] - 1
        slots = np.stack([first, last], axis=1).ravel()  # every other piece: pairs with slots

        cells = window[2 * part.start : 2 * part.stop]
        ties = cells[1::2].astype(np.float64)  # floats hold whole numbers below 2**53 exactly
        ties[last - 1] = 0.0
        ties[last] = 0.0
        after_tie = ties + cells[::2]
        after_tie[last] = -n[features]  # so that the sum begins anew at each feature
        np.cumsum(after_tie, out=after_tie)
        after_gap = np.subtract(after_tie, ties, out=ties)
        per_pair = np.repeat(events[features], last - first + 1)
        for row, distance in enumerate((after_gap, after_tie)):
            distance /= per_pair
            distance -= cdf[row, part]
            np.abs(distance, out=distance)
            piece = np.maximum.reduceat(distance, slots)[::2]
            np.maximum(largest[features], piece, out=largest[features])
            distance *= layout.half_gaps[row, part]
            area[features] += np.add.reduceat(distance, slots)[::2]
        begin = end
    return largest, area
