"""How a CSV file is written: its encoding, its separator and its header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from driftline.producer.errors import InputError
from driftline.producer.files.csv_header import holds_values
from driftline.producer.files.csv_quotes import Unescaped, is_escaped, unescaped
from driftline.producer.files.text_lines import LONGEST_LINE, open_unpacked, too_long
from driftline.producer.records.number_text import plain_number

SEPARATORS = ",;\t|"
_RARE = "^~\x01\x1f "  # between cells where none of those is in the text
_NAMING = re.compile(r'"?sep=([,;|^~:\t ])"?\s*', re.IGNORECASE)  # Excel's first line
_MOST_COLUMNS = 100_000
_SAMPLE = 1 << 18
_SAMPLE_LINES = 50
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # which begins as UTF-16 does
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Layout:
    r"""How a file is written.

    Attributes:
        encoding: of its text.
        separator: between the cells of a row.
        skipped: lines before the header.
        width: the number of cells in the header.
        names: the place of each column that is read, and its name.
        notes: what is not as usual, each a sentence.
        head: the text of the line that names them; empty where the first line is a row.
        escaped: whether a quote inside of quotes is written `\"`, not `""`.
    """

    encoding: str
    separator: str
    skipped: int
    width: int
    names: dict[int, str]
    notes: tuple[str, ...] = ()
    head: str = ""
    escaped: bool = False

    @property
    def headed(self) -> bool:
        """Whether the first line names the columns; else it is a row."""
        return bool(self.head)

    @property
    def ended(self) -> bool:
        """Whether every row ends with a separator: then nothing may stand in its last cell."""
        return bool(self.names) and self.width - 1 not in self.names

    def fits(self, row: Sequence[str]) -> bool:
        """Return whether a row has the cells of the header."""
        return len(row) == self.width and not (self.ended and row[-1].strip())

    def length(self, row: Sequence[str]) -> str:
        """Return how long a row is that does not fit, and how long the header.

        >>> Layout("utf-8", ",", 0, 3, {0: "a", 1: "b"}).length(["1", "2", "3"])
        '3 cells, the header 2'
        """
        if not self.ended:
            return f"{len(row)} cells, the header {self.width}"
        cells = len(row) if row[-1].strip() else len(row) - 1
        if cells == self.width - 1:
            return f"{cells} cells, and no separator behind them"
        return f"{cells} cells, the header {self.width - 1}"

    @property
    def padded(self) -> bool:
        """Whether a blank stands behind every separator, as in `a, "b", c`."""
        blanks = self.head.count(f"{self.separator} ")
        return self.separator != " " and 0 < blanks == self.head.count(self.separator)

    @contextmanager
    def open(self, file: Path) -> Iterator[TextIO]:
        """Open a file at the line of its header, or its first row if it has none."""
        with open_unpacked(file) as raw:
            kind = Unescaped if self.escaped else io.TextIOWrapper
            text = kind(raw, encoding=self.encoding, newline="")
            for _ in range(self.skipped):
                text.readline()
            yield text


def layout_of(file: Path, encoding: str | None = None) -> Layout:
    """Find out how a file is written, from its beginning.

    Args:
        file: the file.
        encoding: of its text; None for UTF-8, or what a byte-order mark says.

    Raises:
        InputError: it has no usable header.
        UnicodeDecodeError: it has another encoding.
    """
    csv.field_size_limit(LONGEST_LINE)
    with open_unpacked(file) as raw:
        sample = raw.read(_SAMPLE)
    encoding = encoding or _encoding(sample)
    text = sample.decode(encoding, "replace")
    lines = list(io.StringIO(text, newline=""))[: None if len(sample) < _SAMPLE else -1]
    naming = _NAMING.fullmatch(lines[0]) if len(lines) > 1 else None
    begin = 0 if naming is None else 1
    escaped = is_escaped("".join(lines[begin:]))
    lines = list(map(unescaped, lines)) if escaped else lines
    separator = _separator(lines) if naming is None else naming[1]
    skipped = begin
    plain = ["".join(line.split('"')[::2]) for line in lines[:_SAMPLE_LINES]]
    rows = [line.count(separator) for line in plain]
    while skipped < len(lines) - 1 and _is_no_header(lines[skipped], rows[skipped:], separator):
        skipped += 1
    notes = [] if separator == "," else [f"separated by {_NAMED.get(separator, repr(separator))}"]
    if any(line.strip() for line in lines[begin:skipped]):
        many = (
            "line is no row, so it is"
            if skipped == 1
            else f"{skipped:,} lines are no rows, so they are"
        )
        notes.append(f"the first {many} left out")
    stream: TextIO
    with Layout(encoding, separator, skipped, 0, {}, escaped=escaped).open(file) as stream:
        head = list(_bounded(stream, file, skipped + 1))
        if head and head[0].count(separator) >= _MOST_COLUMNS:
            raise InputError(
                f"{file}: has more than {_MOST_COLUMNS:,} columns; keep the model's own"
            )
        header = next(csv.reader(head, delimiter=separator, skipinitialspace=True), [])
        first = next(
            csv.reader(_bounded(stream, file, skipped + len(head) + 1), delimiter=separator), []
        )
    next_rows = _cells(lines[skipped + len(head) :], separator)
    if holds_values(header, next_rows):
        names = {place: f"column_{place + 1}" for place in range(len(header))}
        notes.append(
            "the first line holds values, so it is a row, and the columns are called column_1 to"
            f" column_{len(names)}; write a line of names above it for others"
        )
        return Layout(
            encoding, separator, skipped, len(header), names, tuple(notes), escaped=escaped
        )
    header = [name.strip() for name in header]
    if len(header) > 1 and all(_IN_SINGLE.fullmatch(name) for name in header):
        notes.append(
            "names and cells stand in single quotes, which are taken as part of them; write double"
            " quotes, or none"
        )
    width = len(header)
    if width > 1 and len(first) == width + 1:
        width += 1
        long = [row for row in next_rows if len(row) == width]
        empty = bool(long) and not any(row[-1].strip() for row in long)
        begins = [row[0] for row in long]
        if not empty or _are_names(begins, header[0]):
            header = ["", *header]  # R does not name the rows' names
            notes += [_OR_ENDED] if empty else []
        else:
            notes.append(_ENDED + (_OR_NAMED if len(set(begins)) == len(begins) else ""))
    names = _names(header, file, notes)
    line = "".join(head).rstrip("\r\n")
    return Layout(encoding, separator, skipped, width, names, tuple(notes), line, escaped)


_ENDED = "every row ends with a separator, which is left out"
_OR_NAMED = "; if the first cells are the rows' names instead, begin the header with one too"
_OR_ENDED = (
    "rows have one cell more than the header, so the first cells are taken as the rows' names, and"
    " the last column is empty; if rows end with a separator instead, end the header with one too"
)
_ID = re.compile(r"(.*[^A-Za-z])?(?i:id|uuid|guid)|.*[a-z](Id|ID)")


def _are_names(cells: list[str], name: str) -> bool:
    """Whether first cells name or number their rows, so that they are no values of a column.

    Args:
        cells: the first of every row.
        name: the first in the header; below the name of an id cells that differ are its values.
    """
    if _ID.fullmatch(name):
        return False
    numbers = [plain_number(cell) for cell in cells]
    if any(numbers == [*range(first, first + len(cells))] for first in (0, 1)):
        return True
    return all(cells) and numbers.count(None) == len(cells) == len(set(cells))


def _encoding(sample: bytes) -> str:
    for mark, name in _BYTE_ORDER_MARKS.items():
        if sample.startswith(mark):
            return name
    if sample[1::2].count(0) > len(sample) / 5:
        return "utf-16-le"
    return "utf-16-be" if sample[::2].count(0) > len(sample) / 5 else "utf-8"


def _cells(lines: list[str], separator: str) -> list[list[str]]:
    """Return the cells of the first rows."""
    with suppress(csv.Error):  # which is named where all rows are read
        return list(islice(csv.reader(lines, delimiter=separator), _SAMPLE_LINES))
    return []


def _is_no_header(line: str, separators: list[int], separator: str) -> bool:
    """Whether a line stands before the header: it is empty, a comment, a title or counts.

    Args:
        line: the line.
        separators: how many are in it, and in each of the next.
        separator: between cells.
    """
    if not line.strip():
        return True
    if line.count('"') % 2:  # a name goes on in the next line
        return False
    usual = Counter(separators[1:]).most_common(1)
    if line.startswith("#"):
        # The last such line may be the header: then it has as many names as the rows have cells.
        named = line[1:2].strip() and usual and separators[0] == usual[0][0] > 0
        return not named
    if not usual or separators[0] >= usual[0][0]:
        return False
    # Of the rows, and other figures: every row has more cells, by more than the name of an index.
    counts = separators[0] < usual[0][0] - 1 and usual[0][1] == len(separators) - 1 > 1
    return separators[0] == 0 or (counts and plain_number(line.split(separator)[0]) is not None)


_IN_SINGLE = re.compile(r"'[^']*'")
_DECIMAL_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9])")
_NAMED = {
    ",": "a comma",
    ";": "semicolons",
    "\t": "tabs",
    " ": "blanks",
    "|": "`|`",
    "^": "`^`",
    "~": "`~`",
}


def _bounded(stream: TextIO, file: Path, first: int) -> Iterator[str]:
    """Yield the lines of one row, whose first has this number."""
    quotes = 0
    for number in range(first, first + 1_000):
        line = stream.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise too_long(file, number)
        yield line
        quotes += line.count('"')
        if quotes % 2 == 0:
            return


def _separator(lines: list[str]) -> str:
    """Return the separator that most rows have as many of, outside of quotes."""
    plain = "".join("".join(lines).split('"')[::2])
    rows = [row for row in io.StringIO(plain, newline="") if row.strip()][:_SAMPLE_LINES]
    if all(";" in row or "\t" in row for row in rows):
        rows = [_DECIMAL_COMMA.sub(".", row) for row in rows]

    def fit(separator: str) -> tuple[bool, bool, float, int]:
        found = Counter(row.count(separator) for row in rows if not row.startswith("#"))
        most, same = found.most_common(1)[0] if found else (0, 0)
        named = most > 0 and rows[0].count(separator) in (most, most - 1, 0)
        return named, most > 0, same, most

    best = max(SEPARATORS, key=fit)
    if any(best in row for row in rows):
        return best
    # None of them is anywhere: the sign that every line has as many of, blanks at least two.
    for rare in _RARE:
        counts = {row.count(rare) for row in rows if not row.startswith("#")}
        if len(rows) > 1 and len(counts) == 1 and min(counts) > (rare == " "):
            return rare
    return best


def _names(header: list[str], file: Path, notes: list[str]) -> dict[int, str]:
    """Return the columns that are read; what has no name gets one, but the rows' numbers."""
    for name, times in Counter(filter(None, header)).items():
        if times > 1:
            raise InputError(f"{file}: two columns are called {name}; {_advice(name)}")
    names = {}
    for place, name in enumerate(header):
        if name:
            names[place] = name
        elif place == 0 and len(header) > 1:
            notes.append("the first column has no name, so it is left out as the rows' numbers")
        elif any(header):
            names[place] = f"column_{place + 1}"
            while names[place] in header:
                names[place] += "_"
            notes.append(f"column {place + 1} has no name, so it is called {names[place]}")
    return names


def _advice(name: str) -> str:
    """Return what to do about a name that comes twice; names that are numbers may be values."""
    if name.replace(".", "", 1).lstrip("-").isdigit():
        return "if the first line holds values, write a line of names above it"
    return "rename one of them"
