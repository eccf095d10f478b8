"""What type a feature has, seen of all its values, in any order and in any parts.

All booleans (or the texts `true` and `false`, in any case) is boolean, nearly all numbers is
numeric, anything else categorical. Null, absent and not finite values say nothing.
"""

from __future__ import annotations

import math
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.registry import BOOLEANS, FeatureType
from driftline.producer.records.column_values import as_coded
from driftline.producer.records.number_text import NEARLY_ALL, is_mark, plain_number
from driftline.producer.records.table import Numbers, Times, Vectors
from driftline.producer.records.text_form import AS_WRITTEN, TextForm
from driftline.producer.records.timestamp import is_written
from driftline.producer.records.values import numeric
from driftline.producer.reference.distinct import DistinctNumbers
from driftline.producer.reference.field import Field

NOT_FINITE: Final = frozenset({"NaN", "Infinity", "-Infinity"})
"""How events write numbers that JSON does not have (`Mapping.to_event`)."""

_MOST_TIMES = 1_000
_SAMPLE = 1_024  # of the numbers of a table
_THINNED = 1 << 16  # numbers of all samples, when these are merged


class Look:
    """What is seen of one feature's values.

    Args:
        most: distinct numbers that are all kept; see `DistinctNumbers`.
        texts: what texts stand for; those that stand for no value say nothing.

    Attributes:
        numbers: the distinct numbers.
        count: how many values are numbers.
        sample: some of the numbers, those at even steps of each part.

    >>> look = Look()
    >>> look.add(Field(Numbers(np.array([1.5, 2.5, np.nan]))))
    >>> look.infer(), look.numbers.about(), look.count
    ('numeric', 2, 2)
    """

    def __init__(self, most: int | None = 1 << 16, texts: TextForm = AS_WRITTEN) -> None:
        self._coerce, self._marks = texts.coerce, texts.marks
        self._form = texts
        self.numbers = DistinctNumbers(most)
        self.count = 0
        self.sample: list[NDArray[np.float64]] = []
        self._booleans = self._texts = False
        self._others = 0  # values that are texts or booleans
        self._only_booleans = self._only_times = True
        self._times: set[str] = set()

    def add(self, field: Field) -> None:
        """Take in some events' values."""
        column = field.column
        if isinstance(column, Vectors):  # no value of these is a feature's
            return
        if isinstance(column, Times):
            self._add_times(field)
        elif not isinstance(column, Numbers):
            found, counts = field.used()
            values = [v for v, count in zip(found.distinct, counts.tolist(), strict=True) if count]
            self._others += sum(
                count
                for value, count in zip(found.distinct, counts.tolist(), strict=True)
                if isinstance(value, str | bool) and self._says_something(value)
            )
            if not self._add_others(values):
                return
        numbers = field.doubles(numeric(self._form))
        numbers = numbers[np.isfinite(numbers)]
        if numbers.size:
            self.count += numbers.size
            self.numbers.add(numbers)
            places = np.linspace(0, numbers.size - 1, min(_SAMPLE, numbers.size))
            self.sample.append(numbers[places.astype(np.int64)])

    def merge(self, other: Self) -> None:
        """Take in what was seen of other events' values."""
        self.numbers.merge(other.numbers)
        self.count += other.count
        self.sample = thin_parts([*self.sample, *other.sample])
        self._booleans |= other._booleans
        self._texts |= other._texts
        self._others += other._others
        self._only_booleans &= other._only_booleans
        self._only_times &= other._only_times
        if len(self._times) <= _MOST_TIMES:
            self._times |= other._times

    def infer(self) -> FeatureType | None:
        """Return the type that the values have; None if there is no usable value."""
        if self.count:
            numbers = self.count >= NEARLY_ALL * (self.count + self._others)
            return "numeric" if numbers else "categorical"
        if not self._booleans and not self._texts:
            return None
        return "boolean" if self._only_booleans else "categorical"

    @property
    def holds_times(self) -> bool:
        """Whether the values are many texts that all are times, of which each window has others."""
        many = len(self._times) > _MOST_TIMES
        return many and self._only_times and not self._booleans and not self.count

    def _add_others(self, values: list[Any]) -> bool:
        """Take in distinct values that are no array of numbers; return whether some are numbers."""
        kinds = set(map(type, values))
        self._booleans |= bool in kinds
        if str in kinds:
            texts = [v for v in values if type(v) is str and self._says_something(v)]
            self._texts |= bool(texts)
            self._only_booleans &= {text.lower() for text in texts} <= set(BOOLEANS)
            if self._only_times:
                self._see_times(texts)
        read = numeric(self._form).read
        numbers = (float(v) if type(v) is float else read(v) for v in values)
        number_types = {int, float, str} if self._coerce else {int, float}
        return bool(kinds & number_types) and any(map(math.isfinite, numbers))

    def _says_something(self, value: str | bool) -> bool:
        """Whether a value is one, and no number."""
        if value in NOT_FINITE or value in self._marks:
            return False
        if not (self._coerce and isinstance(value, str)):
            return True
        return not is_mark(value) and plain_number(value) is None

    def _see_times(self, texts: list[str]) -> None:
        for text in texts:
            if not is_written(text):
                self._only_times = False
                return
            if len(self._times) <= _MOST_TIMES:
                self._times.add(text)

    def _add_times(self, field: Field) -> None:
        column = field.column if field.absent is None else field.column.take(~field.absent)
        if isinstance(column, Times) and column.null is not None:
            column = column.take(~column.null)
        if len(column):
            self._texts, self._only_booleans = True, False
            self._others += len(column)
            if len(self._times) <= _MOST_TIMES and isinstance(column, Times):
                ms = np.unique(column.ms)[: _MOST_TIMES + 1]
                self._times.update(map(str, as_coded(Times(ms)).distinct))


def thin_parts(parts: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Return samples as they are; as one of 65,536 where they have four times as many numbers."""
    if sum(part.size for part in parts) <= 4 * _THINNED:
        return parts
    ordered = np.sort(np.concatenate(parts))
    return [ordered[np.linspace(0, ordered.size - 1, _THINNED).astype(np.int64)]]
