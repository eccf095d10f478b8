"""Predictions and ground truth of all events of a reference, as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import FloatArray
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Numbers, Table
from driftline.producer.records.values import INVALID, Kind, numeric
from driftline.producer.reference.events import Events, events_of
from driftline.producer.reference.field import Field

Number = TypeVar("Number", np.float64, np.int32)


@dataclass(frozen=True, eq=False)
class Labels:
    """ClassCodes of n events.

    Attributes:
        codes: int32 (n,): the place of each one's class in `names`; -1 for none.
        names: the classes, all different.
    """

    codes: NDArray[np.int32]
    names: Sequence[str]

    def any(self) -> bool:
        """Return whether any event has a class."""
        return bool(self.codes.size) and int(self.codes.max()) >= 0

    def used(self) -> set[str]:
        """Return the classes that events have."""
        used = np.zeros(len(self.names) + 1, bool)
        used[self.codes] = True  # -1 is the last
        return {name for name, there in zip(self.names, used.tolist(), strict=False) if there}

    def or_else(self, others: Labels) -> Labels:
        """Return these classes; where there is none, those of others."""
        if not others.any():
            return self
        place = {name: i for i, name in enumerate(self.names)}
        joined = [*self.names, *(name for name in others.names if name not in place)]
        place = {name: i for i, name in enumerate(joined)}
        moved = np.array([*(place[name] for name in others.names), -1], np.int32)
        return Labels(np.where(self.codes >= 0, self.codes, moved[others.codes]), joined)

    def renamed(self, names: AnyMapping[str, str]) -> Labels:
        """Return these with other names for some classes; two may become one."""
        if names.keys().isdisjoint(self.names):
            return self
        moved = [names.get(name, name) for name in self.names]
        place = {name: i for i, name in enumerate(dict.fromkeys(moved))}
        codes = np.array([*(place[name] for name in moved), -1], np.int32)
        return Labels(codes[self.codes], list(place))


@dataclass(frozen=True, eq=False)
class Answers:
    """What was predicted of n events, and what really happened.

    Attributes:
        predicted: the predicted classes.
        score: `prediction.score`, shape (n,); NaN where there is no finite one.
        actual: the actual classes.
        actual_score: the ground truth as numbers, shape (n,); NaN where it is none.
        actual_texts: classes that stand where such a number is expected.
    """

    predicted: Labels
    score: FloatArray
    actual: Labels
    actual_score: FloatArray
    actual_texts: Labels

    @classmethod
    def of_events(cls, events: Sequence[dict[str, object]]) -> Answers:
        """Return those of native events."""
        gathered = GatheredAnswers()
        gathered.add(events_of(Table.of_rows(events), Mapping.native(), ""))
        return gathered.joined()


class GatheredAnswers:
    """Gathers the answers of events that come some at a time.

    Attributes:
        predicted: `prediction.label`.
        actual: the ground truth as classes.
        texts: classes that stand where it is expected to be a number.
        score: `prediction.score`.
        truth: the ground truth as numbers.
    """

    def __init__(self) -> None:
        self.predicted, self.actual, self.texts = ClassCodes(), ClassCodes(), ClassCodes()
        self.score = _Array(np.array([np.nan]))
        self.truth = _Array(np.array([np.nan]))

    def add(self, events: Events) -> None:
        """Append the answers of some events."""
        found = events.outcomes
        self.predicted.add(found.get("prediction.label"), events.rows)
        self.actual.add(found.get("actual.label"), events.rows)
        truth = found.get("actual.score")
        only_numbers = truth is None or isinstance(truth.column, Numbers)
        self.texts.add(None if only_numbers else truth, events.rows, numbers=False)
        self.score.add(_finite(found.get("prediction.score")), events.rows)
        self.truth.add(_finite(truth), events.rows)

    def joined(self) -> Answers:
        """Return all answers, in the order in which they came."""
        predicted = self.predicted.joined()
        return Answers(
            predicted,
            self.score.joined(),
            self.actual.joined(predicted.names),
            self.truth.joined(),
            self.texts.joined(predicted.names),
        )


class ClassCodes:
    """The classes of events that come some at a time."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, bool], int] = {}  # class, and whether it is marked as none
        self._codes = _Array(np.array([-1], np.int32))

    def add(self, field: Field | None, rows: int, *, numbers: bool = True) -> None:
        """Append the classes of a field; `numbers`: those that are numbers, too."""
        if field is None:
            self._codes.add(None, rows)
            return
        found = field.categories()
        number = numeric(field.texts)
        values = field.used()[0].distinct
        places = np.full(len(found.texts), -1, np.int32)
        for i, (text, marked) in enumerate(zip(found.texts, found.marked, strict=True)):
            plain = numbers or (i < len(values) and not _is_number(values[i], number))
            if text is not None and plain:
                places[i] = self._places.setdefault((text, marked), len(self._places))
        self._codes.add(places[found.codes], rows)

    @property
    def keys(self) -> list[tuple[str, bool]]:
        """The classes so far, and whether each is marked as none."""
        return list(self._places)

    @property
    def codes(self) -> NDArray[np.int32]:
        """The place of each event's in `keys`; -1 for none."""
        return self._codes.joined()

    def put(self, keys: Iterable[tuple[str, bool] | None]) -> None:
        """Append events that have these classes."""
        found = [
            -1 if key is None else self._places.setdefault(key, len(self._places)) for key in keys
        ]
        self._codes.add(np.array(found, np.int32), len(found))

    def joined(self, listed: Iterable[str] = ()) -> Labels:
        """Return all classes; a text that stands for no value is one only if it is listed."""
        names = [text for text, marked in self._places if not marked]
        codes = self._codes.joined()
        if len(names) < len(self._places):
            names = list(dict.fromkeys([*names, *listed]))
            place = {name: i for i, name in enumerate(names)}
            moved = [place.get(text, -1) for text, _ in self._places]
            codes = np.array([*moved, -1], np.int32)[codes]
        return Labels(codes, names)


def _is_number(value: object, number: Kind) -> bool:
    """Whether a value is a number, or a text that is one or stands for none."""
    return type(value) in (int, float) or (type(value) is str and number.read(value) != INVALID)


def _finite(field: Field | None) -> FloatArray | None:
    if field is None:
        return None
    values = field.doubles(numeric(field.texts))
    return np.where(np.isfinite(values), values, np.nan)


class _Array(Generic[Number]):
    """An array that grows at its end, without ever being held twice."""

    def __init__(self, none: NDArray[Number]) -> None:
        self._none: NDArray[Number] = none
        self._values: NDArray[Number] = np.empty(0, none.dtype)
        self._size = 0

    def add(self, values: NDArray[Number] | None, rows: int) -> None:
        """Append values; None: `rows` times what stands for none."""
        end = self._size + rows
        if end > self._values.size:
            self._values.resize(max(end, self._size + self._size // 4), refcheck=False)
        self._values[self._size : end] = self._none if values is None else values
        self._size = end

    def joined(self) -> NDArray[Number]:
        return self._values[: self._size]
