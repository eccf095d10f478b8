"""Frames of pandas and polars, tables and streams of Arrow: whatever hands over Arrow's columns.

A pandas index that has a name is a column. In pandas NaN stands for a missing value, so there it
is null; elsewhere it is a number that is not finite.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from driftline.producer.files.arrow import arrow_table, check_names
from driftline.producer.records.plain import plain_value
from driftline.producer.records.table import Column, Table, column_of

_ROWS = 65_536


def frame_tables(frame: Any) -> Iterator[Table]:
    """Yield the rows of a frame, some thousand at a time.

    Args:
        frame: a frame of pandas, or anything with `__arrow_c_stream__` or `__arrow_c_array__`.

    Raises:
        InputError: two columns have one name.

    >>> [table.to_rows() for table in frame_tables(pa.table({"km": [1, 2]}))]
    [[{'km': 1}, {'km': 2}]]
    """
    if type(frame).__module__.partition(".")[0] == "pandas":
        yield from _pandas(frame)
        return
    first = 0
    for batch in _batches(frame):
        for begin in range(0, batch.num_rows, _ROWS):
            table = arrow_table(batch.slice(begin, _ROWS), first)
            first += table.rows
            yield table


def _pandas(frame: Any) -> Iterator[Table]:
    """Yield the rows of a frame of pandas, whatever its columns hold."""
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = list(map(str, frame.columns))
    check_names(names)
    for begin in range(0, len(frame), _ROWS):
        part = frame.iloc[begin : begin + _ROWS]
        columns = {name: _series(part.iloc[:, place]) for place, name in enumerate(names)}
        yield Table(len(part), columns, begin)


def _series(series: Any) -> Column:
    """Return a series as a column; of what Arrow has no type for, value by value."""
    try:
        array = pa.Array.from_pandas(series)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        missing = series.isna().tolist()
        return column_of(
            [
                None if gone else plain_value(value)
                for value, gone in zip(series.tolist(), missing, strict=True)
            ]
        )
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    (column,) = arrow_table(pa.record_batch([array], ["column"])).columns.values()
    return column


def _batches(frame: Any) -> Iterator[Any]:
    if hasattr(frame, "__arrow_c_stream__"):
        yield from pa.RecordBatchReader.from_stream(frame)
    else:
        yield pa.record_batch(frame)
