"""Watches one stream pane by pane: the sequential detector, its gate, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.dispersed import ASSUMED
from driftline.consumer.judge.features.change_state import StreamChanges, pack, unpack
from driftline.consumer.judge.features.past_phi import PastPhi
from driftline.detectors.dispersion import UNKNOWN
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.reference import Reference, content_hash
from driftline.detectors.rounding import significant
from driftline.detectors.sequential.also_changed import also_changed
from driftline.detectors.sequential.alternatives import ALL
from driftline.detectors.sequential.gate import RECENT, pane_psi, surely, tails_doubled
from driftline.detectors.sequential.stream import StreamEvidence

SEQUENTIAL = "sequential"
"""Key of the rule, and name of the detector in records."""

Counts = Callable[[int, int], IntArray]
"""Returns the flat counts of the stream from one time to another (ms)."""


@dataclass(frozen=True)
class Change:
    """A feature that changed.

    Attributes:
        f: its place in the layout.
        since: start (ms) of the pane with which the change began, of those still at hand.
        effect: bias-corrected PSI since then, nats.
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
        upwards: whether numbers are only tested for larger values.
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
        *,
        upwards: bool = False,
    ) -> None:
        place = reference.position[segment]
        share = reference.stream_events[place] / max(int(reference.stream_events[0]), 1)
        watched = ~np.isnan(limits)
        self._stream = "" if segment is None else segment
        self._limits, self._pane, self._min_effect = limits, pane, min_effect
        self._most = max(RECENT) * window.every
        self._evidence = StreamEvidence(
            reference.layout, reference.counts[place], watched, reference.dispersion, float(share),
            pane,
            upwards=upwards,
        )  # fmt: skip
        self._key = content_hash(
            {
                "reference": reference.id,
                "pane": pane,
                "watched": np.flatnonzero(watched).tolist(),
                "alternatives": ALL,
            }
        )
        first, past = self._evidence.phi(), b""
        if kept is not None and kept.key == self._key:
            self._evidence.restore(unpack(kept.groups, self._evidence.state()))
            past = kept.past
        self._past = PastPhi(first, max(-(-window.length // pane), 1), past)

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
        tested = self._evidence.add(flat, number, frozen)
        with np.errstate(invalid="ignore"):
            reached = tested & ~frozen & (significant(self._evidence.evidence) >= self._limits)
        end = start + self._pane
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
        bins, own, _ = self._evidence.bins_of(change.f)
        # Panes that wait to be joined with others are not added yet.
        added = min(end, self._evidence.added_until(change.f) * self._pane)
        since = bins.count(counts(change.since, added))[own]
        self._evidence.forget(change.f, since.astype(np.float64))

    def is_quiet(self, f: int, window: IntArray) -> bool:
        """Return whether a window (flat counts) shows at most half of what an alarm needs."""
        bins, own, _ = self._evidence.bins_of(f)
        now, normal = bins.count(window)[own].astype(np.float64), bins.normal[own]
        if not now.sum():
            return False
        phi = self._phi(f)
        return pane_psi(now, normal, phi) < self._min_effect / 2 and not self._tails(
            f, now, normal, phi
        )

    def reset(self, f: int) -> None:
        """Begin the f-th feature anew: what changed is over."""
        if self.watches(f):
            self._evidence.reset(f)

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
        bins, own, together = self._evidence.bins_of(f)
        longest = min(max(RECENT) * together * self._pane, self._most)
        since = max(int(self._evidence.onset[f]) * self._pane, end - longest)
        now = bins.count(counts(since, end))[own].astype(np.float64)
        if not now.sum():
            return None
        phi = self._phi(f)
        normal = self._evidence.normal(f, now)
        effect = float(significant(pane_psi(now, normal, phi)))
        if effect >= self._min_effect or self._tails(f, now, normal, phi):
            return Change(f, since, effect)
        for panes in self._recent(end, together, counts):
            recent = bins.count(panes)[own].astype(np.float64)
            if recent.sum() and surely(recent, bins.normal[own], self._min_effect, phi):
                return Change(f, since, effect)
        return None

    def _recent(self, end: int, together: int, counts: Counts) -> Iterator[IntArray]:
        for panes in RECENT:
            yield counts(end - min(panes * together * self._pane, self._most), end)

    def _tails(self, f: int, now: FloatArray, normal: FloatArray, phi: float) -> bool:
        return self._evidence.is_number(f) and tails_doubled(now, normal, phi)

    def _phi(self, f: int) -> float:
        return float(self._evidence.phi()[-1, f])
