"""The grid of a numeric feature by scans: exact order statistics without holding the column.

A sample of the values gives some thousand splitters. Counts against them tell in which gap each
wanted rank lies; the values inside those gaps alone, a small part of the column, are then kept and
give the order statistics. All of it is sums and unions, so the order and the parts do not matter.
(Munro and Paterson, "Selection and sorting with limited storage", 1980, select so in passes.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import FloatArray, count_slots, grid_ranks

_SPLITTERS = 16_384


class GridSearch:
    """Searches the values that `choose_grid` takes of a column, in two scans.

    Args:
        sample: some of the column's values, at least one.
        limit: most grid values.

    >>> values = np.random.default_rng(7).normal(size=5_000)
    >>> search = GridSearch(values[:100], 64)
    >>> for part in (values[:2_000], values[2_000:]):
    ...     search.count(part)
    >>> for part in (values[2_000:], values[:2_000]):
    ...     search.keep(part)
    >>> from driftline.detectors.grid import choose_grid
    >>> bool((search.grid() == choose_grid(np.sort(values), 64)).all())
    True
    """

    def __init__(self, sample: FloatArray, limit: int) -> None:
        self._splitters = thinned(sample, max(_SPLITTERS, 16 * limit)) + 0.0
        self._limit = limit
        self._slots = np.zeros(2 * self._splitters.size + 1, np.int64)
        self._bounds: tuple[FloatArray, FloatArray] | None = None  # of the gaps to look into
        self._kept: list[FloatArray] = []

    def count(self, values: FloatArray) -> None:
        """First scan: take in finite values."""
        self._slots += count_slots(self._splitters, values)

    @property
    def needs_values(self) -> bool:
        """Whether the second scan is needed."""
        return bool(self._wanted().any())

    def keep(self, values: FloatArray) -> None:
        """Second scan: take in the same values."""
        if self._bounds is None:
            gaps = np.flatnonzero(self._wanted())
            edges = np.concatenate([[-np.inf], self._splitters, [np.inf]])
            self._bounds = edges[gaps], edges[gaps + 1]
        column = np.sort(values)  # searching a few bounds in it is faster than searching each value
        begins = np.searchsorted(column, self._bounds[0], "right")
        ends = np.searchsorted(column, self._bounds[1], "left")
        steps = np.zeros(column.size + 1, np.int64)
        np.add.at(steps, begins, 1)
        np.add.at(steps, ends, -1)
        self._kept.append(column[np.cumsum(steps[:-1]) > 0])

    def grid(self) -> FloatArray:
        """Return the grid: ascending distinct values."""
        ranks, slot = self._ranks()
        found = self._splitters[np.minimum(slot // 2, self._splitters.size - 1)]
        open_gap = slot % 2 == 0
        if open_gap.any():
            kept = np.sort(np.concatenate(self._kept)) + 0.0
            gap = np.searchsorted(self._splitters, kept)
            first = np.searchsorted(gap, slot[open_gap] // 2)
            before = (np.cumsum(self._slots) - self._slots)[slot[open_gap]]
            found[open_gap] = kept[first + ranks[open_gap] - before]
        return np.unique(found)

    def _ranks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the wanted ranks, and in which slot of the splitters each is."""
        end = np.cumsum(self._slots)
        ranks = grid_ranks(int(end[-1]), self._limit)
        return ranks, np.searchsorted(end, ranks, "right")

    def _wanted(self) -> NDArray[np.bool_]:
        gaps = np.zeros(self._splitters.size + 1, bool)
        slot = self._ranks()[1]
        gaps[slot[slot % 2 == 0] // 2] = True
        return gaps


def thinned(values: FloatArray | Sequence[float], most: int) -> FloatArray:
    """Return at most `most` different values, at even steps of rank."""
    ordered = np.sort(values)
    places = np.linspace(0, ordered.size - 1, min(most, ordered.size))
    return np.unique(ordered[places.astype(np.int64)])
