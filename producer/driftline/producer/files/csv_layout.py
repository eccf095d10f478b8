"""How a CSV file is written: its encoding, its separator and its header."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from driftline.producer.errors import InputError
from driftline.producer.files.text_lines import LONGEST_LINE, open_unpacked, too_long

SEPARATORS = ",;\t|"
_MOST_COLUMNS = 100_000
_SAMPLE = 1 << 18
_SAMPLE_LINES = 50
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Layout:
    """How a file is written.

    Attributes:
        encoding: of its text.
        separator: between the cells of a row.
        skipped: lines before the header.
        width: the number of cells in the header.
        names: the place of each column that is read, and its name.
        notes: what is not as usual, each a sentence.
    """

    encoding: str
    separator: str
    skipped: int
    width: int
    names: dict[int, str]
    notes: tuple[str, ...] = ()

    @contextmanager
    def open(self, file: Path) -> Iterator[TextIO]:
        """Open a file at the line of its header."""
        with open_unpacked(file) as raw:
            text = io.TextIOWrapper(raw, encoding=self.encoding, newline="")
            for _ in range(self.skipped):
                text.readline()
            yield text


def layout_of(file: Path) -> Layout:
    """Find out how a file is written, from its beginning.

    Raises:
        InputError: it has no usable header.
    """
    with open_unpacked(file) as raw:
        sample = raw.read(_SAMPLE)
    encoding = next(
        (name for mark, name in _BYTE_ORDER_MARKS.items() if sample.startswith(mark)), "utf-8"
    )
    text = sample.decode(encoding, "replace")
    lines = list(io.StringIO(text, newline=""))[: None if len(sample) < _SAMPLE else -1]
    skipped = 0
    while skipped < len(lines) and not lines[skipped].strip():
        skipped += 1
    separator = _separator(lines[skipped:])
    layout = Layout(encoding, separator, skipped, 0, {})
    with layout.open(file) as stream:
        head = list(_bounded(stream, file))
    if head and head[0].count(separator) >= _MOST_COLUMNS:
        raise InputError(f"{file}: has more than {_MOST_COLUMNS:,} columns; keep the model's own")
    csv.field_size_limit(LONGEST_LINE)
    header = next(csv.reader(head, delimiter=separator), [])
    names = _names([name.strip() for name in header], file)
    notes = [] if separator == "," else [f"separated by {_NAMED[separator]}"]
    return Layout(encoding, separator, skipped, len(header), names, tuple(notes))


_NAMED = {";": "semicolons", "\t": "tabs", "|": "`|`"}


def _bounded(stream: TextIO, file: Path) -> Iterator[str]:
    """Yield the lines of the header, the first and those that its quotes go on in."""
    quotes = 0
    for number in range(1, 1001):
        line = stream.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise too_long(file, number)
        yield line
        quotes += line.count('"')
        if quotes % 2 == 0:
            return


def _separator(lines: list[str]) -> str:
    """Return the separator that the rows have as many of as the header, outside of quotes."""
    plain = "".join("".join(lines).split('"')[::2])
    rows = [row for row in plain.splitlines()[:_SAMPLE_LINES] if row.strip()]
    if not rows:
        return ","

    def fit(separator: str) -> tuple[bool, float, int]:
        head = rows[0].count(separator)
        same = sum(row.count(separator) == head for row in rows) / len(rows)
        return head > 0, same, head

    return max(SEPARATORS, key=fit)


def _names(header: list[str], file: Path) -> dict[int, str]:
    times = Counter(header)
    for place, name in enumerate(header, 1):
        if not name:
            raise InputError(
                f"{file}: column {place} has no name; name it in the first line or leave it out"
            )
        if times[name] > 1:
            raise InputError(f"{file}: two columns are called {name}; rename one of them")
    return dict(enumerate(header))
