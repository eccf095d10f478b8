"""What a window is made of: one flat vector of integer counts over all features.

Counts add, so panes of any size merge by adding their vectors: over partitions, workers, batches
and time, in any order, without rounding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.derivations import Derivation
from driftline.detectors.grid import (
    FloatArray,
    IntArray,
    count_sorted,
    half_gaps,
    shared_values,
    tie_reach,
)
from driftline.detectors.registry import FeatureType

CodeArray = NDArray[np.int32]
Count = TypeVar("Count", bound=np.signedinteger[Any])

MISSING, ABSENT, INVALID = 0, 1, 2  # the cells that follow a feature's slots
EXTRA_CELLS = 3


@dataclass(frozen=True, eq=False)
class Feature:
    """How one feature is counted. Frozen with the reference; never learned from the stream.

    Attributes:
        name: the input's name, `prediction.score` or `prediction.label`.
        type: numeric, categorical or boolean.
        grid: numeric only: ascending distinct reference values, shape (k,); else empty.
        categories: the categories that have a slot of their own, ascending by name; for a boolean
            `("false", "true")`; for a numeric feature empty.
        ks_error: numeric only: the reference's largest share in one open gap, by which the
            Kolmogorov-Smirnov statistic may come out too small; 0 for an exact grid.
        ties: numeric only: places in the grid of values that many events of the reference share;
            what is nearly equal to one of them counts as it, see `grid.tie_reach`.
    """

    name: str
    type: FeatureType
    grid: FloatArray
    categories: tuple[str, ...] = ()
    ks_error: float = 0.0
    ties: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    @cached_property
    def tie_ends(self) -> tuple[FloatArray, FloatArray]:
        """The ends of each tie: smallest and largest value that counts as it, shape (k,) each."""
        if not self.ties.size:
            return self.grid, self.grid
        reach = tie_reach(self.grid, self.ties)
        return self.grid - reach, self.grid + reach

    @property
    def slots(self) -> int:
        """Number of slots: 2k + 1 for k grid values, C + 1 for C categories (last one: unseen)."""
        if self.type == "numeric":
            return 2 * self.grid.size + 1
        return len(self.categories) + 1


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each feature's counts lie in the flat vector.

    The block of feature f is `flat[starts[f]:starts[f + 1]]`: its slots, then three cells for
    missing (null), absent (no key) and invalid (wrong type, not finite).

    Attributes:
        features: numeric ones first, then the rest, each part ascending by name (`Layout.of`).
        left_out: fields of the events that are no features: when they come, they are not new. None
            where that is not known, as of references of 0.1.0: there no field is called new.
        derived: how features are computed that are no fields of the events.

    Example:
        >>> layout = Layout.of([
        ...     Feature("plan", "categorical", np.empty(0), ("free", "paid")),
        ...     Feature("age", "numeric", np.array([20.0, 30.0])),
        ... ])
        >>> [f.name for f in layout.features], layout.starts.tolist(), layout.size
        (['age', 'plan'], [0, 8, 14], 14)
    """

    features: tuple[Feature, ...]
    left_out: tuple[str, ...] | None = None
    derived: tuple[Derivation, ...] = ()

    @classmethod
    def of(
        cls,
        features: Iterable[Feature],
        left_out: tuple[str, ...] | None = None,
        derived: tuple[Derivation, ...] = (),
    ) -> Self:
        """Lay out `features`, given in any order."""
        ordered = tuple(sorted(features, key=lambda f: (f.type != "numeric", f.name)))
        return cls(ordered, left_out, derived)

    @cached_property
    def starts(self) -> IntArray:
        """First flat index of each feature's block and the end of the last, shape (F + 1,)."""
        sizes = [feature.slots + EXTRA_CELLS for feature in self.features]
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])

    @cached_property
    def size(self) -> int:
        """Length of the flat vector."""
        return int(self.starts[-1])

    @cached_property
    def numeric(self) -> int:
        """Number of numeric features; they come first."""
        return sum(feature.type == "numeric" for feature in self.features)

    @cached_property
    def position(self) -> dict[str, int]:
        """Feature's name to its place in `features`."""
        return {feature.name: f for f, feature in enumerate(self.features)}

    @cached_property
    def derivations(self) -> dict[str, Derivation]:
        """Name of a derived feature to how it is computed."""
        return {name: each for each in self.derived for name in each.features}

    def of_types(self, types: Collection[FeatureType]) -> NDArray[np.bool_]:
        """Return which features are of one of the types, shape (F,)."""
        return np.array([feature.type in types for feature in self.features], np.bool_)

    @cached_property
    def half_gaps(self) -> FloatArray:
        """`grid.half_gaps` of the numeric features, shape (2, pairs): gaps, then ties.

        The cells after a feature's slots have 0.
        """
        parts = [
            np.concatenate([half_gaps(feature.grid), np.zeros(EXTRA_CELLS)])
            for feature in self.features[: self.numeric]
        ]
        return np.ascontiguousarray(np.concatenate([np.zeros(0), *parts]).reshape(-1, 2).T)

    def events(self, flat: IntArray, f: int) -> int:
        """Return how many events the f-th feature is counted of, those without a value too."""
        return int(flat[self.starts[f] : self.starts[f + 1]].sum())

    def slots(self, flat: NDArray[Count], f: int) -> NDArray[Count]:
        """Return the slot counts of the f-th feature: a view into `flat`."""
        return flat[self.starts[f] : self.starts[f + 1] - EXTRA_CELLS]


