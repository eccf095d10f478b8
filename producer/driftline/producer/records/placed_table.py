"""Tables of a recording: the columns that say where its rows stood, apart from the events' own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from driftline.producer.errors import InputError
from driftline.producer.records.column_values import as_coded
from driftline.producer.records.places import (
    MOST_PARTITIONS,
    OFFSET,
    PARTITION,
    RECORD_TIMESTAMP,
    Places,
    is_place,
)
from driftline.producer.records.table import Column, Numbers, Table
from driftline.producer.records.timestamp_column import times_of

_NONE = -1


def placed(tables: Iterable[Table], source: object) -> Iterator[Table]:
    """Yield the tables of an input, those of a recording with `places`.

    Args:
        tables: all of them.
        source: what they are read from, for errors.

    Raises:
        InputError: it is a recording, as its first table tells, and a row does not say where it
            stood.

    >>> rows = [{"partition": 1, "offset": 7, "km": 12}]
    >>> [table] = placed([Table.of_rows(rows)], "a.ndjson")
    >>> table.to_rows(), table.places.offsets.tolist()
    ([{'km': 12}], [7])
    """
    recording: bool | None = None
    for table in tables:
        if recording is None and table.rows:
            recording = is_recording(table)
        yield _with_places(table, source) if recording else table


def is_recording(table: Table) -> bool:
    """Return whether a row of a table says where it stood."""
    columns = [table.columns.get(name) for name in (PARTITION, OFFSET)]
    found = [_whole(column) >= 0 for column in columns if column is not None]
    return len(found) == len(columns) and bool((found[0] & found[1]).any())


def _with_places(table: Table, source: object) -> Table:
    columns = dict(table.columns)
    found = []
    for name in (PARTITION, OFFSET):
        values = _whole(columns.pop(name, None), table.rows)
        if values.size and values.min() < 0:
            raise InputError(
                f"{source}: row {table.first + int(np.argmin(values)) + 1:,} has no whole number as"
                f" its {name}: the file is a recording of a topic, of which each row says partition"
                " and offset; leave the row out, or rename the column if it is none"
            )
        found.append(values)
    partitions, offsets = found
    if partitions.size and partitions.max() >= MOST_PARTITIONS:
        raise InputError(
            f"{source}: row {table.first + int(np.argmax(partitions)) + 1:,} is of partition"
            f" {partitions.max()}, and no topic has that many: rename the column {PARTITION} if the"
            " file is no recording of a topic"
        )
    written = columns.pop(RECORD_TIMESTAMP, None)
    times = None if written is None else np.maximum(times_of(written), _NONE)
    return replace(table, columns=columns, places=Places(partitions, offsets, times))


def _whole(column: Column | None, rows: int = 0) -> NDArray[np.int64]:
    """Return a column as whole numbers, -1 where it holds something else."""
    if column is None:
        return np.full(rows, _NONE)
    if isinstance(column, Numbers) and column.data.dtype == np.int64:
        values = np.maximum(column.data, _NONE)
        return values if column.null is None else np.where(column.null, _NONE, values)
    found = as_coded(column)
    numbers = [int(value) if is_place(value) else _NONE for value in found.distinct]
    return np.array(numbers, np.int64)[found.codes]
