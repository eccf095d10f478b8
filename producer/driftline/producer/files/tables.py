"""Rows of a file of any format of the table as columns, some thousand at a time."""

from __future__ import annotations

from collections.abc import Container, Iterator
from pathlib import Path

from driftline.producer.files.columns import Columns
from driftline.producer.files.formats import Format
from driftline.producer.files.given import Given, checked
from driftline.producer.files.rows import CHUNK, from_the_first, guarded, readable
from driftline.producer.files.text_column import Note
from driftline.producer.records.placed_table import placed
from driftline.producer.records.places import OFFSET, PARTITION, RECORD_TIMESTAMP
from driftline.producer.records.table import Table

_RECORDING = "they say where a row stood in its topic, so they are no features"
_PLACES = frozenset((PARTITION, OFFSET, RECORD_TIMESTAMP))


def read_tables(path: str | Path | Given, columns: Container[str] | None = None) -> Iterator[Table]:
    """Read a file's rows in their order as columns, up to 32,768 at a time.

    The tables of a recording say in `places` where the rows stood in their topic.

    Args:
        path: the file; its ending names the format.
        columns: the columns that are needed, None for all; there may be more in the tables.

    Raises:
        InputError: as of `read_rows`.
    """
    file, form = checked(path)
    wanted = None if columns is None else Columns(_PLACES, columns.__contains__)
    return from_the_first(file, guarded(file, form, placed(_tables(file, form, wanted), file)))


def file_notes(path: str | Path | Given) -> list[Note]:
    """Return what is not as usual in a file, and what was decided about its columns.

    Each is `note` or `warning`, and a sentence.

    Raises:
        InputError: the file cannot be used.
    """
    file, form = checked(path)
    with readable(file, form):
        notes = [] if form.together is None else form.together([file]).notes()
    if next(read_tables(path, ())).places is not None:
        notes = [*notes, ("note", f"{PARTITION}, {OFFSET}: {_RECORDING}")]
    return notes


def _tables(file: Path, form: Format, columns: Container[str] | None) -> Iterator[Table]:
    if form.tables is not None:
        yield from form.tables(file, columns)
        return
    first = 0
    for rows in form.read(file, CHUNK) if form.read is not None else ():
        yield Table.of_rows(rows, first)
        first += len(rows)
