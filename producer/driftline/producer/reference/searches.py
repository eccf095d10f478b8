"""Readings that count columns, and find values at ranks of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np

from driftline.detectors.grid import FloatArray
from driftline.producer.errors import InputError
from driftline.producer.records.values import numeric
from driftline.producer.reference.category_counts import CategoryCounts
from driftline.producer.reference.distinct import DistinctNumbers
from driftline.producer.reference.events import Events
from driftline.producer.reference.look import thin_parts
from driftline.producer.reference.order_statistics import RankSearch
from driftline.producer.reference.readings import Reader

MOST_VALUES = 1 << 24
"""Values that are kept of all columns together, at most: more are searched once more."""

_MOST_CATEGORIES = 1 << 18


class ColumnsOf(Protocol):
    """Finite values of some columns of events; it pickles."""

    def __call__(self, events: Events, names: Iterable[str]) -> Mapping[str, FloatArray]:
        """Return them by name."""
        ...


def feature_values(events: Events, names: Iterable[str]) -> Mapping[str, FloatArray]:
    """Return the finite values of features."""
    found = {}
    for name in names:
        own = events.field(name)
        if own is not None:
            values = own.doubles(numeric(own.texts))
            found[name] = values[np.isfinite(values)] + 0.0
    return found


@dataclass(eq=False)
class ColumnCounts:
    """A reading that counts columns against splitters, distinct numbers and categories.

    Attributes:
        columns: gives the values of those that are searched.
        searches: by column.
        distinct: by column; those of searches.
        categories: by feature.
        tags: by tag.
    """

    columns: ColumnsOf
    searches: Mapping[str, RankSearch]
    distinct: Mapping[str, DistinctNumbers] = field(default_factory=dict)
    categories: Mapping[str, CategoryCounts] = field(default_factory=dict)
    tags: Mapping[str, CategoryCounts] = field(default_factory=dict)

    def add(self, events: Events) -> None:
        """Take in some events."""
        for name, values in self.columns(events, self.searches).items():
            self.searches[name].count(values)
            if name in self.distinct:
                self.distinct[name].add(values)
        for name, counter in self.categories.items():
            counter.add(events.field(name))
        for tag, counter in self.tags.items():
            counter.add(events.tags.get(tag))

    def merge(self, other: Self) -> None:
        """Take in what another has counted of other events.

        Raises:
            InputError: a feature has too many categories to hold.
        """
        for name, search in self.searches.items():
            search.merge_counts(other.searches[name])
        for name, numbers in self.distinct.items():
            numbers.merge(other.distinct[name])
        for own, more in ((self.categories, other.categories), (self.tags, other.tags)):
            for name, counter in own.items():
                counter.merge(more[name])
                if len(counter) > _MOST_CATEGORIES:
                    raise InputError(
                        f"{name}: more than {_MOST_CATEGORIES:,} different values: it is rather an"
                        " id than a feature, so ignore it in the configuration"
                    )


@dataclass(eq=False)
class _Values:
    """A reading that keeps the values near wanted ranks."""

    columns: ColumnsOf
    searches: Mapping[str, RankSearch]

    def add(self, events: Events) -> None:
        for name, values in self.columns(events, self.searches).items():
            self.searches[name].keep(values)

    def merge(self, other: Self) -> None:
        for name, search in self.searches.items():
            search.merge_values(other.searches[name])


@dataclass(eq=False)
class _Samples:
    """A reading that takes a sample of the values near wanted ranks."""

    columns: ColumnsOf
    searches: Mapping[str, RankSearch]
    samples: dict[str, list[FloatArray]] = field(default_factory=dict)

    def add(self, events: Events) -> None:
        for name, values in self.columns(events, self.searches).items():
            self._take(name, [self.searches[name].sampled(values)])

    def merge(self, other: Self) -> None:
        for name, parts in other.samples.items():
            self._take(name, parts)

    def _take(self, name: str, parts: list[FloatArray]) -> None:
        self.samples[name] = thin_parts([*self.samples.get(name, ()), *parts])


def settled(
    reader: Reader, searches: Mapping[str, RankSearch], columns: ColumnsOf
) -> dict[str, RankSearch]:
    """Return searches that were counted with all the values they need, by a reading or more.

    Args:
        reader: reads the events.
        searches: by column.
        columns: gives the values.
    """
    done = dict(searches)
    while wide := {name: each for name, each in done.items() if not each.has_room}:
        samples = reader.read(_Samples(columns, wide)).samples
        finer = {name: each.refined(samples[name]) for name, each in wide.items()}
        done |= reader.read(ColumnCounts(columns, finer)).searches
    lacking = {name: each for name, each in done.items() if each.needs_values}
    return done | dict(reader.read(_Values(columns, lacking)).searches) if lacking else done
