"""Events of a reference by the hours of local time, and the cycles that features follow.

A pane is of the hour, or of the day, that its middle is in, and so are its events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import numpy as np

from driftline.detectors.counts import Layout
from driftline.detectors.grid import IntArray
from driftline.detectors.seasons import DAY, FeatureSeason, cycles_for
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.season_choice import Choice, choose_seasons
from driftline.detectors.sequential.variation import Directions
from driftline.producer.records.time_zone import Zone
from driftline.producer.reference.pane_plan import PanePlan, add_rows

_MOST_CELLS = 1 << 25
_PART = 1 << 22  # values at a time, where a cycle is chosen
WEEK = 7 * DAY


class CycleCounts:
    """Events of the whole model by hour, or by day where panes are longer; of local time.

    Of a reference so long and wide that its hours would not fit in memory, some days are kept to
    choose cycles by.

    Args:
        plan: how panes are cut.
        zone: whose hours.
        bins: of all features.
    """

    def __init__(self, plan: PanePlan, zone: Zone, bins: PaneBins) -> None:
        self._bins, self._size = bins, bins.owner.size
        self.cycles = cycles_for(plan.length)
        self._unit = min((cycle.cell for cycle in self.cycles), default=DAY)
        numbers = plan.local(np.arange(plan.count), zone) // self._unit
        self._week = WEEK // self._unit
        self._first = int(numbers.min()) // self._week * self._week
        self._of_pane = numbers - self._first
        width = self._size + bins.features
        days = int(self._of_pane.max()) * self._unit // DAY + 1
        self._step = max(1, -(-days * (DAY // self._unit) * width // _MOST_CELLS))
        self._step += self._step % 7 == 0  # every day of the week is among the days kept
        self._a_day = DAY // self._unit
        self._rows = np.zeros((-(-days // self._step) * self._a_day, width), np.int32)
        self._cells = np.zeros((self._week, width), np.int64)

    def add(self, panes: IntArray, counts: IntArray) -> None:
        """Add events.

        Args:
            panes: numbers of panes, each once.
            counts: events of each per bin, then those without a usable value per feature, shape
                (panes, M + F).
        """
        place = self._of_pane[panes]
        add_rows(self._cells, place % self._week, counts)
        day, hour = np.divmod(place, self._a_day)
        kept = day % self._step == 0
        add_rows(self._rows, (day // self._step * self._a_day + hour)[kept], counts[kept])

    def merge(self, other: Self) -> None:
        """Add the counts of other events."""
        self._rows += other._rows
        self._cells += other._cells

    def choose(self, layout: Layout, counts: IntArray) -> dict[int, Choice]:
        """Return the cycle of each feature that follows one, by its place in the layout.

        One with more categories than are listed follows none: its counts are those of half of the
        events, and these hours are of all.
        """
        rows = np.flatnonzero(self._rows.any(axis=1))
        day, hour = np.divmod(rows, self._a_day)
        times = (self._first + day * self._step * self._a_day + hour) * self._unit
        found: dict[int, Choice] = {}
        last = len(layout.features)
        step = max(1, _PART * last // max(rows.size * self._size, 1))
        for start in range(0, last, step):
            places = np.arange(start, min(start + step, last))
            bins = PaneBins(layout, counts, places)
            own = slice(int(self._bins.first[start]), int(self._bins.first[places[-1] + 1]))
            directions = Directions.of(bins, int((places < layout.numeric).sum()))
            chosen = choose_seasons(bins, directions, self._rows[rows, own], times, self.cycles)
            found |= {start + i: each for i, each in enumerate(chosen) if each is not None}
        first, size = self._bins.first[:-1], self._bins.owner.size
        all_events = np.add.reduceat(self._cells[:, :size].sum(axis=0, dtype=np.int64), first)
        halved = all_events > np.add.reduceat(self._bins.count(counts), first)
        return {f: each for f, each in found.items() if not halved[f]}

    def seasons(self, chosen: Mapping[int, Choice]) -> dict[int, FeatureSeason]:
        """Return what is normal in each cell of the cycles that features follow."""
        return seasons_of(self._bins, self._cells, chosen)


def seasons_of(
    bins: PaneBins, cells: IntArray, chosen: Mapping[int, Choice]
) -> dict[int, FeatureSeason]:
    """Return what is normal in each cell of the cycles that features follow.

    Args:
        bins: of the features.
        cells: events by the hours or days of a week that begins as 1970 did, per bin, then those
            without a usable value per feature, shape (168 or 7, M + F).
        chosen: the cycle of each feature, by its place in the layout.
    """
    found = {}
    unit = WEEK // cells.shape[0]
    for i, f in enumerate(bins.places.tolist()):
        if f not in chosen:
            continue
        cycle = chosen[f].cycle
        columns = [*range(bins.first[i], bins.first[i + 1]), bins.owner.size + i]
        counts = np.zeros((cycle.cells, len(columns)), np.int64)
        add_rows(counts, cycle.cell_of(np.arange(cells.shape[0]) * unit), cells[:, columns])
        found[f] = FeatureSeason(cycle.name, chosen[f].kappa, counts)
    return found
