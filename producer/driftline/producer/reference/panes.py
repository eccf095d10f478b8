"""The reference's panes in the order of time: how much they vary, and which cycles they follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.detectors.counts import Columns, Layout
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.pane_lengths import LEAST_PANES
from driftline.detectors.rounding import significant
from driftline.detectors.seasons import FeatureSeason
from driftline.detectors.sequential.cell_shares import CellShares
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.pane_cells import PaneCells
from driftline.detectors.sequential.variation import Directions, reference_phi
from driftline.producer.records.time_zone import Zone
from driftline.producer.reference.cycle_counts import CycleCounts
from driftline.producer.reference.field import Bools
from driftline.producer.reference.pane_plan import UNCOUNTED, KeptPanes, PanePlan, count_panes
from driftline.producer.reference.segment_cycles import FoundCycles

_CORRECTED = 0.005  # of a share, from which on it is not that of the panes
DIGITS = 6
"""Of phi: it is an estimate, and files stay small."""


@dataclass(frozen=True, eq=False)
class PaneFindings:
    """What panes tell.

    Attributes:
        dispersion: how much they vary; None where fewer than 30 have events, which tell nothing.
        seasons: what is normal in the cells of features that follow a cycle, by their place in the
            layout.
        cycles: these cycles; None where no feature follows one.
    """

    dispersion: Dispersion | None
    seasons: Mapping[int, FeatureSeason]
    cycles: FoundCycles | None


class PaneCounts:
    """Counts panes, in one reading.

    Args:
        plan: how they are cut.
        layout: of the reference.
        counts: of the whole model.
        zone: whose hours features may follow; None: they follow none.
    """

    def __init__(
        self, plan: PanePlan, layout: Layout, counts: IntArray, zone: Zone | None = None
    ) -> None:
        self._plan, self._layout, self._flat, self._zone = plan, layout, counts, zone
        self._bins = PaneBins(layout, counts)
        self._cycles = None if zone is None else CycleCounts(plan, zone, self._bins)
        self._kept = KeptPanes(plan, self._bins.owner.size + self._bins.features)

    def add(self, times: IntArray, columns: Columns, skip: Bools | None = None) -> None:
        """Count events.

        Args:
            times: ms, shape (n,).
            columns: n events.
            skip: which of them do not count in which feature, shape (n, F); None: all count.
        """
        found = self._bins.of_events(self._layout, columns)
        if skip is not None:
            found[skip] = UNCOUNTED
        for panes, counts in count_panes(self._plan.numbers(times), found, self._bins):
            if self._cycles is not None:
                self._cycles.add(panes, counts)
            self._kept.add(panes, counts)

    def merge(self, other: Self) -> None:
        """Add the counts of other events."""
        if self._cycles is not None and other._cycles is not None:
            self._cycles.merge(other._cycles)
        self._kept.merge(other._kept)

    def findings(self) -> PaneFindings:
        """Return which cycles features follow, and how much panes vary beside that."""
        rows, numbers = self._kept.filled()
        if rows.size < LEAST_PANES:
            return PaneFindings(None, {}, None)
        chosen = {} if self._cycles is None else self._cycles.choose(self._layout, self._flat)
        if self._cycles is None or self._zone is None or not chosen:
            return PaneFindings(self._dispersion(rows, numbers, {}), {}, None)
        seasons = self._cycles.seasons(chosen)
        cycles = FoundCycles(chosen, self._plan, self._zone)
        return PaneFindings(self._dispersion(rows, numbers, seasons), seasons, cycles)

    def _dispersion(
        self, rows: IntArray, numbers: IntArray, seasons: Mapping[int, FeatureSeason]
    ) -> Dispersion:
        features = self._bins.features
        phi = np.full((len(JOINS), len(DIRECTIONS), features), np.nan)
        events = np.zeros(features)
        follows = np.array([seasons[f].cycle if f in seasons else "" for f in range(features)])
        for cycle in np.unique(follows):
            places = np.flatnonzero(follows == cycle)
            bins = PaneBins(self._layout, self._flat, places)
            columns = np.flatnonzero(np.isin(self._bins.owner, places))
            columns = np.append(columns, self._bins.owner.size + places)
            panes = self._kept.counts[np.ix_(rows, columns)].astype(np.int64)
            if not cycle:
                bins.normal = _as_seen(bins, panes)
            directions = Directions.of(bins, int((places < self._layout.numeric).sum()))
            cells = None
            if cycle and self._zone is not None:
                shares = CellShares.of(bins, [seasons[f] for f in places.tolist()])
                cells = PaneCells(bins, shares, panes, self._plan.local(numbers, self._zone))
            found = reference_phi(bins, directions, panes, numbers + self._plan.first, cells)
            phi[:, :, places], events[places] = found
        rounded = (significant(each, DIGITS) for each in (events, phi))
        return Dispersion(self._plan.length, rows.size, *rounded)


def _as_seen(bins: PaneBins, panes: IntArray) -> FloatArray:
    """Return what is normal of each bin, of categories as the panes have it where that is another.

    Where there are more categories than are listed, the share of the others is corrected: it is
    larger than among the events that chose the list. Of these are the panes, so that each would
    differ from it in the same way, as if events resembled each other.
    """
    seen = panes[:, : bins.owner.size].sum(axis=0) + 0.5
    apart = np.abs(seen / bins.total(seen)[bins.owner] - _shares(bins))
    corrected = (np.maximum.reduceat(apart, bins.first[:-1]) > _CORRECTED) & ~bins.ordered
    return np.where(corrected[bins.owner], seen, bins.normal)


def _shares(bins: PaneBins) -> FloatArray:
    """Return each bin's share; of the bins it is kept once it is asked for."""
    return bins.normal / bins.total(bins.normal)[bins.owner]
