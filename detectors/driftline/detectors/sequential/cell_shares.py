"""What is known of features' shares in the cells of a cycle, see `driftline.detectors.seasons`.

A pane may begin in one cell, a window or joined panes in several. Then their shares are mixed, each
by its events. What is known of a mixture is as sure as of its cells together, and never surer than
all events of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import CYCLES, FeatureSeason
from driftline.detectors.sequential.pane_bins import PaneBins

Clock = Callable[[IntArray], IntArray]
"""Returns what the clocks of the reference's time zone show at instants, ms since 1970."""


@dataclass(frozen=True, eq=False)
class StreamSeasons:
    """The seasons of one stream.

    Attributes:
        features: by the place in the layout.
        clock: of the time zone that they are told in.
    """

    features: Mapping[int, FeatureSeason]
    clock: Clock

    def cells_of(self, cycle: str, starts: IntArray) -> IntArray:
        """Return the cell of a cycle in which each of some panes begins; `starts` in ms."""
        return CYCLES[cycle].cell_of(self.clock(starts))


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the shares that are normal, as if events.

    Attributes:
        values: of each bin, shape (..., M): positive.
        none: without a usable value, shape (..., F).
        mass: of both together, shape (..., F).
    """

    values: FloatArray
    none: FloatArray
    mass: FloatArray

    @property
    def none_share(self) -> FloatArray:
        """Share of the events without a usable value, shape (..., F)."""
        return self.none / self.mass


class CellShares:
    """The shares of some features that follow one cycle.

    Args:
        bins: of the features in one stream.
        seasons: of each of them, in their order; all of one cycle.

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> bins = PaneBins(layout, np.array([700, 700, 0, 0, 0, 0]))
        >>> counts = np.array([[190, 10, 0, 0]] + [[85, 115, 0, 0]] * 6)
        >>> cells = CellShares(bins, [FeatureSeason("day_of_week", 20.0, counts)])
        >>> cells.of_cell(0).values.round(1)
        array([198.5,  21.5,   0. ])
        >>> cells.mixed(np.arange(7), np.full(7, 1 / 7)).values.round()
        array([701., 701.,   0.])
    """

    def __init__(self, bins: PaneBins, seasons: Sequence[FeatureSeason]) -> None:
        self.cycle = seasons[0].cycle
        self.cells = CYCLES[self.cycle].cells
        self._bins = bins
        self._kappa = np.array([season.kappa for season in seasons])
        values = [season.counts[:, :-1] for season in seasons]
        self._own = np.concatenate(values, axis=1).astype(np.int32)
        if [own.shape[1] for own in values] != np.diff(bins.first).tolist():
            raise ValueError("the seasons of the reference have other bins than its counts")
        self._own_none = np.stack([season.counts[:, -1] for season in seasons], axis=1)

    def of_cell(self, cell: int, since: Since | None = None) -> Known:
        """Return what is known of one cell.

        Args:
            cell: its number.
            since: events that came since the reference; None: none.
        """
        own, total = self._own[cell].astype(np.float64), self._bins.normal
        if since is not None:
            own, total = own + since.cells[cell], total + since.total
        return self._of(own, self._own_none[cell], total, self._bins.none)

    def mixed(self, cells: IntArray, weights: FloatArray, since: Since | None = None) -> Known:
        """Return what is known of a mixture of cells.

        Args:
            cells: their numbers, distinct.
            weights: their shares of the events, sum 1.
            since: as for one cell.
        """
        if cells.size == 1:
            return self.of_cell(int(cells[0]), since)
        every = self._bins.normal if since is None else self._bins.normal + since.total
        mixture = Mixture(self._bins)
        for cell, weight in zip(cells.tolist(), weights.tolist(), strict=True):
            mixture.add(self.of_cell(cell, since), weight)
        return mixture.known(self._bins.total(every) + self._bins.none)

    def without(self, cells: IntArray, values: FloatArray, none: FloatArray) -> Known:
        """Return what the reference knows of some cells without some of its own events, of each.

        Args:
            cells: their numbers, shape (n,).
            values: the events left out, which are of that cell, per bin, shape (n, M).
            none: those without a usable value, shape (n, F).
        """
        own, own_none = self._own[cells] - values, self._own_none[cells] - none
        return self._of(own, own_none, self._bins.normal - values, self._bins.none - none)

    def _of(
        self, own: FloatArray, own_none: FloatArray, total: FloatArray, total_none: FloatArray
    ) -> Known:
        """Return own events and those of the others, which count as `kappa` at most."""
        rest, rest_none = total - own, total_none - own_none
        others = self._bins.total(rest) + rest_none
        part = np.minimum(self._kappa / np.maximum(others, 1.0), 1.0)
        values = own + part[..., self._bins.owner] * rest
        none = own_none + part * rest_none
        return Known(values, none, np.maximum(self._bins.total(values) + none, 1e-9))


@dataclass(eq=False)
class Since:
    """Events since the reference, in each bin.

    Attributes:
        cells: per cell, whole numbers, shape (cells, M).
        total: of all cells, shape (M,).
    """

    cells: IntArray
    total: FloatArray


class Mixture:
    """Adds up what is known of several cells."""

    def __init__(self, bins: PaneBins) -> None:
        self._owner = bins.owner
        self._values, self._none = np.zeros(bins.owner.size), np.zeros(bins.features)
        self._error = np.zeros(bins.features)

    def add(self, known: Known, weight: float) -> None:
        """Add a cell by its share of the events."""
        part = weight / known.mass
        self._values += part[self._owner] * known.values
        self._none += part * known.none
        self._error += weight * part

    def known(self, most: FloatArray) -> Known:
        """Return the mixture.

        Args:
            most: events that may be known of it, shape (F,): all there are.
        """
        mass = np.minimum(1.0 / self._error, most)
        return Known(self._values * mass[self._owner], self._none * mass, mass)
