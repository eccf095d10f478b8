"""The cells of a CSV file, some thousand rows at a time, column by column.

Text without a quote is split in C at once; what has quotes goes through Python's reader. Both give
the same cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import TextIO

from driftline.producer.errors import InputError
from driftline.producer.files.csv_layout import Layout
from driftline.producer.files.text_lines import LONGEST_LINE, too_long

BLOCK = 1 << 18
"""Characters that are read at once; with many more, a processor's cache no longer holds them."""

_BLANK = re.compile(r"\A\n|\n\n")
_FEW, _MOST_UNFIT = 5, 0.01
_END = "\0the end\n"


@dataclass(frozen=True)
class Block:
    """Some rows.

    Attributes:
        first: the place of the first in the file, from 0.
        rows: how many.
        columns: each column's cells.
    """

    first: int
    rows: int
    columns: Sequence[Sequence[str]]

    def cells(self, place: int) -> Sequence[str]:
        """Return the cells of the column at this place."""
        return self.columns[place]


def blocks(file: Path, layout: Layout) -> Iterator[Block]:
    """Yield the rows behind the header; those of another length are left out.

    Raises:
        InputError: a line that is too long, or no CSV.
    """
    first = 0
    with layout.open(file) as stream:
        source = _Source(stream, file, layout)
        for text in source.texts():
            columns = _split(text, layout)
            if columns is not None:
                yield Block(first, len(columns[0]), columns)
                first += len(columns[0])
                continue
            for fits, run in groupby(source.rows(text), lambda row: len(row) == layout.width):
                rows = list(run)
                if fits:
                    yield Block(first, len(rows), list(zip(*rows, strict=True)))
                first += len(rows)


@dataclass(frozen=True)
class Survey:
    """What the rows behind the header are.

    Attributes:
        rows: how many.
        unfit: the place of each row of another length, from 0, and its first cells.
        footer: whether the last row is one of those; it is not among `unfit`, but in `rows`.
    """

    rows: int
    unfit: Mapping[int, list[str]]
    footer: bool


def survey(file: Path, layout: Layout) -> Survey:
    """Count the rows, and look at their lengths.

    Raises:
        InputError: a line is too long to be a row, most rows do not fit, or no CSV.
    """
    rows, unfit = 0, {}
    others = bytes(set(range(256)) - {ord(layout.separator), ord("\n")})
    line = layout.separator.encode() * (layout.width - 1) + b"\n"
    with layout.open(file) as stream:
        source = _Source(stream, file, layout)
        for text in source.texts():
            lines = text.count("\n")
            plain = '"' not in text and not _BLANK.search(text)
            if plain and text.encode("utf-8", "replace").translate(None, others) == line * lines:
                rows += lines
                continue
            for row in source.rows(text):
                if len(row) != layout.width:
                    unfit[rows] = row
                rows += 1
            if len(unfit) > _FEW and len(unfit) > _MOST_UNFIT * rows:
                raise _too_many(file, layout, unfit, rows)
    footer = rows - 1 in unfit and rows > len(unfit)
    if footer:
        del unfit[rows - 1]
    return Survey(rows, unfit, footer)


def _too_many(file: Path, layout: Layout, unfit: Mapping[int, list[str]], rows: int) -> InputError:
    place, row = next(iter(unfit.items()))
    return InputError(
        f"{file}: {len(unfit):,} of {rows:,} rows have not as many cells as the header; the first,"
        f" row {place + 1:,}, begins with {row[0][:40]!r} and has {len(row)} cells, the header"
        f" {layout.width}; correct the rows"
    )


def _split(text: str, layout: Layout) -> list[list[str]] | None:
    """Return the columns of text without quotes; None if it has some, or not all rows fit."""
    if '"' in text or _BLANK.search(text):
        return None
    stride = layout.width + 1
    separator = layout.separator
    if layout.width == 1:
        return None if separator in text else [text[:-1].split("\n")]
    cells = text.replace("\n", f"{separator}\n{separator}").split(separator)
    cells.pop()  # behind the last line break
    ends = cells[layout.width :: stride]
    if len(cells) % stride or ends.count("\n") != len(ends):
        return None
    if len(ends) != text.count("\n"):
        return None
    return [cells[place::stride] for place in range(layout.width)]


class _Source:
    """The text behind the header, and the number of the line that is read."""

    def __init__(self, stream: TextIO, file: Path, layout: Layout) -> None:
        self._stream = stream
        self._file = file
        self._layout = layout
        reader = csv.reader(iter(stream.readline, ""), delimiter=layout.separator)
        next(reader, None)
        self._line = layout.skipped + reader.line_num

    def texts(self) -> Iterator[str]:
        """Yield pieces that end with a line; without quotes, every line break is a newline."""
        while text := self._stream.read(BLOCK):
            if not text.endswith("\n"):
                end = len(text) - text.rfind("\n") - 1
                text += self._read_line(text.count("\n"), end)
            if "\r" in text and '"' not in text:
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            yield text if text.endswith(("\n", "\r")) else text + "\n"
            self._line += text.count("\n")

    def rows(self, text: str) -> Iterator[list[str]]:
        """Yield the rows of a text but empty ones; one that its end cuts goes on behind it."""
        lines = list(io.StringIO(text, newline=""))
        reader = csv.reader(
            chain(lines, self._more(len(lines)), [_END]), delimiter=self._layout.separator
        )
        began = 1
        try:
            for row in reader:
                if row and row[-1].endswith(_END):
                    raise InputError(
                        f"{self._file}: the quote that opens in line {self._line + began:,} never"
                        " closes; correct the line"
                    )
                if row:
                    yield row
                if reader.line_num >= len(lines):
                    return
                began = reader.line_num + 1
        except csv.Error as error:
            raise InputError(
                f"{self._file}: line {self._line + reader.line_num} is not CSV ({error});"
                " correct the line"
            ) from error

    def _more(self, behind: int) -> Iterator[str]:
        while line := self._read_line(behind):
            behind += 1
            yield line

    def _read_line(self, behind: int, begun: int = 0) -> str:
        """Return the line that stands `behind` lines after this one, which has begun already."""
        line = self._stream.readline(LONGEST_LINE + 1)
        if begun + len(line) > LONGEST_LINE:
            raise too_long(self._file, self._line + behind + 1)
        return line
