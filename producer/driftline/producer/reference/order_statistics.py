"""Order statistics of a column by scans, without holding the column.

A sample of the values gives some thousand splitters. Counts against them tell in which gap each
wanted rank lies; the values inside those gaps alone, a small part of the column, are then kept and
give the order statistics. Where even these are too many, a sample of them gives splitters that cut
those gaps again. All of it is sums and unions, so the order and the parts do not matter.
(Munro and Paterson, "Selection and sorting with limited storage", 1980, select so in passes.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import FloatArray, IntArray, count_slots, grid_ranks

SPLITTERS = 16_384
_FROM_PART = 4_096  # values of a sample, of each part of the column
Bools = NDArray[np.bool_]


@dataclass(eq=False)
class RankSearch:
    """Searches the values at some ranks of a column, in two scans or more.

    Args:
        splitters: ascending distinct values, at least one.
        ranks: gives the wanted ranks, from 0, of how many values there are.
        most: values that are kept at most; None: however many there are.

    >>> values = np.random.default_rng(7).normal(size=5_000)
    >>> search = grid_search(values[:100], 64)
    >>> for part in (values[:2_000], values[2_000:]):
    ...     search.count(part)
    >>> for part in (values[2_000:], values[:2_000]):
    ...     search.keep(part)
    >>> from driftline.detectors.grid import choose_grid
    >>> bool((np.unique(search.values()) == choose_grid(np.sort(values), 64)).all())
    True
    """

    splitters: FloatArray
    ranks: Callable[[int], IntArray]
    most: int | None = None
    _slots: IntArray = field(init=False)
    _kept: list[FloatArray] = field(init=False, default_factory=list)
    _bounds: tuple[FloatArray, FloatArray] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Begin with no values."""
        self._slots = np.zeros(2 * self.splitters.size + 1, np.int64)

    @property
    def size(self) -> int:
        """How many values were counted."""
        return int(self._slots.sum())

    def count(self, values: FloatArray) -> None:
        """First scan: take in finite values."""
        self._slots += count_slots(self.splitters, values)
        self._bounds = None

    @property
    def needs_values(self) -> bool:
        """Whether the second scan is needed."""
        return bool(self._wanted().any())

    @property
    def has_room(self) -> bool:
        """Whether the values that the second scan would keep are few enough."""
        if self.most is None:
            return True
        return int(self._slots[::2][self._wanted()].sum()) <= self.most

    def sampled(self, values: FloatArray) -> FloatArray:
        """Return some of what the second scan would keep of a part of the column."""
        inside = self._inside(values)
        places = np.linspace(0, inside.size - 1, min(_FROM_PART, inside.size))
        return inside[places.astype(np.int64)]

    def refined(self, sample: Sequence[FloatArray]) -> Self:
        """Return a search with more splitters, those of a sample; it counts anew."""
        both = np.concatenate([self._needed(), thinned(np.concatenate(sample), SPLITTERS)])
        return type(self)(np.unique(both) + 0.0, self.ranks, self.most)

    def keep(self, values: FloatArray) -> None:
        """Second scan: take in the same values."""
        self._kept.append(self._inside(values))

    def merge_counts(self, other: Self) -> None:
        """Take in what another has counted."""
        self._slots += other._slots
        self._bounds = None

    def merge_values(self, other: Self) -> None:
        """Take in what another has kept."""
        self._kept += other._kept

    def values(self) -> FloatArray:
        """Return the values at the ranks, in their order."""
        ranks, slot = self._ranks()
        found = self.splitters[np.minimum(slot // 2, self.splitters.size - 1)]
        open_gap = slot % 2 == 0
        if open_gap.any():
            kept = np.sort(np.concatenate(self._kept)) + 0.0
            gap = np.searchsorted(self.splitters, kept)
            first = np.searchsorted(gap, slot[open_gap] // 2)
            before = (np.cumsum(self._slots) - self._slots)[slot[open_gap]]
            found[open_gap] = kept[first + ranks[open_gap] - before]
        return found

    def _inside(self, values: FloatArray) -> FloatArray:
        """Return the values in the gaps of wanted ranks, ascending."""
        if self._bounds is None:
            gaps = np.flatnonzero(self._wanted())
            edges = np.concatenate([[-np.inf], self.splitters, [np.inf]])
            self._bounds = edges[gaps], edges[gaps + 1]
        column = np.sort(values)  # searching a few bounds in it is faster than searching each value
        begins = np.searchsorted(column, self._bounds[0], "right")
        ends = np.searchsorted(column, self._bounds[1], "left")
        steps = np.zeros(column.size + 1, np.int64)
        np.add.at(steps, begins, 1)
        np.add.at(steps, ends, -1)
        found: FloatArray = column[np.cumsum(steps[:-1]) > 0]
        return found

    def _needed(self) -> FloatArray:
        """Return the splitters at which gaps of wanted ranks end, or with wanted ranks."""
        wanted = self._wanted()
        ends = wanted[:-1] | wanted[1:]
        slot = self._ranks()[1]
        ends[slot[slot % 2 == 1] // 2] = True
        return self.splitters[ends]

    def _ranks(self) -> tuple[IntArray, IntArray]:
        """Return the wanted ranks, and in which slot of the splitters each is."""
        end = np.cumsum(self._slots)
        ranks = self.ranks(int(end[-1]))
        return ranks, np.searchsorted(end, ranks, "right")

    def _wanted(self) -> Bools:
        gaps = np.zeros(self.splitters.size + 1, bool)
        slot = self._ranks()[1]
        gaps[slot[slot % 2 == 0] // 2] = True
        return gaps


def grid_search(sample: FloatArray, limit: int, most: int | None = None) -> RankSearch:
    """Return a search for the values that `choose_grid` takes of a column.

    Args:
        sample: some of the column's values, at least one.
        limit: most grid values.
        most: see `RankSearch`.
    """
    splitters = thinned(sample, max(SPLITTERS, 16 * limit)) + 0.0
    return RankSearch(splitters, partial(grid_ranks, limit=limit), most)


def thinned(values: FloatArray | Sequence[float], most: int) -> FloatArray:
    """Return at most `most` different values, at even steps of rank."""
    ordered = np.sort(values)
    places = np.linspace(0, ordered.size - 1, min(most, ordered.size))
    return np.unique(ordered[places.astype(np.int64)])
