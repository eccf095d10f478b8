"""Parquet by pyarrow, a row group at a time."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from driftline.producer.files.arrow import ROWS, arrow_table, check_names
from driftline.producer.files.arrow_writer import batches, schema_of
from driftline.producer.files.column_types import Chunks, Types
from driftline.producer.records.table import Table

UNREADABLE = pa.ArrowException
"""What a file that is no readable Parquet raises."""

_SMALL = 65_536  # B of a dictionary, as written


def read(file: Path, columns: Container[str] | None) -> Iterator[Table]:
    """Yield the rows of a file; see `parquet.tables`."""
    first = 0
    with pq.ParquetFile(file) as plain:
        known = plain.metadata
        repeating = _repeating(known, plain.schema_arrow)
    with pq.ParquetFile(file, metadata=known, read_dictionary=repeating) as parquet:
        names = parquet.schema_arrow.names
        check_names(names, file)
        wanted = names if columns is None else [name for name in names if name in columns]
        # One group at a time: what a reader has decoded it holds until its end.
        for group in range(parquet.num_row_groups):
            # In this thread: to hand the columns of so few rows to others takes longer.
            for batch in parquet.iter_batches(ROWS, [group], wanted, use_threads=False):
                if batch.num_rows:
                    yield arrow_table(batch.select(wanted), first)
                    first += batch.num_rows


def _repeating(meta: Any, schema: Any) -> list[str]:
    """Return the columns of texts that the file itself holds as a few values and their places.

    Their values are not written out and found again. A small dictionary has all of a column: a
    writer that gives up on one has filled it first.
    """
    groups = [meta.row_group(group) for group in range(meta.num_row_groups)]
    texts = {field.name for field in schema if field.type in (pa.string(), pa.binary())}
    sizes: dict[str, int] = {}
    for place in range(meta.num_columns):
        name = meta.schema.column(place).path
        if name in texts:
            chunks = [group.column(place) for group in groups]
            sizes[name] = max((_dictionary_of(chunk) for chunk in chunks), default=0)
    return [name for name, size in sizes.items() if 0 < size <= _SMALL]


def _dictionary_of(chunk: Any) -> int:
    """Return the bytes of the dictionary of a column in a row group; 0: it has none."""
    if chunk.dictionary_page_offset is None:
        return 0
    return int(chunk.data_page_offset - chunk.dictionary_page_offset)


def count(file: Path) -> int | None:
    """Return the number of rows, from the file's footer; None if it is not readable."""
    try:
        with pq.ParquetFile(file) as parquet:
            return int(parquet.metadata.num_rows)
    except UNREADABLE:
        return None


def write(stream: BinaryIO, types: Types, chunks: Chunks) -> None:
    """Write columns, a row group a chunk; see `parquet.write`."""
    schema = schema_of(types)
    with pq.ParquetWriter(stream, schema) as writer:
        for batch in batches(schema, types, chunks):
            writer.write_batch(batch)
