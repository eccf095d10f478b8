"""Rows of a file of any format of the table, a chunk at a time.

A row is a dict of values that JSON can hold (in Parquet also NaN and infinity, see
`Mapping.to_event`). Memory does not grow with the length of a file.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from driftline.producer.errors import InputError
from driftline.producer.files.formats import Format, Rows, lacking
from driftline.producer.files.given import Given, checked
from driftline.producer.records.places import without_places

Chunk = TypeVar("Chunk")
CHUNK = 10_000


def read_rows(path: str | Path | Given) -> Iterator[Rows]:
    """Read a file's rows in their order, in chunks of up to 10,000.

    Of a recording they are without what says where they stood; see `read_tables`.

    What can be known at once (no such file, empty, no rows, unreadable) is raised by the call; what
    shows up later (a broken line) while iterating.

    Args:
        path: the file, whose ending names the format; a folder or a glob of files, in the order
            of their names; or rows that a program has.

    Raises:
        InputError: the file cannot be used; one sentence that says why and what to do.
    """
    file, form = checked(path)
    return from_the_first(file, guarded(file, form, without_places(_rows(file, form))))


def count_rows(path: str | Path | Given) -> int | None:
    """Return the number of rows, for a progress bar; None if the file cannot be read.

    Exact for Parquet and CSV. Of NDJSON the line breaks are counted, which is a little more than
    the rows where there are empty lines.

    Raises:
        InputError: a line is too long to be a row.
    """
    try:
        file, form = checked(path)
    except InputError:
        return None
    try:
        return form.count(file)
    except (OSError, EOFError, zlib.error, ModuleNotFoundError):
        return None


def _rows(file: Path, form: Format) -> Iterator[Rows]:
    if form.read is not None:
        yield from form.read(file, CHUNK)
        return
    for table in form.tables(file, None) if form.tables is not None else ():
        for start in range(0, table.rows, CHUNK):
            yield table.take(slice(start, start + CHUNK)).to_rows()


def from_the_first(file: Path, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Return the chunks; what is wrong with the first is raised at once.

    Raises:
        InputError: there is none.
    """
    first = next(chunks, None)
    if first is None:
        raise InputError(f"{file}: has no rows; give a file with at least one event")
    return itertools.chain([first], chunks)


def guarded(file: Path, form: Format, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Yield the chunks of a file; what reading a damaged one raises becomes an `InputError`."""
    with readable(file, form):
        yield from chunks


@contextmanager
def readable(file: Path, form: Format) -> Iterator[None]:
    """Turn what reading a damaged file raises into an `InputError`."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{file}: is not complete gzip data; write or copy the file again"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: is not UTF-8 text; convert it to UTF-8") from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from error
    except ModuleNotFoundError as error:
        if form.extra is None:
            raise
        raise InputError(lacking(file, form, form.extra)) from error
