"""The detector of changes as the judge runs it, over simulated streams of numbers.

A stream is one feature of a reference; many are watched at once, since each is tested by itself.
Panes hold equal numbers of events and last a minute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from benchmarks.streams import Changed, Stream, blocks

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.features.changes import Change, ChangeWatch
from driftline.detectors import Columns, FeatureColumn, Reference, build_reference
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.producer.reference.pane_plan import PanePlan
from driftline.producer.reference.panes import PaneCounts

MINUTE = 60_000
OPEN = -np.inf
"""`min_effect` of a gate that lets every alarm through."""


def reference_of(values: FloatArray, events: int) -> Reference:
    """Build a reference from values in the order of time, shape (n, features)."""
    columns = {f"f{i:05}": FeatureColumn("numeric", each) for i, each in enumerate(values.T)}
    reference = build_reference("m", columns)
    panes = values.shape[0] // events
    counted = PaneCounts(PanePlan(MINUTE, 0, panes), reference.layout, reference.counts[0])
    times = np.arange(values.shape[0]) // events * MINUTE
    counted.add(times, Columns(values, np.zeros((values.shape[0], 0), np.int32)))
    return replace(reference, dispersion=counted.findings().dispersion)


class Counted:
    """Counts panes into flat counts, and keeps the last of them.

    Only the first cell of each bin is filled: what is tested adds the others to it.
    """

    def __init__(self, reference: Reference, reach: int = 50) -> None:
        self._layout = reference.layout
        self._bins = PaneBins(reference.layout, reference.counts[0])
        self._last: deque[IntArray] = deque(maxlen=reach)
        self._flat = np.zeros(self._layout.size, np.int64)
        self.panes = 0

    def count(self, values: FloatArray, panes: int) -> IntArray:
        """Return events per pane and bin, shape (panes, M)."""
        m = self._bins.owner.size
        columns = Columns(values, np.zeros((values.shape[0], 0), np.int32))
        found = self._bins.of_events(self._layout, columns).reshape(panes, -1)
        found += np.arange(panes)[:, None] * m
        return np.bincount(found.ravel(), minlength=panes * m).reshape(panes, m)

    def push(self, x: IntArray) -> IntArray:
        """Take in a pane; return its flat counts."""
        self._last.append(x)
        self.panes += 1
        self._flat[self._bins.cells] = x
        return self._flat

    def counts(self, start: int, end: int, part: str | None = None) -> IntArray:
        """Return the flat counts from one time to another (ms); panes no longer kept are empty."""
        first = self.panes - len(self._last)
        rows = [
            self._last[number - first]
            for number in range(max(start // MINUTE, first), end // MINUTE)
        ]
        flat = np.zeros(self._layout.size, np.int64)
        flat[self._bins.cells] = np.sum(rows, axis=0, dtype=np.int64)
        return flat


def watch(reference: Reference, limit: float, min_effect: float = OPEN) -> ChangeWatch:
    """Return a detector over all features, which alarm at `limit` (a natural logarithm)."""
    limits = np.full(len(reference.layout.features), limit)
    window = WindowConfig.model_validate({"length": "10m", "every": "1m"})
    return ChangeWatch(reference, None, limits, MINUTE, window, min_effect, None)


def false_alarms(stream: Stream, reference_panes: int, panes: int, limit: float) -> IntArray:
    """Return the alarms of each feature in panes like those of the reference."""
    reference = reference_of(stream.draw(reference_panes), stream.events)
    return alarms_in(reference, blocks(stream, panes), stream.events, limit)


def alarms_in(
    reference: Reference, values: Iterable[FloatArray], events: int, limit: float
) -> IntArray:
    """Return the alarms of each feature in values in the order of time, some panes at a time.

    A feature begins anew after an alarm, and no alarm is held back by the size of its effect.
    """
    watching, counted = watch(reference, limit), Counted(reference)
    alarms = np.zeros(len(reference.layout.features), np.int64)
    quiet = np.zeros(alarms.size, bool)
    for block in values:
        for x in counted.count(block, block.shape[0] // events):
            start = counted.panes * MINUTE
            for change in watching.add(start, counted.push(x), counted.counts, quiet):
                alarms[change.f] += 1
                watching.reset(change.f)
    return alarms


@dataclass(frozen=True)
class Delays:
    """How many events after a change each feature's alarm came, infinite where none did.

    Attributes:
        events: shape (features,).
        onsets: how many events after the change it was said to have begun, of those that alarmed.
    """

    events: FloatArray
    onsets: FloatArray

    @property
    def median(self) -> float:
        """The median delay."""
        return float(np.median(self.events))

    @property
    def found(self) -> float:
        """The share of the features that alarmed."""
        return float(np.isfinite(self.events).mean())


def delays(
    stream: Stream,
    change: Changed,
    limits: list[tuple[float, float]],
    reference_panes: int = 100,
    before: int = 50,
    after: int = 300,
) -> list[Delays]:
    """Return the delays of detectors with these limits and least effects, on the same streams."""
    reference = reference_of(stream.draw(reference_panes), stream.events)
    watching = [watch(reference, *each) for each in limits]
    counted = Counted(reference)
    found = np.full((len(limits), stream.features), np.inf)
    onsets = np.full(found.shape, np.nan)
    quiet = np.zeros(stream.features, bool)
    for pane in range(before + after):
        values = stream.draw(1)
        if pane >= before:
            values = change(stream.rng, values)
        flat = counted.push(counted.count(values, 1)[0])
        passed = (pane - before + 1) * stream.events
        for i, each in enumerate(watching):
            for alarm in each.add(pane * MINUTE, flat, counted.counts, quiet):
                if passed <= 0:
                    each.reset(alarm.f)
                elif found[i, alarm.f] == np.inf:
                    found[i, alarm.f] = passed
                    onsets[i, alarm.f] = _since(alarm, before) * stream.events
        if np.isfinite(found).all():
            break
    return [Delays(row, at[np.isfinite(at)]) for row, at in zip(found, onsets, strict=True)]


def _since(alarm: Change, before: int) -> int:
    return alarm.since // MINUTE - before
