"""Parquet by pyarrow, a row group at a time."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from driftline.producer.errors import InputError
from driftline.producer.files.arrow import ROWS, arrow_table, check_names
from driftline.producer.files.arrow_writer import batches, schema_of
from driftline.producer.files.column_types import Chunks, Types
from driftline.producer.records.table import Table


def read(file: Path, columns: Container[str] | None) -> Iterator[Table]:
    """Yield the rows of a file; see `parquet.tables`."""
    first = 0
    try:
        with pq.ParquetFile(file) as parquet:
            names = parquet.schema_arrow.names
            check_names(names, file)
            wanted = names if columns is None else [name for name in names if name in columns]
            # One group at a time: what a reader has decoded it holds until its end.
            for group in range(parquet.num_row_groups):
                for batch in parquet.iter_batches(ROWS, [group], wanted):
                    if batch.num_rows:
                        yield arrow_table(batch.select(wanted), first)
                        first += batch.num_rows
    except pa.ArrowException as error:
        raise InputError(f"{file}: is not readable Parquet; write the file again") from error


def count(file: Path) -> int | None:
    """Return the number of rows, from the file's footer; None if it is not readable."""
    try:
        with pq.ParquetFile(file) as parquet:
            return int(parquet.metadata.num_rows)
    except pa.ArrowException:
        return None


def write(stream: BinaryIO, types: Types, chunks: Chunks) -> None:
    """Write columns, a row group a chunk; see `parquet.write`."""
    schema = schema_of(types)
    with pq.ParquetWriter(stream, schema) as writer:
        for batch in batches(schema, types, chunks):
            writer.write_batch(batch)
