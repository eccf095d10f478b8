"""Values of any JSON to the doubles of the features that are derived from them.

A vector is an array of numbers, or a text that holds one, as CSV does. A text is itself; a number
or a boolean is the text that it is as a category. Null is missing, no key is absent; of a vector
another length, a number that is not finite and an element that is no number are invalid, as are
arrays and objects where a text is wanted.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from driftline.detectors.counts import Layout
from driftline.detectors.derivations import Derivation, VectorDerivation
from driftline.detectors.grid import FloatArray, IntArray
from driftline.producer.records.category import category_text
from driftline.producer.records.column_values import as_coded
from driftline.producer.records.mapping import finite_or_text
from driftline.producer.records.table import ABSENT as NO_KEY
from driftline.producer.records.table import Column, Vectors
from driftline.producer.records.text_form import AS_WRITTEN, TextForm
from driftline.producer.records.values import ABSENT, INVALID, MISSING, categorical

_NUMBERS = frozenset({int, float})


@dataclass(frozen=True)
class DerivedReader:
    """Reads the values of one field as what is derived from them.

    Attributes:
        derivation: how.
        layout: has the features; one that is not there is left out.
        texts: what texts of the field stand for.

    >>> from driftline.detectors.counts import Feature
    >>> vector = VectorDerivation.of("v", 0, np.array([[0, 0], [9, 9]], np.int16))
    >>> cluster = Feature("v.cluster", "categorical", np.empty(0), ("0", "1"))
    >>> reader = DerivedReader(vector, Layout.of([cluster], derived=(vector,)))
    >>> reader.read([[8, 8], "[1, 2]", None, [1], [1, "x"]]).tolist()
    [[1.0, 0.0, nan, -inf, -inf]]
    """

    derivation: Derivation
    layout: Layout
    texts: TextForm = AS_WRITTEN

    @cached_property
    def places(self) -> IntArray:
        """Places of the features in the layout, in the order of what `read` returns."""
        position = self.layout.position
        return np.array([position[self.derivation.features[part]] for part in self._parts], int)

    @cached_property
    def _parts(self) -> list[int]:
        names = self.derivation.features
        return [part for part, name in enumerate(names) if name in self.layout.position]

    @cached_property
    def _codes(self) -> dict[int, FloatArray]:
        """Of each categorical feature, the code of each number that the derivation gives."""
        found = {}
        for row, part in enumerate(self._parts):
            names = self.derivation.categories(part)
            if names:
                kind = categorical(self.layout.features[self.places[row]].categories)
                found[row] = np.array(list(map(kind.read, names)))
        return found

    def read(self, values: Sequence[object], *, floats: bool = False) -> FloatArray:
        """Return doubles as of `values`, shape (features that are there, n).

        Args:
            values: any decoded JSON; `table.ABSENT` where there is no key.
            floats: arrays surely hold floats alone.
        """
        return self._coded(raw_values(self.derivation, values, self.texts, floats=floats))

    def _coded(self, found: FloatArray) -> FloatArray:
        """Return the features that are there, with the codes that the layout has of categories."""
        raw = found[self._parts]
        for row, codes in self._codes.items():
            known = np.isfinite(raw[row])
            raw[row, known] = codes[raw[row, known].astype(np.int64)]
        return raw

    def column(self, column: Column) -> FloatArray:
        """Return doubles of a column, each of its distinct values read once."""
        return self._coded(raw_column(self.derivation, column, self.texts))


def raw_column(derivation: Derivation, column: Column, texts: TextForm = AS_WRITTEN) -> FloatArray:
    """Return what a derivation gives of a column, shape (features, n); see `raw_values`."""
    if isinstance(column, Vectors) and isinstance(derivation, VectorDerivation):
        if column.data.shape[1] == derivation.dimensions:
            found = derivation.derive(column.data.astype(np.float64))
        else:
            found = np.full((len(derivation.features), len(column)), INVALID)
        if column.null is not None:
            found[:, column.null] = MISSING
        return found
    coded = as_coded(column)
    return raw_values(derivation, coded.distinct, texts)[:, coded.codes]


def raw_values(
    derivation: Derivation,
    values: Sequence[object],
    texts: TextForm = AS_WRITTEN,
    *,
    floats: bool = False,
) -> FloatArray:
    """Return what a derivation gives of any values, shape (features, n); see `DerivedReader`."""
    marks = texts.marks
    none = np.full(len(values), INVALID)
    usable: list[Any] = []
    places: list[int] = []
    dimensions = derivation.dimensions if isinstance(derivation, VectorDerivation) else 0
    for place, value in enumerate(values):
        if value is None or (type(value) is str and value in marks):
            none[place] = MISSING
        elif value is NO_KEY:
            none[place] = ABSENT
        else:
            read = numbers_in(value, dimensions, floats) if dimensions else text_in(value)
            if read is not None:
                usable.append(read)
                places.append(place)
    whole = np.repeat(none[np.newaxis], len(derivation.features), axis=0)
    if not usable:
        return whole
    if isinstance(derivation, VectorDerivation):
        found = derivation.derive(np.frombuffer(b"".join(usable)).reshape(-1, dimensions))
    else:
        found = derivation.derive(usable)
    if len(places) == len(values):
        return found
    whole[:, places] = found
    return whole


def text_in(value: object) -> str | None:
    """Return the text that a value is; None if it is none.

    >>> text_in("a"), text_in(3.0), text_in([])
    ('a', '3', None)
    """
    return value if type(value) is str else category_text(finite_or_text(value))


def numbers_in(value: object, dimensions: int | None, floats: bool = False) -> bytes | None:
    """Return the numbers of a vector, packed as doubles; None if it is none.

    Args:
        value: any decoded JSON.
        dimensions: how many there have to be; None for any number but none.
        floats: an array surely holds floats alone.

    >>> np.frombuffer(numbers_in("[1, 2.5]", 2)).tolist(), numbers_in([1, True], 2)
    ([1.0, 2.5], None)
    """
    if isinstance(value, str):
        floats = False
        try:
            value = msgspec.json.decode(value)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
    if not isinstance(value, list) or not value or len(value) != (dimensions or len(value)):
        return None
    if not floats and not _NUMBERS.issuperset(map(type, value)):
        return None
    try:
        return struct.pack(f"={len(value)}d", *value)
    except (struct.error, OverflowError):  # more than a double holds
        return None
