"""CSV: a first pass over the whole file finds each column's type, a second yields the rows.

UTF-8 with or without a byte-order mark; separated by comma, semicolon or tab, whichever the header
has most of. Types: numbers (whole or not), `true` / `false` in any case, else text; times stay
text. An empty cell is null. Numbers with leading zeros (`00501`) or of 19 digits and more are
names, not quantities: such a column is text. `NaN` and `inf` in a column of numbers are numbers
that are not finite.
"""

from __future__ import annotations

import csv
import functools
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from driftline.producer.errors import InputError
from driftline.producer.files.text_lines import (
    CHUNK_SIZE,
    Lines,
    count_lines,
    open_unpacked,
)

_SCAN_CHUNK = 10_000
_MOST_COLUMNS = 100_000
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+|(?:0|[1-9][0-9]{0,17}))(?:[eE][+-]?[0-9]+)?"
)
_NOT_FINITE = re.compile(r"nan|[+-]?inf(?:inity)?", re.IGNORECASE)
_BOOLEANS = {"true": True, "false": False}


@dataclass
class _Column:
    """What one column holds: how many values of each kind, over the whole file."""

    integers: int = 0
    decimals: int = 0
    not_finite: int = 0
    booleans: int = 0
    texts: int = 0
    first_text: str = ""

    def add(self, values: tuple[str, ...]) -> None:
        for text, count in Counter(values).items():
            stripped = text.strip()
            if not stripped:
                continue
            if _INTEGER.fullmatch(stripped):
                self.integers += count
            elif _DECIMAL.fullmatch(stripped):
                self.decimals += count
            elif _NOT_FINITE.fullmatch(stripped):
                self.not_finite += count
            else:
                if stripped.lower() in _BOOLEANS:
                    self.booleans += count
                else:
                    self.texts += count
                self.first_text = self.first_text or text

    @property
    def numbers(self) -> int:
        return self.integers + self.decimals

    def converter(self) -> Callable[[str], Any]:
        if self.texts or (self.numbers and self.booleans) or not (self.numbers or self.booleans):
            return str
        if self.numbers:
            return float if self.decimals or self.not_finite else int
        return str if self.not_finite else lambda text: _BOOLEANS[text.strip().lower()]


@dataclass
class CsvFile:
    """A scanned file: its columns' types are known, its rows can be read."""

    file: Path
    delimiter: str
    columns: dict[str, _Column] = field(default_factory=dict)

    def read(self, chunk: int) -> Iterator[list[dict[str, Any]]]:
        """Yield chunks of up to `chunk` rows, typed as the whole column is."""
        names = tuple(self.columns)
        convert = [column.converter() for column in self.columns.values()]
        for cells in self.cells(chunk):
            typed = [
                _values(to, column)
                for to, column in zip(convert, zip(*cells, strict=True), strict=True)
            ]
            yield [dict(zip(names, row, strict=True)) for row in zip(*typed, strict=True)]

    def mixed(self) -> dict[str, str]:
        """Return the columns with numbers and text, each with a sentence."""
        said = {}
        for name, column in self.columns.items():
            others = column.texts + column.booleans
            if others and column.numbers:
                said[name] = (
                    f"{name}: {others:,} of {others + column.numbers:,} values are not numbers"
                    f" ({column.first_text!r} is the first), so the column is read as text"
                )
        return said

    def cells(self, chunk: int) -> Iterator[list[list[str]]]:
        """Yield the rows after the header as text; every row has as many cells as the header."""
        with _text(self) as lines:
            reader = csv.reader(lines, delimiter=self.delimiter)
            try:
                next(reader, None)
                while rows := list(_chunk(reader, chunk, lines)):
                    if set(map(len, rows)) != {len(self.columns)}:
                        rows = self._whole_rows(rows)
                    if rows:
                        yield rows
            except csv.Error as error:
                raise InputError(
                    f"{self.file}: line {reader.line_num} is not CSV ({error}); correct the line"
                ) from error

    def _whole_rows(self, rows: list[list[str]]) -> list[list[str]]:
        whole = [row for row in rows if row]  # empty lines are skipped
        for row in whole:
            if len(row) != len(self.columns):
                raise InputError(
                    f"{self.file}: the row that begins with {row[0][:40]!r} has {len(row)} cells,"
                    f" the header {len(self.columns)}; correct the row"
                )
        return whole


def read(file: Path, chunk: int) -> Iterator[list[dict[str, Any]]]:
    """Yield chunks of up to `chunk` rows.

    Raises:
        InputError: no usable header, a row of another length, or no CSV.
    """
    yield from _scanned(file).read(chunk)


def count(file: Path) -> int:
    """Return the number of lines behind the header, which may be a few more than the rows.

    Raises:
        InputError: a line is too long to be a row.
    """
    return max(0, count_lines(file) - 1)


def mixed(file: Path) -> dict[str, str]:
    """Return the columns with numbers and text, each with a sentence.

    Raises:
        InputError: as of `read`.
    """
    return _scanned(file).mixed()


def _scanned(file: Path) -> CsvFile:
    """Return a file with its columns' types; while it does not change it is scanned once."""
    found = file.stat()
    return _scan(file, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns))


@functools.lru_cache(maxsize=16)
def _scan(file: Path, version: tuple[int, ...]) -> CsvFile:
    """Read the header and find every column's type."""
    found = CsvFile(file, ",")
    with _text(found) as lines:
        head = next(lines, "")
    found.delimiter = max(",;\t", key=head.count)
    if head.count(found.delimiter) >= _MOST_COLUMNS:
        raise InputError(f"{file}: has more than {_MOST_COLUMNS:,} columns; keep the model's own")
    with _text(found) as lines:
        header = next(csv.reader(lines, delimiter=found.delimiter), [])
    names = [name.strip() for name in header]
    times = Counter(names)
    for position, name in enumerate(names, 1):
        if not name:
            raise InputError(
                f"{file}: column {position} has no name; name it in the first line or leave it out"
            )
        if times[name] > 1:
            raise InputError(f"{file}: two columns are called {name}; rename one of them")
    found.columns = {name: _Column() for name in names}
    for cells in found.cells(_SCAN_CHUNK):
        for column, values in zip(found.columns.values(), zip(*cells, strict=True), strict=True):
            column.add(values)
    return found


def _values(to: Callable[[str], Any], column: tuple[str, ...]) -> Sequence[Any]:
    if to is str:
        return [text or None for text in column] if "" in column else column
    try:
        return list(map(to, column))
    except (KeyError, ValueError):  # an empty cell
        return [to(text) if text.strip() else None for text in column]


def _chunk(reader: Iterator[list[str]], most: int, lines: Lines[str]) -> Iterator[list[str]]:
    """Yield the next rows, up to `most`, fewer where they are long."""
    enough = lines.size + CHUNK_SIZE
    for row in islice(reader, most):
        yield row
        if lines.size > enough:
            return


@contextmanager
def _text(found: CsvFile) -> Iterator[Lines[str]]:
    with open_unpacked(found.file) as raw:
        yield Lines(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""), found.file)
