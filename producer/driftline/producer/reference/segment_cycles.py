"""What is normal in the cells of cycles in the segments of a reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.detectors.counts import Columns, Layout
from driftline.detectors.grid import IntArray
from driftline.detectors.seasons import FeatureSeason
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.season_choice import Choice
from driftline.producer.records.time_zone import Zone
from driftline.producer.reference.cycle_counts import WEEK, seasons_of
from driftline.producer.reference.field import Bools
from driftline.producer.reference.pane_plan import UNCOUNTED, PanePlan, add_rows, count_panes


@dataclass(frozen=True, eq=False)
class FoundCycles:
    """The cycles that features of the whole model follow.

    Attributes:
        chosen: by place in the layout; not empty.
        plan: how panes are cut.
        zone: whose clocks tell the cell.
    """

    chosen: Mapping[int, Choice]
    plan: PanePlan
    zone: Zone


class SegmentCycles:
    """Counts the cells of segments, whose features follow the cycles of the whole model.

    Args:
        found: these cycles.
        layout: of the features.
        counts: flat counts of the segments, shape (segments, layout.size).
    """

    def __init__(self, found: FoundCycles, layout: Layout, counts: IntArray) -> None:
        self._found, self._layout = found, layout
        self._unit = min(choice.cycle.cell for choice in found.chosen.values())
        places = np.array(sorted(found.chosen))
        self._bins = [PaneBins(layout, own, places) for own in counts]
        width = places.size
        self._cells = [
            np.zeros((WEEK // self._unit, bins.owner.size + width), np.int64) for bins in self._bins
        ]

    def add(
        self, segment: int, times: IntArray, columns: Columns, skip: Bools | None = None
    ) -> None:
        """Count events of a segment, by its place; see `PaneCounts.add`."""
        plan, bins = self._found.plan, self._bins[segment]
        found = bins.of_events(self._layout, columns)
        if skip is not None:
            found[skip[:, bins.places]] = UNCOUNTED
        for panes, counts in count_panes(plan.numbers(times), found, bins):
            hours = plan.local(panes, self._found.zone) % WEEK // self._unit
            add_rows(self._cells[segment], hours, counts)

    def merge(self, other: Self) -> None:
        """Add the counts of other events."""
        for own, more in zip(self._cells, other._cells, strict=True):
            own += more

    def seasons(self) -> list[dict[int, FeatureSeason]]:
        """Return what is normal in each cell, of each segment."""
        return [
            seasons_of(bins, cells, self._found.chosen)
            for bins, cells in zip(self._bins, self._cells, strict=True)
        ]
