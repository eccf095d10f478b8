"""Columns of Python's values as Arrow's record batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from driftline.producer.files.column_types import Chunks, ColumnType, Types

_ARROW: dict[ColumnType, Any] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "text": pa.string(),
    "time": pa.timestamp("ms", tz="UTC"),
    "numbers": pa.list_(pa.float64()),
}


def schema_of(types: Types) -> Any:
    """Return the schema of columns.

    >>> schema_of({"km": "number"}).names
    ['km']
    """
    return pa.schema([(name, _ARROW[kind]) for name, kind in types.items()])


def batches(schema: Any, types: Types, chunks: Chunks) -> Iterator[Any]:
    """Yield chunks of rows as record batches."""
    for chunk in chunks:
        arrays = [pa.array(chunk[name], schema.field(name).type) for name in types]
        yield pa.record_batch(arrays, schema=schema)
