"""The panes of a reference in the cells of a cycle: what is normal for each by all others.

A pane is compared with other occurrences of its cell. Those of the same occurrence, such as the
other minutes of its hour, share what was special about it, and would hide that it was.
"""

from __future__ import annotations

import numpy as np

from driftline.detectors.grid import IntArray
from driftline.detectors.seasons import CYCLES
from driftline.detectors.sequential.cell_shares import CellShares, Known
from driftline.detectors.sequential.pane_bins import PaneBins


class PaneCells:
    """Where the panes of a reference lie in a cycle that some features follow.

    Args:
        bins: of the features.
        shares: of the cycle's cells: the panes are counted in them.
        panes: events of the panes in the order of time, per bin, then those without a usable value
            per feature, shape (R, M + F).
        local: what the clocks show in the middle of each, ms since 1970, shape (R,).
    """

    def __init__(
        self, bins: PaneBins, shares: CellShares, panes: IntArray, local: IntArray
    ) -> None:
        self._bins, self._shares, self._panes = bins, shares, panes
        numbers = CYCLES[shares.cycle].occurrence_of(local)
        self._cells = numbers % shares.cells
        _, first, self._occurrence = np.unique(numbers, return_index=True, return_inverse=True)
        # Clocks that are put back come to an hour twice: the order is that of time all the same.
        order = np.argsort(self._occurrence, kind="stable")
        begins = np.searchsorted(self._occurrence[order], np.arange(first.size))
        self._whole = np.add.reduceat(panes[order], begins, axis=0)

    def known(self, rows: slice, begins: IntArray) -> Known:
        """Return what is known of joined panes by other occurrences of their cells.

        Args:
            rows: the panes.
            begins: the first of those that are joined, each, from the first row on.
        """
        size, bins = self._bins.owner.size, self._bins
        left_out = self._whole[self._occurrence[rows]].astype(np.float64)
        known = self._shares.without(self._cells[rows], left_out[:, :size], left_out[:, size:])
        panes = self._panes[rows].astype(np.float64)
        every = np.broadcast_to(self._shares.mass(), known.mass.shape)
        if begins.size == panes.shape[0]:
            return known.of_mass(every)
        events = bins.total(panes[:, :size]) + panes[:, size:]
        joined = np.add.reduceat(events, begins, axis=0)
        lengths = np.diff(begins, append=panes.shape[0])
        weights = events / np.maximum(np.repeat(joined, lengths, axis=0), 1.0)
        part = weights / known.mass
        values = np.add.reduceat(part[:, bins.owner] * known.values, begins, axis=0)
        none = np.add.reduceat(part * known.none, begins, axis=0)
        mass = np.maximum(bins.total(values) + none, 1e-9)
        return Known(values, none, mass, known.sizes).of_mass(every[: begins.size])
