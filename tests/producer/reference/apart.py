"""Readings in many parts, as other processes would make them: pickled, and merged in any order."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.reference.build import BuiltReference, ReferenceSettings, reference_by
from driftline.producer.reference.counted_answers import CountedAnswers
from driftline.producer.reference.events import Events, events_of
from driftline.producer.reference.readings import R
from driftline.producer.reference.settings import Together


@dataclass
class Apart:
    """Reads each part by a copy of the reading, and merges these two by two in an order by chance.

    Attributes:
        parts: gives the events of each part.
        random: decides the order.
        reads: how many readings there were.
        largest: bytes of the largest that was merged.
    """

    parts: Callable[[], Sequence[Sequence[Events]]]
    random: Random
    reads: int = 0
    largest: int = 0

    def read(self, reading: R) -> R:
        self.reads += 1
        prototype = pickle.dumps(reading)
        done: list[R] = []
        for part in self.parts():
            own: R = pickle.loads(prototype)
            for events in part:
                own.add(events)
            done.append(pickle.loads(pickle.dumps(own)))
        while len(done) > 1:
            self.random.shuffle(done)
            done[-2].merge(done.pop())
        self.largest = max(self.largest, *(len(pickle.dumps(each)) for each in done), 0)
        return done[0] if done else reading


def apart(
    parts: Sequence[Sequence[Table]], mapping: Mapping, settings: ReferenceSettings, random: Random
) -> Apart:
    """Return what reads tables that lie apart."""

    def events() -> list[list[Events]]:
        return [
            [events_of(table, mapping, settings.model, settings.tags) for table in part]
            for part in parts
        ]

    return Apart(events, random)


def built_apart(
    parts: Sequence[Sequence[Table]],
    mapping: Mapping,
    settings: ReferenceSettings,
    random: Random,
    together: Together | None = None,
) -> BuiltReference:
    """Build a reference of tables that lie apart."""
    reader = apart(parts, mapping, settings, random)
    return reference_by(reader, CountedAnswers(), settings, together)
