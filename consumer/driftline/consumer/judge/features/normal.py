"""What a stream's windows are compared with: the reference, or what it says of their hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftline.consumer.judge.seasons import stream_seasons
from driftline.consumer.judge.sentence import NORMALLY
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.detectors import Baseline, normal_rates
from driftline.detectors.grid import FloatArray
from driftline.detectors.mixed_baseline import mixed_baseline
from driftline.detectors.reference import Reference
from driftline.detectors.seasonal_baseline import SeasonalBaseline
from driftline.detectors.seasons import CYCLES, FeatureSeason
from driftline.detectors.sequential.cell_shares import Mix
from driftline.detectors.versions import version_streams


@dataclass(frozen=True, eq=False)
class Normal:
    """What one window is compared with.

    Attributes:
        baseline: its counts.
        rates: of each rate the share that is normal, shape (F,).
        seasons: of the features that follow a cycle, by place in the layout.
        mixes: the window's cells, by cycle.
    """

    baseline: Baseline
    rates: Mapping[str, FloatArray]
    seasons: Mapping[int, FeatureSeason] = field(default_factory=dict)
    mixes: Mapping[str, Mix] = field(default_factory=dict)

    def word(self, f: int) -> str:
        """Return "normally", as a sentence about the f-th feature has it.

        Where it follows a cycle, and the window is not of all its cells, of which: "normally at
        this hour".
        """
        if f not in self.seasons:
            return NORMALLY
        cycle = CYCLES[self.seasons[f].cycle]
        cells = self.mixes[cycle.name].cells.size
        return NORMALLY if cells == cycle.cells else f"{NORMALLY} {cycle.words[cells > 1]}"


class StreamNormal:
    """What the windows of one stream are compared with.

    Args:
        reference: of the model.
        segment: of the stream.
        pane: length of its panes, ms.

    Where versions have references of their own, the whole model is a mixture of their streams.

    Attributes:
        whole: what is normal at all.
    """

    def __init__(self, reference: Reference, segment: str | None, pane: int) -> None:
        baseline = Baseline(reference.layout, reference.held_counts_of(segment))
        self.whole = Normal(baseline, normal_rates(baseline))
        self._segment, self._pane = segment, pane
        self._seasons = stream_seasons(reference, segment)
        self._seasonal = None
        if self._seasons is not None and baseline.events:
            self._seasonal = SeasonalBaseline(baseline, self._seasons.features)
        parts = version_streams(reference) if segment is None else ()
        self._parts = {part: StreamNormal(reference, part, pane) for part in parts}

    def of(self, start: int, end: int, panes: PaneStore) -> Normal:
        """Return what is normal for the panes from one time to another (ms)."""
        if self._parts:
            return self._mixed(start, end, panes)
        if self._seasons is None or self._seasonal is None:
            return self.whole
        mixes = self._seasons.mixes(
            start, end, self._pane, lambda first, last: panes.events(first, last, self._segment)
        )
        baseline = self._seasonal.at(mixes)
        return Normal(baseline, normal_rates(baseline), self._seasons.features, mixes)

    def _mixed(self, start: int, end: int, panes: PaneStore) -> Normal:
        events = {part: panes.events(start, end, part) for part in self._parts}
        there = [part for part, many in events.items() if many]
        baselines = [self._parts[part].of(start, end, panes).baseline for part in there]
        many = [events[part] for part in there]
        baseline = mixed_baseline(self.whole.baseline, baselines, many)
        return Normal(baseline, normal_rates(baseline))
