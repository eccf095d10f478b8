"""Features that are tested together: all numbers or all classes, joined alike, of one cycle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from driftline.detectors.counts import Layout
from driftline.detectors.dispersion import JOINS
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import FeatureSeason
from driftline.detectors.sequential.alternatives import Tilts
from driftline.detectors.sequential.cell_shares import CellShares, Known, Mix, Since
from driftline.detectors.sequential.evidence import Evidence, EvidenceState
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.part_shares import PartShares
from driftline.detectors.sequential.variation import Directions, PaneVariation

Fit = Callable[[PaneBins, FloatArray, FloatArray], FloatArray]
"""Returns what is known of the normal shares of bins as it is where some events are compared: of
the bins, what is known of some of them, and the events in these.
"""


@dataclass(frozen=True)
class Comparing:
    """How features are compared with what is normal.

    Attributes:
        upwards: whether numbers are only tested for larger values, as sizes of errors are.
        fit: fits what is normal to the events that are compared; None: it is as it is.
    """

    upwards: bool = False
    fit: Fit | None = None


@dataclass(eq=False)
class CellState:
    """What is kept of features that follow a cycle, or whose stream has parts.

    Attributes:
        added: events since the reference, whole numbers per cell and bin, shape (cells, M).
        open: of the panes joined so far, by cell: events per bin, shape (M,), and all of them.
    """

    added: IntArray
    open: dict[int, tuple[FloatArray, float]] = field(default_factory=dict)


@dataclass(eq=False)
class GroupState:
    """What is kept of features that are tested together.

    Attributes:
        evidence: as in `evidence`.
        variation: of the stream's own panes.
        open: events of the panes joined so far, shape (M,).
        none: those without a usable value, shape (F,).
        number: of the joined pane that they belong to; -1 before the first.
        season: of features that follow a cycle, or whose stream has parts.
        fitted: whether what is normal is fitted to each pane.
    """

    evidence: EvidenceState
    variation: PaneVariation
    open: FloatArray
    none: FloatArray
    number: int = -1
    season: CellState | None = None
    fitted: bool = False


class Group:
    """Features of one kind whose panes are joined alike, and that follow one cycle or none.

    Args:
        layout: where counts lie.
        counts: the reference's flat counts of the stream.
        places: of the features in the layout.
        joined: place in `JOINS` of how many panes are joined.
        how: they are compared.
        seasons: of each feature; None: they follow no cycle.
        parts: flat counts of the references of the parts that the stream is a mixture of, shape
            (parts, layout.size); None: it has none. Features of parts follow no cycle.
    """

    def __init__(
        self,
        layout: Layout,
        counts: IntArray,
        places: IntArray,
        joined: int,
        *,
        how: Comparing,
        seasons: list[FeatureSeason] | None = None,
        parts: IntArray | None = None,
    ) -> None:
        self.bins = PaneBins(layout, counts, places)
        self.joined, self.together = joined, JOINS[joined]
        numeric = int((places < layout.numeric).sum())
        self.directions = Directions.of(self.bins, numeric)
        tilts = Tilts.of(self.bins, upwards=how.upwards) if numeric else None
        self.evidence = Evidence(self.bins, tilts, fitted=how.fit is not None)
        self._fit = how.fit
        size = self.bins.owner.size
        self._seasons = seasons
        self.cells: CellShares | PartShares | None = None
        if parts is not None:
            self.cells = PartShares.of(self.bins, counts, parts)
        elif seasons is not None:
            self.cells = CellShares.of(self.bins, seasons)
        self.state = GroupState(
            self.evidence.state,
            PaneVariation(places.size),
            np.zeros(size),
            np.zeros(places.size),
            fitted=how.fit is not None,
        )
        if self.cells is not None:
            self.state.season = CellState(np.zeros((self.cells.cells, size), np.int64))

    @property
    def cycle(self) -> str | None:
        """The cycle that the features follow; None: none."""
        return None if self.cells is None else self.cells.cycle

    def restore(self, state: GroupState) -> None:
        """Go on from what was kept."""
        self.state = state
        self.evidence.state = state.evidence

    def carry(self, old: Group) -> IntArray:
        """Go on with what another group of these panes knows of the features that both have.

        How much panes vary goes on in any case, evidence where the same is normal.

        Args:
            old: of the same layout, whose panes are joined alike.

        Returns:
            Places in the layout of those whose evidence goes on.
        """
        mine: IntArray
        theirs: IntArray
        _, mine, theirs = np.intersect1d(self.bins.places, old.bins.places, return_indices=True)
        if not mine.size:
            return mine
        state, other = self.state, old.state
        state.variation.carry(other.variation, mine, theirs)
        state.number = max(state.number, other.number)
        same = np.array([self._as_in(old, *pair) for pair in zip(mine, theirs, strict=True)], bool)
        mine, theirs = mine[same], theirs[same]
        if not mine.size:
            return mine
        bins, there = self._bins_of(mine), old._bins_of(theirs)
        state.evidence.carry(other.evidence, (mine, theirs), (bins, there))
        state.open[bins] = other.open[there]
        state.none[mine] = other.none[theirs]
        if state.season is not None and other.season is not None:
            state.season.added[:, bins] = other.season.added[:, there]
            for cell, (x, events) in other.season.open.items():
                opened, _ = state.season.open.get(cell, (np.zeros(self.bins.owner.size), 0.0))
                opened[bins] = x[there]
                state.season.open[cell] = opened, events
        places: IntArray = self.bins.places[mine]
        return places

    def open(self, flat: IntArray, cell: int) -> None:
        """Let a pane be one of those that are tested next.

        Args:
            flat: its counts.
            cell: that it is of, if the features follow a cycle; the part, if it is one of a pane.
        """
        x, none, state = self.bins.count(flat), self.bins.count_none(flat), self.state
        state.open = state.open + x
        state.none = state.none + none
        if state.season is not None:
            events = float(x[: self.bins.first[1]].sum() + none[0])
            before, many = state.season.open.get(cell, (np.zeros(x.size), 0.0))
            state.season.open[cell] = before + x, many + events

    def known(self) -> Known | None:
        """Return what is known of the panes to be tested; None: what is known of all of them."""
        season = self.state.season
        if self.cells is None or season is None:
            return None
        mix = Mix.of([*season.open], [events for _, events in season.open.values()])
        since = self._since(season)
        return self.cells.of_panes(mix, since)

    def fitted(self, known: FloatArray, x: FloatArray) -> FloatArray:
        """Return what is known where events are compared with it, of some or all of the bins.

        Args:
            known: of the normal shares, as if events.
            x: the events, per bin.
        """
        return known if self._fit is None else self._fit(self.bins, known, x)

    def close(self, grows: FloatArray) -> None:
        """Let the panes that were tested be part of what is normal; begin the next.

        Args:
            grows: 1 for features whose normal shares learn from them, else 0, shape (F,).
        """
        state = self.state
        if state.season is not None:
            for cell, (x, _) in state.season.open.items():
                state.season.added[cell] += (x * grows[self.bins.owner]).astype(np.int64)
            state.season.open = {}
        state.open = np.zeros(self.bins.owner.size)
        state.none = np.zeros(self.bins.features)

    def mixed(self, i: int, mix: Mix, without: IntArray | None = None) -> FloatArray:
        """Return what is known of the normal shares of the i-th feature's bins, as if events.

        Args:
            i: place in the group.
            mix: of the cells, if the feature follows a cycle, or of the parts.
            without: events that are not to count, as far as they came since the reference, per cell
                of the mix and bin; None: none that came since the reference count.
        """
        own = self.own(i)
        normal: FloatArray = self.bins.normal[own]
        season = self.state.season
        if self.cells is None or season is None:
            if without is None:
                return normal
            gone = self._as_added(i, without.sum(axis=0))
            added: FloatArray = self.state.evidence.added[own] - gone
            return normal + np.maximum(added, 0.0)
        since = None
        if without is not None:
            cells, total = season.added[:, own].copy(), self.state.evidence.added[own].copy()
            taken = np.minimum(cells[mix.cells], without)
            cells[mix.cells] -= taken
            since = Since(cells, total - taken.sum(axis=0))
        return self.cells.only(i).mixed(mix, since).values

    def forget(self, i: int, cells: IntArray, events: IntArray) -> None:
        """Take events of the i-th feature's bins out of what is normal, as far as they are in.

        Args:
            i: place in the group.
            cells: distinct, of a feature that follows a cycle, or parts.
            events: per cell and bin.
        """
        own, season = self.own(i), self.state.season
        if season is None:
            self.evidence.forget(i, self._as_added(i, events.sum(axis=0)))
            return
        taken = np.minimum(season.added[cells, own], events)
        season.added[cells, own] -= taken
        self.evidence.forget(i, taken.sum(axis=0).astype(np.float64))

    def own(self, i: int) -> slice:
        """Return where the bins of the i-th feature are."""
        return slice(int(self.bins.first[i]), int(self.bins.first[i + 1]))

    def _as_in(self, old: Group, i: int, other: int) -> bool:
        """Return whether the same is normal of a feature here and, at another place, there."""
        mine, theirs = self.own(i), old.own(other)
        bins, before = self.bins, old.bins
        season, then = (
            None if seasons is None else seasons[place]
            for seasons, place in ((self._seasons, i), (old._seasons, other))
        )
        parts, others = (
            group.cells.only(place) if isinstance(group.cells, PartShares) else None
            for group, place in ((self, i), (old, other))
        )
        return (
            np.array_equal(bins.cells[mine], before.cells[theirs])
            and np.array_equal(bins.normal[mine], before.normal[theirs])
            and bins.none[i] == before.none[other]
            and (season is then or (season is not None and season.equals(then)))
            and (parts is others or (parts is not None and parts.equals(others)))
        )

    def _bins_of(self, features: IntArray) -> IntArray:
        """Return the bins of some features, one after another."""
        own = [np.arange(self.bins.first[i], self.bins.first[i + 1]) for i in features.tolist()]
        bins: IntArray = np.concatenate(own)
        return bins

    def _as_added(self, i: int, events: IntArray) -> FloatArray:
        """Return events of the i-th feature's bins as they were added to what is normal."""
        if self._fit is None or not events.any():
            return events.astype(np.float64)
        known = self.evidence.known[self.own(i)]
        return events * known / self.fitted(known, events.astype(np.float64))

    def _since(self, season: CellState) -> Since:
        return Since(season.added, self.state.evidence.added)
