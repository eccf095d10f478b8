"""Sample records, in which a guess looks for a column of each role."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from driftline.detectors.registry import FeatureType
from driftline.producer.records.category import category_text
from driftline.producer.records.number_text import plain_number
from driftline.producer.records.table import ABSENT
from driftline.producer.records.time_text import EPOCH
from driftline.producer.records.timestamp import join_clock
from driftline.producer.reference.guess_texts import TextGuess, guess_texts, type_of
from driftline.producer.reference.guess_time import are_clocks
from driftline.producer.reference.nested import Flat

PREDICTED: Final = re.compile(
    r"(?:predicted|prediction|predict|pred|y_pred|y_hat|yhat)_(?P<of>\w+)"
)
"""Names of predictions of something."""

PERHAPS_TRUE: Final = re.compile(
    r"(?:.*_)?(?:actual|truth|target|outcome|observed|labels?)(?:_.*)?|y"
)
"""Names that the ground truth may have."""

_TRUE = re.compile(r"(?:actual|true|y_true|observed|ground_truth)_(?P<of>\w+)")
_MOST_CLASSES = 20
_TIMES = ("seconds", "_seconds", "epochSecond", "$date", "$numberLong")
_PARTS_OF_SECOND = ("nanos", "_nanoseconds", "nano", "nanoseconds")


def plain(name: str) -> str:
    """Return a name without case and separators.

    >>> plain("Request-ID")
    'request_id'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


