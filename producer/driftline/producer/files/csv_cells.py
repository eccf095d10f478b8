"""The cells of a CSV file, some thousand rows at a time, column by column.

Text whose quotes stand around whole cells is split in C at once: by Arrow where a file is large and
the extra `files` is there. All else goes through Python's reader. All give the same cells.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import TextIO

import numpy as np

from driftline.producer.errors import InputError
from driftline.producer.files.cells import Cells, ListCells
from driftline.producer.files.csv_layout import Layout
from driftline.producer.files.text_lines import BLOCK, LONGEST_LINE, too_long

LARGE = 1 << 21
"""Bytes of a file from which on it is worth the time to load Arrow."""

_BLANK = re.compile(r"\A\n|\n\n")
_FEW, _MOST_UNFIT = 5, 0.01
_END = "\0the end\n"


@dataclass(frozen=True)
class Block:
    """Some rows.

    Attributes:
        first: the place of the first in the file, from 0.
        rows: how many.
        columns: place to the cells of a column.
    """

    first: int
    rows: int
    columns: Mapping[int, Cells]


def blocks(file: Path, layout: Layout, places: Collection[int] | None = None) -> Iterator[Block]:
    """Yield the rows behind the header, if there is one; those of another length are left out.

    Args:
        file: the file.
        layout: how it is written.
        places: the columns that are needed; None for all.

    Raises:
        InputError: a line that is too long, or no CSV.
    """
    first = 0
    wanted = list(range(layout.width)) if places is None else sorted(places)
    split = _splitter(file)
    with layout.open(file) as stream:
        source = _Source(stream, file, layout)
        for text in source.texts():
            found = split(text, layout, wanted or [0])
            if found is not None:
                rows = len(next(iter(found.values())))
                yield Block(first, rows, found)
                first += rows
                continue
            for fits, run in groupby(source.rows(text), layout.fits):
                lines = list(run)
                if fits:
                    columns = list(zip(*lines, strict=True))
                    cells = {place: ListCells(columns[place]) for place in wanted}
                    yield Block(first, len(lines), cells)
                first += len(lines)


@dataclass(frozen=True)
class Survey:
    """What the rows behind the header are.

    Attributes:
        rows: how many.
        unfit: the place of each row of another length, from 0, and its first cells.
        footer: whether the last row is one of those; it is not among `unfit`, but in `rows`.
        headers: how many rows say the header again; they are not in `rows`.
    """

    rows: int
    unfit: Mapping[int, list[str]]
    footer: bool
    headers: int = 0


def survey(file: Path, layout: Layout) -> Survey:
    """Count the rows, and look at their lengths.

    Raises:
        InputError: a line is too long to be a row, most rows do not fit, or no CSV.
    """
    rows, unfit = 0, {}
    split = _splitter(file)
    with layout.open(file) as stream:
        source = _Source(stream, file, layout)
        for text in source.texts():
            if _has_width(text, layout) or split(text, layout, [0]) is not None:
                rows += text.count("\n")
                continue
            for row in source.rows(text):
                if not layout.fits(row):
                    unfit[rows] = row
                rows += 1
            if len(unfit) > _FEW and len(unfit) > _MOST_UNFIT * rows:
                raise _too_many(file, layout, unfit, rows)
    footer = rows - 1 in unfit and rows > len(unfit)
    if footer:
        del unfit[rows - 1]
    return Survey(rows, unfit, footer, source.headers)


def _too_many(file: Path, layout: Layout, unfit: Mapping[int, list[str]], rows: int) -> InputError:
    place, row = next(iter(unfit.items()))
    return InputError(
        f"{file}: {len(unfit):,} of {rows:,} rows have not as many cells as the header; the first,"
        f" row {place + 1:,}, begins with {row[0][:40]!r} and has {layout.length(row)};"
        " correct the rows"
    )


Split = Callable[[str, Layout, list[int]], Mapping[int, Cells] | None]
"""Gives some columns of a text; None if only Python's reader can split it."""


def _splitter(file: Path) -> Split:
    if file.stat().st_size < LARGE:
        return _with_ends(_split)
    try:
        from driftline.producer.files.arrow_cells import split
    except ModuleNotFoundError:
        return _with_ends(_split)

    def by_arrow(text: str, layout: Layout, places: list[int]) -> Mapping[int, Cells] | None:
        quoted = '"' in text
        if quoted and (layout.padded or not _quotes_are_plain(text, layout.separator)):
            return None
        return split(text, layout.separator, layout.width, places, quoted=quoted)

    return _with_ends(by_arrow)


