"""The counts of one pane that is still open: rows wait in a buffer, then become sparse counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from driftline.consumer.sketch.joint_cells import JointCells
from driftline.consumer.sketch.listed import Listed
from driftline.consumer.sketch.outcome_columns import EstimateCells
from driftline.consumer.sketch.pane_counts import PaneCounts, PaneSource
from driftline.consumer.sketch.sampling import PaneSample
from driftline.consumer.wire.messages import Pane
from driftline.consumer.wire.samples import merged_names, sample_size
from driftline.detectors import OTHER
from driftline.detectors.counts import Columns, Layout, count_columns
from driftline.detectors.grid import IntArray

# Rows are kept until this many values wait: sorting long columns is what makes counting cheap.
_BUFFERED_VALUES = 1 << 16
# Sparse counts are merged when this many entries wait.
_PENDING_ENTRIES = 1 << 17
# Versions are named by the stream: those beyond this number share a slot, in a pane and a segment.
_MOST_VERSIONS = 100
_MOST_VERSIONS_OF_SEGMENT = 20


@dataclass(frozen=True)
class PaneTimes:
    """When panes begin and are closed; durations in ms.

    Attributes:
        pane: length of a pane.
        every: from one window to the next, a whole number of panes.
        grace: how late an event may be.
        stale_after: a silence after which open panes are closed; None for never.
        ordered: whether later events come later, so that an event closes the panes `grace` behind
            it; else the events are a set, in which nothing is late and `close` alone closes panes.
    """

    pane: int
    every: int
    grace: int
    stale_after: int | None = None
    ordered: bool = True

    def step_end(self, time: int) -> int:
        """Return when the window is over that a time (ms) is in the last step of."""
        return (time // self.every + 1) * self.every


@dataclass(frozen=True)
class SketchModel:
    """What sketch needs to know of one model.

    Attributes:
        name: the model.
        layout_id: of its reference.
        streams: names of the streams counted: None, the whole model, then ``tag=value``.
        segments: per tag, the place of its first value in `streams`.
        times: of its panes.
        estimates: counts, behind all others, what performance can be estimated from.
        joint: counts, behind the features', what tells whether they belong together.
        listed: what the reference knows of the events.
    """

    name: str
    layout_id: str
    listed: Listed
    streams: tuple[str | None, ...]
    segments: Mapping[str, int]
    times: PaneTimes
    estimates: EstimateCells | None = None
    joint: JointCells | None = None

    @property
    def layout(self) -> Layout:
        """The reference's flat layout."""
        return self.listed.layout

    @property
    def pane(self) -> int:
        """Length of a pane, ms."""
        return self.times.pane

    @cached_property
    def starts(self) -> IntArray:
        """Where the blocks start in the flat counts, and ends: features, then what is behind."""
        behind = [cells.size for cells in (self.joint, self.estimates) if cells is not None]
        starts = self.layout.starts
        return np.concatenate([starts, starts[-1] + np.cumsum(behind, dtype=np.int64)])

    @property
    def size(self) -> int:
        """Length of the flat counts."""
        return int(self.starts[-1])


