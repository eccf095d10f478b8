"""What is known of features' shares in the cells of a cycle, see `driftline.detectors.seasons`.

A pane is of one cell, a window or joined panes of several. Then their shares are mixed, each
by its events. What is known of a mixture is as sure as of its cells together, and never surer than
all events of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import CYCLES, FeatureSeason
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.share_tree import ShareTree

Clock = Callable[[IntArray], IntArray]
"""Returns what the clocks of the reference's time zone show at instants, ms since 1970."""


@dataclass(frozen=True, eq=False)
class Mix:
    """Which part of some events came in each cell of a cycle.

    Attributes:
        cells: their numbers, distinct, shape (n,).
        weights: their shares of the events, sum 1, shape (n,).
    """

    cells: IntArray
    weights: FloatArray

    @classmethod
    def of(cls, cells: Sequence[int], events: Sequence[float]) -> Mix:
        """Return it of the events of some stretches; of no events all stretches count alike.

        Example:
            >>> mix = Mix.of([23, 0, 23], [10.0, 20.0, 10.0])
            >>> mix.cells.tolist(), mix.weights.tolist()
            ([0, 23], [0.5, 0.5])
        """
        distinct, place = np.unique(np.array(cells, np.int64), return_inverse=True)
        counted = np.array(events, np.float64)
        if not counted.any():
            counted = np.ones(counted.size)
        added = np.bincount(place, counted, distinct.size)
        there = added > 0
        return cls(distinct[there], added[there] / added.sum())


