"""Rows as columns: what CSV, Parquet, Arrow and frames are read into, some thousand rows at a time.

A table means the same as its rows do (`Table.to_rows`): dictionaries of what JSON can hold, and
NaN and infinity. A column has one of five forms, so that no value is touched one by one: numbers,
times, arrays of numbers, objects of columns, and everything else as codes of its distinct values.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.formats.json_text import object_in
from driftline.producer.records.places import Places
from driftline.producer.records.timestamp import format_local, format_time

Bools = NDArray[np.bool_]
Chosen = NDArray[np.bool_] | NDArray[np.int64] | slice


class _Absent:
    """The type of `ABSENT`: there is no such key, which is not the same as null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()


class Column(ABC):
    """The values of one field in n rows."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def values(self) -> list[Any]:
        """Return each row's value as JSON has it; `ABSENT` where the row has no such key."""

    @abstractmethod
    def take(self, rows: Chosen) -> Column:
        """Return the chosen rows: a mask, places, or a slice."""


@dataclass(frozen=True, eq=False)
class Numbers(Column):
    """Numbers, finite or not.

    Attributes:
        data: int64, uint64 or float64 (n,); where `null`, any number.
        null: bool (n,), where the value is null; None for nowhere.

    >>> Numbers(np.array([1.5, 2.0]), np.array([False, True])).values()
    [1.5, None]
    """

    data: NDArray[np.float64] | NDArray[np.int64] | NDArray[np.uint64]
    null: Bools | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.data)

    def values(self) -> list[Any]:
        """Return each row's number, None where it is null."""
        return _with_nulls(self.data.tolist(), self.null)

    def take(self, rows: Chosen) -> Numbers:
        """Return the chosen rows."""
        return Numbers(self.data[rows], None if self.null is None else self.null[rows])


@dataclass(frozen=True, eq=False)
class Times(Column):
    """Times that the input has as times, not as text or numbers.

    Attributes:
        ms: int64 (n,): milliseconds since 1970 in UTC, floored; where `null`, any number.
        null: bool (n,), where the value is null, or no time that text can hold; None for nowhere.
        local: whether they are times without a zone: then `ms` is what a clock showed.

    >>> Times(np.array([1553644800000])).values()
    ['2019-03-27T00:00:00Z']
    """

    ms: NDArray[np.int64]
    null: Bools | None = None
    local: bool = False

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ms)

    def values(self) -> list[Any]:
        """Return each row's time as RFC 3339 in UTC, without an offset if local; None for null."""
        ms = self.ms if self.null is None else np.where(self.null, 0, self.ms)
        return _with_nulls(self.texts(ms), self.null)

    def texts(self, ms: NDArray[Any]) -> list[Any]:
        """Return milliseconds as this column's times are written.

        >>> Times(np.array([], np.int64), local=True).texts(np.array([1553644800000]))
        ['2019-03-27T00:00:00']
        """
        return list(map(format_local if self.local else format_time, ms.tolist()))

    def take(self, rows: Chosen) -> Times:
        """Return the chosen rows."""
        return Times(self.ms[rows], None if self.null is None else self.null[rows], self.local)


@dataclass(frozen=True, eq=False)
class Vectors(Column):
    """Arrays of equally many numbers.

    Attributes:
        data: int64, uint64 or float64 (n, d); where `null`, any numbers.
        null: bool (n,), where the value is null; None for nowhere.

    >>> Vectors(np.array([[1, 2], [3, 4]]), np.array([False, True])).values()
    [[1, 2], None]
    """

    data: NDArray[np.float64] | NDArray[np.int64] | NDArray[np.uint64]
    null: Bools | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.data)

    def values(self) -> list[Any]:
        """Return each row's array, None where it is null."""
        return _with_nulls(self.data.tolist(), self.null)

    def take(self, rows: Chosen) -> Vectors:
        """Return the chosen rows."""
        return Vectors(self.data[rows], None if self.null is None else self.null[rows])


@dataclass(frozen=True, eq=False)
class Coded(Column):
    """Values of any kind: text, booleans, lists, a mixture; null and `ABSENT` are values too.

    Attributes:
        codes: integers (n,): the place of each row's value in `distinct`.
        distinct: the values, as JSON has them.

    >>> Coded(np.array([1, 0]), ["a", None]).values()
    [None, 'a']
    """

    codes: NDArray[np.int64] | NDArray[np.int32]
    distinct: Sequence[Any]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes)

    @cached_property
    def objects(self) -> list[Any]:
        """The distinct values, where a text holds an object, that."""
        return list(map(object_in, self.distinct))

    def values(self) -> list[Any]:
        """Return each row's value."""
        return list(map(self.distinct.__getitem__, self.codes.tolist()))

    def take(self, rows: Chosen) -> Coded:
        """Return the chosen rows."""
        return Coded(self.codes[rows], self.distinct)


@dataclass(frozen=True, eq=False)
class Dates(Coded):
    """Dates of the input's own, as the texts that they are in JSON."""


