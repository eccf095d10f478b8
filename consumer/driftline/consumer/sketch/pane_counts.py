"""The whole count of a pane: as messages, split where one would be too large, and added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec import UNSET, UnsetType

from driftline.consumer.wire.codec import encode, pack_integers, unpack_integers
from driftline.consumer.wire.messages import LARGEST_MESSAGE, Pane, StreamCounts
from driftline.consumer.wire.samples import EventSample, merged_names, sample_size
from driftline.consumer.wire.samples import merged as merged_sample
from driftline.detectors.grid import IntArray
from driftline.errors import RecordError

if TYPE_CHECKING:
    from driftline.consumer.sketch.open_pane import SketchModel

MERGED = 1 << 52
"""The `first` of what is merged over partitions is this or more, as no offset of a record is."""


class PaneSource(NamedTuple):
    """Whose count it is, from offset `first` until `until`; see `Pane`."""

    source: str
    partition: int
    first: int
    until: int


@dataclass(frozen=True)
class PaneCounts:
    """The whole count of one pane.

    Attributes:
        model: what is counted.
        start: of the pane, ms since 1970.
        events: per stream of the model.
        versions: per stream, events by version, in the order of names.
        indexes, counts: sorted, distinct positions over streams x flat layout, with counts.
        sample: events looked at whole; None where a part came without.
        releases: per tag of releases its values' events.
    """

    model: SketchModel
    start: int
    events: IntArray
    versions: Sequence[dict[str, int]]
    indexes: IntArray
    counts: IntArray
    sample: EventSample | None
    releases: dict[str, dict[str, int]] | UnsetType = UNSET

    def messages(self, source: PaneSource) -> Iterator[Pane]:
        """Yield it as messages, of which one holds all unless that would be too large."""
        yield from self._split(source, 0, len(self.model.starts) - 1)

    def _split(self, source: PaneSource, low: int, high: int) -> Iterator[Pane]:
        """Yield features `low` to `high` - 1 as one message, or by halves where it is too large."""
        model = self.model
        first, last = int(model.starts[low]), int(model.starts[high])
        streams = []
        for place, name in enumerate(model.streams):
            if not self.events[place]:
                continue
            base = place * model.size
            a, b = np.searchsorted(self.indexes, [base + first, base + last])
            gaps = np.diff(self.indexes[a:b] - base, prepend=0)
            streams.append(
                StreamCounts(
                    name,
                    int(self.events[place]),
                    {} if low else self.versions[place],
                    pack_integers(gaps),
                    pack_integers(self.counts[a:b]),
                )
            )
        pane = Pane(
            source.source, source.partition, model.name, self.start, model.pane,
            model.layout_id, source.first, source.until, first, last, streams,
            sample=None if low else self.sample,
            releases=UNSET if low else self.releases,
        )  # fmt: skip
        if high - low > 1 and len(encode(pane)) > LARGEST_MESSAGE:
            middle = (low + high) // 2
            yield from self._split(source, low, middle)
            yield from self._split(source, middle, high)
        else:
            yield pane


def merged(panes: Sequence[Pane], model: SketchModel, source: PaneSource) -> Iterator[Pane]:
    """Yield the sum of a pane's parts as a part of its own.

    Judged alone it gives what its parts give, judged one by one: all that judge does with them is
    to add them up.

    Args:
        panes: all messages of at least one part, of one model and start, in any order; each once.
        model: what was counted.
        source: of the sum.

    Raises:
        RecordError: a part was counted in another layout or length.
    """
    places = {name: place for place, name in enumerate(model.streams)}
    events = np.zeros(len(places), np.int64)
    versions: list[Counter[str]] = [Counter() for _ in places]
    found: list[tuple[IntArray, IntArray]] = []
    for pane in panes:
        if (pane.layout_id, pane.length) != (model.layout_id, model.pane):
            raise RecordError(f"parts of a pane of {model.name} were counted in different layouts")
        for stream in pane.streams:
            place = places[stream.stream]
            if pane.low == 0:  # every message of a part repeats its events
                events[place] += stream.events
                versions[place].update(stream.versions)
            indexes = np.cumsum(unpack_integers(stream.indexes)) + place * model.size
            found.append((indexes, unpack_integers(stream.counts)))
    firsts = [pane for pane in panes if pane.low == 0]
    indexes, counts = _summed(found)
    yield from PaneCounts(
        model, panes[0].start, events, [dict(sorted(own.items())) for own in versions],
        indexes, counts, _sample(firsts, model), _releases(firsts),
    ).messages(source)  # fmt: skip


def added_releases(parts: Sequence[Pane]) -> dict[str, dict[str, int]] | UnsetType:
    """Return the values of tags of releases of several parts, all of them; see `Pane`."""
    found: dict[str, Counter[str]] = {}
    for part in parts:
        for tag, values in {} if part.releases is UNSET else part.releases.items():
            found.setdefault(tag, Counter()).update(values)
    return {tag: dict(sorted(own.items())) for tag, own in sorted(found.items())} or UNSET


def _summed(found: Sequence[tuple[IntArray, IntArray]]) -> tuple[IntArray, IntArray]:
    """Return sorted, distinct positions with the sums of their counts."""
    where = np.concatenate([at for at, _ in found]) if found else np.zeros(0, np.int64)
    counts = np.concatenate([n for _, n in found]) if found else np.zeros(0, np.int64)
    if not len(where):
        return where, counts
    order = np.argsort(where, kind="stable")
    where, counts = where[order], counts[order]
    heads = np.flatnonzero(np.diff(where, prepend=-1))
    return where[heads], np.add.reduceat(counts, heads)


def _sample(panes: Sequence[Pane], model: SketchModel) -> EventSample | None:
    samples = [pane.sample for pane in panes if pane.sample is not None]
    if len(samples) < len(panes):
        return None
    entries = merged_sample(samples, sample_size(model.times.pane, model.times.every))
    names = merged_names(sample.names for sample in samples)
    kept = EventSample.of(entries)
    return EventSample(kept.hashes, kept.notes, names)


def _releases(panes: Sequence[Pane]) -> dict[str, dict[str, int]] | UnsetType:
    """Return the values of tags of releases, in the order of their names."""
    own = [pane.releases for pane in panes if pane.releases is not UNSET]
    tags = sorted({tag for each in own for tag in each})
    found = {tag: merged_names(each.get(tag, {}) for each in own) for tag in tags}
    return {tag: dict(sorted(values.items())) for tag, values in found.items()} or UNSET
