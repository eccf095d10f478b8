"""Frames of pandas and polars, tables and streams of Arrow: whatever hands over Arrow's columns.

A pandas index that has a name is a column, unless a column has that name. In pandas NaN stands for
a missing value, so there it is null; elsewhere it is a number that is not finite.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from driftline.producer.errors import InputError
from driftline.producer.files.arrow import arrow_table, check_names
from driftline.producer.records.plain import plain_value
from driftline.producer.records.table import Column, Table, column_of

_ROWS = 65_536


def frame_tables(frame: Any) -> Iterator[Table]:
    """Yield the rows of a frame, some thousand at a time.

    Args:
        frame: a frame of pandas, or anything with `__arrow_c_stream__` or `__arrow_c_array__`.

    Raises:
        InputError: two columns have one name, or one has a type that Arrow has not.

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
    kept = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if kept:
        others = [place for place, name in enumerate(frame.index.names) if name not in kept]
        frame = (frame.reset_index(others, drop=True) if others else frame).reset_index()
    names = list(map(str, frame.columns))
    check_names(names)
    for begin in range(0, len(frame), _ROWS):
        part = frame.iloc[begin : begin + _ROWS]
        columns = {name: _series(part.iloc[:, place]) for place, name in enumerate(names)}
        yield Table(len(part), columns, begin)


def _series(series: Any) -> Column:
    """Return a series as a column; of what Arrow has no type for, value by value."""
    kind = type(series.dtype).__name__
    if kind == "PeriodDtype":  # Arrow would hold how many there were since 1970
        series = series.dt.to_timestamp()
    elif kind == "SparseDtype":
        series = series.sparse.to_dense()
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
    if not hasattr(frame, "__arrow_c_stream__"):
        yield pa.record_batch(frame)
        return
    try:
        stream = pa.RecordBatchReader.from_stream(frame)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"a column has a type that Arrow cannot take ({error}); cast it to another one, such as"
            " 64-bit integers or text"
        ) from error
    yield from stream
