"""The table of file formats: their endings, and what reads them.

A new format is a file with `read` or `tables`, `count` and `write`, and a line here: `read_rows`,
`read_tables`, what writes files, the errors and the help of every verb that reads files have it
from the table. A library that not everybody needs is imported inside those functions, and comes
with an extra.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol

from driftline.producer.files import csv, csv_writer, ipc, ndjson, parquet
from driftline.producer.files.column_types import Chunks, Types

if TYPE_CHECKING:  # names of formats are wanted where numpy is not
    from driftline.producer.files.text_column import Note
    from driftline.producer.records.table import Table

Rows = list[dict[str, Any]]
GLOB = frozenset("*?[")
"""What a pattern of names holds, and a name hardly does."""


class Together(Protocol):
    """Files that are read as one."""

    rows: int

    def tables(self, file: Path, columns: Container[str] | None) -> Iterator[Table]:
        """Yield the rows of one of them as columns."""

    def notes(self) -> list[Note]:
        """Return what is not as usual in them, and what was decided about their columns."""


class Extra(NamedTuple):
    """An extra of Driftline, and the library that it brings.

    Attributes:
        name: of the extra.
        library: to import.
        check: raises an `InputError` for a file that cannot be one, and needs no library for it.
    """

    name: str
    library: str
    check: Callable[[Path], None] | None = None


@dataclass(frozen=True)
class Format:
    """One format of files.

    Attributes:
        name: in help and errors.
        endings: of the names of such files, in small letters.
        read: yields a file's rows in chunks of at most as many as it is asked for; None where
            `tables` does.
        count: returns about how many rows a file has, None if it cannot be read.
        tables: yields a file's rows as columns, of all or of those named; None where `read` does.
        extra: what to install Driftline with to read it; None if it is always read.
        together: returns how files are read as one, and what is to be told of them; None where the
            types of columns are in each file.
        write: writes columns of these types to a stream, some rows at a time; None where it only
            reads.
    """

    name: str
    endings: tuple[str, ...]
    read: Callable[[Path, int], Iterator[Rows]] | None
    count: Callable[[Path], int | None]
    tables: Callable[[Path, Container[str] | None], Iterator[Table]] | None = None
    extra: Extra | None = None
    together: Callable[[Sequence[Path]], Together] | None = None
    write: Callable[[BinaryIO, Types, Chunks], None] | None = None

    @property
    def packed(self) -> bool:
        """Whether `.gz` may follow the ending: of text, which needs no extra; others pack it."""
        return self.extra is None


_CSV = Format(
    "CSV",
    (".csv",),
    csv.read,
    csv.count,
    csv.tables,
    together=csv.together,
    write=csv_writer.write,
)
FORMATS = [
    _CSV,
    replace(_CSV, endings=(".tsv",), write=csv_writer.write_tabs),
    Format(
        "Parquet",
        (".parquet",),
        None,
        parquet.count,
        tables=parquet.tables,
        extra=Extra("files", "pyarrow", parquet.check),
        write=parquet.write,
    ),
    Format(
        "Arrow",
        (".arrow", ".feather", ".arrows"),
        None,
        ipc.count,
        tables=ipc.tables,
        extra=Extra("files", "pyarrow"),
        write=ipc.write,
    ),
    Format(
        "NDJSON",
        (".jsonl", ".ndjson", ".json"),
        ndjson.read,
        ndjson.count,
        write=ndjson.write,
    ),
]


def lacking(file: Path, form: Format, extra: Extra) -> str:
    """Return what to do where the extra is not installed that reads a format."""
    others = any_of(list(dict.fromkeys(each.name for each in FORMATS if each.extra is None)))
    return (
        f"{file}: {form.name} needs {extra.library}; install it with "
        f' pip install "driftline[{extra.name}]", or write the file as {others}'
    )


def names() -> list[str]:
    """Return the names of all formats; one may have two rows, which write differently."""
    return list(dict.fromkeys(form.name for form in FORMATS))


def endings() -> list[str]:
    """Return the endings of all formats."""
    return [ending for form in FORMATS for ending in form.endings]


def format_of(file: Path) -> Format | None:
    """Return the format by the ending of a file's name, None if no format has it.

    >>> format_of(Path("events.CSV.gz")).name, format_of(Path("events.parquet.gz"))
    ('CSV', None)
    """
    name = file.name.lower()
    for form in FORMATS:
        if (name.removesuffix(".gz") if form.packed else name).endswith(form.endings):
            return form
    return None


def is_file_name(text: str) -> bool:
    """Return whether a text ends as the name of a file of events does, packed or not.

    >>> is_file_name("a.csv"), is_file_name("a.gz"), is_file_name("car-loan@1.2")
    (True, True, False)
    """
    return text.lower().endswith((*endings(), ".gz"))


def any_of(words: Sequence[str]) -> str:
    """Return words as a sentence lists them.

    >>> any_of(names()), any_of(["CSV"])
    ('CSV, Parquet, Arrow or NDJSON', 'CSV')
    """
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
