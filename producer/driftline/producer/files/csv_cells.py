"""The cells of a CSV file, some thousand rows at a time, column by column.

Text without a quote is split in C at once; what has quotes goes through Python's reader. Both give
the same cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TextIO

from driftline.producer.errors import InputError
from driftline.producer.files.csv_layout import Layout
from driftline.producer.files.text_lines import LONGEST_LINE, too_long

BLOCK = 1 << 18
"""Characters that are read at once; with many more, a processor's cache no longer holds them."""

_BLANK = re.compile(r"\A\n|\n\n")
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
    """Yield the rows behind the header.

    Raises:
        InputError: a row of another length than the header, a line that is too long, or no CSV.
    """
    first = 0
    with layout.open(file) as stream:
        source = _Source(stream, file, layout)
        for text in source.texts():
            columns = _split(text, layout) or source.parse(text)
            if columns and columns[0]:
                yield Block(first, len(columns[0]), columns)
                first += len(columns[0])


def count_rows(file: Path, layout: Layout) -> int:
    """Return the number of rows behind the header, as `blocks` yields them.

    Raises:
        InputError: a line is too long to be a row, or no CSV.
    """
    rows = 0
    with layout.open(file) as stream:
        source = _Source(stream, file, layout)
        for text in source.texts():
            if '"' in text or _BLANK.search(text):
                rows += sum(map(bool, source.rows(text)))
            else:
                rows += text.count("\n")
    return rows


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

    def parse(self, text: str) -> list[tuple[str, ...]]:
        """Return the columns of a text, and of what its last row has behind its end."""
        width = self._layout.width
        rows = [row for row in self.rows(text) if row]
        if set(map(len, rows)) - {width}:
            for row in rows:
                if len(row) != width:
                    raise InputError(
                        f"{self._file}: the row that begins with {row[0][:40]!r} has {len(row)}"
                        f" cells, the header {width}; correct the row"
                    )
        return list(zip(*rows, strict=True))

    def rows(self, text: str) -> Iterator[list[str]]:
        """Yield the rows of a text, empty ones too; one that its end cuts goes on behind it."""
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
        """Return the line so many lines behind the present one, which has begun already."""
        line = self._stream.readline(LONGEST_LINE + 1)
        if begun + len(line) > LONGEST_LINE:
            raise too_long(self._file, self._line + behind + 1)
        return line
