"""The store of panes in its plain form, an oracle: it keeps every message, and adds all anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec import UNSET

from driftline.consumer.judge.windows.panes import PART, TWO_CONFIGURATIONS
from driftline.consumer.wire.codec import unpack_integers
from driftline.consumer.wire.messages import Pane, StreamCounts
from driftline.consumer.wire.samples import SAMPLED, EventSample, WindowSample, merged, merged_names
from driftline.detectors import OTHER
from driftline.detectors.grid import IntArray
from driftline.detectors.tags import VERSION
from driftline.errors import RecordError


@dataclass
class _Part:
    """The count of one (source, partition, first): whole, or in pieces by flat position."""

    until: int
    offset: int  # smallest offset of a message of it in the log of panes
    layout: str
    length: int
    pieces: dict[int, Pane] = field(default_factory=dict)


class PlainStore:
    """Panes by start. Repeats, idle flushes and late-waking workers change nothing.

    Args:
        pane: length of each, ms.
        layouts: ids of the layout that the panes must be counted in: its own, then those that it
            had in panes of older versions.
        size: length of the flat layout.
        window: not used.
    """

    def __init__(self, pane: int, layouts: Sequence[str], size: int, window: int = 0) -> None:
        self._pane = pane
        self._layouts = layouts
        self._size = size
        self._parts: dict[int, dict[tuple[str, int, int], _Part]] = {}

    def add(self, pane: Pane, offset: int) -> None:
        """Take in the message `pane` from `offset` of the log of panes."""
        parts = self._parts.setdefault(pane.start, {})
        layout = self._layouts[0] if pane.layout_id in self._layouts else pane.layout_id
        key = (pane.source, pane.partition, pane.first)
        part = parts.get(key)
        if part is None:
            part = parts[key] = _Part(pane.until, offset, layout, pane.length)
        if pane.until > part.until or layout != part.layout:
            part.until, part.layout, part.length = pane.until, layout, pane.length
            part.pieces = {}
        if pane.until == part.until:
            part.pieces[pane.low] = pane

    def starts(self) -> list[int]:
        """Return the starts of the panes at hand, in order."""
        return sorted(self._parts)

    def starts_from(self, time: int | None) -> list[int]:
        """Return those at a time (ms) or after it; None: all."""
        return [start for start in self.starts() if time is None or start >= time]

    def close(self, source: tuple[str, int], until: int, by_events: int) -> None:
        """Do nothing: every message is kept."""

    def fold(self, until: int) -> None:
        """Do nothing: nothing is added up."""

    def rewind(self) -> int | None:
        """Return the smallest offset that a pane at hand was read from."""
        offsets = [p.offset for parts in self._parts.values() for p in parts.values()]
        return min(offsets, default=None)

    def drop_before(self, time: int) -> None:
        """Forget the panes that end at `time` (ms) or before."""
        for start, parts in list(self._parts.items()):
            if all(start + part.length <= time for part in parts.values()):
                del self._parts[start]

    def foreign(self, start: int, end: int) -> bool:
        """Return whether a pane within the times has another layout or length."""
        return any(
            part.layout != self._layouts[0] or part.length != self._pane
            for at, parts in self._parts.items()
            for part in parts.values()
            if at < end and at + part.length > start
        )

    def change(self, start: int, end: int) -> str | None:
        """Return why panes within the times cannot be added, None where they can.

        A change alone goes from pane to pane; so do workers with two configurations.
        """
        mixed = any(
            len({(part.layout, part.length) for part in parts.values()}) > 1
            for at, parts in self._parts.items()
            if at < end and any(at + part.length > start for part in parts.values())
        )
        changed = "reference changed" if self.foreign(start, end) else None
        return TWO_CONFIGURATIONS if changed and mixed else changed

    def any(self, start: int, end: int) -> bool:
        """Return whether a pane lies within the times, or reaches into them."""
        return any(
            at < end and at + part.length > start
            for at, parts in self._parts.items()
            for part in parts.values()
        )

    def events(self, start: int, end: int, stream: str | None) -> int:
        """Return the events of `stream` in the panes from `start` to `end`."""
        return sum(counts.events for first, counts in self._stream(start, end, stream) if first)

    def versions(self, start: int, end: int, stream: str | None) -> dict[str, int]:
        """Return the events per model version of `stream` in the panes from `start` to `end`."""
        total: dict[str, int] = {}
        for first, counts in self._stream(start, end, stream):
            for version, events in counts.versions.items() if first else ():
                total[version] = total.get(version, 0) + events
        return total

    def releases(self, start: int, end: int, tag: str) -> dict[str, int]:
        """Return the events per value of a tag of releases in the panes from `start` to `end`."""
        if tag == VERSION:
            return self.versions(start, end, None)
        total: Counter[str] = Counter()
        for at in range(start, end, self._pane):
            for part in self._parts.get(at, {}).values():
                first = part.pieces.get(0)
                if first is not None and first.releases is not UNSET:
                    total.update(first.releases.get(tag, {}))
        return dict(total)

    def begun(self, back: int, since: int, end: int, tags: Iterable[str]) -> dict[str, str]:
        """Return the values of tags of releases that began with the panes from `since` to `end`.

        That is of each tag the most frequent one of which those from `back` to `since` (ms) have
        none: at least 1 % of the events. None of a tag without one, or of which no earlier pane
        has a value to compare with.
        """
        found, events = {}, self.events(since, end, None)
        for tag in tags:
            before, here = self.releases(back, since, tag), self.releases(since, end, tag)
            whole = sum(here.values()) if tag == VERSION else events
            new = [v for v in sorted(here, key=lambda v: (-here[v], v)) if v not in before]
            if before and new and new[0] != OTHER and here[new[0]] * PART >= whole:
                found[tag] = new[0]
        return found

    def counts(self, start: int, end: int, stream: str | None) -> IntArray:
        """Return the flat counts of `stream` in the panes from `start` to `end`.

        Panes of another layout count nothing that could be added: who looks back further than a
        window may find some.

        Raises:
            RecordError: a pane does not fit the reference's layout.
        """
        total = np.zeros(self._size, dtype=np.int64)
        for _, counts in self._stream(start, end, stream, own=True):
            indexes = np.cumsum(unpack_integers(counts.indexes))
            if len(indexes) and indexes[-1] >= self._size:
                raise RecordError("a pane does not fit its reference: was the reference edited?")
            total[indexes] += unpack_integers(counts.counts)
        return total

    def sample(self, start: int, end: int) -> WindowSample | None:
        """Return the samples of the panes from `start` to `end`; None where one has none."""
        panes, names = [], list[Mapping[str, int]]()
        for at in range(start, end, self._pane):
            samples: list[EventSample] = []
            for part in self._parts.get(at, {}).values():
                first = part.pieces.get(0)
                if first is None or first.sample is None:
                    return None
                samples.append(first.sample)
                names.append(first.sample.names)
            events = self.events(at, at + self._pane, None)
            if events and samples:
                panes.append((events, merged(samples, SAMPLED)))
        return WindowSample(panes, merged_names(names))

    def _stream(
        self, start: int, end: int, stream: str | None, *, own: bool = False
    ) -> Iterator[tuple[bool, StreamCounts]]:
        """Yield the counts of `stream`, and whether they are the first piece of their part.

        Every piece repeats the part's events; the first alone has its versions. `own`: only of
        panes that are counted in the layout.
        """
        for at in range(start, end, self._pane):
            for part in self._parts.get(at, {}).values():
                if own and part.layout != self._layouts[0]:
                    continue
                for piece in part.pieces.values():
                    for counts in piece.streams:
                        if counts.stream == stream:
                            yield piece.low == 0, counts
