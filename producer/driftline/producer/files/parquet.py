"""Parquet: columns keep their types, as `arrow` reads them; a row group is read at a time."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from driftline.producer.files.column_types import Chunks, Types

if TYPE_CHECKING:
    from driftline.producer.records.table import Table


def tables(file: Path, columns: Container[str] | None = None) -> Iterator[Table]:
    """Yield the rows of a file, some thousand at a time.

    Args:
        file: the file.
        columns: names of those that are read; None for all.

    Raises:
        InputError: the file is not readable Parquet, or two columns have one name.
        ModuleNotFoundError: pyarrow is not installed.
    """
    yield from _reader().read(file, columns)


def count(file: Path) -> int | None:
    """Return the number of rows, from the file's footer; None if it is not readable.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
    """
    found: int | None = _reader().count(file)
    return found


def write(stream: BinaryIO, types: Types, chunks: Chunks) -> None:
    """Write columns, a chunk of rows at a time; times are of UTC, in milliseconds.

    Raises:
        ModuleNotFoundError: pyarrow is not installed.
    """
    _reader().write(stream, types, chunks)


def _reader() -> Any:
    """Import what needs pyarrow when there is a file: it comes with the extra `files` only."""
    from driftline.producer.files import arrow_parquet

    return arrow_parquet
