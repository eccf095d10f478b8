"""One stream's reference, prepared for comparing: bins, distribution functions, quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.count_rows import HeldCounts
from driftline.detectors.counts import ABSENT, EXTRA_CELLS, INVALID, MISSING, Feature, Layout
from driftline.detectors.features.cells import Cells
from driftline.detectors.features.distance import cumulate
from driftline.detectors.features.psi import psi_terms
from driftline.detectors.grid import DECILES, FloatArray, IntArray
from driftline.detectors.reference import OTHER
from driftline.detectors.registry import DETECTORS, RATES

_DECIMALS = 10
_FEW = 10  # values of a feature of few values, at most
_REPEATED = 5  # events of each of them, at least


@dataclass(frozen=True)
class Bins:
    """The bins of one feature that hold an event of the reference or the window, for display.

    Attributes:
        upper: numeric: bin i holds values above upper[i - 1] up to upper[i], the last everything
            above; one entry fewer than bins. Else None.
        categories: not numeric: names, unseen ones last as `__other__`. Else None.
        reference: events per bin.
        window: events per bin.
    """

    upper: FloatArray | None
    categories: tuple[str, ...] | None
    reference: IntArray
    window: IntArray

    @cached_property
    def contribution(self) -> FloatArray:
        """Each bin's share of the uncorrected PSI, 0 to 1."""
        owner = np.zeros(self.reference.size, np.intp)
        terms = psi_terms(Cells(owner, self.reference, self.window, 1))
        whole = terms.sum()
        return terms / whole if whole > 0 else np.zeros_like(terms)


