"""A CSV file whose types are known: the rows that decide them are looked at once.

Separated by comma, semicolon, tab or `|`. Types: numbers (whole or not), `true` / `false` in any
case, else text; times stay text. An empty cell is null. The types come from the first half of the
rows, those that a reference is built from, and from the first 100 where there are fewer.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from driftline.producer.files.csv_cells import Block, blocks, count_rows
from driftline.producer.files.csv_layout import Layout, layout_of
from driftline.producer.files.text_column import CellCounts, CellType, column_of
from driftline.producer.records.table import Table

_FEW = 100


@dataclass
class CsvFile:
    """A scanned file: its columns' types are known, its rows can be read.

    Attributes:
        file: the file.
        layout: how it is written.
        rows: how many rows it has.
        columns: what the cells of each column are, in the rows that decide the types.
    """

    file: Path
    layout: Layout
    rows: int
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
        for block in blocks(self.file, self.layout):
            typed = {
                name: column_of(block.cells(place), cell_type) for name, cell_type, place in wanted
            }
            yield Table(block.rows, typed, block.first)

    def mixed(self) -> dict[str, str]:
        """Return the columns with numbers and text, each with a sentence."""
        said = {}
        for name, counts in self.columns.items():
            others = counts.texts + counts.booleans + counts.names
            if others and counts.numbers:
                reading = "text" if counts.type == "text" else "numbers"
                said[name] = (
                    f"{name}: {others:,} of {counts.values:,} values are not numbers"
                    f" ({counts.first_text!r} is the first), so the column is read as {reading}"
                )
        return said


def scanned(file: Path) -> CsvFile:
    """Return a file with its columns' types; while it does not change it is scanned once."""
    found = file.stat()
    return _scan(file, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


@functools.lru_cache(maxsize=16)
def _scan(file: Path, version: tuple[int, ...]) -> CsvFile:
    """Find how a file is written, its rows, and the types from the first half of them."""
    layout = layout_of(file)
    found = CsvFile(file, layout, count_rows(file, layout))
    found.columns = {name: CellCounts() for name in layout.names.values()}
    half = max(_FEW, found.rows // 2)
    for block in blocks(file, layout):
        _count(found, block, half)
        if block.first + block.rows >= half:
            break
    return found


def _count(found: CsvFile, block: Block, half: int) -> None:
    for place, name in found.layout.names.items():
        found.columns[name].add(block.cells(place)[: half - block.first])
