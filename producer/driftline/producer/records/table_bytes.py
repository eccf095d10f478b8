"""Tables as bytes and back, exactly: what a program of one's own keeps of rows still needed."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.errors import RecordError
from driftline.producer.records.table import (
    ABSENT,
    Bools,
    Coded,
    Column,
    Numbers,
    Struct,
    Table,
    Times,
    Vectors,
    coded,
)


class _Array(msgspec.Struct, frozen=True, array_like=True):
    kind: str
    data: bytes


class _Numbers(msgspec.Struct, frozen=True, tag="numbers"):
    data: _Array
    null: _Array | None


class _Times(msgspec.Struct, frozen=True, tag="times"):
    ms: _Array
    null: _Array | None
    local: bool


class _Coded(msgspec.Struct, frozen=True, tag="coded"):
    """`distinct`: a JSON array, in which what is absent is null and named by its place."""

    codes: _Array
    distinct: str
    absent: list[int]


class _Object(msgspec.Struct, frozen=True, tag="object"):
    rows: int
    fields: dict[str, _Column]
    null: _Array | None


_Column = _Numbers | _Times | _Coded | _Object


class _Table(msgspec.Struct, frozen=True):
    rows: int
    first: int
    columns: dict[str, _Column]


def encode_table(table: Table) -> bytes:
    """Return a table as bytes.

    >>> table = Table(2, {"fuel": Coded(np.array([0, 1]), ["gas", ABSENT])}, first=7)
    >>> decode_table(encode_table(table)).to_rows()
    [{'fuel': 'gas'}, {}]
    """
    columns = {name: _written(column) for name, column in table.columns.items()}
    return msgspec.msgpack.encode(_Table(table.rows, table.first, columns))


def decode_table(data: bytes) -> Table:
    """Return the table that `encode_table` wrote.

    Raises:
        RecordError: the bytes are no table.
    """
    try:
        read = msgspec.msgpack.decode(data, type=_Table)
        columns = {name: _read(column) for name, column in read.columns.items()}
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise RecordError(f"not a table: {error}") from error
    return Table(read.rows, columns, read.first)


def _written(column: Column) -> _Column:
    if isinstance(column, Numbers):
        return _Numbers(_bytes(column.data), _null(column.null))
    if isinstance(column, Times):
        return _Times(_bytes(column.ms), _null(column.null), column.local)
    if isinstance(column, Coded):
        absent = [place for place, value in enumerate(column.distinct) if value is ABSENT]
        values: list[Any] = [None if value is ABSENT else value for value in column.distinct]
        return _Coded(_bytes(column.codes), json.dumps(values), absent)
    if isinstance(column, Vectors):
        return _written(coded(column.values()))
    if isinstance(column, Struct):
        fields = {name: _written(each) for name, each in column.fields.items()}
        return _Object(column.rows, fields, _null(column.null))
    raise TypeError(f"no column: {type(column).__name__}")


def _read(column: _Column) -> Column:
    if isinstance(column, _Numbers):
        return Numbers(_array(column.data), _mask(column.null))
    if isinstance(column, _Times):
        return Times(_array(column.ms), _mask(column.null), column.local)
    if isinstance(column, _Coded):
        values = json.loads(column.distinct)
        for place in column.absent:
            values[place] = ABSENT
        return Coded(_array(column.codes), values)
    fields = {name: _read(each) for name, each in column.fields.items()}
    return Struct(column.rows, fields, _mask(column.null))


def _bytes(array: NDArray[Any]) -> _Array:
    return _Array(array.dtype.str, np.ascontiguousarray(array).tobytes())


def _array(array: _Array) -> NDArray[Any]:
    return np.frombuffer(array.data, np.dtype(array.kind))


def _null(null: Bools | None) -> _Array | None:
    return None if null is None else _bytes(null)


def _mask(null: _Array | None) -> Bools | None:
    return None if null is None else _array(null)