class Baseline:
    """What all windows of one stream are compared with; built once.

    Args:
        layout: where the counts lie.
        counts: the reference's flat counts of this stream, shape (layout.size,); held as they are.

    Attributes:
        held: the counts as they are held, maybe in 32 bits; `counts` has them in 64.
        events: events of the reference in this stream.
        feature_events: those that each feature is counted of, shape (F,): all, or half of them
            where values are listed by the other half.
        cells: flat index of the first cell of each bin, shape (bins,). Each feature has its bins,
            then one for each of missing, absent and invalid.
        first: number of each feature's first bin, and the end of the last, shape (F + 1,).
        binned: reference events per bin, shape (bins,).
        valued: which bins hold values, shape (bins,); the others are missing, absent, invalid.
        owner: feature of each bin that holds values, shape (sum of valued,).
        unseen: which of the bins that hold values are those of unseen categories, same shape.
        cdf: the reference's distribution functions, from `features.distance.cumulate`.
        few: numeric features of few values, shape (F,), see `few_values`.

    Example:
        >>> layout = Layout.of([Feature("age", "numeric", np.arange(20.0, 40.0))])
        >>> baseline = Baseline(layout, np.array([0, 5] * 20 + [0] * 4))
        >>> baseline.bins(0).upper
        array([21., 23., 25., 27., 29., 31., 33., 35., 37.])
        >>> baseline.quantile(0, 0.5)
        29.0
    """

    def __init__(self, layout: Layout, counts: HeldCounts) -> None:
        self.layout = layout
        self.held = counts
        counts = self.counts
        self.feature_events = np.add.reduceat(counts, layout.starts[:-1])
        self.events = int(self.feature_events.max())
        own = [
            _own_bins(layout.slots(counts, f)) if feature.type == "numeric" else None
            for f, feature in enumerate(layout.features)
        ]
        self.few = np.array([values is not None for values in own], np.bool_)
        blocks = [
            np.concatenate([_bin_starts(feature, layout.slots(counts, f), values), _extra(feature)])
            for f, (feature, values) in enumerate(zip(layout.features, own, strict=True))
        ]
        self.first = np.concatenate([[0], np.cumsum([block.size for block in blocks])])
        self.cells = np.concatenate(blocks) + np.repeat(layout.starts[:-1], np.diff(self.first))
        self.binned = self.bin_counts(counts)
        sizes = np.diff(self.first)
        self.owner = np.repeat(np.arange(sizes.size), sizes - EXTRA_CELLS)
        self.valued = np.ones(self.cells.size, np.bool_)
        for cell in range(1, EXTRA_CELLS + 1):
            self.valued[self.first[1:] - cell] = False
        values_end = np.cumsum(sizes - EXTRA_CELLS)
        self.unseen = np.zeros(self.owner.size, np.bool_)
        self.unseen[values_end[layout.numeric :] - 1] = True
        self.cdf = cumulate(layout, counts)

    @property
    def counts(self) -> IntArray:
        """Flat counts of this stream, shape (layout.size,)."""
        return self.held.astype(np.int64, copy=False)

    def slots(self, f: int) -> IntArray:
        """Return the slot counts of the f-th feature."""
        return self.layout.slots(self.held, f).astype(np.int64, copy=False)

    def with_counts(self, counts: IntArray, cdf: FloatArray) -> Self:
        """Return a baseline of other counts in the same bins.

        Args:
            counts: flat counts.
            cdf: their distribution functions.
        """
        other = copy(self)
        other.held, other.cdf = counts, cdf
        other.feature_events = np.add.reduceat(counts, self.layout.starts[:-1])
        other.events = int(other.feature_events.max())
        other.binned = self.bin_counts(counts)
        for name in ("normally_bad", "once"):
            other.__dict__.pop(name, None)
        return other

    def bin_counts(self, flat: IntArray) -> IntArray:
        """Add up a window's flat counts per bin, shape (bins,)."""
        return np.add.reduceat(flat, self.cells)

    def count_kinds(self, flat: IntArray, binned: IntArray) -> dict[str, IntArray]:
        """Count events of each kind per feature: the integer fields of `Comparison`.

        Args:
            flat: flat counts.
            binned: the same counts per bin.
        """
        begin, end = self.layout.starts[:-1], self.layout.starts[1:]
        extra = {
            name: binned[self.first[1:] - EXTRA_CELLS + cell]
            for name, cell in (("missing", MISSING), ("absent", ABSENT), ("invalid", INVALID))
        }
        valid = np.add.reduceat(np.where(self.valued, binned, 0), self.first[:-1])
        numeric = np.arange(begin.size) < self.layout.numeric
        lowest, last = flat[begin], flat[end - EXTRA_CELLS - 1]
        ranged = end - begin > 1 + EXTRA_CELLS  # without a grid there is no range to be out of
        return {
            "events": valid + sum(extra.values()),
            "valid": valid,
            **extra,
            "unseen": np.where(numeric, 0, last),
            "out_of_range": np.where(numeric & ranged, lowest + last, 0),
        }

    def bad_events(self, kinds: Mapping[str, IntArray]) -> dict[str, FloatArray]:
        """Return by rate the events that count as bad, NaN for features it does not apply to."""
        return {
            name: np.where(
                self.layout.of_types(DETECTORS[name].types),
                sum(kinds[kind] for kind in rate.bad),
                np.nan,
            )
            for name, rate in RATES.items()
        }

    @cached_property
    def once(self) -> FloatArray:
        """Categories that came once in the reference, shape (F,); 0 where it does not list all.

        As many of its events are unseen to all its others (Good, "The population frequencies of
        species and the estimation of population parameters", 1953), so as many are to be expected
        of other events, though the reference itself has none that it does not list.
        """
        counts, features = self.binned[self.valued], len(self.layout.features)
        unlisted = np.bincount(self.owner, np.where(self.unseen, counts, 0), features)
        found = np.bincount(self.owner, (counts == 1) & ~self.unseen, features)
        return np.where(unlisted > 0, 0.0, found)

    @cached_property
    def normally_bad(self) -> dict[str, FloatArray]:
        """By rate the events of the reference that count as bad."""
        return self.bad_events(self.count_kinds(self.counts, self.binned))

    def bins(self, f: int, window: IntArray | None = None) -> Bins:
        """Return the f-th feature's bins with the counts of `window` (flat; None: no events)."""
        feature, start = self.layout.features[f], int(self.layout.starts[f])
        own = slice(int(self.first[f]), int(self.first[f + 1]) - EXTRA_CELLS)
        reference, begins = self.binned[own], self.cells[own] - start
        counted = np.zeros_like(reference)
        if window is not None:
            counted = np.add.reduceat(self.layout.slots(window, f), begins)
        shown = np.flatnonzero(reference + counted)
        kept = reference[shown], counted[shown]
        if feature.type != "numeric":
            names = (*feature.categories, OTHER)
            return Bins(None, tuple(names[i] for i in shown), *kept)
        # A bin ends where the next one that is shown begins: with a value, or just below one. What
        # ends just below one ends with its last value, where no event lies between the two.
        ends = begins[shown[1:]] - 1
        if (ends % 2 == 0).any():
            slots = self.occupied(f, window)
            last = slots[np.searchsorted(slots, ends, "right") - 1]
            ends = np.where(ends % 2 == 0, np.where(last % 2 == 1, last, ends), ends)
        values = feature.grid[ends // 2]
        return Bins(np.where(ends % 2 == 1, values, np.nextafter(values, -np.inf)), None, *kept)

    def occupied(self, f: int, window: IntArray | None = None) -> IntArray:
        """Return the slots of the f-th feature that hold an event of the reference or `window`."""
        slots = self.slots(f)
        if window is not None:
            slots = slots + self.layout.slots(window, f)
        return np.flatnonzero(slots)

    def only_values(self, f: int, window: IntArray) -> FloatArray:
        """Return for each of `bins(f, window)` of a numeric feature the one value of its events.

        NaN where they have several, or one that the reference does not have.

        Example:
            >>> layout = Layout.of([Feature("flag", "numeric", np.array([0.0, 1.0]))])
            >>> counts = np.array([0, 3, 0, 97, 0, 0, 0, 0])
            >>> Baseline(layout, counts).only_values(0, counts)
            array([0., 1.])
        """
        first = int(self.first[f])
        begins = self.cells[first : int(self.first[f + 1]) - EXTRA_CELLS]
        slots = self.occupied(f, window)
        owner = np.searchsorted(begins - self.layout.starts[f], slots, "right") - 1
        _, where, many = np.unique(owner, return_index=True, return_counts=True)
        only = slots[where]
        alone = (many == 1) & (only % 2 == 1)
        grid = self.layout.features[f].grid
        return np.where(alone, grid[np.where(alone, only // 2, 0)], np.nan)

    def quantile(self, f: int, share: float, window: IntArray | None = None) -> float:
        """Return a quantile of a numeric feature to the reference's grid.

        The smallest value below or at which `share` of the events lie. Where that is inside an
        open gap it is the gap's middle, cut to as many decimals as the gap's ends have; beyond the
        reference's extremes it is the extreme. NaN without events.

        Args:
            f: number of the feature.
            share: 0 to 1, such as 0.5 for the median.
            window: flat counts; None for the reference itself.
        """
        grid = self.layout.features[f].grid
        slots = self.slots(f) if window is None else self.layout.slots(window, f)
        cumulative = np.cumsum(slots)
        if cumulative[-1] == 0 or grid.size == 0:
            return float("nan")
        slot = int(np.searchsorted(cumulative, max(share * int(cumulative[-1]), 1.0)))
        low, high = grid[max((slot - 1) // 2, 0)], grid[min(slot // 2, grid.size - 1)]
        return float(low) if low == high else _middle(float(low), float(high))


def few_values(layout: Layout, counts: IntArray) -> NDArray[np.bool_]:
    """Return which numeric features have few values in some stream, shape (F,).

    At most ten values, each of 1 % of the stream's events and of five events or more, hold nine
    tenths of them: a flag does, a constant, a number that is nearly always zero. Eight measurements
    that were each made once do not: no other event has their values. Such a number is tested as
    categories are, too: where most events are tied, the largest distance of two distribution
    functions hardly shows that a rare value comes four times as often.

    Args:
        layout: where the counts lie.
        counts: the streams' flat counts, shape (streams, layout.size).

    Example:
        >>> layout = Layout.of([Feature("flag", "numeric", np.array([0.0, 1.0]))])
        >>> few_values(layout, np.array([[0, 3, 0, 97, 0, 0, 0, 0]]))
        array([ True])
    """
    few = np.zeros(len(layout.features), np.bool_)
    for f in range(layout.numeric):
        few[f] = any(_own_bins(layout.slots(flat, f)) is not None for flat in counts)
    return few


def _middle(low: float, high: float) -> float:
    middle = low + (high - low) / 2.0
    for decimals in range(_DECIMALS):
        if round(low, decimals) == low and round(high, decimals) == high:
            scale = 10.0**decimals
            return max(low, float(np.floor(middle * scale) / scale))
    return middle


def _extra(feature: Feature) -> IntArray:
    return np.arange(feature.slots, feature.slots + EXTRA_CELLS, dtype=np.int64)


def _own_bins(slots: IntArray) -> IntArray | None:
    """Places in the grid of the values that have a bin each; None for a feature of many values."""
    total = max(int(slots.sum()), 1)
    values = np.flatnonzero((100 * slots[1::2] >= total) & (slots[1::2] >= _REPEATED))
    few = values.size <= _FEW and 10 * int(slots[2 * values + 1].sum()) >= 9 * total
    return values if few else None


def _bin_starts(feature: Feature, slots: IntArray, few: IntArray | None) -> IntArray:
    """First slot of each bin: ten quantile bins, or one bin a category and one for unseen.

    A feature of few values has one bin for each of them and for each stretch between them.

    The upper end of quantile bin i is the smallest grid value with a distribution function of at
    least i / 10; an end that comes twice is dropped. Where a value holds more than a tenth of the
    reference, and nothing lies between the previous end and it, that empty stretch is a bin too:
    else a constant that falls would stay in its bin.
    """
    if feature.type != "numeric":
        return np.arange(feature.slots, dtype=np.int64)
    cumulative = np.cumsum(slots)
    total = int(cumulative[-1])
    if total == 0 or feature.grid.size == 0:
        return np.zeros(1, np.int64)
    if few is not None:
        return np.unique(np.concatenate([[0], 2 * few + 1, 2 * few + 2]))
    at_value = cumulative[1::2]
    ends = np.searchsorted(DECILES * at_value, np.arange(1, DECILES) * total)
    ends = np.unique(np.minimum(ends, feature.grid.size - 1))
    after = 2 * ends + 2
    below = 2 * ends + 1
    previous = np.concatenate([[0], at_value[ends[:-1]]])
    empty = cumulative[below - 1] == previous
    heavy = DECILES * slots[below] > total
    return np.unique(np.concatenate([[0], after, below[empty & heavy]]))
