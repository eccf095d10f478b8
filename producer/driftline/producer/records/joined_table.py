"""Several tables as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.column_values import as_coded
from driftline.producer.records.places import Places
from driftline.producer.records.table import (
    ABSENT,
    Bools,
    Coded,
    Column,
    Numbers,
    Struct,
    Table,
    Times,
    coded,
)


def joined(tables: Sequence[Table]) -> Table:
    """Return the rows of tables, at least one, behind one another.

    A column that a table does not have is absent from its rows. All tables have places, or none.

    >>> joined([Table.of_rows([{"km": 1}]), Table.of_rows([{"km": 2, "fuel": "gas"}])]).to_rows()
    [{'km': 1}, {'km': 2, 'fuel': 'gas'}]
    """
    first, *others = tables
    if not others:
        return first
    names = dict.fromkeys(name for table in tables for name in table.columns)
    columns = {
        name: _joined([table.columns.get(name, _absent(table.rows)) for table in tables])
        for name in names
    }
    places = [table.places for table in tables if table.places is not None]
    rows = sum(table.rows for table in tables)
    return Table(rows, columns, first.first, _places(places) if places else None)


def compact(table: Table) -> Table:
    """Return a table whose columns keep no values that none of its rows has."""
    columns = {name: _compact(column) for name, column in table.columns.items()}
    return Table(table.rows, columns, table.first, table.places)


def _joined(columns: Sequence[Column]) -> Column:
    numbers = [column for column in columns if isinstance(column, Numbers)]
    if len(numbers) == len(columns) and len({column.data.dtype for column in numbers}) == 1:
        return Numbers(np.concatenate([column.data for column in numbers]), _null(numbers))
    times = [column for column in columns if isinstance(column, Times)]
    if len(times) == len(columns) and len({column.local for column in times}) == 1:
        ms = np.concatenate([column.ms for column in times])
        return Times(ms, _null(times), local=times[0].local)
    structs = [column for column in columns if isinstance(column, Struct)]
    if len(structs) == len(columns):
        names = dict.fromkeys(name for column in structs for name in column.fields)
        fields = {
            name: _joined([column.fields.get(name, _absent(column.rows)) for column in structs])
            for name in names
        }
        return Struct(sum(column.rows for column in structs), fields, _null(structs))
    parts = list(map(as_coded, columns))
    every = coded([value for part in parts for value in part.distinct])
    begins = np.cumsum([0, *(len(part.distinct) for part in parts)])
    codes = [part.codes + begin for part, begin in zip(parts, begins, strict=False)]
    return Coded(every.codes[np.concatenate(codes)], every.distinct)


def _null(columns: Sequence[Numbers] | Sequence[Times] | Sequence[Struct]) -> Bools | None:
    if all(column.null is None for column in columns):
        return None
    parts: list[Bools] = [
        np.zeros(len(column), bool) if column.null is None else column.null for column in columns
    ]
    return np.concatenate(parts)


def _absent(rows: int) -> Coded:
    return Coded(np.zeros(rows, np.int64), [ABSENT])


def _places(parts: Sequence[Places]) -> Places:
    times: list[NDArray[np.int64]] = [part.times for part in parts if part.times is not None]
    return Places(
        np.concatenate([part.partitions for part in parts]),
        np.concatenate([part.offsets for part in parts]),
        np.concatenate(times) if len(times) == len(parts) else None,
    )


def _compact(column: Column) -> Column:
    if isinstance(column, Struct):
        fields = {name: _compact(each) for name, each in column.fields.items()}
        return Struct(column.rows, fields, column.null)
    if not isinstance(column, Coded) or len(column.distinct) <= len(column.codes):
        return column
    used, codes = np.unique(column.codes, return_inverse=True)
    return Coded(codes, [column.distinct[place] for place in used.tolist()])
