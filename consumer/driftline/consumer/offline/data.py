"""What people have in a program, as tables: frames, columns, rows, arrays, files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.producer.errors import InputError
from driftline.producer.files.tables import read_tables
from driftline.producer.records.column_values import null_where
from driftline.producer.records.placed_table import placed
from driftline.producer.records.plain import plain_value
from driftline.producer.records.table import Column, Numbers, Table, Times, Vectors, column_of

_PLAIN = frozenset((str, bool, int, type(None)))
_KINDS = (
    "a frame (pandas, polars, Arrow), a dictionary of columns, a list of dictionaries, of rows or"
    " of values, an array of one or two dimensions, or the path of a file"
)
_TIME_INDEX = frozenset(("DatetimeIndex", "PeriodIndex"))


def tables_of(data: Any) -> Iterator[Table]:
    """Yield data as tables.

    Args:
        data: a frame of pandas or polars, anything else with the Arrow C stream interface, a
            dictionary of columns (arrays, series, lists, dictionaries by row), a list of
            dictionaries, a series or a list of values, an array of one or two dimensions or a list
            of rows (columns 0, 1, ...), or the path of a file.

    Raises:
        InputError: it is none of these, its columns differ in length, or it has no rows.

    >>> import numpy as np
    >>> [table.to_rows() for table in tables_of({"age": np.array([31, 32]), "ok": [True, False]})]
    [[{'age': 31, 'ok': True}, {'age': 32, 'ok': False}]]
    """
    rows = 0
    for table in placed(_tables(data), "the data"):
        yield replace(table, first=rows)
        rows += table.rows
    if not rows:
        raise InputError("the data has no rows; give at least one event")


def _tables(data: Any) -> Iterator[Table]:
    if isinstance(data, str | os.PathLike):
        yield from read_tables(os.fspath(data))
    elif isinstance(data, Mapping):
        yield _of_columns(data)
    elif hasattr(data, "to_numpy") and not hasattr(data, "columns"):  # a series, or values of one
        yield from _of_series(data)
    elif _is_frame(data):
        yield from _of_frame(data)
    elif isinstance(data, np.ndarray) and data.dtype.names:
        yield _of_columns({name: data[name] for name in data.dtype.names})
    elif isinstance(data, np.ndarray) and 0 < data.ndim <= 2:
        values = np.asarray(data) if isinstance(data, np.matrix) else data
        yield _of_columns(dict(enumerate(values.T if values.ndim == 2 else [values])))
    elif isinstance(data, Sequence) and all(isinstance(row, Mapping) for row in data):
        yield Table.of_rows([_row(row) for row in data])
    elif isinstance(data, list | tuple) and all(map(_is_value, data)):
        yield _of_columns({"0": data})
    elif isinstance(data, list | tuple) and all(map(_is_row, data)):
        yield _of_rows(data)
    else:
        first = "collect() it first, or " if hasattr(data, "collect") else ""  # a lazy frame
        raise InputError(f"{type(data).__name__} is no data that can be read: {first}give {_KINDS}")


def _of_series(data: Any) -> Iterator[Table]:
    name = getattr(data, "name", None)
    name = 0 if name is None else name
    if type(getattr(data, "index", None)).__name__ in _TIME_INDEX:
        yield from _of_frame(data.to_frame(name))  # with its times
    else:
        yield _of_columns({name: data})


def _of_rows(rows: Sequence[Any]) -> Table:
    """Return rows as a table whose columns have the names of named tuples, or 0, 1, ..."""
    many = len(rows[0])
    for place, row in enumerate(rows, 1):
        if len(row) != many:
            raise InputError(f"row {place:,} has {len(row):,} values, the first {many:,}")
    names = getattr(rows[0], "_fields", range(many))
    return _of_columns({name: [row[at] for row in rows] for at, name in enumerate(names)})


def _is_row(row: Any) -> bool:
    return isinstance(row, list | tuple) or (isinstance(row, np.ndarray) and row.ndim == 1)


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        str(name): value if type(value) in _PLAIN else _plain(value) for name, value in row.items()
    }


def _is_frame(data: Any) -> bool:
    pandas = type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "columns")
    return pandas or any(hasattr(data, f"__arrow_c_{kind}__") for kind in ("stream", "array"))


def _of_frame(data: Any) -> Iterator[Table]:
    try:
        from driftline.producer.files.arrow_frames import frame_tables
    except ModuleNotFoundError as error:
        raise InputError(
            f'a frame needs {error.name}; install it with  pip install "driftline[files]"'
        ) from error
    yield from frame_tables(data)


def _is_value(value: Any) -> bool:
    return value is None or isinstance(value, str | bool | int | float | np.generic)


def _of_columns(columns: Mapping[Any, Any]) -> Table:
    read: dict[str, Column] = {}
    for key, values in columns.items():
        name = str(key)
        if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
            raise InputError(f"{name} is one value: give a list or an array of values")
        if name in read:
            raise InputError(f"two columns are called {name}; rename one of them")
        # By the row, as `DataFrame.to_dict` has them.
        read[name] = _column([*values.values()] if isinstance(values, Mapping) else values)
    lengths = {name: len(column) for name, column in read.items()}
    if len(set(lengths.values())) > 1:
        (first, rows), *others = lengths.items()
        other, differs = next(each for each in others if each[1] != rows)
        raise InputError(f"{first} has {rows:,} values, {other} {differs:,}: give as many of each")
    return Table(next(iter(lengths.values()), 0), read)


def _column(values: Any) -> Column:
    """Return the values of a column; NaN stands for a missing value, as in pandas."""
    if type(values).__module__.partition(".")[0] == "pyarrow":
        from driftline.producer.files.arrow_frames import array_column

        return array_column(values)
    if isinstance(values, np.ma.MaskedArray):
        column = _column(values.data)
        masked = np.any(np.ma.getmaskarray(values).reshape(len(values), -1), axis=1)
        return null_where(column, masked) if masked.any() else column
    found = values.to_numpy() if hasattr(values, "to_numpy") else values
    if isinstance(found, np.ndarray) and found.ndim == 1 and found.dtype.kind in "iufM":
        return _of_array(found)
    if isinstance(found, np.ndarray) and found.ndim == 2 and found.dtype.kind in "iuf":
        if found.dtype == np.uint64:
            return Vectors(found)
        if found.dtype.kind == "f":
            return Vectors(found.astype(np.float64))
        return Vectors(found.astype(np.int64))
    plain = found.tolist() if isinstance(found, np.ndarray) else list(found)
    return column_of([_plain(value) for value in plain])


def _of_array(array: NDArray[Any]) -> Column:
    if array.dtype.kind == "M":
        null = np.isnat(array)
        ms = array.astype("datetime64[ms]").astype(np.int64)
        return Times(ms, null if null.any() else None, local=True)
    if array.dtype.kind in "iu":
        whole = array if array.dtype == np.uint64 else array.astype(np.int64)
        return Numbers(whole)
    missing = np.isnan(array)
    return Numbers(array.astype(np.float64), missing if missing.any() else None)


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; NaN, as in pandas, as null; arrays of numpy as lists."""
    if isinstance(value, np.ndarray):
        return plain_value(value.tolist())
    if isinstance(value, Mapping):
        return _row(value)
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if _is_nothing(value) else plain_value(_scalar(value))


def _is_nothing(value: Any) -> bool:
    """Whether a value is not a number, not a time, or pandas' NA, which no `if` can ask."""
    try:
        return bool(value != value)
    except TypeError:
        return True


def _scalar(value: Any) -> Any:
    """Return a scalar of numpy as Python's own."""
    return value.item() if isinstance(value, np.generic) else value
