"""The sequential detector of one stream: every watched feature, pane by pane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import Layout
from driftline.detectors.dispersion import DIRECTIONS, JOINS, UNKNOWN, Dispersion
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.pane_lengths import LEAST_PANES
from driftline.detectors.seasons import CYCLES
from driftline.detectors.sequential.cell_shares import Mix, StreamSeasons
from driftline.detectors.sequential.group import Comparing, Group, GroupState
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.variation import deviations

LEAST_EVENTS = 20.0
"""Independent events that a pane holds at least, or is joined with those beside it."""


@dataclass(eq=False)
class StreamState:
    """What is kept of a stream: its groups in their order."""

    groups: list[GroupState] = field(default_factory=list)


class StreamEvidence:
    """Adds up evidence for the watched features of one stream.

    Args:
        layout: where counts lie.
        counts: the reference's flat counts of the stream, shape (layout.size,).
        watched: which features are tested, shape (F,).
        dispersion: of the reference; None: it had no times, so the first 30 panes of the stream
            tell how much panes vary, and say nothing else.
        share: of the model's events that are the stream's, 0 to 1.
        pane: length of its panes, ms; None: as long as the reference's.
        cells: the seasons of the stream, with which `pane` is given; or the flat counts of the
            references of its parts, shape (parts, layout.size). None: neither.
        how: they are compared.

    Attributes:
        evidence: natural logarithm, as of the last pane, shape (F,); NaN where not tested.
        panes: how many panes each feature saw, shape (F,).
        onset: start of the change, as the number of a pane, shape (F,).
    """

    def __init__(
        self,
        layout: Layout,
        counts: IntArray,
        watched: NDArray[np.bool_],
        dispersion: Dispersion | None,
        share: float = 1.0,
        pane: int | None = None,
        cells: StreamSeasons | IntArray | None = None,
        how: Comparing = Comparing(),  # noqa: B008 - it is frozen
    ) -> None:
        parts = cells if isinstance(cells, np.ndarray) else None
        seasons = cells if isinstance(cells, StreamSeasons) else None
        self._seasons, self._pane = seasons, pane or 0
        self._longer = 1.0
        if dispersion is not None and pane is not None:
            self._longer = max(pane / dispersion.pane, 1.0)
        self._dispersion, self._numeric, self._share = dispersion, layout.numeric, share
        size = len(layout.features)
        self.evidence = np.full(size, np.nan)
        self.panes = np.zeros(size, np.int64)
        self.onset = np.zeros(size, np.int64)
        joined = _joins(dispersion, size, share)
        has = np.add.reduceat(counts, layout.starts[:-1]) > 0
        following = {} if seasons is None else seasons.features
        cycles = ("", *CYCLES)
        alike: dict[tuple[bool, int, int], list[int]] = {}
        for f in np.flatnonzero(watched & has).tolist():
            cycle = cycles.index(following[f].cycle if f in following else "")
            alike.setdefault((f >= layout.numeric, int(joined[f]), cycle), []).append(f)
        self._groups = [
            Group(
                layout,
                counts,
                np.array(places),
                join,
                how=how,
                seasons=[following[f] for f in places] if cycle else None,
                parts=parts,
            )
            for (_, join, cycle), places in sorted(alike.items())
        ]
        found = (group.cells.cycle for group in self._groups if group.cells is not None)
        self._cycles = {cycle for cycle in found if cycle is not None}

    def add(
        self,
        flat: IntArray,
        pane: int,
        frozen: NDArray[np.bool_],
        parts: Sequence[IntArray] = (),
    ) -> NDArray[np.bool_]:
        """Take in a final pane.

        Args:
            flat: its flat counts of the stream, shape (layout.size,).
            pane: its number: the start over the length. Numbers grow; one that is left out had no
                events.
            frozen: features whose normal shares stay as they are, because an alert says that they
                changed, shape (F,).
            parts: the counts of each of the stream's parts, if it has any.

        Returns:
            Which features were tested by this pane, shape (F,).
        """
        tested = np.zeros(self.evidence.size, np.bool_)
        cells = {cycle: self._cell(cycle, pane) for cycle in self._cycles}
        for group in self._groups:
            state, together = group.state, group.together
            number = pane // together
            if number != state.number:
                if state.open.any():  # the last of its panes had no events
                    self._test(group, frozen, tested)
                state.number = number
            if parts:
                for part, own in enumerate(parts):
                    group.open(own, part)
            else:
                group.open(flat, cells.get(group.cycle or "", 0))
            if pane % together == together - 1:
                self._test(group, frozen, tested)
        return tested

    def _test(self, group: Group, all_frozen: NDArray[np.bool_], tested: NDArray[np.bool_]) -> None:
        x, state, bins = group.state.open, group.state, group.bins
        places, frozen = bins.places, all_frozen[bins.places]
        n = bins.total(x)
        phi, season = self._phi_of(group, n), group.known()
        known = group.fitted(group.evidence.known if season is None else season.values, x)
        p = known / bins.total(known)[bins.owner]
        y, other, events = deviations(bins, group.directions, p, x[None], state.none[None], season)
        moving = ~frozen
        # Where phi is learnt from the stream, what came later than that would hide a change.
        learns = moving & (state.variation.panes < LEAST_PANES)
        if self._dispersion is not None:
            learns |= moving & (self._dispersion.known()[places] > 0)
        state.variation.add(y * learns, other * learns, events * learns)
        state.variation.round()
        self.evidence[places] = group.evidence.add(
            x, phi, state.number * group.together, moving.astype(np.float64),
            None if season is None and not state.fitted else known,
        )  # fmt: skip
        self.onset[places] = group.evidence.onset()
        self.panes[places] = state.evidence.panes
        tested[places] |= n > 0
        group.close(moving.astype(np.float64))

    def phi(self) -> FloatArray:
        """Return the present phi of a pane of the mean size in each direction, shape (5, F).

        `UNKNOWN` where neither the reference nor 30 panes of the stream tell it. Of features that
        are not tested, that of the reference; 1 without one.
        """
        size = self.evidence.size
        found, mean = np.ones((len(DIRECTIONS), size)), np.zeros(size)
        if self._dispersion is not None:
            mean = self._dispersion.events * self._share * self._longer
            normal = self._dispersion.of(np.arange(size), mean, 0, self._longer)
            found = np.where(normal < UNKNOWN, normal, 1.0)
        for group in self._groups:
            own, places = group.state.variation, group.bins.places
            seen = own.events / np.maximum(own.panes, 1.0)
            n = np.where(own.panes > 0, seen, mean[places] * group.together)
            found[:, places] = self._phi_of(group, n)
        return found

    def _phi_of(self, group: Group, n: FloatArray) -> FloatArray:
        """Return phi of a group's panes of n events, the reference's or the larger own one."""
        variation = group.state.variation
        learnt = np.where(variation.panes >= LEAST_PANES, variation.phi(), UNKNOWN)
        if self._dispersion is None:
            return learnt
        normal = self._dispersion.of(group.bins.places, n, group.joined, self._longer)
        own = variation.least_phi()
        phi: FloatArray = np.where(normal < UNKNOWN, np.maximum(normal, own), learnt)
        return phi

    def bins_of(self, f: int) -> tuple[PaneBins, slice, int]:
        """Return the bins that the f-th feature is in, its own among them, and panes joined."""
        group, i = self._find(f)
        own = slice(int(group.bins.first[i]), int(group.bins.first[i + 1]))
        return group.bins, own, group.together

    def scores_of(self, f: int) -> FloatArray:
        """Return the scores of the f-th feature's bins in location, scale and tail, (3, B)."""
        group, _ = self._find(f)
        return group.directions.scores[:, self.bins_of(f)[1]]

    def cycle_of(self, f: int) -> str | None:
        """Return the cycle that the f-th feature follows; None: none."""
        group, _ = self._find(f)
        return group.cycle

    def normal(
        self,
        f: int,
        mix: Mix,
        without: IntArray | None = None,
        now: FloatArray | None = None,
    ) -> FloatArray:
        """Return what is known of the normal shares of the f-th feature's bins, as if events.

        Args:
            f: place of the feature.
            mix: of the cells of the panes that they are compared with.
            without: events of its bins that are not to count, as far as they came since the
                reference, per cell of the mix; None: the reference's alone count.
            now: events that it is fitted to, per bin, where it is; None: to none.
        """
        group, i = self._find(f)
        known = group.mixed(i, mix, without)
        return known if now is None else group.fitted(known, now)

    def added_until(self, f: int) -> int:
        """Return the number of the pane up to which the f-th feature's are added, exclusive."""
        group, _ = self._find(f)
        whole = group.state.number + (0 if group.state.open.any() else 1)
        return whole * group.together

    def forget(self, f: int, mix: Mix, events: IntArray) -> None:
        """Take events of the f-th feature's bins, per cell of the mix, out of what is normal."""
        group, i = self._find(f)
        group.forget(i, mix.cells, events)

    def unlearn(self, f: int, since: int) -> None:
        """Take the f-th feature's panes from that number on out of how much panes vary."""
        group, i = self._find(f)
        group.state.variation.forget(i, group.state.number - since // group.together + 1)

    def tests(self, f: int) -> bool:
        """Return whether evidence on the f-th feature is added up."""
        return any(f in group.bins.places for group in self._groups)

    def is_number(self, f: int) -> bool:
        """Return whether the f-th feature is a number."""
        return f < self._numeric

    @property
    def most_joined(self) -> int:
        """The most panes that are joined for any feature."""
        return max((group.together for group in self._groups), default=1)

    def reset(self, f: int) -> None:
        """Begin the f-th feature anew, see `Evidence.reset`."""
        group, i = self._find(f)
        group.evidence.reset(i)
        self.evidence[f] = group.evidence.evidence()[i]

    def relearn(self, f: int) -> None:
        """Learn anew how much the panes of the f-th feature vary, if the stream alone tells it.

        What it learnt so far may be the change that is normal from now on.
        """
        if self._dispersion is None or not self._dispersion.known()[f]:
            group, i = self._find(f)
            group.state.variation.reset(i)

    def state(self) -> StreamState:
        """Return what has to be kept."""
        return StreamState([group.state for group in self._groups])

    def restore(self, state: StreamState) -> None:
        """Go on from what was kept."""
        for group, kept in zip(self._groups, state.groups, strict=True):
            group.restore(kept)
            self._note(group)

    def carry(self, old: StreamEvidence) -> NDArray[np.bool_]:
        """Go on with what was known when something else was normal.

        Args:
            old: of the same layout, features and panes.

        Returns:
            Features for which the same is normal as before, so that their evidence goes on, shape
            (F,). That of the others begins anew, as it was before the first pane.
        """
        same = np.zeros(self.evidence.size, bool)
        for group in self._groups:
            for other in old._groups:
                if (group.joined, group.cycle) == (other.joined, other.cycle):
                    same[group.carry(other)] = True
            self._note(group)
        return same

    def _note(self, group: Group) -> None:
        """Take over what a group knows that did not get it pane by pane."""
        places, panes = group.bins.places, group.state.evidence.panes
        self.panes[places] = panes
        self.evidence[places] = np.where(panes > 0, group.evidence.evidence(), np.nan)
        self.onset[places] = group.evidence.onset()

    def _cell(self, cycle: str, pane: int) -> int:
        if self._seasons is None:
            raise AssertionError("groups follow cycles of seasons alone")
        return int(self._seasons.cells_of(cycle, np.array([pane * self._pane]), self._pane)[0])

    def _find(self, f: int) -> tuple[Group, int]:
        for group in self._groups:
            at = int(np.searchsorted(group.bins.places, f))
            if at < group.bins.places.size and group.bins.places[at] == f:
                return group, at
        raise KeyError(f)


def _joins(dispersion: Dispersion | None, features: int, share: float) -> IntArray:
    """Return for each feature the place in `JOINS` of how many panes are joined, shape (F,)."""
    if dispersion is None:
        return np.zeros(features, np.int64)
    joined = np.zeros(features, np.int64)
    known = dispersion.known()
    for place, together in enumerate(JOINS[:-1]):
        phi = np.nan_to_num(dispersion.phi[place, -1], nan=1.0)
        few = share * dispersion.events * together < LEAST_EVENTS * phi
        joined[few & (joined == place) & (known > place + 1)] = place + 1
    return joined
