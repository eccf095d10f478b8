"""Parquet: columns keep their types; what JSON does not know becomes text or a number.

Times become RFC 3339 text in UTC, floored to milliseconds (a time without a zone is UTC), dates
`2019-03-27`, durations seconds, decimals floats, bytes text. NaN and infinity stay floats.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from driftline.producer.errors import InputError
from driftline.producer.timestamp import format_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(file: Path, chunk: int) -> Iterator[list[dict[str, Any]]]:
    """Yield chunks of up to `chunk` rows.

    Raises:
        InputError: the file is not readable Parquet, or pyarrow is not installed.
    """
    pa, pq = _arrow(file)
    try:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(batch_size=chunk):
                columns = {
                    name: _values(pa, column)
                    for name, column in zip(batch.schema.names, batch.columns, strict=True)
                }
                if batch.num_rows:
                    names = tuple(columns)
                    rows = zip(*columns.values(), strict=True)
                    yield [dict(zip(names, row, strict=True)) for row in rows]
    except pa.ArrowException as error:
        raise InputError(f"{file}: is not readable Parquet; write the file again") from error


def count(file: Path) -> int:
    """Return the number of rows, from the file's footer.

    Raises:
        InputError: the file is not readable Parquet, or pyarrow is not installed.
    """
    pa, pq = _arrow(file)
    try:
        with pq.ParquetFile(file) as parquet:
            return int(parquet.metadata.num_rows)
    except pa.ArrowException as error:
        raise InputError(f"{file}: is not readable Parquet; write the file again") from error


def _arrow(file: Path) -> tuple[Any, Any]:
    """Import pyarrow when a file needs it: it comes with the extra `files` only."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise InputError(
            f'{file}: Parquet needs pyarrow; install it with  pip install "driftline[files]",'
            " or write the file as CSV or NDJSON"
        ) from error
    return pa, pq


def _values(pa: Any, column: Any) -> list[Any]:
    """Return an Arrow array as Python values that JSON can hold (and NaN)."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("ms", kind.tz), safe=False)
        return [None if ms is None else _time(ms) for ms in column.cast(pa.int64()).to_pylist()]
    values: list[Any] = column.to_pylist()
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_string(kind):
        return values
    return list(map(_plain, values))


def _time(ms: int) -> str | None:
    try:
        return format_time(ms)
    except (ValueError, OverflowError):  # beyond the year 9999
        return None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, float | str | int):
        return value
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return format_time((zoned - _EPOCH) // timedelta(milliseconds=1))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return float(value)  # numpy's half-precision numbers
