"""The samples of a pane: what its events held that the reference does not list.

Kept are the events of smallest hash of partition, offset and place in the record, and of the names
of new fields those of smallest hash. So the sample of a union is what is left of the samples'
union, whatever was cut where and read in which order; and names have exact counts, because one
that is left in the union was never left out of a part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import IntArray

NEW_FIELD = "new_field"
"""What an alert on a field that the reference does not list has as its detector."""
SAMPLED = 64
"""Events looked at whole in a step of windows, at least; in a pane of that length, at most."""
LEAST_SAMPLED = 8
"""Events looked at whole in a pane, unless it has fewer."""
NAMED = 32
"""Names in the sample of a pane."""
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
    """At most `SAMPLED` events: their hashes, ascending, little-endian; notes by place.

    Beside them `names`: at most `NAMED` new fields, by their hashes, and how many of all events
    hold each.
    """

    hashes: bytes
    notes: dict[int, list[Note]]
    names: dict[str, int] = {}

    @property
    def size(self) -> int:
        """How many events it holds."""
        return len(self.hashes) // 8

    def entries(self) -> list[tuple[int, tuple[Note, ...]]]:
        """Return (hash, notes) of every event."""
        hashes = np.frombuffer(self.hashes, "<u8").tolist()
        return [(each, tuple(self.notes.get(i, ()))) for i, each in enumerate(hashes)]

    @classmethod
    def of(cls, entries: Sequence[tuple[int, tuple[Note, ...]]]) -> EventSample:
        """Return the sample that holds `entries`, ascending."""
        hashes = np.array([each for each, _ in entries], "<u8").tobytes()
        return cls(hashes, {i: list(notes) for i, (_, notes) in enumerate(entries) if notes})


def merged(samples: Iterable[EventSample], most: int) -> list[tuple[int, tuple[Note, ...]]]:
    """Return the (hash, notes) of the sample of all events that the samples are of.

    Args:
        samples: each of the events of smallest hash: `most`, or all there are.
        most: events of the sample.
    """
    return sorted(entry for sample in samples for entry in sample.entries())[:most]


def sample_size(pane: int, every: int) -> int:
    """Return how many events of a pane are looked at whole: 64 of a window's step, but 8 of each.

    >>> sample_size(60, 60), sample_size(5, 60), sample_size(20, 60)
    (64, 8, 22)
    """
    return max(-(-SAMPLED * pane // every), LEAST_SAMPLED)


def merged_names(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Return the sample of names of all events that the samples are of.

    >>> merged_names([{"discount": 2}, {"discount": 1, "channel": 4}])
    {'channel': 4, 'discount': 3}
    """
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return {name: total[name] for name in sorted(total, key=_name_hash)[:NAMED]}


@lru_cache(maxsize=4096)
def _name_hash(name: str) -> tuple[bytes, str]:
    return blake2b(name.encode(), digest_size=8).digest(), name


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
        events: events that hold it, of all or of those sampled.
        exact: whether all events of the window were looked at.
    """

    note: Note
    share: float
    events: int
    exact: bool


@dataclass(frozen=True)
class WindowSample:
    """The samples of a window's panes.

    Attributes:
        panes: each with the number of its events.
        names: new fields with the number of events that hold them.
    """

    panes: Sequence[tuple[int, Sequence[tuple[int, tuple[Note, ...]]]]]
    names: Mapping[str, int] = field(default_factory=dict)

    def new_fields(self) -> dict[str, Sighting]:
        """Return the new fields: counted where the sample of names has them, else estimated."""
        events = sum(n for n, _ in self.panes)
        seen = {each.note.name: each for each in self.sightings("field")}
        for name, count in self.names.items():
            seen[name] = Sighting(Note("field", name, ""), count / events, count, exact=True)
        return seen

    def sightings(self, what: Noted, name: str | None = None) -> list[Sighting]:
        """Return what was seen in sampled events, the most frequent first.

        A share is that of each pane's sample, weighed by the pane's events. Fields are told apart
        by their names, types by feature and type, values by feature and value.

        Args:
            what: fields, types or values.
            name: of one feature alone.
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