class Sample:
    """Sample rows, and the columns that have no role yet.

    Args:
        flat: the rows.

    Attributes:
        flat: the rows.
        free: the columns, of which those that get a role are taken.
    """

    def __init__(self, flat: Flat) -> None:
        self.flat = flat
        self.free = flat.columns

    def nested(self) -> dict[str, str]:
        """Return the free fields of objects by their own names; the first one has a name."""
        nested = (name for name in reversed(self.free) if name in self.flat.paths)
        return {plain(self.flat.paths[name][-1]): name for name in nested}

    def times_in_objects(self) -> dict[str, str]:
        """Return the free fields that are all of an object's time, by the name of the object.

        So protocol buffers (`{"seconds": .., "nanos": ..}`), MongoDB and Firestore write them.
        """
        found = {}
        for name in reversed(self.free):
            path = [*self.flat.paths.get(name, ())]
            if path and path[-1] in _TIMES:
                while len(path) > 1 and path[-1] in _TIMES:
                    path.pop()
                found[plain(path[-1])] = name
        return found

    def drop_parts_of_second(self, column: str) -> None:
        """Let go of what stands beside the seconds of such a time."""
        path = self.flat.paths.get(column, ())
        for part in _PARTS_OF_SECOND if path else ():
            name = ".".join((*path[:-1], part))
            if name in self.free:
                self.free.remove(name)

    def take_nested(self, names: Sequence[str], fits: Callable[[list[Any]], bool]) -> str | None:
        """Return the first free field of an object that has one of these names, and take it."""
        free = self.nested()
        for name in names:
            if name in free and fits(self.values(free[name])):
                self.free.remove(free[name])
                return free[name]
        return None

    def take(self, names: Sequence[str], fits: Callable[[list[Any]], bool]) -> str | None:
        """Return the first free column of one of these names whose values fit, and take it."""
        free = {plain(name): name for name in self.free}
        for name in names:
            if name in free and fits(self.values(free[name])):
                self.free.remove(free[name])
                return free[name]
        return None

    def take_only(self, pattern: re.Pattern[str], fits: Callable[[list[Any]], bool]) -> str | None:
        """Return the only free column with such a name, if its values fit, and take it."""
        named = [name for name in self.free if pattern.fullmatch(plain(name))]
        if len(named) != 1 or not fits(self.values(named[0])):
            return None
        self.free.remove(named[0])
        return named[0]

    def take_partner(self, predictions: Sequence[str]) -> str | None:
        """Return the free column that is called true what a prediction is called, and take it."""
        of = {found["of"] for name in predictions if (found := PREDICTED.fullmatch(plain(name)))}
        named = [
            name
            for name in self.free
            if (found := _TRUE.fullmatch(plain(name))) and found["of"] in of
        ]
        if len(named) != 1 or not self.has_values(self.values(named[0])):
            return None
        self.free.remove(named[0])
        return named[0]

    def perhaps_actual(self, predictions: Sequence[str]) -> tuple[str, ...]:
        """Return the free columns that may be the ground truth: by their name, or their classes."""
        if not predictions:
            return ()
        classes = [set(map(category_text, self.values(name))) for name in predictions]
        few = [each for each in classes if 1 < len(each) <= _MOST_CLASSES]
        return tuple(
            name
            for name in self.free
            if name not in self.flat.paths
            if PERHAPS_TRUE.fullmatch(plain(name))
            or _TRUE.fullmatch(plain(name))
            or set(map(category_text, self.values(name))) in few
        )

    def values(self, column: str) -> list[Any]:
        """Return the values that a column has."""
        values = (row.get(column) for row in self.flat.rows)
        return [value for value in values if value is not None]

    def types(self, *, coerce: bool) -> dict[str, FeatureType]:
        """Return the types of the free columns; those without values are left out."""
        found = {
            name: type_of([row.get(name, ABSENT) for row in self.flat.rows], coerce=coerce)
            for name in self.free
        }
        return {name: kind for name, kind in found.items() if kind is not None}

    def texts(self, *others: str) -> TextGuess:
        """Guess what texts stand for in the free columns, and in those of `others` with scores."""
        scores = [name for name in others if self.is_score(self.values(name))]
        return guess_texts({name: self.values(name) for name in (*scores, *self.free)})

    def joined(self, columns: Sequence[str]) -> list[Any]:
        """Return the values of a column, or of a date and a time of day as one."""
        if len(columns) == 1:
            return self.values(columns[0])
        date, clock = columns
        pairs = ((row.get(date), row.get(clock)) for row in self.flat.rows)
        return [join_clock(*pair) for pair in pairs if None not in pair]

    def has_no_finite(self, column: str) -> bool:
        """Return whether there are values, of which all are infinite or no number."""
        values = self.values(column)
        return bool(values) and all(
            isinstance(value, float) and not math.isfinite(value) for value in values
        )

    def is_text(self, column: str) -> bool:
        """Return whether values are text, and not of digits: these may be anything."""
        values = self.values(column)
        return bool(values) and all(
            isinstance(value, str) and EPOCH.fullmatch(value) is None for value in values
        )

    def clock_of(self, column: str) -> str | None:
        """Return the only column of times of a day, beside a column without any."""
        if any(":" in str(value) for value in self.values(column)):
            return None
        clocks = [name for name in self.free if name != column and are_clocks(self.values(name))]
        return clocks[0] if len(clocks) == 1 else None

    def repeated(self, column: str) -> int:
        """Return how many rows have the value of an earlier one."""
        values = self.values(column)
        return len(values) - len(set(values))

    @staticmethod
    def has_values(values: list[Any]) -> bool:
        """Any."""
        return bool(values)

    @staticmethod
    def is_id(values: list[Any]) -> bool:
        """Texts or whole numbers."""
        return bool(values) and all(isinstance(value, str | int) for value in values)

    @classmethod
    def names_rows(cls, values: list[Any]) -> bool:
        """Ids, each once: those of a customer stand in many rows."""
        return cls.is_id(values) and len(set(values)) == len(values)

    @staticmethod
    def is_score(values: list[Any]) -> bool:
        """Numbers, as text too, and not just a few whole ones: those are classes."""
        read = [plain_number(x) if isinstance(x, str) else x for x in values]
        numbers = [x for x in read if isinstance(x, int | float) and not isinstance(x, bool)]
        if not values or len(numbers) < len(values):
            return False
        return any(x != x or x % 1 for x in numbers) or len(set(numbers)) > _MOST_CLASSES

    @staticmethod
    def is_label(values: list[Any]) -> bool:
        """Texts, booleans or whole numbers, but no arrays as text."""
        return bool(values) and all(
            (isinstance(x, str) and not (x[:1] == "[" and x[-1:] == "]"))
            or isinstance(x, bool)
            or (isinstance(x, int | float) and x % 1 == 0)
            for x in values
        )