class OpenPane:
    """Counts of one (partition, model, pane), from offset `first` on."""

    def __init__(self, model: SketchModel, start: int, first: int) -> None:
        self.model = model
        self.start = start
        self.first = first
        self.sample = PaneSample(sample_size(model.times.pane, model.times.every))
        self.sent = 0  # events in the last message of this pane that this worker sent
        self._events = np.zeros(len(model.streams), dtype=np.int64)
        self._versions: list[dict[str, int]] = [{} for _ in model.streams]
        self._releases: dict[str, dict[str, int]] = {}
        self._rows: list[tuple[Columns, Mapping[str, NDArray[np.int32]]]] = []
        self._buffered = 0
        self._entries: list[tuple[IntArray, IntArray]] = []
        self._pending = 0

    @property
    def events(self) -> int:
        """Events counted so far."""
        return int(self._events[0])

    @property
    def end(self) -> int:
        """End of the pane, ms since 1970, exclusive."""
        return self.start + self.model.pane

    def add(
        self,
        columns: Columns,
        versions: NDArray[np.int32],
        segments: Mapping[str, NDArray[np.int32]],
        version_names: Sequence[str],
        releases: Mapping[str, tuple[NDArray[np.int32], Sequence[str]]] = MappingProxyType({}),
    ) -> None:
        """Count rows, in offset order: columns, version codes, and per tag its values' codes.

        `releases`: per tag of releases the codes, and their names.
        """
        for tag, (codes, names) in releases.items():
            counted: dict[str, int] = {}
            _count_versions(counted, codes, names, len(names) + 1)
            counted.pop(OTHER, None)  # names that are too long
            self._releases[tag] = merged_names([self._releases.get(tag, {}), counted])
        for place, chosen in self._subsets(segments, len(versions)):
            some = versions if chosen is None else versions[chosen]
            self._events[place] += len(some)
            most = _MOST_VERSIONS_OF_SEGMENT if place else _MOST_VERSIONS
            _count_versions(self._versions[place], some, version_names, most)
        self._rows.append((columns, segments))
        self._buffered += columns.numeric.size + columns.codes.size
        if self._buffered >= _BUFFERED_VALUES:
            self._fold()

    def messages(self, source: str, partition: int, until: int) -> Iterator[Pane]:
        """Yield the pane as messages, as counted up to offset `until`."""
        self._fold()
        indexes, counts = self._merge()
        versions = [dict(sorted(own.items())) for own in self._versions]
        releases = self._named_releases() if self._releases else UNSET
        whole = PaneCounts(
            self.model, self.start, self._events, versions, indexes, counts,
            self.sample.packed(), releases,
        )  # fmt: skip
        yield from whole.messages(PaneSource(source, partition, self.first, until))

    def _named_releases(self) -> dict[str, dict[str, int]]:
        """Return per tag of releases its values' events, in the order of their names."""
        return {tag: dict(sorted(own.items())) for tag, own in sorted(self._releases.items())}

    def _subsets(
        self, segments: Mapping[str, NDArray[np.int32]], rows: int
    ) -> Iterator[tuple[int, IntArray | None]]:
        """Yield (place in streams, rows that belong to it; None for all)."""
        if rows:
            yield 0, None
        for tag, base in self.model.segments.items():
            codes = segments[tag]
            for code in np.unique(codes).tolist():
                yield base + code, np.flatnonzero(codes == code)

    def _fold(self) -> None:
        """Turn the rows in the buffer into sparse counts."""
        if not self._rows:
            return
        columns = Columns(
            numeric=np.concatenate([c.numeric for c, _ in self._rows]),
            codes=np.concatenate([c.codes for c, _ in self._rows]),
        )
        segments = {
            tag: np.concatenate([s[tag] for _, s in self._rows]) for tag in self.model.segments
        }
        self._rows.clear()
        self._buffered = 0
        layout, size = self.model.layout, self.model.size
        joint, estimates = self.model.joint, self.model.estimates
        for place, chosen in self._subsets(segments, len(columns.numeric)):
            some = (
                columns
                if chosen is None
                else Columns(numeric=columns.numeric[chosen], codes=columns.codes[chosen])
            )
            parts = [count_columns(layout, some)]
            if joint is not None:
                parts.append(joint.count(some, whole=place == 0))
            if estimates is not None:
                parts.append(estimates.count(some))
            counts = np.concatenate(parts)
            where = np.flatnonzero(counts)
            self._entries.append((where + place * size, counts[where]))
            self._pending += len(where)
        if self._pending >= _PENDING_ENTRIES:
            self._merge()

    def _merge(self) -> tuple[IntArray, IntArray]:
        """Return all counts as sorted, distinct positions over streams x layout, with counts."""
        if not self._entries:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        if len(self._entries) > 1:
            where = np.concatenate([w for w, _ in self._entries])
            counts = np.concatenate([c for _, c in self._entries])
            order = np.argsort(where, kind="stable")
            where, counts = where[order], counts[order]
            heads = np.flatnonzero(np.diff(where, prepend=-1))
            self._entries = [(where[heads], np.add.reduceat(counts, heads))]
        self._pending = 0
        return self._entries[0]


def _count_versions(
    known: dict[str, int], codes: NDArray[np.int32], names: Sequence[str], most: int
) -> None:
    """Count versions by name; those that come after the first `most` share one."""
    if codes.size and (codes == codes[0]).all():  # as nearly always
        found, first, counts = codes[:1], np.zeros(1, np.int64), np.array([codes.size])
    else:
        found, first, counts = np.unique(codes, return_index=True, return_counts=True)
    for i in np.argsort(first).tolist():
        if found[i] >= 0:
            name = names[found[i]]
            if name not in known and len(known) >= most:
                name = OTHER
            known[name] = known.get(name, 0) + int(counts[i])
