"""What changed in a number: its outer values, its median, or the bin that changed most."""

from __future__ import annotations

import numpy as np

from driftline.consumer.judge.bin_changes import moved_of
from driftline.consumer.judge.dispersed import FLAGGED
from driftline.consumer.judge.number_sentence import (
    Ends,
    Spread,
    numeric_change,
    outer_change,
    stays,
)
from driftline.consumer.judge.sentence import NORMALLY, Wording
from driftline.detectors import Baseline
from driftline.detectors.direction import ways
from driftline.detectors.grid import IntArray
from driftline.detectors.rounding import significant
from driftline.detectors.sequential.gate import MOSTLY, outer_rise, pane_psi
from driftline.detectors.sequential.pane_bins import PaneBins


def number_change(
    baseline: Baseline, f: int, counts: IntArray, phi: float, normally: str = NORMALLY
) -> Wording:
    """Return what changed in the f-th feature, a number.

    Args:
        baseline: what is normal.
        f: number of the feature.
        counts: flat counts of the window.
        phi: how many of its events tell as much as one independent one. What they are not sure of
            is not told; but above 5 it is told what the window holds, whatever its season.
        normally: the word for the reference, see `numeric_change`.
    """
    phi = min(phi, FLAGGED)
    present, normal = (_spread(baseline, f, each) for each in (counts, None))
    ends = _outer_ends(baseline, f, counts, phi)
    if ends is not None and stays(present, normal):
        return outer_change(ends, normally)
    slots = baseline.layout.slots
    sure = ways(slots(baseline.counts, f), slots(counts, f), phi)
    moved = moved_of(baseline.bins(f, counts), baseline.only_values(f, counts))
    return numeric_change(present, normal, moved, normally, sure)


def _spread(baseline: Baseline, f: int, counts: IntArray | None) -> Spread:
    low, middle, high = (baseline.quantile(f, q, counts) for q in (0.25, 0.5, 0.75))
    slots = baseline.layout.slots(baseline.counts if counts is None else counts, f)
    # Of values beyond the reference's extremes only their number is known.
    half = slots.sum() / 2
    beyond = "below" if slots[0] >= half else "above" if slots[-1] > half else ""
    return Spread(middle, high - low, beyond if half else "")


def _outer_ends(baseline: Baseline, f: int, counts: IntArray, phi: float) -> Ends | None:
    """Return which outer values became more, if they are most of what changed.

    A number of few values has none: each of them is named as it is.
    """
    layout = baseline.layout
    if baseline.few[f]:
        return None
    bins, grid = PaneBins(layout, baseline.counts, np.array([f])), layout.features[f].grid
    now = bins.count(counts).astype(np.float64)
    if not now.sum() or grid.size == 0:
        return None
    outer = outer_rise(now, bins.normal, phi)
    if outer is None or outer.weight < MOSTLY:
        return None
    # A bin begins with a value of the grid, or behind one.
    ends = grid[np.clip((bins.cells - layout.starts[f] - 1) // 2, 0, grid.size - 1)]
    low, high = (None if at is None else float(ends[at]) for at in (outer.low, outer.high))
    return Ends(low, high, outer, float(significant(pane_psi(now, bins.normal, phi))))
