"""The sample of events in a pane: what its events held that the reference does not list.

Kept are the events of smallest hash of partition, offset and place in the record. So the sample of
a union is what is left of the samples' union, whatever was cut where and read in which order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import IntArray

SAMPLED = 64
"""Events in the sample of a pane."""
MOST_NOTES = 8
"""Notes of one event."""
LONGEST_TEXT = 48
"""Characters of a name or a value in a note."""

Hashes = NDArray[np.uint64]
Noted = Literal["field", "type", "value"]


class Note(msgspec.Struct, frozen=True, array_like=True, order=True):
    """What one event holds that the reference does not list.

    `what`: a field, the type of a feature's value, or a value of a feature. `name`: of the field or
    feature. `type`: of the value, in words. `value`: its text, empty where values are not shown.
    """

    what: Noted
    name: str
    type: str
    value: str = ""


class EventSample(msgspec.Struct, frozen=True, array_like=True):
    """At most `SAMPLED` events: their hashes, ascending, little-endian; notes by place."""

    hashes: bytes
    notes: dict[int, list[Note]]

    def entries(self) -> list[tuple[int, tuple[Note, ...]]]:
        """Return (hash, notes) of every event."""
        hashes = np.frombuffer(self.hashes, "<u8").tolist()
        return [(each, tuple(self.notes.get(i, ()))) for i, each in enumerate(hashes)]

    @classmethod
    def of(cls, entries: Sequence[tuple[int, tuple[Note, ...]]]) -> EventSample:
        """Return the sample that holds `entries`, ascending."""
        hashes = np.array([each for each, _ in entries], "<u8").tobytes()
        return cls(hashes, {i: list(notes) for i, (_, notes) in enumerate(entries) if notes})


def merged(samples: Iterable[EventSample]) -> list[tuple[int, tuple[Note, ...]]]:
    """Return the (hash, notes) of the sample of all events that the samples are of."""
    return sorted(entry for sample in samples for entry in sample.entries())[:SAMPLED]


def event_hashes(partition: int, offsets: IntArray) -> Hashes:
    """Return the hashes of events: SplitMix64 of partition, offset and place in the record.

    Args:
        partition: of the records.
        offsets: of the events, ascending; those of one record, which have one offset, all.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

    Example:
        >>> event_hashes(0, np.array([0, 1])).tolist()
        [12489560693144743404, 17629623748622851610]
    """
    seed = (partition + 1) * 0xD1342543DE82EF95 & 0xFFFFFFFFFFFFFFFF
    mixed = np.uint64(seed) + offsets.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    if (offsets[1:] == offsets[:-1]).any():
        places = np.arange(len(offsets)) - np.searchsorted(offsets, offsets)
        mixed += places.astype(np.uint64) * np.uint64(0xA0761D6478BD642F)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    found: Hashes = mixed ^ (mixed >> np.uint64(31))
    return found


@dataclass(frozen=True)
class Sighting:
    """How often something was seen in a window.

    Attributes:
        note: what.
        share: of the events, 0 to 1.
        events: sampled events that hold it.
        exact: whether all events of the window are in the sample.
    """

    note: Note
    share: float
    events: int
    exact: bool


@dataclass(frozen=True)
class WindowSample:
    """The samples of a window's panes, each with the number of its events."""

    panes: Sequence[tuple[int, Sequence[tuple[int, tuple[Note, ...]]]]]

    def sightings(self, what: Noted, name: str | None = None) -> list[Sighting]:
        """Return what was seen, the most frequent first; `name`: of that feature alone.

        A share is that of each pane's sample, weighed by the pane's events. Fields are told apart
        by their names, types by feature and type, values by feature and value.
        """
        events = sum(n for n, _ in self.panes)
        exact = all(n == len(sampled) for n, sampled in self.panes)
        hits: Counter[Note] = Counter()
        weights: dict[Note, float] = {}
        for n, sampled in self.panes:
            here = Counter(
                note
                for _, notes in sampled
                for note in {_told_apart(note) for note in notes}
                if note.what == what and name in (None, note.name)
            )
            for note, count in here.items():
                hits[note] += count
                weights[note] = weights.get(note, 0.0) + n * count / len(sampled)
        found = [Sighting(note, weights[note] / events, hits[note], exact) for note in hits]
        return sorted(found, key=lambda seen: (-seen.share, seen.note.name, seen.note))


def _told_apart(note: Note) -> Note:
    if note.what == "field":
        return Note("field", note.name, "")
    return note


def short(text: str) -> str:
    """Return a text as it stands in a note; half a surrogate pair cannot be written."""
    whole = text.encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= LONGEST_TEXT else f"{whole[: LONGEST_TEXT - 3]}..."
