"""Watches one stream pane by pane: the sequential detector, its gate, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.dispersed import ASSUMED
from driftline.consumer.judge.features.change_state import FORMAT, StreamChanges, pack, unpack
from driftline.consumer.judge.features.past_phi import PastPhi
from driftline.consumer.judge.seasons import quiet_for, stream_seasons, unwatched
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.detectors.dispersion import UNKNOWN
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.reference import Reference, content_hash
from driftline.detectors.rounding import significant
from driftline.detectors.sequential.also_changed import also_changed
from driftline.detectors.sequential.alternatives import ALL
from driftline.detectors.sequential.cell_shares import Mix
from driftline.detectors.sequential.gate import (
    MOSTLY,
    RECENT,
    chance_psi,
    change_psi,
    is_back,
    outer_rise,
    surely,
    tails_doubled,
)
from driftline.detectors.sequential.group import Comparing
from driftline.detectors.sequential.stream import StreamEvidence
from driftline.detectors.versions import dispersion_of, version_streams


class Counts(Protocol):
    """Returns the flat counts of the stream from one time to another (ms)."""

    def __call__(self, first: int, end: int, part: str | None = None, /) -> IntArray:
        """Return them; `part`: a stream that is a part of this one, whose events alone count."""
        ...


def counts_of(panes: PaneStore, segment: str | None, size: int) -> Counts:
    """Return what counts a stream's events, in the first `size` cells; while no pane comes."""

    @lru_cache(maxsize=16)  # each of the features that fire asks for the same times
    def counts(first: int, end: int, part: str | None = None) -> IntArray:
        return panes.counts(first, end, segment if part is None else part)[:size]

    return counts


@dataclass(frozen=True)
class Change:
    """A feature that changed.

    Attributes:
        f: its place in the layout.
        since: start (ms) of the pane with which the change began, of those still at hand.
        effect: bias-corrected PSI since then, nats, see `change_psi`.
    """

    f: int
    since: int
    effect: float


@dataclass(frozen=True)
class Evidence:
    """What is known of one feature: logarithms, and where the change would have begun (ms)."""

    evidence: float
    limit: float
    onset: int


@dataclass(frozen=True, eq=False)
class _Panes:
    """Events of one feature in some panes.

    Attributes:
        mix: of the cells that they are of, or of the parts of the stream.
        cells: the events per cell or part of the mix and bin.
    """

    mix: Mix
    cells: IntArray

    @property
    def now(self) -> FloatArray:
        """The events per bin."""
        now: FloatArray = self.cells.sum(axis=0).astype(np.float64)
        return now


_ALWAYS = -(1 << 62)
_WHOLE = Mix.of([0], [1.0])  # of what follows no cycle


