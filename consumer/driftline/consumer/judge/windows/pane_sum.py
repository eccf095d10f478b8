"""The parts of one pane added up: one sparse count per stream, however many parts there were."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import UNSET

from driftline.consumer.wire.codec import pack_integers, unpack_integers
from driftline.consumer.wire.messages import Pane
from driftline.consumer.wire.samples import SAMPLED, EventSample, merged, merged_names
from driftline.detectors.grid import IntArray
from driftline.errors import RecordError

Packed = tuple[bytes, bytes]
"""Sparse counts: gaps between the places, and what stands there, as `StreamCounts` has them."""

# Counts wait until they are this number of times as long as what they are added to: adding takes
# about as long for many as for one.
_WAITING = 4
_SAMPLES_WAITING = 16


class Cells:
    """Counts of one stream: those that were added up, and those that wait to be.

    Args:
        first: counts to begin with; nothing is done to them until others come.

    >>> cells = Cells((pack_integers(np.array([2, 1])), pack_integers(np.array([5, 7]))))
    >>> cells.add((pack_integers(np.array([3])), pack_integers(np.array([1]))), 4)
    >>> cells.fold(4)
    >>> total = np.zeros(4, np.int64)
    >>> cells.add_to(total, 1)
    >>> total.tolist()
    [0, 0, 5, 8]
    """

    def __init__(self, first: Packed) -> None:
        self._packed = [first]
        self._size, self._wait = _bytes(first), 0

    def add(self, packed: Packed, cells: int) -> None:
        """Add counts; `cells`: length of the flat layout."""
        self._packed.append(packed)
        self._wait += _bytes(packed)
        if self._wait > _WAITING * self._size:
            self.fold(cells)

    def fold(self, cells: int) -> None:
        """Add up what waits."""
        if len(self._packed) > 1:
            total = np.zeros(cells, np.int64)
            self.add_to(total, 1)
            where = np.flatnonzero(total)
            packed = pack_integers(np.diff(where, prepend=0)), pack_integers(total[where])
            self._packed, self._size, self._wait = [packed], _bytes(packed), 0

    def add_to(self, total: IntArray, sign: int) -> None:
        """Add the counts to flat ones, `sign` (1 or -1) times.

        Raises:
            RecordError: they do not fit the layout.
        """
        for packed in self._packed:
            add_packed(total, packed, sign)


class PaneSum:
    """The sum of parts of one pane.

    Each has all of its pieces, the first of which holds what is not in the flat counts.

    Args:
        cells: length of the flat layout.

    Attributes:
        releases: events per value of each tag that says what was released.
    """

    def __init__(self, cells: int) -> None:
        self._cells = cells
        self._counts: dict[str | None, Cells] = {}
        self._events: Counter[str | None] = Counter()
        self._versions: dict[str | None, Counter[str]] = {}
        self.releases: dict[str, Counter[str]] = {}
        # Of the samples: the events of smallest hash, as many as any pane has; the largest size.
        self._samples: list[EventSample] | None = []
        self._most = 0
        # Of each part: its source's number, its first offset, and up to where it was counted.
        self._parts = array("q")

    def add(self, sources: Sequence[int], pieces: Mapping[int, Pane]) -> None:
        """Add a part, or what is the sum of several.

        Args:
            sources: the number of the source of each part.
            pieces: by their first place, among them 0.

        Raises:
            RecordError: it does not fit the layout.
        """
        first = pieces[0]
        for source, part in zip(sources, first.whole, strict=True):
            self._parts.extend((source, part.first, part.until))
        for counts in first.streams:
            self._events[counts.stream] += counts.events
            self._versions.setdefault(counts.stream, Counter()).update(counts.versions)
        for tag, values in {} if first.releases is UNSET else first.releases.items():
            self.releases.setdefault(tag, Counter()).update(values)
        for piece in pieces.values():
            for counts in piece.streams:
                packed = counts.indexes, counts.counts
                known = self._counts.get(counts.stream)
                if known is None:
                    self._counts[counts.stream] = Cells(packed)
                else:
                    known.add(packed, self._cells)
        if first.sample is None:
            self._samples = None
        elif self._samples is not None:
            self._most = max(self._most, first.sample.size)
            self._samples.append(first.sample)
            if len(self._samples) > _SAMPLES_WAITING:
                self._merge_samples(self._samples)

    def until(self, source: int, first: int) -> int | None:
        """Return up to where a part was counted; None where it is not in the sum."""
        parts = np.frombuffer(self._parts, np.int64).reshape(-1, 3)
        found = parts[(parts[:, 0] == source) & (parts[:, 1] == first), 2]
        return int(found[0]) if found.size else None

    def fold(self) -> None:
        """Add up all that waits, so that no more is kept than the sum."""
        for cells in self._counts.values():
            cells.fold(self._cells)
        if self._samples is not None and len(self._samples) > 1:
            self._merge_samples(self._samples)

    def events(self, stream: str | None) -> int:
        """Return the events of a stream."""
        return self._events[stream]

    def versions(self, stream: str | None) -> Mapping[str, int]:
        """Return the events per model version of a stream."""
        return self._versions.get(stream, {})

    def add_to(self, total: IntArray, stream: str | None, sign: int) -> None:
        """Add the counts of a stream to flat ones, `sign` (1 or -1) times."""
        cells = self._counts.get(stream)
        if cells is not None:
            cells.add_to(total, sign)

    def samples(self) -> Iterator[tuple[int, EventSample]] | None:
        """Yield samples whose union's sample is that of the pane; None where a part has none.

        With each the size of the largest sample of a part.
        """
        return None if self._samples is None else ((self._most, each) for each in self._samples)

    def _merge_samples(self, samples: list[EventSample]) -> None:
        """Keep of the samples what the sample of any union with them can hold."""
        found = EventSample.of(merged(samples, SAMPLED))
        names = merged_names(sample.names for sample in samples)
        self._samples = [EventSample(found.hashes, found.notes, names)]


def add_packed(total: IntArray, packed: Packed, sign: int = 1) -> None:
    """Add sparse counts to flat ones, `sign` (1 or -1) times.

    Raises:
        RecordError: they do not fit the layout.
    """
    places = np.cumsum(unpack_integers(packed[0]))
    if len(places) and places[-1] >= len(total):
        raise RecordError("a pane does not fit its reference: was the reference edited?")
    counts = unpack_integers(packed[1])
    if sign > 0:
        total[places] += counts
    else:
        total[places] -= counts


def _bytes(packed: Packed) -> int:
    return len(packed[0]) + len(packed[1])
