"""Which events of a pane are looked at whole, and what is noted of them.

Of all events nothing but a hash is computed; those of smallest hash are read once more, for what
the counts do not have: names of new fields, types and texts of values that are not listed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from driftline.consumer.sketch.decoded import ModelRows
from driftline.consumer.sketch.listed import NOT_FINITE_TEXTS, Listed
from driftline.consumer.wire.samples import (
    MOST_NOTES,
    SAMPLED,
    EventSample,
    Hashes,
    Note,
    merged,
    merged_names,
    short,
)
from driftline.detectors.counts import Layout
from driftline.detectors.derivations import Derivation, VectorDerivation
from driftline.detectors.grid import IntArray
from driftline.producer.records.category import category_text
from driftline.producer.records.derived_values import raw_values

NOT_FINITE = "a number that is not finite"
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


def notes_of(
    listed: Listed, event: Mapping[str, Any], odd: IntArray, start: int
) -> tuple[Note, ...]:
    """Return what is noted of an event.

    Args:
        listed: what the reference knows.
        event: the values of its fields, see `exact.values_of`.
        odd: places of the features whose value is invalid or not listed.
        start: where to begin among the notes, if they are more than are kept.
    """
    found = [Note("field", short(name), type_of(event[name])) for name in listed.new(event)]
    for f in odd.tolist():
        feature = listed.layout.features[f]
        derivation = listed.layout.derivations.get(feature.name)
        if derivation is not None:
            kind = wrong_source(derivation, event.get(derivation.source))
            if kind is not None:
                found.append(Note("type", short(feature.name), kind))
            continue
        value = event.get(feature.name)
        text = category_text(value) if feature.type == "categorical" else None
        if text is None:
            found.append(Note("type", short(feature.name), type_of(value)))
        else:
            shown = short(text) if listed.show_values else ""
            found.append(Note("value", short(feature.name), type_of(value), shown))
    if len(found) > MOST_NOTES:
        found.sort()
        first = start % len(found)
        found = [*found[first:], *found[:first]][:MOST_NOTES]
    return tuple(sorted(found))


class PaneSample:
    """The sample of one pane, as far as its events are read; `most`: events of it."""

    def __init__(self, most: int = SAMPLED) -> None:
        self._most = most
        self._sample = EventSample(b"", {})
        self._names: dict[str, int] = {}
        self._limit = _ALL

    def add(self, listed: Listed, rows: ModelRows, places: IntArray, hashes: Hashes) -> None:
        """Look at events of a pane.

        Args:
            listed: what the reference knows.
            rows: as they were read.
            places: which of `rows` are of the pane.
            hashes: of all `rows`.
        """
        if rows.values is None:
            return
        if counts := rows.new.count(places):
            self._names = merged_names([self._names, counts])
        own = hashes[places]
        near = np.flatnonzero(own < self._limit)
        if not near.size:
            return
        if near.size > self._most:  # only those that may be among the first are sorted
            near = near[own[near] <= np.partition(own[near], self._most - 1)[self._most - 1]]
        near = near[np.argsort(own[near], kind="stable")[: self._most]]
        chosen = places[near]
        odd = _odd(listed.layout, rows, chosen)
        # Most events have nothing new: of these no value is read.
        looked = np.flatnonzero(odd.any(axis=1) | bool(counts))
        notes: dict[int, tuple[Note, ...]] = {}
        if looked.size:
            for i, event in zip(looked.tolist(), rows.values(chosen[looked]), strict=True):
                digest = int(own[near[i]])
                notes[i] = notes_of(listed, event, np.flatnonzero(odd[i]), digest)
        entries = [(digest, notes.get(i, ())) for i, digest in enumerate(own[near].tolist())]
        kept = merged([self._sample, EventSample.of(entries)], self._most)
        self._sample = EventSample.of(kept)
        if len(kept) == self._most:
            self._limit = np.uint64(kept[-1][0])

    def packed(self) -> EventSample:
        """Return the sample as of now."""
        return msgspec.structs.replace(self._sample, names=self._names)


def type_of(value: object) -> str:
    """Return what a value is, in words.

    >>> [type_of(value) for value in ("a", 3, True, "NaN", [])]
    ['text', 'a number', 'a boolean', 'a number that is not finite', 'an array']
    """
    if isinstance(value, str):
        return NOT_FINITE if value in NOT_FINITE_TEXTS else "text"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, float) and not math.isfinite(value):
        return NOT_FINITE
    if isinstance(value, list):
        return "an array"
    return "an object" if isinstance(value, dict) else "a number"


def wrong_source(derivation: Derivation, value: object) -> str | None:
    """Return what a value is of which nothing can be derived, in words; None if something can.

    >>> vector = VectorDerivation.of("v", 0, np.array([[0, 0]], np.int16))
    >>> [wrong_source(vector, value) for value in ([1], [1, None], "[1]", 3, [1, 2])]
    ['an array of length 1', 'an array that holds no numbers', 'text', 'a number', None]
    """
    if not (raw_values(derivation, [value]) == -np.inf).any():
        return None
    if isinstance(value, list) and isinstance(derivation, VectorDerivation):
        if len(value) != derivation.dimensions:
            return f"an array of length {len(value)}"
        return "an array that holds no numbers"
    return type_of(value)


def _odd(layout: Layout, rows: ModelRows, chosen: IntArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which features of rows are invalid or not listed, shape (rows, features)."""
    numeric = rows.columns.numeric[chosen] == -np.inf
    codes = rows.columns.codes[chosen]
    sizes = np.array([len(f.categories) for f in layout.features[layout.numeric :]], np.int64)
    return np.hstack([numeric, (codes == sizes) | (codes == sizes + 3)])
