"""CSV files whose types are known: the rows that decide them are looked at once.

Separated by comma, semicolon, tab, `|` or what else every line has as often. Types: numbers (whole
or not), `true` / `false` in any case, else text; times stay text. An empty cell is null. The types
come from the first half of the rows, those that a reference is built from, and from the first 100
where there are fewer. A column has one type in all files that are read as one.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from driftline.producer.files.csv_cells import Survey, blocks, survey
from driftline.producer.files.csv_layout import Layout, layout_of
from driftline.producer.files.text_column import CellCounts, CellType, Note, column_of
from driftline.producer.records.names import listed
from driftline.producer.records.table import Table

_FEW = 100
_MOST_NAMED = 5
_LOOKED_AT = 16  # files whose notes are shown


@dataclass(frozen=True)
class CsvFile:
    """How a file is written, and its rows.

    Attributes:
        file: the file.
        layout: how it is written.
        survey: how many rows it has, and which of them do not fit.
    """

    file: Path
    layout: Layout
    survey: Survey

    def notes(self) -> list[Note]:
        """Return what is not as usual."""
        notes: list[Note] = [("note", sentence) for sentence in self.layout.notes]
        for place, row in islice(self.survey.unfit.items(), _MOST_NAMED):
            notes.append(
                ("warning", f"row {place + 1:,} is left out: it has {self.layout.length(row)}")
            )
        if len(self.survey.unfit) > _MOST_NAMED:
            notes.append(("warning", f"{len(self.survey.unfit):,} such rows are left out"))
        if self.survey.headers:
            lines = f"{self.survey.headers:,} line{'s' if self.survey.headers > 1 else ''}"
            notes.append(("note", f"{lines} with the header again, left out"))
        if self.survey.footer:
            notes.append(("note", "the last row has another length, so it is left out as a footer"))
        return notes


class CsvFiles:
    """One file, or several that are read as one.

    Attributes:
        rows: how many there are.
    """

    def __init__(self, files: Sequence[CsvFile]) -> None:
        self.rows = sum(found.survey.rows for found in files)
        self._files = {found.file: found for found in files}
        self._folder = os.path.commonpath([found.file.parent for found in files])
        self._counts: dict[str, CellCounts] = {}
        self._kinds: dict[str, dict[str, str]] = {}  # column to the first file of each kind
        before, half = 0, max(_FEW, self.rows // 2)
        for found in files:
            self._count(found, half - before)
            before += found.survey.rows
        self._types = {name: counts.type for name, counts in self._counts.items()}

    def tables(self, file: Path, columns: Container[str] | None = None) -> Iterator[Table]:
        """Yield the rows of one of the files, typed as the columns are in all."""
        layout = self._files[file].layout
        wanted = [
            (name, self._types[name], place)
            for place, name in layout.names.items()
            if columns is None or name in columns
        ]
        for block in blocks(file, layout, [place for _, _, place in wanted]):
            typed = {
                name: column_of(block.columns[place], cell_type)
                for name, cell_type, place in wanted
            }
            yield Table(block.rows, typed, block.first)

    def notes(self) -> list[Note]:
        """Return what is not as usual, and what was decided about columns."""
        looked_at = [*self._files.values()][:_LOOKED_AT]
        written: dict[Note, list[str]] = {}
        for found in looked_at:
            for note in found.notes():
                written.setdefault(note, []).append(self._called(found))
        notes: list[Note] = [
            (kind, text if len(files) == len(looked_at) else f"{listed(files)}: {text}")
            for (kind, text), files in written.items()
        ]
        for name, counts in self._counts.items():
            apart = self._kinds[name]
            if self._types[name] == "text" and len(apart) > 1:
                where = " and ".join(f"{kind} in {file}" for kind, file in apart.items())
                sentence = f"{name}: {where}, so the column is read as text in all files;"
                notes.append(("warning", f"{sentence} write it alike in each"))
            else:
                notes += counts.notes(name)
        return notes

    def _called(self, found: CsvFile) -> str:
        return os.path.relpath(found.file, self._folder)

    def _count(self, found: CsvFile, rows: int) -> None:
        """Count the cells of the first rows of a file; columns that are new in some at least."""
        names, comma = found.layout.names, found.layout.separator == ";"
        new = [name for name in names.values() if name not in self._counts]
        for name in new:
            self._counts[name], self._kinds[name] = CellCounts(comma), {}
        own = max(_FEW, found.survey.rows // 2)
        most = {name: max(own if name in new else 0, rows) for name in names.values()}
        last = max(most.values(), default=0)
        if last <= 0:
            return
        for block in blocks(found.file, found.layout, names):
            for place, name in names.items():
                cells = block.columns[place].first(max(0, most[name] - block.first))
                if not len(cells):
                    continue
                self._counts[name].add(cells)
                if block.first == 0 and len(self._files) > 1:
                    alone = CellCounts(comma)
                    alone.add(cells)
                    if alone.values:
                        self._kinds[name].setdefault(_kind(alone.type), self._called(found))
            if block.first + block.rows >= last:
                break


def _kind(cell_type: CellType) -> str:
    if cell_type in ("text", "boolean"):
        return {"text": "text", "boolean": "true or false"}[str(cell_type)]
    return "numbers"


def scanned(*files: Path) -> CsvFiles:
    """Return files with their columns' types; while they do not change they are scanned once."""
    found = [file.stat() for file in files]
    version = tuple((each.st_dev, each.st_ino, each.st_size, each.st_mtime_ns) for each in found)
    return _scan(files, version)


@functools.lru_cache(maxsize=16)
def _scan(files: tuple[Path, ...], version: tuple[tuple[int, ...], ...]) -> CsvFiles:
    """Find how files are written, their rows, and the types from the first half of them."""
    return CsvFiles([CsvFile(file, *_laid_out(file)) for file in files])


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
