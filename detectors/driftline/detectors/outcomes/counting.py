"""Counting pairs of prediction and ground truth: all that is done per label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import CodeArray
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.edges import ResidualGrid
from driftline.detectors.outcomes.error_model import ErrorArray
from driftline.detectors.outcomes.fixed_point import split
from driftline.detectors.outcomes.layout import (
    EXPECTED,
    LOSS_LIMBS,
    LOSSES,
    MOMENTS,
    RESIDUAL_LIMBS,
    OutcomeLayout,
)

POSITION_STEPS = 32768
FAR = 64.0  # ranges of the reference beyond the outer edges that are resolved evenly, about
LOSS_UNIT = -30
LARGEST = 24  # residuals are cut at 2**24 times their scale
_SMALLEST = float(np.finfo(np.float64).eps)  # of a likelihood, as in scikit-learn
_BATCH = 1 << 20  # so that sums of floats stay below 2**53: exact


@dataclass
class OutcomeRows:
    """n predictions with their ground truth, as columns.

    Attributes:
        predicted: code of the predicted class, int32, shape (n,); C (the number of classes) is
            another class or none. Looked at only if the layout is `labelled`.
        score: `prediction.score`, shape (n,); NaN: none.
        actual: code of the actual class, or the actual value, float64, shape (n,).
        expected: the size of the residual that the inputs let expect, in units of the grid's scale,
            shape (n,); NaN: not known. None: of no row. Looked at only if the layout has `errors`.
    """

    predicted: CodeArray
    score: FloatArray
    actual: FloatArray
    expected: FloatArray | ErrorArray | None = None

    def select(self, chosen: slice | IntArray | NDArray[np.bool_]) -> OutcomeRows:
        """Return the rows that an index or a mask picks."""
        expected = None if self.expected is None else self.expected[chosen]
        return OutcomeRows(
            self.predicted[chosen], self.score[chosen], self.actual[chosen], expected
        )


def moment_unit(powers: tuple[int, int]) -> int:
    """Return the unit, as a power of two, in which a moment of these powers is summed."""
    return LARGEST * sum(powers) + 1 - 31 * RESIDUAL_LIMBS


def count_outcomes(
    layout: OutcomeLayout, rows: OutcomeRows, weight: IntArray | None = None
) -> IntArray:
    """Count pairs; exact, so their order and the batches they come in do not matter.

    A pair whose actual class is not in the layout, or whose actual value is not finite, counts
    nowhere. One without a finite score counts in the confusion matrix only.

    Args:
        layout: what is counted.
        rows: the pairs.
        weight: how often each counts, shape (n,): 1, or -1 to take a pair out again; None: all 1.

    Returns:
        Flat counts, shape (layout.size,), int64.

    Example:
        >>> layout = OutcomeLayout.classification(["no", "yes"], "yes", True)
        >>> guesses, truth = np.array([0, 1, 1], np.int32), np.array([0.0, 0.0, 1.0])
        >>> counts = count_outcomes(layout, OutcomeRows(guesses, np.full(3, np.nan), truth))
        >>> layout.view(counts, "confusion")
        array([[1, 1, 0],
               [0, 1, 0]])
    """
    counts = np.zeros(layout.size, np.int64)
    factor = None if weight is None else weight.astype(np.float64)
    if layout.grid is None:
        usable = (rows.actual >= 0) & (rows.actual < len(layout.classes))
    else:
        usable = np.isfinite(rows.actual) & np.isfinite(rows.score)
    rows, factor = _only(usable, rows, factor)
    for start in range(0, rows.actual.size, _BATCH):
        part = slice(start, start + _BATCH)
        own = rows.select(part)
        own_factor = None if factor is None else factor[part]
        if layout.grid is None:
            _count_classes(layout, own, own_factor, counts)
        else:
            _count_residuals(layout, layout.grid, own, own_factor, counts)
    return counts


def _count_classes(
    layout: OutcomeLayout, rows: OutcomeRows, factor: FloatArray | None, counts: IntArray
) -> None:
    classes = len(layout.classes)
    if layout.labelled:
        # A negative code becomes a large one, so it is another class too.
        guess = np.minimum(rows.predicted.astype(np.uint32), classes).astype(np.int64)
        confusion = rows.actual.astype(np.int64) * (classes + 1) + guess
        _add(layout.view(counts, "confusion"), confusion, factor)
    if not layout.bins:
        return
    rows, factor = _only(np.isfinite(rows.score), rows, factor)
    score = rows.score
    positive = rows.actual == layout.positive
    called = (rows.predicted == layout.positive) & layout.labelled
    bins = layout.score_bins(score)
    cell = positive * layout.bins + bins
    joint = layout.view(counts, "joint")
    _add(joint, cell + (positive.astype(np.int64) + called) * layout.bins, factor)
    position = _positions(layout.edges, score, bins)
    _add(layout.view(counts, "position"), cell, factor, position)
    _add(layout.view(counts, "position_squared"), cell, factor, position * position)
    if layout.probability:
        chance = np.clip(score, 0.0, 1.0)
        likelihood = np.where(positive, chance, 1.0 - chance)
        loss = -np.log(np.maximum(likelihood, _SMALLEST))
        brier = (1.0 - likelihood) ** 2
        for name, values in zip(LOSSES, (loss, loss * loss, brier, brier * brier), strict=True):
            _sum(layout.view(counts, name), split(values, LOSS_UNIT, LOSS_LIMBS), factor)


def _count_residuals(
    layout: OutcomeLayout,
    grid: ResidualGrid,
    rows: OutcomeRows,
    factor: FloatArray | None,
    counts: IntArray,
) -> None:
    with np.errstate(over="ignore"):
        residual = rows.score - rows.actual
        distance = rows.actual - grid.centre
    _add(layout.view(counts, "pairs"), np.zeros(residual.size, np.int64), factor)
    _add(layout.view(counts, "tails"), np.searchsorted(grid.tails, np.abs(residual)), factor)
    _add(layout.view(counts, "residuals"), np.searchsorted(grid.edges, residual), factor)
    largest = 2.0**LARGEST
    e = np.clip(residual / grid.scale, -largest, largest)
    y = np.clip(distance / grid.actual_scale, -largest, largest)
    ee, yy = e * e, y * y
    products = (e, np.abs(e), ee, ee * ee, y, yy, yy * y, yy * yy, ee * y, ee * yy)
    moments = layout.view(counts, "moments")
    for cells, powers, values in zip(moments, MOMENTS.values(), products, strict=True):
        _sum(cells, split(values, moment_unit(powers), RESIDUAL_LIMBS), factor)
    if layout.errors is not None and rows.expected is not None:
        _count_expected(layout, np.abs(e), rows.expected.astype(np.float64), factor, counts)


def _count_expected(
    layout: OutcomeLayout,
    size: FloatArray,
    expected: FloatArray,
    factor: FloatArray | None,
    counts: IntArray,
) -> None:
    """Count residuals of which the inputs let expect a size; both in units of the grid's scale."""
    known = np.isfinite(expected)
    if not known.all():
        size, expected = size[known], expected[known]
        factor = None if factor is None else factor[known]
    largest = 2.0**LARGEST
    expected = np.clip(expected, -largest, largest)
    excess = np.clip(size - expected, -largest, largest)
    _add(layout.view(counts, "estimated"), np.zeros(size.size, np.int64), factor)
    sums = layout.view(counts, "expected")
    products = (expected, excess, excess * excess)
    for cells, powers, values in zip(sums, EXPECTED.values(), products, strict=True):
        _sum(cells, split(values, moment_unit(powers), RESIDUAL_LIMBS), factor)


