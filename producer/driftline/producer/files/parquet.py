"""Parquet: columns keep their types, as `arrow` reads them; a row group is read at a time."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from driftline.producer.errors import InputError
from driftline.producer.files.column_types import Chunks, Types

if TYPE_CHECKING:
    from driftline.producer.records.table import Table

_ENDS = (b"PAR1", b"PARE")  # of a file in plain text, and of one that is encrypted


def tables(file: Path, columns: Container[str] | None = None) -> Iterator[Table]:
    """Yield the rows of a file, some thousand at a time.

    Args:
        file: the file.
        columns: names of those that are read; None for all.

    Raises:
        InputError: the file is not readable Parquet, or two columns have one name.
        ModuleNotFoundError: pyarrow is not installed.
    """
    reader = _reader()
    try:
        yield from reader.read(file, columns)
    except reader.UNREADABLE as error:
        raise _unreadable(file) from error


def check(file: Path) -> None:
    """Tell a torn file by its end, before pyarrow is imported.

    Raises:
        InputError: a file of Parquet does not end so.
    """
    with file.open("rb") as stream:
        stream.seek(max(file.stat().st_size - len(_ENDS[0]), 0))
        if stream.read() not in _ENDS:
            raise _unreadable(file)


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


def _unreadable(file: Path) -> InputError:
    return InputError(f"{file}: is not readable Parquet; write the file again")


def _reader() -> Any:
    """Import what needs pyarrow when there is a file: it comes with the extra `files` only."""
    from driftline.producer.files import arrow_parquet

    return arrow_parquet