def with_ties(layout: Layout, counts: IntArray) -> Layout:
    """Return a layout in which values are ties that many events of a reference share.

    Args:
        layout: the reference's.
        counts: of the whole model, shape (layout.size,).
    """
    features = [
        replace(feature, ties=np.union1d(feature.ties, shared_values(layout.slots(counts, f))))
        if feature.type == "numeric"
        else feature
        for f, feature in enumerate(layout.features)
    ]
    return replace(layout, features=tuple(features))


def with_ks_error(layout: Layout, counts: IntArray) -> Layout:
    """Return a layout that states how much of the reference lies inside one open gap, at most.

    Args:
        layout: the reference's.
        counts: of the whole model, shape (layout.size,).
    """

    def measured(f: int, feature: Feature) -> Feature:
        slots = layout.slots(counts, f)
        if feature.type != "numeric" or slots.sum() == 0:
            return feature
        return replace(feature, ks_error=float(slots[::2].max() / slots.sum()))

    features = (measured(f, feature) for f, feature in enumerate(layout.features))
    return replace(layout, features=tuple(features))


@dataclass
class Columns:
    """A batch of n events as columns in layout order.

    Attributes:
        numeric: shape (n, numeric features), float64; NaN is missing (null), +inf absent (no key),
            -inf invalid.
        codes: shape (n, other features), int32; for C categories 0..C-1 is the category, C unseen,
            C + 1 missing, C + 2 absent, C + 3 invalid: the offset in the feature's block.
    """

    numeric: FloatArray
    codes: CodeArray

    def take(self, places: IntArray) -> Columns:
        """Return the events at these places; a feature's values stay side by side where they were.

        >>> columns = Columns(np.array([[1.0, 2.0]]).T, np.empty((2, 0), np.int32))
        >>> columns.take(np.array([1])).numeric
        array([[2.]])
        """
        if self.numeric.flags.f_contiguous and self.codes.flags.f_contiguous:
            numeric, codes = self.numeric.T, self.codes.T
            return Columns(np.take(numeric, places, axis=1).T, np.take(codes, places, axis=1).T)
        return Columns(self.numeric[places], self.codes[places])


def count_columns(layout: Layout, columns: Columns) -> IntArray:
    """Count a batch of events: the work per event of the whole monitor.

    Each numeric column is sorted once and the grid searched in it, which is many times faster
    than searching every value in the grid.

    Args:
        layout: what is counted.
        columns: the events, in layout order.

    Returns:
        Flat counts, shape (layout.size,), int64.

    Example:
        >>> layout = Layout.of([Feature("age", "numeric", np.array([20.0, 30.0]))])
        >>> ages = np.array([[19.0], [20.0], [np.nan], [np.inf]])
        >>> count_columns(layout, Columns(ages, np.empty((4, 0), np.int32)))
        array([1, 1, 0, 0, 0, 1, 1, 0])
    """
    starts, numeric = layout.starts, layout.numeric
    flat = np.zeros(layout.size, np.int64)
    sorted_columns = np.sort(columns.numeric.T, axis=1)  # -inf, finite, +inf, NaN
    for f, column in enumerate(sorted_columns):
        begin = np.searchsorted(column, -np.inf, "right")
        end = np.searchsorted(column, np.inf, "left")
        known = np.searchsorted(column, np.inf, "right")
        block = flat[starts[f] : starts[f + 1]]
        block[:-EXTRA_CELLS] = count_sorted(*layout.features[f].tie_ends, column[begin:end])
        block[-EXTRA_CELLS:] = column.size - known, known - end, begin
    for f, codes in enumerate(columns.codes.T, numeric):
        begin, end = starts[f], starts[f + 1]
        flat[begin:end] = np.bincount(codes, minlength=end - begin)
    return flat