def coded(values: Sequence[Any]) -> Coded:
    """Return values of any kind, `ABSENT` among them, as a column.

    >>> column = coded([1, True, 1, None])
    >>> column.codes.tolist(), column.distinct
    ([0, 1, 0, 2], [1, True, None])
    """
    places: dict[tuple[type, Any], int] = {}
    distinct: list[Any] = []
    codes = np.empty(len(values), np.int64)
    for row, value in enumerate(values):
        # 1, 1.0 and true are not the same, nor are 0.0 and -0.0.
        key = (type(value), value if value else repr(value))
        try:
            place = places.setdefault(key, len(distinct))
        except TypeError:  # a list or an object
            place = len(distinct)
        if place == len(distinct):
            distinct.append(value)
        codes[row] = place
    return Coded(codes, distinct)


def column_of(values: Sequence[Any]) -> Column:
    """Return values as JSON has them, `ABSENT` among them, as a column.

    >>> column_of([1.5, None]), column_of(["a", None]).values()
    (Numbers(data=array([1.5, 0. ]), null=array([False,  True])), ['a', None])
    """
    kinds = set(map(type, values))
    numbers = kinds - {type(None)}
    if numbers in ({int}, {float}):
        held: type = np.int64 if numbers == {int} else np.float64
        try:
            if numbers == kinds:
                return Numbers(np.array(values, held))
            null = np.array([value is None for value in values])
            return Numbers(np.array([value or 0 for value in values], held), null)
        except OverflowError:  # more than 64 bits
            pass
    return coded(values)


@dataclass(frozen=True, eq=False)
class Struct(Column):
    """Objects.

    Attributes:
        rows: how many.
        fields: name to the values of that key.
        null: bool (n,), where the whole object is null; None for nowhere.

    >>> Struct(2, {"a": Coded(np.array([0, 1]), [1, ABSENT])}, None).values()
    [{'a': 1}, {}]
    """

    rows: int
    fields: Mapping[str, Column]
    null: Bools | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.rows

    def values(self) -> list[Any]:
        """Return each row's object, None where it is null."""
        return _with_nulls(_objects(self.fields, self.rows), self.null)

    def take(self, rows: Chosen) -> Struct:
        """Return the chosen rows."""
        fields = {name: column.take(rows) for name, column in self.fields.items()}
        null = None if self.null is None else self.null[rows]
        return Struct(len(np.arange(self.rows)[rows]), fields, null)


@dataclass(frozen=True)
class Table:
    """Some rows of an input, as columns.

    Attributes:
        rows: how many.
        columns: name to column, in the input's order.
        first: the place of the first row in the whole input, from 0.
        places: where the rows stood in their topic, if they are of a recording.

    >>> fuel = Coded(np.array([0, 0]), ["gas"])
    >>> table = Table(2, {"km": Numbers(np.array([1, 2])), "fuel": fuel})
    >>> table.to_rows()
    [{'km': 1, 'fuel': 'gas'}, {'km': 2, 'fuel': 'gas'}]
    >>> table.take(slice(1, 2)).to_rows()
    [{'km': 2, 'fuel': 'gas'}]
    """

    rows: int
    columns: Mapping[str, Column] = field(default_factory=dict)
    first: int = 0
    places: Places | None = None

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]], first: int = 0) -> Self:
        """Return rows as columns; a key that a row does not have is absent from it.

        >>> Table.of_rows([{"km": 1, "fuel": "gas"}, {"km": 2}]).to_rows()
        [{'km': 1, 'fuel': 'gas'}, {'km': 2}]
        """
        names = dict.fromkeys(name for row in rows for name in row)
        columns = {name: column_of([row.get(name, ABSENT) for row in rows]) for name in names}
        return cls(len(rows), columns, first)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries; keys that are absent from a row are not in it."""
        return _objects(self.columns, self.rows)

    def find(self, path: Sequence[str]) -> tuple[Column, Bools | None] | None:
        """Return the column at a path, and where an object around it is null (there it is absent).

        Returns:
            None if there is no such column.

        >>> inner = Struct(1, {"age": Numbers(np.array([31]))})
        >>> column, gone = Table(1, {"user": inner}).find(("user", "age"))
        >>> column.values(), gone
        ([31], None)
        """
        here, gone = self.columns.get(path[0]), None
        for name in path[1:]:
            if isinstance(here, Coded):
                inner = [
                    x.get(name, ABSENT) if isinstance(x, dict) else ABSENT for x in here.objects
                ]
                here = Coded(here.codes, inner)
                continue
            if not isinstance(here, Struct) or name not in here.fields:
                return None
            if here.null is not None:
                gone = here.null if gone is None else gone | here.null
            here = here.fields[name]
        return None if here is None else (here, gone)

    def take(self, rows: Chosen) -> Table:
        """Return the chosen rows; `first` stays that of the whole table."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        places = None if self.places is None else self.places.take(rows)
        return Table(len(np.arange(self.rows)[rows]), columns, self.first, places)


def _objects(columns: Mapping[str, Column], rows: int) -> list[dict[str, Any]]:
    names = tuple(columns)
    values = [column.values() for column in columns.values()]
    if not values:
        return [{} for _ in range(rows)]
    objects: Iterator[dict[str, Any]] = (
        dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)
    )
    if any(any(value is ABSENT for value in column) for column in values):
        return [{k: v for k, v in each.items() if v is not ABSENT} for each in objects]
    return list(objects)


def _with_nulls(values: list[Any], null: Bools | None) -> list[Any]:
    if null is None:
        return values
    return [None if gone else value for value, gone in zip(values, null.tolist(), strict=True)]