def _positions(edges: FloatArray, score: FloatArray, bins: IntArray) -> FloatArray:
    """Where in its bin each score lies, in whole steps from the lower edge to the upper.

    The two open bins hold all the line beyond, ever more densely. A window in another unit, such
    as per cent, lies in them altogether, and its ranks then rest on these positions alone.
    """
    lower = edges[np.maximum(bins - 1, 0)]
    upper = edges[np.minimum(bins, edges.size - 1)]
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        share = (score - lower) / (upper - lower)
        outside = np.flatnonzero((bins == 0) | (bins == edges.size))
        width = FAR * (edges[-1] - edges[0] or 1.0)
        beyond = 1.0 / (1.0 + width / np.abs(score[outside] - lower[outside]))
    share[outside] = np.where(bins[outside] == 0, 1.0 - beyond, beyond)
    steps: FloatArray = np.rint(np.where(share < 1.0, share, 1.0) * POSITION_STEPS)
    return steps


def _only(
    keep: NDArray[np.bool_], rows: OutcomeRows, factor: FloatArray | None
) -> tuple[OutcomeRows, FloatArray | None]:
    if keep.all():
        return rows, factor
    return rows.select(keep), None if factor is None else factor[keep]


def _add(
    section: IntArray, cell: IntArray, factor: FloatArray | None, values: FloatArray | None = None
) -> None:
    """Add to each cell how many pairs fall into it, or the sum of their (whole) values."""
    if factor is not None:
        values = factor if values is None else values * factor
    added = np.bincount(cell, values, minlength=section.size)
    section += added.astype(np.int64).reshape(section.shape)


def _sum(cells: IntArray, limbs: FloatArray, factor: FloatArray | None) -> None:
    """Add the sum over all pairs of each limb."""
    sums = limbs.sum(axis=1) if factor is None else limbs @ factor
    cells += sums.astype(np.int64)
