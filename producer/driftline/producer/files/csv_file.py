"""A CSV file whose types are known: the rows that decide them are looked at once.

Separated by comma, semicolon, tab or `|`. Types: numbers (whole or not), `true` / `false` in any
case, else text; times stay text. An empty cell is null. The types come from the first half of the
rows, those that a reference is built from, and from the first 100 where there are fewer.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from driftline.producer.files.csv_cells import Block, Survey, blocks, survey
from driftline.producer.files.csv_layout import Layout, layout_of
from driftline.producer.files.text_column import CellCounts, CellType, Note, column_of
from driftline.producer.records.table import Table

_FEW = 100
_MOST_NAMED = 5


@dataclass
class CsvFile:
    """A scanned file: its columns' types are known, its rows can be read.

    Attributes:
        file: the file.
        layout: how it is written.
        survey: how many rows it has, and which of them do not fit.
        columns: what the cells of each column are, in the rows that decide the types.
    """

    file: Path
    layout: Layout
    survey: Survey
    columns: dict[str, CellCounts] = field(default_factory=dict)

    @functools.cached_property
    def types(self) -> dict[str, CellType]:
        """The type of each column."""
        return {name: counts.type for name, counts in self.columns.items()}

    def tables(self, columns: Collection[str] | None = None) -> Iterator[Table]:
        """Yield the rows, typed as the whole column is."""
        wanted = [
            (name, self.types[name], place)
            for place, name in self.layout.names.items()
            if columns is None or name in columns
        ]
        for block in blocks(self.file, self.layout, [place for _, _, place in wanted]):
            typed = {
                name: column_of(block.columns[place], cell_type)
                for name, cell_type, place in wanted
            }
            yield Table(block.rows, typed, block.first)

    def notes(self) -> list[Note]:
        """Return what is not as usual, and what was decided about columns."""
        notes: list[Note] = [("note", sentence) for sentence in self.layout.notes]
        for place, row in islice(self.survey.unfit.items(), _MOST_NAMED):
            notes.append(("warning", f"row {place + 1:,} is left out: {self._length(row)}"))
        if len(self.survey.unfit) > _MOST_NAMED:
            notes.append(("warning", f"{len(self.survey.unfit):,} such rows are left out"))
        if self.survey.footer:
            notes.append(("note", "the last row has another length, so it is left out as a footer"))
        for name, counts in self.columns.items():
            notes += counts.notes(name)
        return notes

    def _length(self, row: list[str]) -> str:
        return f"it has {len(row)} cells, the header {self.layout.width}"


def scanned(file: Path) -> CsvFile:
    """Return a file with its columns' types; while it does not change it is scanned once."""
    found = file.stat()
    return _scan(file, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


@functools.lru_cache(maxsize=16)
def _scan(file: Path, version: tuple[int, ...]) -> CsvFile:
    """Find how a file is written, its rows, and the types from the first half of them."""
    layout, found_rows = _laid_out(file)
    found = CsvFile(file, layout, found_rows)
    comma = layout.separator == ";"
    found.columns = {name: CellCounts(comma=comma) for name in layout.names.values()}
    half = max(_FEW, found_rows.rows // 2)
    for block in blocks(file, layout, layout.names):
        _count(found, block, half)
        if block.first + block.rows >= half:
            break
    return found


def _laid_out(file: Path) -> tuple[Layout, Survey]:
    try:
        layout = layout_of(file)
        return layout, survey(file, layout)
    except UnicodeDecodeError as error:
        if error.encoding != "utf-8":
            raise
        layout = layout_of(file, "latin-1")
        said = "it is not UTF-8, so it is read as Latin-1"
        return replace(layout, notes=(said, *layout.notes)), survey(file, layout)


def _count(found: CsvFile, block: Block, half: int) -> None:
    for place, name in found.layout.names.items():
        found.columns[name].add(block.columns[place].first(half - block.first))
