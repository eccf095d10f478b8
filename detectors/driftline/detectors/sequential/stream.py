"""The sequential detector of one stream: every watched feature, pane by pane."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import Layout
from driftline.detectors.dispersion import DIRECTIONS, JOINS, UNKNOWN, Dispersion
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.pane_lengths import LEAST_PANES
from driftline.detectors.sequential.alternatives import Tilts
from driftline.detectors.sequential.evidence import Evidence, EvidenceState
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.variation import (
    MANY_PANES,
    Directions,
    PaneVariation,
    deviations,
)

LEAST_EVENTS = 20.0
"""Independent events that a pane holds at least, or is joined with those beside it."""


@dataclass(eq=False)
class GroupState:
    """What is kept of features that are tested together.

    Attributes:
        evidence: as in `evidence`.
        variation: of the stream's own panes.
        open: events of the panes joined so far, shape (M,).
        none: those without a usable value, shape (F,).
        number: of the joined pane that they belong to; -1 before the first.
    """

    evidence: EvidenceState
    variation: PaneVariation
    open: FloatArray
    none: FloatArray
    number: int = -1


class _Group:
    """Features of one kind whose panes are joined alike."""

    def __init__(
        self, layout: Layout, counts: IntArray, places: IntArray, joined: int, upwards: bool
    ) -> None:
        self.bins = PaneBins(layout, counts, places)
        self.joined, self.together = joined, JOINS[joined]
        numeric = int((places < layout.numeric).sum())
        self.directions = Directions.of(self.bins, numeric)
        tilts = Tilts.of(self.bins, upwards=upwards) if numeric else None
        self.evidence = Evidence(self.bins, tilts)
        self.state = GroupState(
            self.evidence.state,
            PaneVariation(places.size),
            np.zeros(self.bins.owner.size),
            np.zeros(places.size),
        )

    def restore(self, state: GroupState) -> None:
        self.state = state
        self.evidence.state = state.evidence


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
        upwards: whether numbers are only tested for larger values, as sizes of errors are.

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
        *,
        upwards: bool = False,
    ) -> None:
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
        numeric = np.arange(size) < layout.numeric
        self._groups = [
            _Group(layout, counts, places, join, upwards)
            for kind in (numeric, ~numeric)
            for join in range(len(JOINS))
            if (places := np.flatnonzero(watched & has & kind & (joined == join))).size
        ]

    def add(self, flat: IntArray, pane: int, frozen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Take in a final pane.

        Args:
            flat: its flat counts of the stream, shape (layout.size,).
            pane: its number: the start over the length. Numbers grow; one that is left out had no
                events.
            frozen: features whose normal shares stay as they are, because an alert says that they
                changed, shape (F,).

        Returns:
            Which features were tested by this pane, shape (F,).
        """
        tested = np.zeros(self.evidence.size, np.bool_)
        for group in self._groups:
            state, together = group.state, group.together
            number = pane // together
            if number != state.number:
                if state.open.any():  # the last of its panes had no events
                    self._test(group, frozen, tested)
                state.number = number
            state.open = state.open + group.bins.count(flat)
            state.none = state.none + group.bins.count_none(flat)
            if pane % together == together - 1:
                self._test(group, frozen, tested)
        return tested

    def _test(
        self, group: _Group, all_frozen: NDArray[np.bool_], tested: NDArray[np.bool_]
    ) -> None:
        x, state, bins = group.state.open, group.state, group.bins
        places, frozen = bins.places, all_frozen[bins.places]
        n = bins.total(x)
        phi = self._phi_of(group, n)
        y, other, events = deviations(
            bins, group.directions, group.evidence.shares, x[None], state.none[None]
        )
        moving = ~frozen
        # Where phi is learnt from the stream, what came later than that would hide a change.
        learns = moving & (state.variation.panes < MANY_PANES)
        if self._dispersion is not None:
            learns |= moving & (self._dispersion.known()[places] > 0)
        state.variation.add(y * learns, other * learns, events * learns)
        state.variation.round()
        self.evidence[places] = group.evidence.add(
            x, phi, state.number * group.together, moving.astype(np.float64)
        )
        self.onset[places] = group.evidence.onset()
        self.panes[places] = state.evidence.panes
        tested[places] |= n > 0
        state.open, state.none = np.zeros(bins.owner.size), np.zeros(places.size)

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

    def _phi_of(self, group: _Group, n: FloatArray) -> FloatArray:
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

    def normal(self, f: int, without: FloatArray) -> FloatArray:
        """Return what is known of the normal shares of the f-th feature's bins, as if events.

        Args:
            f: place of the feature.
            without: events of its bins that are not to count, as far as they do.
        """
        group, _ = self._find(f)
        bins, own, _ = self.bins_of(f)
        normal: FloatArray = bins.normal[own]
        return normal + np.maximum(group.state.evidence.added[own] - without, 0.0)

    def added_until(self, f: int) -> int:
        """Return the number of the pane up to which the f-th feature's are added, exclusive."""
        group, _ = self._find(f)
        whole = group.state.number + (0 if group.state.open.any() else 1)
        return whole * group.together

    def forget(self, f: int, events: FloatArray) -> None:
        """Take events of the f-th feature's bins out of what is normal."""
        group, i = self._find(f)
        group.evidence.forget(i, events)

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

    def state(self) -> StreamState:
        """Return what has to be kept."""
        return StreamState([group.state for group in self._groups])

    def restore(self, state: StreamState) -> None:
        """Go on from what was kept."""
        for group, kept in zip(self._groups, state.groups, strict=True):
            group.restore(kept)
            places = group.bins.places
            self.panes[places] = kept.evidence.panes
            self.evidence[places] = np.where(
                kept.evidence.panes > 0, group.evidence.evidence(), np.nan
            )
            self.onset[places] = group.evidence.onset()

    def _find(self, f: int) -> tuple[_Group, int]:
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
