"""Arrow values one by one: what the columns of `arrow` have no faster way for.

Times become RFC 3339 text, floored to milliseconds: in UTC, or without an offset where they have
no zone; dates `2019-03-27`, durations seconds, decimals floats, bytes and UUIDs text. NaN and
infinity stay floats. A value that Python cannot hold, such as a date beyond the year 9999, is null.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from driftline.producer.records.plain import plain_value, text_of


def plain_values(column: Any) -> list[Any]:
    """Return an Arrow array as Python values that JSON can hold (and NaN)."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("ms", kind.tz), safe=False)
        return [
            None if ms is None else text_of(ms, local=kind.tz is None)
            for ms in column.cast(pa.int64()).to_pylist()
        ]
    if pa.types.is_dictionary(kind):
        return plain_values(column.dictionary_decode())
    if pa.types.is_duration(kind):
        units = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[kind.unit]
        return [None if n is None else n / units for n in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_string(kind):
        values: list[Any] = column.to_pylist()
        return values
    try:
        held = _in_microseconds(kind)
        values = (column if held == kind else column.cast(held, safe=False)).to_pylist()
    except (ValueError, TypeError, OverflowError, NotImplementedError):
        values = list(map(_scalar, column))
    return list(map(plain_value, values))


def _in_microseconds(kind: Any) -> Any:
    """Return a type with every time in it as Python holds times: in microseconds, and in UTC."""
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", None if kind.tz is None else "UTC")
    if pa.types.is_duration(kind):
        return pa.duration("us")
    if pa.types.is_time64(kind):
        return pa.time64("us")
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_in_microseconds(field.type)) for field in kind])
    if pa.types.is_map(kind):
        held = (_in_microseconds(each) for each in (kind.key_type, kind.item_type))
        return pa.map_(*held)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_in_microseconds(kind.value_type), kind.list_size)
    if pa.types.is_list(kind):
        return pa.list_(_in_microseconds(kind.value_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(_in_microseconds(kind.value_type))
    return kind


def _scalar(value: Any) -> Any:
    """Return an Arrow value, None where Python has none for it."""
    try:
        return value.as_py()
    except (ValueError, TypeError, OverflowError, NotImplementedError, KeyError):
        return None
