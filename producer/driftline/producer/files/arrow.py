"""Arrow data as columns: record batches, and whatever gives some through Arrow's C interface.

A column means the same as its values would one by one (`arrow_values`). Numbers, times, objects and
the codes of dictionaries are taken over as arrays; of all others each distinct value is read once.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from driftline.producer.errors import InputError
from driftline.producer.files.arrow_arrays import nulls, numbers
from driftline.producer.files.arrow_values import plain_values
from driftline.producer.records.table import (
    Coded,
    Column,
    Dates,
    Numbers,
    Struct,
    Table,
    Times,
    Vectors,
)
from driftline.producer.records.table import coded as coded_values

ROWS = 32_768
"""In a table, at most."""

_EARLIEST_TEXT, _LATEST_TEXT = -62_135_596_800_000, 253_402_300_799_999
"""ms of the years 1 and 9999: beyond, there is no text of a time."""

_PERIOD = b"pandas.period"
_PERIODS = {
    **{unit: (unit, 1) for unit in ("s", "ms", "us", "ns", "h", "D", "M")},
    "min": ("m", 1),
    "Q-DEC": ("M", 3),
    "Y-DEC": ("Y", 1),
}
"""How pandas calls a length, to what numpy calls it, and how many of these it is."""

_EXACT = 2**53  # up to there floats hold every integer
_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def arrow_table(batch: Any, first: int = 0) -> Table:
    """Return a record batch as columns.

    Args:
        batch: a `pyarrow.RecordBatch`.
        first: the place of its first row in the whole input.

    Raises:
        InputError: two columns have one name.

    >>> batch = pa.record_batch({"km": [1, None], "fuel": ["gas", "gas"]})
    >>> arrow_table(batch).to_rows()
    [{'km': 1, 'fuel': 'gas'}, {'km': None, 'fuel': 'gas'}]
    """
    names = batch.schema.names
    check_names(names)
    fields = zip(batch.schema, batch.columns, strict=True)
    columns = [
        arrow_column(column) if (begins := _periods(field, column)) is None else begins
        for field, column in fields
    ]
    return Table(batch.num_rows, dict(zip(names, columns, strict=True)), first)


def check_names(names: Iterable[str], source: object = None) -> None:
    """Refuse names of columns that are not all different.

    Raises:
        InputError: two are the same; `source` is what has them.
    """
    known: set[str] = set()
    for name in names:
        if name in known:
            where = "" if source is None else f"{source}: "
            raise InputError(f"{where}two columns are called {name}; rename one of them")
        known.add(name)


def arrow_column(column: Any) -> Column:
    """Return an Arrow array as a column."""
    for is_kind, read in _READERS:
        if is_kind(column.type):
            return read(column)
    return coded_values(plain_values(column))


def _integers(column: Any) -> Column:
    data = numbers(column)
    if not types.is_uint64(column.type):
        data = data.astype(np.int64, copy=False)
    return Numbers(data, nulls(column))


def _floats(column: Any) -> Column:
    doubles = column if types.is_float64(column.type) else column.cast(pa.float64())
    return Numbers(numbers(doubles), nulls(column))


def _durations(column: Any) -> Column:
    data, ticks = numbers(column.cast(pa.int64())), _TICKS[column.type.unit]
    seconds = data / ticks
    for i in np.flatnonzero((data > _EXACT) | (data < -_EXACT)).tolist():
        seconds[i] = int(data[i]) / ticks  # of integers, which rounds once
    return Numbers(seconds, nulls(column))


def _decimals(column: Any) -> Column:
    kind = column.type
    if types.is_decimal128(kind) and 0 <= kind.scale <= 22:
        halves = np.frombuffer(column.buffers()[1], np.int64)
        halves = halves.reshape(-1, 2)[column.offset : column.offset + len(column)]
        null = nulls(column)
        low = halves[:, 0] if null is None else np.where(null, 0, halves[:, 0])
        high = halves[:, 1] if null is None else np.where(null, 0, halves[:, 1])
        if ((high == low >> 63) & (low <= _EXACT) & (low >= -_EXACT)).all():
            # Both are held exactly, so their quotient is the float next to the decimal.
            return Numbers(low / 10.0**kind.scale, null)
    found = _distinct(column)
    values = np.array([0.0 if value is None else value for value in found.distinct], np.float64)
    return Numbers(values[found.codes], nulls(column))


def _times(column: Any) -> Column:
    data, ticks = numbers(column.view(pa.int64())), _TICKS[column.type.unit]
    if ticks <= _TICKS["ms"]:
        factor = _TICKS["ms"] // ticks
        outside = (data < _EARLIEST_TEXT // factor) | (data > _LATEST_TEXT // factor)
        ms = np.where(outside, 0, data) if outside.any() else data
        ms = ms if factor == 1 else ms * factor
    else:
        ms = data // (ticks // _TICKS["ms"])
        outside = (ms < _EARLIEST_TEXT) | (ms > _LATEST_TEXT)
    null = nulls(column)
    if outside.any():
        null = outside if null is None else null | outside
    return Times(ms, null, local=column.type.tz is None)


def _periods(field: Any, column: Any) -> Column | None:
    """Return the begin of each of pandas' periods, which Arrow counts since 1970.

    None where a column holds something else, or periods of weeks, or of quarters of other years.
    """
    metadata = field.metadata or {}
    if metadata.get(b"ARROW:extension:name") == _PERIOD:
        freq = json.loads(metadata[b"ARROW:extension:metadata"])["freq"]
    elif getattr(column.type, "extension_name", "").encode() == _PERIOD:  # pandas is imported
        freq, column = column.type.freq, column.storage
    else:
        return None
    if freq not in _PERIODS:
        return None
    unit, many = _PERIODS[freq]
    null, counts = nulls(column), numbers(column)
    counts = counts if null is None else np.where(null, 0, counts)
    begins = (counts * many).astype(f"datetime64[{unit}]").astype("datetime64[ms]")
    return Times(begins.astype(np.int64), null, local=True)


def _distinct(column: Any) -> Coded:
    """Return a column whose distinct values Arrow can find."""
    encoded = column.dictionary_encode()
    return _coded(encoded.indices, plain_values(encoded.dictionary))


def _dates(column: Any) -> Column:
    found = _distinct(column)
    return Dates(found.codes, found.distinct)


def _views(column: Any) -> Column:
    return _distinct(column.cast(pa.string() if column.type == pa.string_view() else pa.binary()))


def _dictionaries(column: Any) -> Column:
    values = arrow_column(column.dictionary)
    if not isinstance(values, Coded):
        return arrow_column(column.dictionary_decode())
    return _coded(column.indices, values.values())


def _coded(indices: Any, values: list[Any]) -> Coded:
    if not indices.null_count:
        return Coded(numbers(indices), values)
    codes = numbers(indices.cast(pa.int64()).fill_null(len(values)))
    return Coded(codes, [*values, None])


def _structs(column: Any) -> Column:
    names = [field.name for field in column.type]
    if len(set(names)) < len(names):
        return coded_values(plain_values(column))
    fields = {name: arrow_column(column.field(i)) for i, name in enumerate(names)}
    return Struct(len(column), fields, nulls(column))


def _lists(column: Any) -> Column:
    """Return lists of equally many numbers as such, others one by one."""
    kind, rows = column.type, len(column)
    if not types.is_floating(kind.value_type) and not types.is_integer(kind.value_type):
        return coded_values(plain_values(column))
    null = nulls(column)
    there = column if null is None else column.drop_null()
    held = arrow_column(there.flatten())
    sizes = set(pc.unique(pc.list_value_length(there)).to_pylist())
    if len(sizes) != 1 or sizes == {0} or not isinstance(held, Numbers) or held.null is not None:
        return coded_values(plain_values(column))
    data = held.data.reshape(-1, *sizes)
    if null is None:
        return Vectors(data)
    whole = np.zeros((rows, *sizes), data.dtype)
    whole[~null] = data
    return Vectors(whole, null)


def _uuids(column: Any) -> Column:
    encoded = column.storage.dictionary_encode()
    texts = [
        None if each is None else str(uuid.UUID(bytes=each))
        for each in encoded.dictionary.to_pylist()
    ]
    return _coded(encoded.indices, texts)


def _runs(column: Any) -> Column:
    return arrow_column(pc.run_end_decode(column))


def _nulls(column: Any) -> Column:
    return Coded(np.zeros(len(column), np.int64), [None])


def _is_uuid(kind: Any) -> bool:
    return getattr(kind, "extension_name", None) == "arrow.uuid"


def _is_view(kind: Any) -> bool:
    return bool(kind in (pa.string_view(), pa.binary_view()))


def _is_list(kind: Any) -> bool:
    plain = types.is_list(kind) or types.is_large_list(kind)
    return bool(plain or types.is_fixed_size_list(kind))


def _is_text(kind: Any) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _is_bytes(kind: Any) -> bool:
    plain = types.is_binary(kind) or types.is_large_binary(kind)
    return bool(plain or types.is_fixed_size_binary(kind))


_READERS: list[tuple[Callable[[Any], bool], Callable[[Any], Column]]] = [
    (types.is_integer, _integers),
    (types.is_floating, _floats),
    (types.is_timestamp, _times),
    (_is_text, _distinct),
    (types.is_boolean, _distinct),
    (types.is_dictionary, _dictionaries),
    (types.is_struct, _structs),
    (_is_list, _lists),
    (types.is_decimal, _decimals),
    (types.is_duration, _durations),
    (types.is_date, _dates),
    (types.is_time, _distinct),
    (_is_bytes, _distinct),
    (_is_view, _views),
    (_is_uuid, _uuids),
    (types.is_run_end_encoded, _runs),
    (types.is_null, _nulls),
]
"""What reads each type of Arrow; values of any other are read one by one."""