class ChangeWatch:
    """Adds up evidence of one stream, pane by pane.

    Args:
        reference: what is normal; `segment`: of the stream.
        limits: natural logarithm of the evidence at which each feature alarms, shape (F,); NaN
            where none is added up.
        pane: length of a pane, ms.
        window: length and step of the windows: the gate looks back at 50 steps at most.
        min_effect: the least PSI of an alarm.
        kept: what was kept of the stream; None: nothing. What was kept of another reference,
            layout or pane, or of other alternatives, is not used.
        how: features are compared.
    """

    def __init__(
        self,
        reference: Reference,
        segment: str | None,
        limits: FloatArray,
        pane: int,
        window: WindowConfig,
        min_effect: float,
        kept: StreamChanges | None,
        how: Comparing = Comparing(),  # noqa: B008 - it is frozen
    ) -> None:
        dispersion, share = dispersion_of(reference, segment)
        self._parts = version_streams(reference) if segment is None else ()
        limits = np.where(unwatched(reference, segment), np.nan, limits)
        watched = ~np.isnan(limits)
        self._stream = "" if segment is None else segment
        self._limits, self._pane, self._min_effect = limits, pane, min_effect
        self._window, self._most = window.length, max(RECENT) * window.every
        self._layout, self._seasons = reference.layout, stream_seasons(reference, segment)
        parts = [reference.counts_of(part) for part in self._parts]
        self._evidence = StreamEvidence(
            reference.layout, reference.counts_of(segment), watched,
            dispersion, share, pane, np.stack(parts) if parts else self._seasons,
            how,
        )  # fmt: skip
        self._key = content_hash(
            {
                "reference": reference.id,
                "pane": pane,
                "watched": np.flatnonzero(watched).tolist(),
                "alternatives": ALL,
                "format": FORMAT,
            }
        )
        self._begins = np.full(watched.size, _ALWAYS)
        self._known_phi: FloatArray | None = None
        first, past = self._evidence.phi(), b""
        if kept is not None and kept.key == self._key:
            self._evidence.restore(unpack(kept.groups, self._evidence.state()))
            past = kept.past
        self._past = PastPhi(first, max(-(-window.length // pane), 1), past)

    def look_from(self, begins: IntArray) -> None:
        """Look no further back than to a time (ms) of each feature, shape (F,).

        What came before it was compared with something else.
        """
        self._begins = begins

    def carry(self, old: ChangeWatch) -> None:
        """Go on with what was known when another reference of the same layout was normal.

        Evidence begins anew on features for which something else is normal now. How much panes
        vary goes on.
        """
        same, self._known_phi = self._evidence.carry(old._evidence), None
        self._past.carry(old._past, same, self._evidence.phi())

    def reach(self) -> int:
        """Return how far back of the last pane the gate looks, ms."""
        return min(max(RECENT) * self._pane * self._evidence.most_joined, self._most)

    def add(
        self, start: int, flat: IntArray, counts: Counts, frozen: NDArray[np.bool_]
    ) -> list[Change]:
        """Take in the final pane that starts at `start` (ms).

        Args:
            start: of the pane.
            flat: its counts.
            counts: of the panes up to it.
            frozen: features of which an alert says already that they changed, shape (F,).

        Returns:
            The features that alarm.
        """
        number = start // self._pane
        if self._past.is_due(number):
            self._past.keep(number, self._evidence.phi())
        end = start + self._pane
        parts = [counts(start, end, part) for part in self._parts]
        tested = self._evidence.add(flat, number, frozen, parts)
        self._known_phi = None
        with np.errstate(invalid="ignore"):
            reached = tested & ~frozen & (significant(self._evidence.evidence) >= self._limits)
        changes = [self._change(f, end, counts) for f in np.flatnonzero(reached).tolist()]
        return [change for change in changes if change is not None]

    def of(self, f: int) -> Evidence | None:
        """Return what is known of the f-th feature; None before its first pane."""
        evidence = float(significant(self._evidence.evidence[f]))
        if np.isnan(evidence) or np.isnan(self._limits[f]):
            return None
        onset = int(self._evidence.onset[f]) * self._pane
        return Evidence(evidence, float(significant(self._limits[f])), onset)

    def also(self) -> list[int]:
        """Return the features that changed, too, where one did; a tenth of them may not have."""
        there = np.flatnonzero(~np.isnan(self._evidence.evidence))
        evidence, panes = self._evidence.evidence[there], self._evidence.panes[there]
        places: list[int] = there[also_changed(evidence, panes.astype(np.float64))].tolist()
        return places

    def fired(self, change: Change, end: int, counts: Counts) -> None:
        """Take what came since the change out of what is normal; an alert speaks of it now."""
        # Panes that wait to be joined with others are not added yet.
        added = min(end, self._evidence.added_until(change.f) * self._pane)
        if added > change.since:
            since = self._counted(change.f, change.since, added, counts)
            self._evidence.forget(change.f, since.mix, since.cells)
        self._evidence.unlearn(change.f, change.since // self._pane)
        self._known_phi = None

    def around(self, change: Change, end: int) -> tuple[int, int]:
        """Return from when on (ms) panes are kept, and when a change may have begun.

        That is one (joined) pane before its onset, which may be late by one.
        """
        back, (_, _, together) = end - self.reach(), self._evidence.bins_of(change.f)
        return back, max(change.since - together * self._pane, back)

    def is_quiet(self, f: int, since: int, end: int, counts: Counts) -> bool:
        """Return whether the last panes are surely as normal again: as sure as the alarm was.

        They are those of the window that ends at `end` (ms). They are where they show at most half
        of what an alarm needs, and are not as those were that came between the change of the f-th
        feature, at `since`, and them. Where they cannot tell, twice as many panes are looked at and
        so on, as far back as the gate looks, but not to before the change: that all was well then
        does not end it. While too few independent events came since, it is not over.
        """
        phi = self._phi(f)
        begins = max(int(self._begins[f]), end - max(self.reach(), self._window))
        first = max(end - self._window, begins)
        last = panes = self._counted(f, first, end, counts)
        if phi >= UNKNOWN:  # windows alone alarm, and end what they let fire
            return bool(last.now.sum())
        while not self._can_tell(f, panes, max(since, begins), first, counts) and first > begins:
            if first <= since:
                return False
            first = max(2 * first - end, since, begins)
            panes = self._counted(f, first, end, counts)
        now = panes.now
        if not now.sum():
            return False
        normal = self._evidence.normal(f, panes.mix, now=now)
        if self._effect(f, now, normal) >= self._min_effect / 2 or self._tails(f, now, normal, phi):
            return False
        if not self._evidence.is_number(f):
            return True
        # A window may hold too few outer values to show that they are still more.
        before = self._counted(f, begins, end, counts).now
        outer = outer_rise(before, normal, phi)
        return outer is None or outer.weight < MOSTLY or not outer.goes_on(last.now)

    def lasting(self, f: int) -> int:
        """Return how long (ms) the f-th feature has to be quiet until its change is over."""
        return quiet_for(self._evidence.cycle_of(f))

    def _can_tell(self, f: int, panes: _Panes, since: int, first: int, counts: Counts) -> bool:
        """Return whether panes from `first` on show what is normal, or surely do not (both ms)."""
        now, phi, half = panes.now, self._phi(f), self._min_effect / 2
        if chance_psi(float(now.sum()), now.size, phi) > half:
            return False
        normal = self._evidence.normal(f, panes.mix, now=now)
        if first <= since or self._effect(f, now, normal) >= half:
            return True
        changed = self._counted(f, since, first, counts)
        usual = self._evidence.normal(f, changed.mix, now=changed.now)
        return is_back(now, normal, changed.now, usual, phi)

    def counted(self, f: int, flat: IntArray) -> FloatArray:
        """Return the events of the f-th feature per bin of its own; `flat`: counts."""
        bins, own, _ = self._evidence.bins_of(f)
        return bins.count(flat)[own].astype(np.float64)

    def compared(self, f: int, now: FloatArray) -> tuple[FloatArray, float]:
        """Return what is normal of a feature that follows no cycle, and how far events are from it.

        That is as if events, per bin; and the effect, see `change_psi`, NaN of no events. `now`:
        the events, per bin.
        """
        normal = self._evidence.normal(f, _WHOLE, now=now)
        return normal, float(significant(self._effect(f, now, normal))) if now.any() else np.nan

    def reset(self, f: int) -> None:
        """Begin the f-th feature anew: what changed is over."""
        if self.watches(f):
            self._evidence.reset(f)

    def begin_anew(self, f: int) -> None:
        """Begin the f-th feature anew: what its values are now is normal."""
        if not self.watches(f):
            return
        if self.of(f) is not None:
            self._evidence.reset(f)
        self._evidence.relearn(f)
        self._past.begin_anew(f, self._evidence.phi())

    def watches(self, f: int) -> bool:
        """Return whether evidence on the f-th feature is added up."""
        return self._evidence.tests(f)

    def phi(self, start: int) -> FloatArray:
        """Return phi by which a window that begins at `start` (ms) is tempered, shape (5, F).

        It is the larger of the reference's and of what the stream's panes before the window show;
        `UNKNOWN` while neither is known.
        """
        return self._past.before(start // self._pane)

    def phi_of(self, f: int) -> float:
        """Return how many events of the f-th feature tell as much as one independent one."""
        phi = self._phi(f) if self.watches(f) else 1.0
        return phi if phi < UNKNOWN else ASSUMED

    def state(self) -> StreamChanges:
        """Return what has to be kept."""
        groups, past = pack(self._evidence.state()), self._past.state()
        return StreamChanges(self._stream, self._key, groups, past)

    def _change(self, f: int, end: int, counts: Counts) -> Change | None:
        """Return the change of a feature if it is large enough to tell people of."""
        together = self._evidence.bins_of(f)[2]
        longest = min(max(RECENT) * together * self._pane, self._most)
        begins = int(self._begins[f])
        since = max(int(self._evidence.onset[f]) * self._pane, end - longest, begins)
        panes = self._counted(f, since, end, counts)
        now = panes.now
        if not now.sum():
            return None
        phi = self._phi(f)
        normal = self._evidence.normal(f, panes.mix, panes.cells, now)
        effect = float(significant(self._effect(f, now, normal)))
        if effect >= self._min_effect or self._tails(f, now, normal, phi):
            return Change(f, since, effect)
        for many in RECENT:
            first = max(end - min(many * together * self._pane, self._most), begins)
            recent = self._counted(f, first, end, counts)
            frozen = self._evidence.normal(f, recent.mix, now=recent.now)
            if recent.cells.any() and surely(recent.now, frozen, self._min_effect, phi):
                return Change(f, since, effect)
        return None

    def _counted(self, f: int, first: int, end: int, counts: Counts) -> _Panes:
        """Return the events of the f-th feature in the panes from one time to another (ms)."""
        bins, own, _ = self._evidence.bins_of(f)
        if self._parts:
            flats = [counts(first, end, part) for part in self._parts]
            many = [float(self._layout.events(flat, f)) for flat in flats]
            mix = Mix.of(range(len(flats)), many)
            return _Panes(mix, np.stack([bins.count(flats[i])[own] for i in mix.cells.tolist()]))
        cycle = self._evidence.cycle_of(f)
        if cycle is None or self._seasons is None:
            return _Panes(_WHOLE, bins.count(counts(first, end))[own][None])
        found: dict[int, IntArray] = {}
        runs = self._seasons.runs(cycle, first, end, self._pane)
        events = []
        for cell, start, stop in runs:
            flat = counts(start, stop)
            events.append(float(self._layout.events(flat, f)))
            found[cell] = found.get(cell, 0) + bins.count(flat)[own]
        mix = Mix.of([cell for cell, _, _ in runs], events)
        return _Panes(mix, np.stack([found[cell] for cell in mix.cells.tolist()]))

    def _effect(self, f: int, now: FloatArray, normal: FloatArray) -> float:
        scores = self._evidence.scores_of(f)
        phi = self._phi_of_all()[:, f]
        return change_psi(now, normal, scores, np.append(phi[: len(scores)], phi[-1]))

    def _tails(self, f: int, now: FloatArray, normal: FloatArray, phi: float) -> bool:
        return self._evidence.is_number(f) and tails_doubled(now, normal, phi)

    def _phi(self, f: int) -> float:
        return float(self._phi_of_all()[-1, f])

    def _phi_of_all(self) -> FloatArray:
        """Return the present phi, shape (5, F): worked out once for all that is asked of a pane."""
        if self._known_phi is None:
            self._known_phi = self._evidence.phi()
        return self._known_phi
