"""The bins in which the panes of one stream are tested: of all features, one after another.

A number has its bins at the order statistics `SHARES` of the reference, finer towards the tails; a
value that 1 % of the events share has a bin of its own. Categories have one each, and those that
are not listed share one. Events without a usable value are in none: the rates watch them.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import EXTRA_CELLS, Columns, Feature, Layout
from driftline.detectors.grid import FloatArray, IntArray, shared_values

SHARES = (0.002, 0.01, 0.05, *np.arange(1, 10) / 10, 0.95, 0.99, 0.998)
_HALF = 0.5  # of an event: what a bin is given that is no stretch between order statistics
_FEW = 64  # bins


class PaneBins:
    """The bins of one stream.

    Args:
        layout: where counts lie.
        counts: the reference's flat counts of the stream, shape (layout.size,).
        features: places in the layout of those that have bins, ascending; None: all. F of them.

    Attributes:
        places: of the features in the layout, shape (F,); `ordered`: which are numbers.
        cells: flat index of the first cell of each bin, ascending, shape (M,).
        first: number of each feature's first bin, and the end of the last, shape (F + 1,).
        owner: feature of each bin, shape (M,).
        none: events without a usable value, shape (F,); none_share: their share.
        normal: what the reference knows of each bin, as if events, shape (M,): positive. Of a
            number without ties these are the gaps between order statistics, m + 1 in all, which
            makes the law of a quiet pane exact (Wilks 1962, section 8.7: gaps are Dirichlet); else
            the events and half of one.

    Example:
        >>> layout = Layout.of([Feature("age", "numeric", np.arange(1.0, 201.0))])
        >>> bins = PaneBins(layout, np.array([0, 3] * 200 + [0] * 4))
        >>> int(bins.normal.sum()), int(bins.count(np.array([0, 1] * 200 + [0] * 4)).sum())
        (601, 200)
    """

    def __init__(self, layout: Layout, counts: IntArray, features: IntArray | None = None) -> None:
        self.places = np.arange(len(layout.features)) if features is None else features
        self.ordered: NDArray[np.bool_] = self.places < layout.numeric
        starts, normal = [], []
        for f in self.places.tolist():
            feature = layout.features[f]
            own, known = _own(feature, layout.slots(counts, f))
            starts.append(np.append(own, feature.slots) + layout.starts[f])
            normal.append(known)
        sizes = [each.size for each in normal]
        self._cells: IntArray = np.concatenate([np.zeros(0, np.int64), *starts])
        ends = np.cumsum([each.size for each in starts], dtype=np.int64) - 1
        self._valued = np.delete(np.arange(self._cells.size), ends)
        self.cells: IntArray = self._cells[self._valued]
        self.first: IntArray = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self.owner: IntArray = np.repeat(np.arange(len(sizes)), sizes)
        self.normal: FloatArray = np.concatenate([np.zeros(0), *normal])
        # A block of flat counts ends with the cells of events without a value.
        self._ends: IntArray = layout.starts[self.places + 1]
        self.none: FloatArray = self.count_none(counts).astype(np.float64)
        valued = self.total(self.count(counts).astype(np.float64))
        self.none_share: FloatArray = self.none / np.maximum(self.none + valued, 1)

    @property
    def features(self) -> int:
        """How many there are, F."""
        return self.first.size - 1

    @cached_property
    def shares(self) -> FloatArray:
        """Each bin's share of its feature in the reference, shape (M,)."""
        return self.normal / self.total(self.normal)[self.owner]

    def count(self, flat: IntArray) -> IntArray:
        """Add up flat counts per bin, shape (..., M), along their last axis."""
        # What lies between the last value of a feature and the first of the next is in no bin.
        counted: IntArray = np.add.reduceat(flat, self._cells, axis=-1)[..., self._valued]
        return counted

    def count_none(self, flat: IntArray) -> IntArray:
        """Add up the events without a usable value, shape (..., F), along the last axis."""
        cells = self._ends[:, None] - np.arange(1, EXTRA_CELLS + 1)
        counted: IntArray = flat[..., cells].sum(axis=-1)
        return counted

    def of_events(self, layout: Layout, columns: Columns) -> IntArray:
        """Return the bin of each event's value of each feature, shape (n, F); -1 for no value.

        Args:
            layout: where counts lie.
            columns: n events.
        """
        # A feature's bins lie side by side, for what counts them one feature after the other.
        found = np.full((self.features, columns.numeric.shape[0]), -1, np.int64).T
        for i, f in enumerate(self.places.tolist()):
            first, last = int(self.first[i]), int(self.first[i + 1])
            slots = self.cells[first:last] - layout.starts[f]
            if f >= layout.numeric:
                codes = columns.codes[:, f - layout.numeric]
                there = codes < layout.features[f].slots
                found[there, i] = first + codes[there]
                continue
            values = columns.numeric[:, f]
            lower, upper = layout.features[f].tie_ends
            at = slots[1:]
            tie = np.minimum(at // 2, lower.size - 1)
            begins = np.where(at % 2 == 1, lower[tie], np.nextafter(upper[at // 2 - 1], np.inf))
            found[:, i] = np.where(np.isfinite(values), first + _reached(begins, values), -1)
        return found

    def total(self, per_bin: FloatArray) -> FloatArray:
        """Sum over each feature's bins, along the last axis, shape (..., F)."""
        added: FloatArray = np.add.reduceat(per_bin, self.first[:-1], axis=-1)
        return added


def _reached(begins: FloatArray, values: FloatArray) -> IntArray:
    """Return how many of a few ascending numbers each value reaches, shape (n,)."""
    if begins.size > _FEW:
        return np.searchsorted(begins, values, "right")
    # One comparison of all values after the other takes a third of the time of searches.
    reached, number = np.zeros(values.size, np.uint8), np.empty(values.size, bool)
    for begin in begins:
        reached += np.greater_equal(values, begin, out=number).view(np.uint8)
    return reached.astype(np.int64)


def _own(feature: Feature, slots: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the first slot of each bin of values, and what the reference knows of it."""
    if feature.type != "numeric":
        known = slots.astype(np.float64) + _HALF
        # Where all are listed, some others come all the same, see `Baseline.once`.
        if slots[-1] == 0:
            known[-1] += np.count_nonzero(slots == 1)
        return np.arange(feature.slots, dtype=np.int64), known
    total = int(slots.sum())
    if total == 0 or feature.grid.size == 0:
        return np.zeros(1, np.int64), np.array([total + _HALF])
    at_value = np.cumsum(slots)[1::2]
    ranks = np.maximum(np.rint(np.array(SHARES) * total), np.arange(1, len(SHARES) + 1))
    ends = np.searchsorted(at_value, np.minimum(ranks, total))
    tied = shared_values(slots)
    own = [np.zeros(1, np.int64), 2 * ends + 2, 2 * tied + 1, 2 * tied + 2]
    starts = np.unique(np.concatenate(own))
    # Nothing of the reference lies above its largest value, or is told apart there.
    starts = starts[starts < feature.slots - (0 if tied.size else 1)]
    events = np.add.reduceat(slots, starts).astype(np.float64)
    if tied.size or (events == 0).any():
        return starts, events + _HALF
    events[-1] += 1.0
    return starts, events
