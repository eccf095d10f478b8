"""Frames of pandas and polars, tables and streams of Arrow: whatever hands over Arrow's columns.

A pandas index that has a name, or holds times, is a column, unless a column has that name. In
pandas NaN stands for a missing value, so there it is null; elsewhere it is a number that is not
finite.
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
_TIMES = frozenset(("DatetimeIndex", "PeriodIndex"))


def frame_tables(frame: Any) -> Iterator[Table]:
    """Yield the rows of a frame, some thousand at a time.

    Args:
        frame: a frame of pandas, or anything with `__arrow_c_stream__` or `__arrow_c_array__`.

    Raises:
        InputError: two columns have one name, or one has a type that Arrow has not.

    >>> [table.to_rows() for table in frame_tables(pa.table({"km": [1, 2]}))]
    [[{'km': 1}, {'km': 2}]]
    """
    library = type(frame).__module__.partition(".")[0]
    if library == "pandas":
        yield from _pandas(frame)
        return
    if library == "polars" and any(str(kind) == "Object" for kind in frame.dtypes):
        yield from _polars_objects(frame)
        return
    first = 0
    for batch in _batches(frame):
        for begin in range(0, batch.num_rows, _ROWS):
            table = arrow_table(batch.slice(begin, _ROWS), first)
            first += table.rows
            yield table


def _pandas(frame: Any) -> Iterator[Table]:
    """Yield the rows of a frame of pandas, whatever its columns hold."""
    if type(frame.index).__name__ in _TIMES and frame.index.name is None:
        frame = frame.rename_axis("index")
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


def _polars_objects(frame: Any) -> Iterator[Table]:
    """Yield the rows of a frame of which some columns hold objects of Python.

    Arrow would hold where they are in memory.
    """
    objects = [name for name, kind in frame.schema.items() if str(kind) == "Object"]
    others = frame.drop(objects)
    for begin in range(0, len(frame), _ROWS):
        columns = {} if not others.width else _polars_columns(others[begin : begin + _ROWS])
        for name in objects:
            values = frame[name][begin : begin + _ROWS].to_list()
            columns[name] = column_of(list(map(plain_value, values)))
        kept = {name: columns[name] for name in frame.columns}
        yield Table(len(columns[objects[0]]), kept, begin)


def _polars_columns(frame: Any) -> dict[str, Column]:
    (batch,) = pa.table(frame).combine_chunks().to_batches()
    return dict(arrow_table(batch).columns)


def array_column(values: Any) -> Column:
    """Return an array of Arrow as a column, also one of several chunks.

    >>> array_column(pa.chunked_array([[1], [2]])).values()
    [1, 2]
    """
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    (column,) = arrow_table(pa.record_batch([whole], ["column"])).columns.values()
    return column


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
    return array_column(array)


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
