"""Accepting the present: what a feature is now becomes what it is compared with.

An acceptance counts when it is read from the log of panes. Before its first pane the counts of the
panes since its `since` are taken, as far back as panes are at hand; they replace the reference's.
What was taken is kept, because the log of panes forgets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from driftline.consumer.judge.accepted_pairs import PairAcceptances
from driftline.consumer.judge.accepted_state import (
    AcceptanceState,
    AcceptedCounts,
    AcceptedFeature,
)
from driftline.consumer.judge.seasons import stream_seasons
from driftline.consumer.judge.windows.track import Track
from driftline.consumer.wire.codec import pack_integers, unpack_integers
from driftline.consumer.wire.messages import Acceptance
from driftline.detectors.grid import IntArray
from driftline.detectors.reference import Reference
from driftline.detectors.replaced_counts import with_counts
from driftline.detectors.seasons import CYCLES, FeatureSeason
from driftline.detectors.sequential.pane_bins import PaneBins

_IDS_KEPT = 200
_NO_CELL = -1


class Acceptances:
    """The acceptances of one model.

    Args:
        state: as read from the log; UNSET: there were none.
        reference: the one that is judged against, or that one is derived from.
        pane: length of a pane, ms.

    Attributes:
        features: those that hold, by name.
    """

    def __init__(
        self, state: AcceptanceState | msgspec.UnsetType, reference: Reference, pane: int
    ) -> None:
        self._pane, self._base = pane, reference.origin or reference
        self._ids: list[str] = []
        self._waiting: list[Acceptance] = []
        self.features: dict[str, AcceptedFeature] = {}
        self._pairs = PairAcceptances()
        if state is not msgspec.UNSET:
            self._ids, self._waiting = list(state.ids), list(state.waiting)
            if state.reference == self._base.id:
                self.features = {each.feature: each for each in state.features}
                self._pairs = PairAcceptances(state.pairs or ())

    def rebase(self, reference: Reference) -> None:
        """Forget those that hold, where another reference than theirs does from now on."""
        base = reference.origin or reference
        if base is not self._base and base.id != self._base.id:
            self._base = base
            self.features.clear()
            self._pairs.clear()

    def state(self) -> AcceptanceState | msgspec.UnsetType:
        """Return what has to be kept."""
        if not self._ids:
            return msgspec.UNSET
        features = [self.features[name] for name in sorted(self.features)]
        return AcceptanceState(
            self._base.id, list(self._waiting), features, list(self._ids), self._pairs.state()
        )

    def read(self, acceptance: Acceptance, following: int | None) -> None:
        """Take one in that was read from the log.

        Args:
            acceptance: the record.
            following: start of the next pane to be judged, ms; None before the first.
        """
        own = f"{acceptance.id}/{acceptance.feature}"
        if own in self._ids:
            return
        self._ids = [*self._ids, own][-_IDS_KEPT:]
        start = max((at for at in (acceptance.start, following) if at is not None), default=None)
        self._waiting.append(msgspec.structs.replace(acceptance, start=start))

    def due(self, pane: int) -> list[Acceptance]:
        """Return those that hold from a pane on which starts at `pane` (ms), in order."""
        return [one for one in self._waiting if one.start is None or one.start <= pane]

    def take(
        self,
        acceptance: Acceptance,
        pane: int,
        begun: Mapping[str, int],
        track: Track,
        enough: Callable[[int], bool],
    ) -> list[str]:
        """Let one hold from a pane on, if enough events came since its `since`; else it waits.

        Args:
            acceptance: one that is due.
            pane: start of the first pane, ms.
            begun: the features that it is about, and from when on their events are normal, ms.
            track: has the panes before it.
            enough: returns whether as many events are.

        Returns:
            The features whose present is normal from now on; none where it still waits.
        """
        needed = track.needed()
        first = {
            name: min(max(since, since if needed is None else needed), pane - self._pane)
            for name, since in begun.items()
        }
        starts = [
            start for start in track.panes.starts()
            if start < pane
            and not track.panes.foreign(start, start + self._pane)
            and not track.lost(start, start + self._pane)
        ]  # fmt: skip
        came = [
            sum(track.panes.events(at, at + self._pane, None) for at in starts if at >= since)
            for since in {*first.values()}
        ]
        if not all(map(enough, came)):
            return []
        self._waiting.remove(acceptance)
        for since in sorted({*first.values()}):
            names = [name for name in first if first[name] == since]
            own = [at for at in starts if at >= since]
            found = self._counts(names, own, track)
            self._pairs.take(self._base, names, own, track, self._pane, pane)
            for name in names:
                self.features[name] = AcceptedFeature(
                    acceptance.id, name, acceptance.who, acceptance.why, since, pane, found[name]
                )
        return list(first)

    def forget(self, learnt_from: int) -> None:
        """Forget those that a reference which moves has learnt by itself.

        `learnt_from`: from when on (ms) the stream is what is normal.
        """
        for name in [each.feature for each in self.features.values() if each.start <= learnt_from]:
            del self.features[name]

    def over(self, reference: Reference) -> Reference:
        """Return a reference with the counts that were accepted in place of its own.

        One that is neither that of the acceptances nor derived from it stays as it is.
        """
        if (reference.origin or reference).id != self._base.id:
            return reference
        return self._pairs.over(self._features_over(reference))

    def _features_over(self, reference: Reference) -> Reference:
        if not self.features:
            return reference
        layout = self._base.layout
        counts: dict[str | None, dict[str, IntArray]] = {}
        seasons: dict[str | None, dict[str, FeatureSeason]] = {}
        for name, feature in sorted(self.features.items()):
            if name not in layout.position:
                continue
            f = layout.position[name]
            by_stream: dict[str | None, dict[int, IntArray]] = {}
            for each in feature.counts:
                block = np.zeros(int(np.diff(layout.starts)[f]), np.int64)
                block[unpack_integers(each.places)] = unpack_integers(each.counts)
                by_stream.setdefault(each.stream or None, {})[each.cell] = block
            for stream, cells in by_stream.items():
                counts.setdefault(stream, {})[name] = np.sum([*cells.values()], axis=0)
                season = self._season(stream, f)
                if season is not None:
                    made = _season_of(self._base, f, season, cells)
                    seasons.setdefault(stream, {})[name] = made
        return with_counts(reference, counts, None, seasons)

    def _counts(
        self, names: Sequence[str], starts: Sequence[int], track: Track
    ) -> dict[str, list[AcceptedCounts]]:
        """Return the counts of features in some panes, per stream and cell of their cycle."""
        layout = self._base.layout
        found: dict[str, list[AcceptedCounts]] = {name: [] for name in names}
        for stream in self._base.streams:
            by_cycle: dict[str | None, list[str]] = {}
            for name in names:
                season = self._season(stream, layout.position[name])
                cycle = None if season is None else season.cycle
                by_cycle.setdefault(cycle, []).append(name)
            added = {cycle: dict[int, IntArray]() for cycle in by_cycle}
            for start in starts:
                flat = track.panes.counts(start, start + self._pane, stream)[: layout.size]
                for cycle, cells in added.items():
                    cell = self._cell(stream, cycle, start)
                    cells[cell] = cells[cell] + flat if cell in cells else flat
            for cycle, cells in added.items():
                for cell, flat in sorted(cells.items()):
                    for name in by_cycle[cycle]:
                        f = layout.position[name]
                        block = flat[layout.starts[f] : layout.starts[f + 1]]
                        places = np.flatnonzero(block)
                        if places.size:
                            packed = pack_integers(places), pack_integers(block[places])
                            found[name].append(AcceptedCounts(stream or "", cell, *packed))
        return found

    def _cell(self, stream: str | None, cycle: str | None, start: int) -> int:
        clock = None if cycle is None else stream_seasons(self._base, stream)
        if clock is None or cycle is None:
            return _NO_CELL
        return int(clock.cells_of(cycle, np.array([start]), self._pane)[0])

    def _season(self, stream: str | None, f: int) -> FeatureSeason | None:
        seasons = self._base.seasons
        if seasons is None:
            return None
        return seasons.streams[self._base.position[stream]].get(f)


def _season_of(
    base: Reference, f: int, season: FeatureSeason, cells: Mapping[int, IntArray]
) -> FeatureSeason:
    """Return what is normal in each cell: what came in it; of the others nothing is known."""
    layout = base.layout
    own = slice(int(layout.starts[f]), int(layout.starts[f + 1]))

    def flat(block: IntArray) -> IntArray:
        whole = np.zeros(layout.size, np.int64)
        whole[own] = block
        return whole

    bins = PaneBins(layout, flat(np.sum([*cells.values()], axis=0)), np.array([f]))
    counts = np.zeros((CYCLES[season.cycle].cells, bins.owner.size + 1), np.int64)
    for cell, block in cells.items():
        counts[cell] = np.concatenate([bins.count(flat(block)), bins.count_none(flat(block))])
    return FeatureSeason(season.cycle, season.kappa, counts)
