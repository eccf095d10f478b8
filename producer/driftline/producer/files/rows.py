"""Rows of a CSV, Parquet or NDJSON file, a chunk at a time.

| ending | read as |
|---|---|
| `.csv`, also `.csv.gz` | header and rows; comma, semicolon or tab; see `csv_file` |
| `.parquet` | see `parquet_file` |
| `.jsonl`, `.ndjson`, `.json`, also with `.gz` | one JSON object a line |

A row is a dict of values that JSON can hold (in Parquet also NaN and infinity, see
`Mapping.to_event`). Memory does not grow with the length of a file.
"""

from __future__ import annotations

import functools
import gzip
import itertools
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from driftline.producer.errors import InputError
from driftline.producer.files import csv as csv_file
from driftline.producer.files import ndjson as ndjson_file
from driftline.producer.files import parquet as parquet_file
from driftline.producer.files.text_lines import LONGEST_LINE, too_long

Rows = list[dict[str, Any]]

CHUNK = 10_000
_FORMATS = {".csv": "csv", ".jsonl": "json", ".ndjson": "json", ".json": "json"}


def read_rows(path: str | Path) -> Iterator[Rows]:
    """Read a file's rows in their order, in chunks of up to 10,000.

    What can be known at once (no such file, empty, no rows, unreadable) is raised by the call; what
    shows up later (a broken line) while iterating.

    Args:
        path: the file; its ending names the format.

    Raises:
        InputError: the file cannot be used; one sentence that says why and what to do.
    """
    file = Path(path)
    form = _format_of(file)
    _check_exists(file)
    chunks = _guarded(file, form)
    first = next(chunks, None)
    if first is None:
        raise InputError(f"{file}: has no rows; give a file with at least one event")
    return itertools.chain([first], chunks)


def count_rows(path: str | Path) -> int | None:
    """Return the number of rows, for a progress bar; None if the file cannot be read.

    Exact for Parquet. Of text the line breaks are counted, which is a little more than the rows
    where there are empty lines, or line breaks inside quotes.

    Raises:
        InputError: a line is too long to be a row.
    """
    file = Path(path)
    try:
        form = _format_of(file)
        _check_exists(file)
        if form == "parquet":
            return parquet_file.count(file)
    except InputError:
        return None
    try:
        lines, last, since = 0, b"\n", 0
        with _open(file) as stream:
            while block := stream.read(1 << 20):
                lines += block.count(b"\n")
                last = block[-1:]
                end = max(block.rfind(b"\n"), block.rfind(b"\r"))
                since = since + len(block) if end < 0 else len(block) - end - 1
                if since > LONGEST_LINE:
                    raise too_long(file, lines + 1)
        lines += last != b"\n"
        return max(0, lines - (form == "csv"))
    except (OSError, EOFError, zlib.error):
        return None


def mixed_columns(path: str | Path) -> dict[str, str]:
    """Return the CSV columns that hold numbers and text, each with a sentence that says so.

    Such a column is read as text. Files of other formats have types of their own: an empty dict.

    Raises:
        InputError: the file cannot be used.
    """
    file = Path(path)
    if _format_of(file) != "csv":
        return {}
    _check_exists(file)
    with _readable(file):
        return _scanned(file).mixed()


def _scanned(file: Path) -> csv_file.CsvFile:
    """Return a CSV file with its columns' types; while it does not change it is scanned once."""
    found = file.stat()
    return _scan(file, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


@functools.lru_cache(maxsize=16)
def _scan(file: Path, version: tuple[int, ...]) -> csv_file.CsvFile:
    return csv_file.scan(lambda: _open(file), file)


def _format_of(file: Path) -> str:
    name = file.name.lower()
    if name.endswith(".parquet"):
        return "parquet"
    ending = Path(name.removesuffix(".gz")).suffix
    if ending in _FORMATS:
        return _FORMATS[ending]
    raise InputError(
        f"{file}: unknown ending; use .csv, .parquet, .jsonl, .ndjson or .json (text also with .gz)"
    )


def _check_exists(file: Path) -> None:
    if not file.exists():
        raise InputError(f"{file}: no such file; check the path")
    found = file.stat()
    if stat.S_ISDIR(found.st_mode):
        raise InputError(f"{file}: is a folder; give one file")
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{file}: is a pipe or a device; give a file")
    if found.st_size == 0:
        raise InputError(f"{file}: is empty; give a file with at least one event")


def _open(file: Path) -> IO[bytes]:
    if file.name.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.open(file, "rb"))
    return file.open("rb")


def _guarded(file: Path, form: str) -> Iterator[Rows]:
    with _readable(file):
        if form == "parquet":
            yield from parquet_file.read(file, CHUNK)
        elif form == "csv":
            yield from _scanned(file).read(CHUNK)
        else:
            with _open(file) as stream:
                yield from ndjson_file.read(stream, file, CHUNK)


class _readable:  # noqa: N801  # used as a statement: with _readable(file)
    """Turns what reading a damaged file raises into an `InputError`."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (EOFError, zlib.error, gzip.BadGzipFile)):
            raise InputError(
                f"{self.file}: is not complete gzip data; write or copy the file again"
            ) from error
        if isinstance(error, UnicodeDecodeError):
            raise InputError(f"{self.file}: is not UTF-8 text; convert it to UTF-8") from error
        if isinstance(error, OSError):
            raise InputError(f"{self.file}: cannot be read ({error.strerror})") from error
