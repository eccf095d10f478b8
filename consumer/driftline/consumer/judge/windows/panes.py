"""The panes of a model that windows still to be judged may need, added up over partitions.

A part that its source closed because of its events is final: whoever counts it again counts the
same. It is added to the sum of its pane, so what is kept and added up for a window does not grow
with the partitions. All others stay apart: what came before an idle mark, or was closed because of
a silence, may come again with more events.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from msgspec import UNSET

from driftline.consumer.judge.windows.held_pane import HeldPane, Part, uncounted
from driftline.consumer.judge.windows.missing import MissingParts
from driftline.consumer.judge.windows.pane_sum import PaneSum
from driftline.consumer.judge.windows.running import RunningSums
from driftline.consumer.wire.clock import Source
from driftline.consumer.wire.messages import MergedPart, Pane
from driftline.consumer.wire.samples import SAMPLED, EventSample, WindowSample, merged, merged_names
from driftline.detectors import OTHER
from driftline.detectors.grid import IntArray
from driftline.detectors.tags import VERSION

PART = 100
"""A release is named where at least one in this number of events is of it."""

TWO_CONFIGURATIONS = "reference changed, and workers of both configurations count"
"""Why a window is not judged where its panes were counted in two ways at one time."""


class PaneStore:
    """Panes by start. Repeats, idle flushes and late-waking workers change nothing.

    Args:
        pane: length of each, ms.
        layouts: ids of the layout that the panes must be counted in: its own, then those that it
            had in panes of older versions.
        size: length of the flat layout.
        sampled: events in the sample of a pane, whatever parts it came in.
        window: length of the windows (ms) where they overlap so much that a sum of each stream is
            kept from one to the next; 0: none is.

    Attributes:
        missing: parts that are to come alone.
    """

    def __init__(
        self,
        pane: int,
        layouts: Sequence[str],
        size: int,
        window: int = 0,
        sampled: int = SAMPLED,
    ) -> None:
        self._pane = pane
        self._sampled = sampled
        self._layouts = layouts
        self._size = size
        self._panes: dict[int, HeldPane] = {}
        self._starts: list[int] | None = []  # in order; None: to be sorted anew
        self._foreign: set[int] = set()  # starts of panes with a part of another layout or length
        self._unfolded: set[int] = set()  # starts of panes whose sum is not one count yet
        self._folded: int | None = None  # up to when (ms) they were, but for what came since
        self._numbers: dict[Source, int] = {}
        self._closed: dict[Source, int] = {}  # up to when each source has closed its panes, ms
        self._open: dict[Source, set[int]] = {}  # starts of the panes that it has not, by source
        self.missing = MissingParts()
        self._running = RunningSums(pane, window, size, self._add_counts)

    def add(self, pane: Pane, offset: int) -> None:
        """Take in the message `pane` from `offset` of the log of panes."""
        if pane.parts is not UNSET:
            self._add_sum(pane, offset)
            return
        start, source, held = pane.start, (pane.source, pane.partition), self._held(pane, offset)
        self.missing.came(source, start, pane.first, pane.until)
        own = pane.layout_id in self._layouts
        layout = self._layouts[0] if own else pane.layout_id
        parts = held.apart.get(source, {})
        part = parts.get(pane.first)
        if part is None:
            known = self._in_sum(held, source, start, pane.first)
            if known is not None and own and pane.until <= known:
                return  # a repeat
            part = parts[pane.first] = Part(pane.until, layout, pane.length)
            held.apart[source] = parts
            if known is not None:
                # Workers of two configurations counted it.
                part.layout, part.void, part.lasting = "" if own else layout, True, True
            else:
                self._open.setdefault(source, set()).add(start)
        if part.void:
            self._foreign.add(start)
            return
        if part.added and pane.until <= part.until:
            return  # a repeat
        if pane.until > part.until or layout != part.layout:
            part.until, part.layout, part.length = pane.until, layout, pane.length
            part.pieces = {}
        if pane.until == part.until:
            part.pieces[pane.low] = pane if own else uncounted(pane)
            self._running.forget(start)
        self._note_foreign(start, held, self._is_foreign(part))

    def close(self, source: Source, until: int, by_events: int) -> None:
        """Take in that a source has closed its panes that end at `until` (ms) or before.

        Args:
            source: whose parts will not grow.
            until: as above.
            by_events: those that end there or before it closed because of its events (ms): they
                are added to the sums of their panes. Others may grow if it is started anew.
        """
        self._closed[source] = max(until, self._closed.get(source, until))
        starts = self._open.get(source)
        if not starts:
            return
        for start in [at for at in starts if at + self._pane <= until]:
            starts.discard(start)
            if (held := self._panes.get(start)) is not None:
                self._close(start, held, source, final=start + self._pane <= by_events)
        if not starts:
            del self._open[source]

    def fold(self, until: int) -> None:
        """Let no more be kept than their sums of the panes that end at `until` (ms) or before."""
        if until == self._folded:
            return
        self._folded = until
        for start in [at for at in self._unfolded if at + self._pane <= until]:
            self._unfolded.discard(start)
            if (held := self._panes.get(start)) is not None and held.sum is not None:
                held.sum.fold()

    def starts(self) -> Sequence[int]:
        """Return the starts of the panes at hand, in order."""
        if self._starts is None:
            self._starts = sorted(self._panes)
        return self._starts

    def starts_from(self, time: int | None) -> Sequence[int]:
        """Return those at a time (ms) or after it; None: all."""
        starts = self.starts()
        return starts if time is None else starts[bisect_left(starts, time) :]

    def rewind(self, since: int | None = None) -> int | None:
        """Return the smallest offset that a pane at hand was read from.

        `since`: of those that begin then (ms) or later; None: of all.
        """
        wanted = self._panes if since is None else [at for at in self._panes if at >= since]
        return min((self._panes[at].offset for at in wanted), default=None)

    def drop_before(self, time: int) -> None:
        """Forget the panes that end at `time` (ms) or before."""
        gone = [at for at in self._panes if at + self._longest(at) <= time]
        self._running.leave(gone)
        self.missing.drop(gone)
        for start in gone:
            del self._panes[start]
            self._foreign.discard(start)
            self._unfolded.discard(start)
            self._starts = None

    def foreign(self, start: int, end: int) -> bool:
        """Return whether a pane within the times has another layout or length."""
        return any(
            self._is_foreign(part)
            for at in self._foreign
            for part in self._panes[at].parts
            if at < end and at + part.length > start
        )

    def change(self, start: int, end: int) -> str | None:
        """Return why panes within the times cannot be added, None where they can.

        A change alone goes from pane to pane; so do workers with two configurations.
        """
        mixed = any(
            len(self._kinds(at)) > 1
            for at in self._foreign
            if at < end and at + self._longest(at) > start
        )
        changed = "reference changed" if self.foreign(start, end) else None
        return TWO_CONFIGURATIONS if changed and mixed else changed

    def any(self, start: int, end: int) -> bool:
        """Return whether a pane lies within the times, or reaches into them."""
        return any(at < end and at + self._longest(at) > start for at in self._panes)

    def events(self, start: int, end: int, stream: str | None) -> int:
        """Return the events of `stream` in the panes from `start` to `end`."""
        total = sum(each.events(stream) for each in self._sums(start, end))
        for first in self._firsts(start, end):
            total += sum(counts.events for counts in first.streams if counts.stream == stream)
        return total

    def versions(self, start: int, end: int, stream: str | None) -> dict[str, int]:
        """Return the events per model version of `stream` in the panes from `start` to `end`."""
        total: Counter[str] = Counter()
        for each in self._sums(start, end):
            total.update(each.versions(stream))
        for first in self._firsts(start, end):
            for counts in first.streams:
                if counts.stream == stream:
                    total.update(counts.versions)
        return dict(total)

    def releases(self, start: int, end: int, tag: str) -> dict[str, int]:
        """Return the events per value of a tag of releases in the panes from `start` to `end`."""
        if tag == VERSION:
            return self.versions(start, end, None)
        total: Counter[str] = Counter()
        for each in self._sums(start, end):
            total.update(each.releases.get(tag, {}))
        for first in self._firsts(start, end):
            if first.releases is not UNSET:
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
        kept = self._running.counts(start, end, stream)
        if kept is not None:
            return kept
        total = np.zeros(self._size, dtype=np.int64)
        for at in range(start, end, self._pane):
            self._add_counts(total, at, stream, 1)
        return total

    def sample(self, start: int, end: int) -> WindowSample | None:
        """Return the samples of the panes from `start` to `end`; None where one has none."""
        panes, names = [], list[Mapping[str, int]]()
        for at in range(start, end, self._pane):
            if (held := self._panes.get(at)) is None:
                continue
            samples: list[EventSample] = []
            for part in held.parts:
                if part.void:
                    continue
                first = part.pieces.get(0)
                if first is None or first.sample is None:
                    return None
                samples.append(first.sample)
            if held.sum is not None:
                summed = held.sum.samples()
                if summed is None:
                    return None
                samples += [sample for _, sample in summed]
            names += [sample.names for sample in samples]
            events = self.events(at, at + self._pane, None)
            if events and samples:
                panes.append((events, merged(samples, self._sampled)))
        return WindowSample(panes, merged_names(names))

    def _add_sum(self, pane: Pane, offset: int) -> None:
        """Take in the sum of several parts, all of which are final, at once.

        Where one of them is here, it is a repeat, or new owners send all of them alone.
        """
        held, own = self._held(pane, offset), pane.layout_id in self._layouts
        parts = {(pane.source, part.partition): part for part in pane.whole}
        new = {at: part for at, part in parts.items() if not self._is_here(held, pane, part)}
        if len(new) < len(parts):
            self.missing.add(pane.source, pane.start, new.values())
            return
        for source, part in parts.items():  # as they stood before
            held.forget(source, part.first)
        if counted := own and pane.length == self._pane:
            numbers = [self._numbers.setdefault(each, len(self._numbers)) for each in parts]
            held.sum = held.sum or PaneSum(self._size)
            held.sum.add(numbers, {0: pane})
            held.added = True
            self._unfolded.add(pane.start)
        else:
            layout = self._layouts[0] if own else pane.layout_id
            pieces = {0: pane if own else uncounted(pane)}
            for source, part in parts.items():
                one = Part(part.until, layout, pane.length, pieces, lasting=True, added=True)
                held.apart.setdefault(source, {})[part.first] = one
                pieces = {}
        self._running.forget(pane.start)
        self._note_foreign(pane.start, held, not counted)

    def _is_here(self, held: HeldPane, pane: Pane, part: MergedPart) -> bool:
        """Return whether a part of a sum is at hand, as it was counted in the end."""
        source = (pane.source, part.partition)
        apart = held.apart.get(source, {}).get(part.first)
        known = apart.until if apart else self._in_sum(held, source, pane.start, part.first)
        return known is not None and (part.until <= known or bool(apart and apart.void))

    def _held(self, pane: Pane, offset: int) -> HeldPane:
        """Return what is at hand of a pane of which a message stands at an offset."""
        held = self._panes.get(pane.start)
        if held is None:
            held = self._panes[pane.start] = HeldPane(offset)
            self._starts = None
        return held

    def _note_foreign(self, start: int, held: HeldPane, foreign: bool) -> None:
        """Note a part of a pane that is new; `foreign`: whether of another layout or length."""
        if foreign:
            self._foreign.add(start)
        elif start in self._foreign and not any(map(self._is_foreign, held.parts)):
            self._foreign.discard(start)

    def _in_sum(self, held: HeldPane, source: Source, start: int, first: int) -> int | None:
        """Return up to where a part was counted that is in the sum of its pane; else None."""
        still_open = not held.added and self._closed.get(source, start) < start + self._pane
        if held.sum is None or still_open or source not in self._numbers:
            return None
        return held.sum.until(self._numbers[source], first)

    def _close(self, start: int, held: HeldPane, source: Source, *, final: bool) -> None:
        """Add the parts of a source to the sum of their pane, or let them stay apart for good."""
        parts = held.apart.get(source, {})
        for first, part in list(parts.items()):
            if part.lasting:
                continue
            part.lasting = not final or self._is_foreign(part) or 0 not in part.pieces
            if part.lasting:
                continue
            number = self._numbers.setdefault(source, len(self._numbers))
            if held.sum is None:
                held.sum = PaneSum(self._size)
            else:
                self._unfolded.add(start)
            held.sum.add([number], part.pieces)
            del parts[first]
        if not parts:
            held.apart.pop(source, None)

    def _is_foreign(self, part: Part) -> bool:
        return part.layout != self._layouts[0] or part.length != self._pane

    def _longest(self, start: int) -> int:
        """Return the length of the pane that starts there, of the longest part of it, ms."""
        if start not in self._foreign:
            return self._pane
        held = self._panes[start]
        lengths = [part.length for part in held.parts]
        return max(lengths if held.sum is None else [self._pane, *lengths])

    def _kinds(self, start: int) -> set[tuple[str, int]]:
        """Return the layouts and lengths that parts of a pane have."""
        held = self._panes[start]
        kinds = {(part.layout, part.length) for part in held.parts}
        return kinds if held.sum is None else {(self._layouts[0], self._pane), *kinds}

    def _sums(self, start: int, end: int) -> Iterator[PaneSum]:
        for at in range(start, end, self._pane):
            held = self._panes.get(at)
            if held is not None and held.sum is not None:
                yield held.sum

    def _firsts(self, start: int, end: int) -> Iterator[Pane]:
        """Yield the first pieces of the parts that are kept apart."""
        for at in range(start, end, self._pane):
            held = self._panes.get(at)
            if held is not None:
                yield from held.firsts

    def _add_counts(self, total: IntArray, at: int, stream: str | None, sign: int) -> None:
        """Add the counts of a stream in one pane to flat ones, `sign` (1 or -1) times."""
        held = self._panes.get(at)
        if held is None:
            return
        if held.sum is not None:
            held.sum.add_to(total, stream, sign)
        for part in held.parts if held.apart else ():
            if part.layout == self._layouts[0]:
                part.add_to(total, stream, sign)