def _with_ends(split: Split) -> Split:
    """Split no text in which something stands behind the separator that ends a row."""

    def ended(text: str, layout: Layout, places: list[int]) -> Mapping[int, Cells] | None:
        if not layout.ended:
            return split(text, layout, places)
        last = layout.width - 1
        found = split(text, layout, sorted({*places, last}))
        return None if found and any(map(str.strip, found[last].coded()[1])) else found

    return ended


def _has_width(text: str, layout: Layout) -> bool:
    """Whether a text without quotes has the same number of cells in every line."""
    if layout.ended or '"' in text or _BLANK.search(text):
        return False
    others = bytes(set(range(256)) - {ord(layout.separator), ord("\n")})
    line = layout.separator.encode() * (layout.width - 1) + b"\n"
    return text.encode().translate(None, others) == line * text.count("\n")


def _quotes_are_plain(text: str, separator: str) -> bool:
    r"""Whether quotes stand only around whole cells, none of which holds a line break.

    >>> [_quotes_are_plain(f"{row}\n", ",") for row in ('1,"a,b"', '5" tube', '"a ""b"" c"')]
    [True, False, False]
    """
    letters = np.frombuffer(text.encode(), np.uint8)
    quotes = np.flatnonzero(letters == ord('"'))
    opening, closing = quotes[::2], quotes[1::2]
    ends = np.zeros(256, bool)
    ends[[ord(separator), ord("\n")]] = True
    if len(opening) != len(closing) or not ends[letters[closing + 1]].all():
        return False
    if not ends[letters[opening[opening > 0] - 1]].all():
        return False
    breaks = np.flatnonzero(letters == ord("\n"))
    return not (np.searchsorted(quotes, breaks) % 2).any() and "\r" not in text


def _split(text: str, layout: Layout, places: list[int]) -> Mapping[int, Cells] | None:
    """Return the columns of text with a separator only between cells, and rows that all fit."""
    separator = layout.separator
    if '"' in text:
        if layout.padded or not _quotes_are_plain(text, separator):
            return None
        if separator in "".join(text.split('"')[1::2]):
            return None
        text = text.replace('"', "")
    if _BLANK.search(text):
        return None
    stride = layout.width + 1
    if layout.width == 1:
        return None if separator in text else {0: ListCells(text[:-1].split("\n"))}
    cells = text.replace("\n", f"{separator}\n{separator}").split(separator)
    cells.pop()  # behind the last line break
    ends = cells[layout.width :: stride]
    if len(cells) % stride or ends.count("\n") != len(ends):
        return None
    if len(ends) != text.count("\n"):
        return None
    return {place: ListCells(cells[place::stride]) for place in places}


class _Source:
    """The text behind the header, and the number of the line that is read.

    Attributes:
        headers: lines that say the header again, as where files were joined; they are left out.
    """

    def __init__(self, stream: TextIO, file: Path, layout: Layout) -> None:
        self._stream = stream
        self._file = file
        self._layout = layout
        reader = csv.reader(iter(stream.readline, ""), delimiter=layout.separator)
        if layout.headed:
            next(reader, None)
        self._line = layout.skipped + reader.line_num
        self.headers = 0
        self._again = re.compile(rf"^\ufeff?{re.escape(layout.head)}\r?\n", re.MULTILINE)
        self._padding = re.compile(f"{re.escape(layout.separator)} +")

    def texts(self) -> Iterator[str]:
        """Yield pieces that end with a line; without quotes, every line break is a newline."""
        while text := self._stream.read(BLOCK):
            if not text.endswith("\n"):
                end = len(text) - text.rfind("\n") - 1
                text += self._read_line(text.count("\n"), end)
            if "\r" in text and '"' not in text:
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            text = text if text.endswith(("\n", "\r")) else text + "\n"
            lines = text.count("\n")
            if self._layout.width > 1 and self._layout.head and self._layout.head in text:
                text, headers = self._again.subn("", text)
                self.headers += headers
            if self._layout.padded and '"' not in text:
                text = self._padding.sub(self._layout.separator, text)
            if text:
                yield text
            self._line += lines

    def rows(self, text: str) -> Iterator[list[str]]:
        """Yield the rows of a text but empty ones; one that its end cuts goes on behind it."""
        lines = list(io.StringIO(text, newline=""))
        reader = csv.reader(
            chain(lines, self._more(len(lines)), [_END]),
            delimiter=self._layout.separator,
            skipinitialspace=self._layout.padded,
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
