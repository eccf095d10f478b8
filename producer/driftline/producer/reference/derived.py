"""Features that are derived: their parameters are fitted on some events, and counted in others.

Centroids lie nearer to the vectors that they were made of than to new ones, and a text that gave
its words has none that are unseen. So the events that a derivation is fitted on are not counted in
its features: at most half of the events, and no more than memory has room for. Which those
are the hash of the event's number in the input decides: the same input gives the same reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.derivations import KINDS, Derivation
from driftline.detectors.derivations.hashing import mixed
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.registry import FeatureType
from driftline.producer.errors import InputError
from driftline.producer.records.derived_values import numbers_in, raw_column, text_in
from driftline.producer.records.names import listed, nearest
from driftline.producer.records.table import ABSENT, Coded, Numbers
from driftline.producer.records.values import ABSENT as NO_KEY
from driftline.producer.reference.derive import Derive
from driftline.producer.reference.events import Events
from driftline.producer.reference.field import Bools, Field
from driftline.producer.reference.fit_derived import fit_text, fit_vector
from driftline.producer.reference.settings import ReferenceSettings

_HALF = np.uint64(1 << 63)
_MOST_EVENTS = 20_000  # that a derivation is fitted on
_MOST_NUMBERS = 1 << 22  # of their vectors, or characters of their texts
_LONGEST = 2_000  # characters of a text that are fitted on


@dataclass(frozen=True)
class Fitted:
    """A derivation, and which events it was fitted on.

    Attributes:
        derivation: with its parameters.
        limit: events whose number's hash is at most this were fitted on; None: it was fitted on
            others.
    """

    derivation: Derivation
    limit: np.uint64 | None

    def on(self, first: int, rows: int) -> Bools | None:
        """Return which of the events from number `first` on it was fitted on."""
        return None if self.limit is None else _hashes(first, rows) <= self.limit


def fitted_for(
    scan: Callable[[], Iterable[Events]], settings: ReferenceSettings
) -> tuple[Fitted, ...]:
    """Return how what the settings ask for is derived: fitted, or as another reference has it.

    Raises:
        InputError: as `fit_derived`.
    """
    if settings.layout_of is not None:
        return tuple(Fitted(each, None) for each in settings.layout_of.layout.derived)
    return fit_derived(scan, settings.derived)


def fit_derived(
    scan: Callable[[], Iterable[Events]], wanted: Mapping[str, Derive]
) -> tuple[Fitted, ...]:
    """Fit derivations, by one reading.

    Raises:
        InputError: no event has such a field, or none has a value of the kind; a name is taken.

    Example:
        >>> from driftline.producer.records.table import Table
        >>> from driftline.producer.records.mapping import Mapping
        >>> from driftline.producer.reference.events import events_of
        >>> rows = [{"features": {"place": [x % 3, x % 2]}} for x in range(60)]
        >>> events = [events_of(Table.of_rows(rows), Mapping(), "m")]
        >>> [fitted] = fit_derived(lambda: events, {"place": Derive("vector", centroids=6)})
        >>> fitted.derivation.features, fitted.derivation.centroids.shape
        (('place.cluster', 'place.distance'), (6, 2))
    """
    if not wanted:
        return ()
    samples = {name: _Sample(each.kind) for name, each in wanted.items()}
    names: dict[str, None] = {}
    first = 0
    for events in scan():
        names |= dict.fromkeys(events.features)
        for name, sample in samples.items():
            sample.add(first, events.rows, events.features.get(name))
        first += events.rows
    taken = {f"{name}.{part}" for name, each in wanted.items() for part in KINDS[each.kind].PARTS}
    for name in wanted:
        if name not in names:
            hint = nearest(name, names) or f"there are {listed(list(names)) or 'none'}"
            raise InputError(f"type of {name}: the events have no such feature, {hint}")
    for name in sorted(taken & names.keys()):
        raise InputError(
            f"{name} is a field of the events, and what would be derived: rename or map it"
        )
    return tuple(samples[name].fitted(name, each) for name, each in sorted(wanted.items()))


def derived_events(events: Iterable[Events], fitted: tuple[Fitted, ...]) -> Iterator[Events]:
    """Yield events with what is derived in the place of what it is derived from."""
    first = 0
    for each in events:
        features = dict(each.features)
        uncounted: dict[str, Bools] = {}
        for one in fitted:
            source = features.pop(one.derivation.source, None)
            if source is not None:
                features |= _fields(one.derivation, source)
            held_out = one.on(first, each.rows)
            if held_out is not None:
                uncounted |= dict.fromkeys(one.derivation.features, held_out)
        first += each.rows
        ordered = {name: features[name] for name in sorted(features)}
        yield replace(each, features=ordered, uncounted=uncounted)


def derived_types(fitted: Iterable[Fitted]) -> dict[str, FeatureType]:
    """Return the types of derived features."""
    return {
        name: kind
        for each in fitted
        for name, kind in zip(each.derivation.features, each.derivation.types, strict=True)
    }


def _hashes(first: int, rows: int) -> NDArray[np.uint64]:
    return mixed(np.arange(first, first + rows, dtype=np.uint64))


@dataclass
class _Sample:
    """The values of the events that a derivation is fitted on: those of smallest hash.

    A value is None where there is none of the kind; the event is in the sample all the same.
    """

    kind: str
    limit: np.uint64 = _HALF - np.uint64(1)
    hashes: list[NDArray[np.uint64]] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, first: int, rows: int, source: Field | None) -> None:
        """Take in some events, from number `first` on."""
        hashes = _hashes(first, rows)
        chosen = np.flatnonzero(hashes <= self.limit)
        self.hashes.append(hashes[chosen])
        if source is None:
            self.values += [None] * len(chosen)
        else:
            gone = source.gone()[chosen].tolist()
            held = source.column.take(chosen).values()
            marks = source.texts.marks
            self.values += [
                None
                if away or value in (None, ABSENT) or _is_mark(value, marks)
                else self._read(value)
                for value, away in zip(held, gone, strict=True)
            ]
        if len(self.values) > 2 * _MOST_EVENTS or self._size() > 2 * _MOST_NUMBERS:
            self._prune()

    def fitted(self, name: str, wanted: Derive) -> Fitted:
        """Fit the derivation.

        Raises:
            InputError: there is no value of the kind.
        """
        self._prune()
        usable = [value for value in self.values if value is not None]
        if not usable:
            what = "an array of numbers" if self.kind == "vector" else "a text"
            raise InputError(f"type of {name}: no value is {what}; correct its type or mapping")
        if wanted.kind == "vector":
            return Fitted(fit_vector(name, usable, wanted.centroids), self.limit)
        return Fitted(fit_text(name, usable, wanted.words), self.limit)

    def _read(self, value: object) -> Any:
        if self.kind == "vector":
            packed = numbers_in(value, None)
            return None if packed is None else np.frombuffer(packed)
        text = text_in(value)
        return None if text is None else text[:_LONGEST]

    def _size(self) -> int:
        return sum(len(value) for value in self.values if value is not None)

    def _prune(self) -> None:
        """Keep the events of smallest hash, as many as there is room for."""
        hashes = np.concatenate([np.zeros(0, np.uint64), *self.hashes])
        order = np.argsort(hashes)
        sizes = [0 if self.values[at] is None else len(self.values[at]) for at in order.tolist()]
        kept = int(np.searchsorted(np.cumsum(sizes), _MOST_NUMBERS, "right"))
        kept = min(max(kept, 1), _MOST_EVENTS, len(order))
        if kept < len(order):
            self.limit = hashes[order[kept - 1]]
        self.hashes = [hashes[order[:kept]]]
        self.values = [self.values[at] for at in order[:kept].tolist()]


def _is_mark(value: object, marks: frozenset[str]) -> bool:
    return isinstance(value, str) and value in marks


def _fields(derivation: Derivation, source: Field) -> dict[str, Field]:
    """Return the features of a field of some events."""
    raw = raw_column(derivation, source.column, source.texts)
    if source.absent is not None:
        raw[:, source.absent] = NO_KEY
    return {
        name: _field(values, derivation.categories(part))
        for part, (name, values) in enumerate(zip(derivation.features, raw, strict=True))
    }


def _field(values: FloatArray, categories: tuple[str, ...]) -> Field:
    """Return doubles (`records.values`) as a field."""
    absent, null = values == NO_KEY, np.isnan(values)
    away = absent if absent.any() else None
    if not categories:
        return Field(Numbers(values, null | absent), away)
    # An empty array is what no category is.
    codes: IntArray = np.where(np.isfinite(values), values, len(categories)).astype(np.int64)
    codes[null | absent] = len(categories) + 1
    return Field(Coded(codes, [*categories, [], None]), away)