@dataclass(frozen=True, eq=False)
class StreamSeasons:
    """The seasons of one stream.

    Attributes:
        features: by the place in the layout.
        clock: of the time zone that they are told in.
    """

    features: Mapping[int, FeatureSeason]
    clock: Clock

    def cells_of(self, cycle: str, starts: IntArray, pane: int) -> IntArray:
        """Return the cell of each of some panes.

        Args:
            cycle: name of it.
            starts: of the panes, ms.
            pane: length of each, ms.
        """
        return CYCLES[cycle].cell_of(self.clock(starts + pane // 2))

    def runs(self, cycle: str, first: int, end: int, pane: int) -> list[tuple[int, int, int]]:
        """Return the stretches of time whose panes are of one cell: the cell, from and to, ms.

        Args:
            cycle: name of it.
            first: start of the first pane, ms.
            end: of the last.
            pane: length of each.
        """
        starts = np.arange(first, end, pane)
        if not starts.size:
            return []
        cells = self.cells_of(cycle, starts, pane)
        begins = np.flatnonzero(np.diff(cells, prepend=-1))
        stops = [*starts[begins[1:]].tolist(), end]
        return [*zip(cells[begins].tolist(), starts[begins].tolist(), stops, strict=True)]

    def mixes(
        self, first: int, end: int, pane: int, events: Callable[[int, int], int]
    ) -> dict[str, Mix]:
        """Return the cells of a window, by each cycle that a feature follows.

        Args:
            first: start of the first pane, ms.
            end: of the last.
            pane: length of each.
            events: returns those from one time to another (ms).
        """
        found = {}
        for cycle in {season.cycle for season in self.features.values()}:
            runs = self.runs(cycle, first, end, pane)
            counted = [float(events(start, stop)) for _, start, stop in runs]
            found[cycle] = Mix.of([cell for cell, _, _ in runs], counted)
        return found


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the shares that are normal, as if events.

    Attributes:
        values: of each bin, shape (..., M): positive.
        none: without a usable value, shape (..., F).
        mass: of both together, shape (..., F).
        sizes: bins of each feature, shape (F,).
    """

    values: FloatArray
    none: FloatArray
    mass: FloatArray
    sizes: IntArray

    def of_mass(self, mass: FloatArray) -> Known:
        """Return the same shares, known as if by some events of each feature, shape (..., F).

        How little is known of a cell differs from direction to direction: much less of its middle
        than of its tails. Evidence leaves that to phi, which has a value for each.
        """
        times, owner = mass / self.mass, np.repeat(np.arange(mass.shape[-1]), self.sizes)
        return replace(
            self, values=self.values * times[..., owner], none=self.none * times, mass=mass
        )

    @property
    def none_share(self) -> FloatArray:
        """Share of the events without a usable value, shape (..., F)."""
        return self.none / self.mass


def mixture(parts: Sequence[tuple[Known, float]], most: FloatArray | None = None) -> Known:
    """Return what is known of a mixture, as if by 1 / (sum of w^2 / n) events: as surely as that.

    Args:
        parts: of each what is known, and its share of the events.
        most: events of each feature that it is known by at the most, shape (F,); None: any number.
    """
    sizes = parts[0][0].sizes
    owner = np.repeat(np.arange(sizes.size), sizes)
    values, none, error = np.zeros(owner.size), np.zeros(sizes.size), np.zeros(sizes.size)
    for known, weight in parts:
        part = weight / known.mass
        values += part[owner] * known.values
        none += part * known.none
        error += weight * part
    mass = 1.0 / error if most is None else np.minimum(1.0 / error, most)
    return Known(values * mass[owner], none * mass, mass, sizes)


@dataclass(eq=False)
class Since:
    """Events since the reference, in each bin.

    Attributes:
        cells: per cell, whole numbers, shape (cells, M).
        total: of all cells, shape (M,).
    """

    cells: NDArray[np.integer[Any]]
    total: FloatArray


@dataclass(frozen=True, eq=False)
class CellShares:
    """The shares of some features that follow one cycle.

    Attributes:
        cycle: its name.
        kappa: of each feature, shape (F,).
        counts: events of the reference per cell and bin, shape (cells, M).
        none: those without a usable value, shape (cells, F).
        every: what is known without a cycle, as if events, shape (M,).
        every_none: events without a usable value, shape (F,).
        first: number of each feature's first bin, and the end of the last, shape (F + 1,).
        ordered: which features are numbers, shape (F,).

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> bins = PaneBins(layout, np.array([700, 700, 0, 0, 0, 0]))
        >>> counts = np.array([[190, 10, 0, 0]] + [[85, 115, 0, 0]] * 6)
        >>> cells = CellShares.of(bins, [FeatureSeason("day_of_week", 20.0, counts)])
        >>> cells.of_cell(0).values.round(1)
        array([198.5,  21.5,   0. ])
        >>> cells.mixed(Mix.of(range(7), [200] * 7)).values.round()
        array([701., 701.,   0.])
    """

    cycle: str
    kappa: FloatArray
    counts: NDArray[np.int32]
    none: IntArray
    every: FloatArray
    every_none: FloatArray
    first: IntArray
    ordered: NDArray[np.bool_]

    @classmethod
    def of(cls, bins: PaneBins, seasons: Sequence[FeatureSeason]) -> Self:
        """Return those of features with these bins, and of each its season; all of one cycle.

        Raises:
            ValueError: a season has other bins.
        """
        values = [season.counts[:, :-1] for season in seasons]
        if [own.shape[1] for own in values] != np.diff(bins.first).tolist():
            raise ValueError("the seasons of the reference have other bins than its counts")
        return cls(
            seasons[0].cycle,
            np.array([season.kappa for season in seasons]),
            np.concatenate(values, axis=1).astype(np.int32),
            np.stack([season.counts[:, -1] for season in seasons], axis=1),
            bins.normal,
            bins.none,
            bins.first,
            bins.ordered,
        )

    def only(self, i: int) -> Self:
        """Return those of the i-th feature alone."""
        own, one = slice(int(self.first[i]), int(self.first[i + 1])), slice(i, i + 1)
        return type(self)(
            self.cycle,
            self.kappa[one],
            self.counts[:, own],
            self.none[:, one],
            self.every[own],
            self.every_none[one],
            self.first[i : i + 2] - own.start,
            self.ordered[one],
        )

    @property
    def cells(self) -> int:
        """How many cells the cycle has."""
        return CYCLES[self.cycle].cells

    def of_cell(self, cell: int, since: Since | None = None) -> Known:
        """Return what is known of one cell.

        Args:
            cell: its number.
            since: events that came since the reference; None: none.
        """
        own, total = self.counts[cell].astype(np.float64), self.every
        if since is not None:
            own, total = own + since.cells[cell], total + since.total
        return self._of(own, self.none[cell], total, self.every_none)

    def mixed(self, mix: Mix, since: Since | None = None) -> Known:
        """Return what is known of a mixture of cells; `since`: as for one."""
        if mix.cells.size == 1:
            return self.of_cell(int(mix.cells[0]), since)
        cells = zip(mix.cells.tolist(), mix.weights.tolist(), strict=True)
        known = [(self.of_cell(cell, since), weight) for cell, weight in cells]
        return mixture(known, self.mass(since))

    def of_panes(self, mix: Mix, since: Since | None = None) -> Known:
        """Return what is known of panes that are tested.

        How little is known of a cell is in the phi of the reference's panes.
        """
        return self.mixed(mix, since).of_mass(self.mass(since))

    def mass(self, since: Since | None = None) -> FloatArray:
        """Return what is known of all cells together, as if events of each feature, shape (F,)."""
        every = self.every if since is None else self.every + since.total
        return self._total(every) + self.every_none

    def without(self, cells: IntArray, values: FloatArray, none: FloatArray) -> Known:
        """Return what the reference knows of some cells without some of its own events, of each.

        Args:
            cells: their numbers, shape (n,).
            values: the events left out, which are of that cell, per bin, shape (n, M).
            none: those without a usable value, shape (n, F).
        """
        # A pane is of the cell of its middle, though some of its events may be of the next.
        own = np.maximum(self.counts[cells] - values, 0.0)
        own_none = np.maximum(self.none[cells] - none, 0.0)
        return self._of(own, own_none, self.every - values, self.every_none - none)

    def _of(
        self, own: FloatArray, own_none: FloatArray, total: FloatArray, total_none: FloatArray
    ) -> Known:
        """Return own events and those of the others, which count as `kappa` at most.

        As many are known of all bins together; which part of them of each bin, the splits tell.
        """
        rest, rest_none = total - own, total_none - own_none
        others = self._total(rest) + rest_none
        part = np.minimum(self.kappa / np.maximum(others, 1.0), 1.0)
        values = own + part[..., self._owner] * rest
        none = own_none + part * rest_none
        split = self._tree.shares(own, rest, self.kappa)
        split = split * self._total(values)[..., self._owner]
        values = np.where((part < 1.0)[..., self._owner], split, values)
        mass = np.maximum(self._total(values) + none, 1e-9)
        return Known(values, none, mass, np.diff(self.first))

    @cached_property
    def _tree(self) -> ShareTree:
        return ShareTree.of(self.every, self.first, self.ordered)

    @cached_property
    def _owner(self) -> IntArray:
        return np.repeat(np.arange(self.kappa.size), np.diff(self.first))

    def _total(self, per_bin: FloatArray) -> FloatArray:
        added: FloatArray = np.add.reduceat(per_bin, self.first[:-1], axis=-1)
        return added
