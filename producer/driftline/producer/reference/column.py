"""All values of one feature, in the order of the events, kept small.

A value takes 13 bytes whatever it is, so a reference can be built from millions of events. What
type the feature has is decided at the end, when all of it has been seen.
"""

from __future__ import annotations

from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.build import BOOLEANS
from driftline.detectors.columns import FeatureColumn
from driftline.detectors.registry import FeatureType
from driftline.producer.records.category import category_text
from driftline.producer.records.table import ABSENT

NOT_FINITE: Final = frozenset({"NaN", "Infinity", "-Infinity"})
"""How events write numbers that JSON does not have (`Mapping.to_event`)."""

_INVALID, _MISSING, _ABSENT, _NUMBER, _BOOLEAN, _TEXT = range(6)
_KINDS = {
    type(None): _MISSING,
    type(ABSENT): _ABSENT,
    int: _NUMBER,
    float: _NUMBER,
    bool: _BOOLEAN,
    str: _TEXT,
}
_EXACT_INTEGERS = 2.0**53


class Column:
    """Values of one feature.

    Args:
        absent: events that went by before the feature was first seen.

    >>> column = Column()
    >>> column.add([1, 2.5, None, "NaN"])
    >>> column.infer()
    'numeric'
    >>> column.prepare("numeric").values
    array([ 1. ,  2.5,  nan, -inf])
    """

    def __init__(self, absent: int = 0) -> None:
        self._kinds = [np.full(absent, _ABSENT, np.int8)]
        self._numbers = [np.zeros(absent)]  # of numbers and, as 0 and 1, booleans
        self._codes = [np.full(absent, -1, np.int32)]  # of texts and integers beyond 2**53
        self._code: dict[str, int] = {}
        self._words: list[str] = []

    def add(self, values: list[Any]) -> None:
        """Append decoded JSON values; `ABSENT` where an event has no such key."""
        kinds = np.fromiter(
            map(_KINDS.get, map(type, values), repeat(_INVALID)), np.int8, len(values)
        )
        numbers = np.zeros(len(values))
        codes = np.full(len(values), -1, np.int32)
        for kind in (_NUMBER, _BOOLEAN):
            rows = np.flatnonzero(kinds == kind)
            numbers[rows] = _floats([values[i] for i in rows.tolist()])
        kinds[~np.isfinite(numbers)] = _INVALID
        rows = np.flatnonzero(kinds == _TEXT)
        codes[rows] = self._encode([values[i] for i in rows.tolist()])
        rows = np.flatnonzero(
            (kinds == _NUMBER) & (np.abs(numbers) >= _EXACT_INTEGERS)
        )  # as a category: every digit
        codes[rows] = self._encode([category_text(values[i]) or "" for i in rows.tolist()])
        self._kinds.append(kinds)
        self._numbers.append(numbers)
        self._codes.append(codes)

    def infer(self) -> FeatureType | None:
        """Return the type that the values have; None if there is no usable value.

        All booleans (or the texts `true` and `false`, in any case): boolean. All numbers: numeric.
        Else categorical. Null, absent and not finite values say nothing.
        """
        self._join()
        kinds, codes = self._kinds[0], self._codes[0]
        words = {self._words[code] for code in np.unique(codes[kinds == _TEXT]).tolist()}
        words -= NOT_FINITE
        numbers, booleans = _NUMBER in kinds, _BOOLEAN in kinds
        if numbers:
            return "categorical" if booleans or words else "numeric"
        if not booleans and not words:
            return None
        return "boolean" if {word.lower() for word in words} <= set(BOOLEANS) else "categorical"

    def prepare(self, feature_type: FeatureType) -> FeatureColumn:
        """Return the values as a feature of `feature_type`; what does not fit is invalid.

        As in the stream, a boolean may also be written as text in any case, or as 0 and 1.
        """
        self._join()
        kinds, numbers, codes = self._kinds[0], self._numbers[0], self._codes[0]
        if feature_type == "numeric":
            values = np.where(kinds == _NUMBER, numbers, -np.inf)
            values[kinds == _MISSING] = np.nan
            values[kinds == _ABSENT] = np.inf
            return FeatureColumn("numeric", values)

        # Each value gets the place of its text in `texts`; the first is that of no text.
        places = codes + 1
        texts: list[str | None] = [None, *self._words]
        uncoded = np.flatnonzero((codes < 0) & (kinds == _NUMBER))
        distinct, inverse = np.unique(numbers[uncoded], return_inverse=True)
        places[uncoded] = len(texts) + inverse
        texts += map(category_text, distinct.tolist())
        booleans = kinds == _BOOLEAN
        places[booleans] = len(texts) + numbers[booleans].astype(np.int32)
        texts += BOOLEANS
        if feature_type == "boolean":
            words = [text if (text := word.lower()) in BOOLEANS else None for word in self._words]
            zero_one = [{0.0: "false", 1.0: "true"}.get(number) for number in distinct.tolist()]
            texts = [None, *words, *zero_one, *BOOLEANS]
        prepared = list(map(texts.__getitem__, places.tolist()))
        fits = np.array([text is not None for text in texts])[places]
        absent = kinds == _ABSENT
        return FeatureColumn(feature_type, prepared, absent, ~fits & ~absent & (kinds != _MISSING))

    def _encode(self, texts: list[str]) -> NDArray[np.int32]:
        for text in dict.fromkeys(texts):
            if text not in self._code:
                self._code[text] = len(self._words)
                # Half a surrogate pair can come out of JSON, but cannot be written again.
                self._words.append(text.encode("utf-8", "replace").decode())
        return np.fromiter(map(self._code.__getitem__, texts), np.int32, len(texts))

    def _join(self) -> None:
        self._kinds = [np.concatenate(self._kinds)]
        self._numbers = [np.concatenate(self._numbers)]
        self._codes = [np.concatenate(self._codes)]


def _floats(values: list[Any]) -> NDArray[np.float64]:
    try:
        return np.array(values, np.float64)
    except OverflowError:  # an integer beyond 1e308 is no number that statistics can use
        return np.array([float(x) if abs(x) < 10**300 else np.inf for x in values], np.float64)
