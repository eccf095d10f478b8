"""Arrow's IPC format by pyarrow: files (also Feather 2) and streams, told apart by their bytes.

A file is mapped into memory, so of a batch only the columns that are read are loaded.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import ipc

from driftline.producer.errors import InputError
from driftline.producer.files.arrow import ROWS, arrow_table, check_names
from driftline.producer.files.arrow_writer import batches, schema_of
from driftline.producer.files.column_types import Chunks, Types
from driftline.producer.records.table import Table

_FILE = b"ARROW1"
"""What a file begins with; a stream has no such mark."""

_DAMAGED = (pa.ArrowException, OSError)
"""What reading bytes that are missing raises; that a file cannot be opened is known before."""


def read(file: Path, columns: Container[str] | None) -> Iterator[Table]:
    """Yield the rows of a file; see `ipc.tables`."""
    first = 0
    try:
        with pa.memory_map(str(file)) as mapped:
            names = _open(mapped, None).schema.names
            check_names(names, file)
            places = [i for i, name in enumerate(names) if columns is None or name in columns]
            for batch in _batches(mapped, places):
                for begin in range(0, batch.num_rows, ROWS):
                    table = arrow_table(batch.slice(begin, ROWS), first)
                    yield table
                    first += table.rows
    except _DAMAGED as error:
        raise InputError(f"{file}: is not readable Arrow data; write the file again") from error


def count(file: Path) -> int | None:
    """Return the number of rows; see `ipc.count`."""
    file.open("rb").close()
    try:
        with pa.memory_map(str(file)) as mapped:
            places = [0] if _open(mapped, None).schema.names else []
            return sum(int(batch.num_rows) for batch in _batches(mapped, places))
    except _DAMAGED:
        return None


def write(stream: BinaryIO, types: Types, chunks: Chunks) -> None:
    """Write columns as a file, a batch a chunk; see `ipc.write`."""
    schema = schema_of(types)
    with ipc.new_file(stream, schema) as writer:
        for batch in batches(schema, types, chunks):
            writer.write_batch(batch)


def _open(mapped: Any, places: list[int] | None) -> Any:
    """Return a reader of the columns at places, of all where they are None."""
    mapped.seek(0)
    is_file = mapped.read(len(_FILE)) == _FILE
    mapped.seek(0)
    # The empty list would stand for all of them.
    options = ipc.IpcReadOptions(included_fields=places or None)
    opened = ipc.open_file if is_file else ipc.open_stream
    return opened(mapped, options=options)


def _batches(mapped: Any, places: list[int]) -> Iterator[Any]:
    """Yield the batches, of the columns at places only."""
    reader = _open(mapped, places)
    if not isinstance(reader, ipc.RecordBatchFileReader):
        yield from (batch if places else batch.select([]) for batch in reader)
        return
    for number in range(reader.num_record_batches):
        batch = reader.get_batch(number)
        yield batch if places else batch.select([])
