"""What is counted of features together: each pair in nine cells, and extremes that come at once.

A value is low, middle or high by the terciles of the reference. Of every pair of features the
events with both values are counted in 3 x 3 cells. The radius is how many features of an event lie
in the outer 5 % of either end. All of it is counts: they add over panes and partitions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import EXTRA_CELLS, Columns, Feature, Layout
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.joint import MOST_FEATURES, SIDES

CUTS = (0.05, 1 / 3, 2 / 3, 0.95)
"""Shares of the reference's events that are not above each cut."""
CELLS = len(SIDES) ** 2
_LEAST = 0.05  # of the events that must be in a second third of a feature
# Sums of ones in 32-bit floats are exact up to 2**24: a part of the rows stays far below.
_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class JointLayout:
    """Which features are counted together, and what is low, high and extreme of each.

    Attributes:
        names: of the features, all numbers, ascending.
        places: of `CUTS` in the grid of each, shape (J, 4): values up to that one are not above
            the cut; -1: all values are.

    Example:
        >>> layout = Layout.of(Feature(name, "numeric", np.arange(1.0, 4.0)) for name in "ab")
        >>> joint = JointLayout(("a", "b"), np.array([[-1, 0, 1, 2]] * 2))
        >>> values = np.array([[1.0, 1.0], [3.0, 1.0], [3.0, np.nan]])
        >>> counted = joint.count(layout, Columns(values, np.empty((3, 0), np.int32)))
        >>> joint.tables(counted)[0].tolist()
        [[1, 0, 0], [0, 0, 0], [1, 0, 0]]
    """

    names: tuple[str, ...]
    places: IntArray

    @classmethod
    def of(
        cls, layout: Layout, counts: IntArray, names: Iterable[str], most: int = MOST_FEATURES
    ) -> JointLayout:
        """Cut features at the reference's terciles, or at the values nearest to them.

        Args:
            layout: of the reference.
            counts: of the whole model, shape (layout.size,).
            names: of numbers, the most important first; those that nearly always are in one third
                are left out.
            most: features.
        """
        found: dict[str, IntArray] = {}
        for name in names:
            slots = layout.slots(counts, layout.position[name])
            upto = np.concatenate([[0], np.cumsum(slots)[1::2]]) / max(int(slots.sum()), 1)
            places = np.abs(upto[:, None] - np.array(CUTS)).argmin(axis=0)
            thirds = np.diff(upto[places[1:3]], prepend=0.0, append=1.0)
            if np.sort(thirds)[-2] >= _LEAST and len(found) < most:
                found[name] = places - 1
        chosen = sorted(found)
        places = np.array([found[name] for name in chosen], np.int64).reshape(-1, len(CUTS))
        return cls(tuple(chosen), places)

    @cached_property
    def pairs(self) -> IntArray:
        """The places in `names` of the two features of each pair, shape (P, 2), in order."""
        first, second = np.triu_indices(len(self.names), 1)
        return np.stack([first, second], axis=1).astype(np.int64)

    @cached_property
    def table(self) -> Layout:
        """Where the counts lie: the radius is a number in it, then each pair has nine categories.

        The last category stands for none that is listed, so that there is no tenth. Events that
        lack one of the two values have no value.
        """
        radius = Feature("radius", "numeric", np.arange(len(self.names) + 1.0))
        cells = tuple(f"{a} {b}" for a in SIDES for b in SIDES)[:-1]
        pairs = (f"{a},{b}" for a, b in self.pairs.tolist())
        none = np.empty(0)
        return Layout((radius, *(Feature(pair, "categorical", none, cells) for pair in pairs)))

    @property
    def size(self) -> int:
        """Length of the flat counts."""
        return self.table.size

    def tables(self, flat: IntArray) -> IntArray:
        """Return the counts of each pair by the thirds of its features, shape (..., P, 3, 3)."""
        return self._blocks(flat)[..., :CELLS].reshape(*flat.shape[:-1], -1, 3, 3)

    def cuts(self, layout: Layout) -> FloatArray:
        """Return the largest value that is not above each cut, shape (J, 4); -inf for none."""
        found = np.full(self.places.shape, -np.inf)
        for j, name in enumerate(self.names):
            ends = layout.features[layout.position[name]].tie_ends[1]
            there = self.places[j] >= 0
            found[j, there] = ends[self.places[j, there]]
        return found

    def count(self, layout: Layout, columns: Columns) -> IntArray:
        """Count events.

        Args:
            layout: of the columns.
            columns: n events.

        Returns:
            Flat counts, shape (size,), the same for every split of the events.
        """
        flat = np.zeros(self.size, np.int64)
        events = columns.numeric.shape[0]
        columns_of = [layout.position[name] for name in self.names]
        cuts, many = self.cuts(layout).T, len(self.names)
        for first in range(0, events, _AT_ONCE):
            values = columns.numeric[first : first + _AT_ONCE, columns_of]
            there = np.isfinite(values)
            above: list[NDArray[np.bool_]] = [values > cut for cut in cuts]
            thirds = np.stack([~above[1], above[1] & ~above[2], above[2]], axis=2)
            thirds &= there[:, :, None]
            marks = thirds.reshape(len(values), -1).astype(np.float32)
            # Sums of ones, so the same in any order: see `_AT_ONCE`.
            both = (marks.T @ marks).astype(np.int64).reshape(many, 3, many, 3)
            cells = both.swapaxes(1, 2)[self.pairs[:, 0], self.pairs[:, 1]].reshape(-1, CELLS)
            blocks = self._blocks(flat)
            blocks[:, :CELLS] += cells
            blocks[:, CELLS] += len(values) - cells.sum(axis=1)
            usable = there.any(axis=1)
            outer = ((~above[0] | above[3]) & there).sum(axis=1)[usable]
            flat[1 : 2 * many + 3 : 2] += np.bincount(outer, minlength=many + 1)
            flat[2 * many + 3] += len(values) - outer.size
        return flat

    def _blocks(self, flat: IntArray) -> IntArray:
        """Return the counts of each pair, a view, shape (..., P, 12)."""
        own = flat[..., int(self.table.starts[1]) :]
        return own.reshape(*flat.shape[:-1], -1, CELLS + EXTRA_CELLS)

    def to_json(self) -> dict[str, Any]:
        """Return it as a reference's file has it."""
        return {"features": list(self.names), "cuts": self.places.tolist()}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> JointLayout:
        """Read what `to_json` wrote."""
        places = np.array(document["cuts"], np.int64).reshape(-1, len(CUTS))
        return cls(tuple(document["features"]), places)
