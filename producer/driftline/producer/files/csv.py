"""CSV: separated by comma, semicolon, tab or `|`, with types found in the cells (`csv_file`)."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftline.producer.files.text_lines import BLOCK, CHUNK_SIZE

if TYPE_CHECKING:
    from driftline.producer.files.csv_file import CsvFiles
    from driftline.producer.records.table import Table


def tables(file: Path, columns: Container[str] | None = None) -> Iterator[Table]:
    """Yield a file's rows as tables of some thousand rows.

    Args:
        file: the file.
        columns: those that are needed; None for all.

    Raises:
        InputError: no usable header, many rows of another length, or no CSV.
    """
    yield from together([file]).tables(file, columns)


def read(file: Path, chunk: int) -> Iterator[list[dict[str, Any]]]:
    """Yield chunks of up to `chunk` rows.

    Raises:
        InputError: as of `tables`.
    """
    rows: list[dict[str, Any]] = []
    for number, table in enumerate(tables(file), 1):
        rows += table.to_rows()
        while len(rows) >= chunk:
            yield rows[:chunk]
            del rows[:chunk]
        if rows and number % (CHUNK_SIZE // BLOCK) == 0:  # they are long
            yield rows
            rows = []
    if rows:
        yield rows


def count(file: Path) -> int:
    """Return the number of rows.

    Raises:
        InputError: as of `tables`.
    """
    return together([file]).rows


def together(files: Sequence[Path]) -> CsvFiles:
    """Return files that are read as one, in which a column has one type.

    Raises:
        InputError: as of `tables`.
    """
    # What needs numpy is imported when there is a file: names of formats are wanted without.
    from driftline.producer.files.csv_file import scanned

    return scanned(*files)
