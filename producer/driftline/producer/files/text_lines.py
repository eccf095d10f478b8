"""Text of a file, packed or not, in lines that end: a small `.gz` may unpack to gigabytes."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import IO, AnyStr, Generic, cast

from driftline.producer.errors import InputError

LONGEST_LINE = 8_000_000
"""Bytes, of text characters."""

BLOCK = 1 << 20
"""Characters of a CSV file that are read at once; many more do not fit a processor's cache."""

CHUNK_SIZE = 64_000_000
"""Bytes, of text characters, after which rows are handed on even if they are few."""


class Lines(Generic[AnyStr]):
    r"""Iterates over the lines of a stream.

    Args:
        stream: what is read.
        file: its name, for messages.

    Attributes:
        size: bytes, of text characters, read so far.

    Raises:
        InputError: a line is longer than `LONGEST_LINE`.

    >>> import io
    >>> lines = Lines(io.BytesIO(b"a\nbc"), Path("x.csv"))
    >>> list(lines), lines.size
    ([b'a\n', b'bc'], 4)
    """

    def __init__(self, stream: IO[AnyStr], file: Path) -> None:
        self.size = 0
        self._read: Callable[[int], AnyStr] = stream.readline
        self._file = file
        self._number = 0

    def __iter__(self) -> Lines[AnyStr]:
        return self

    def __next__(self) -> AnyStr:
        line = self._read(LONGEST_LINE + 1)
        if not line:
            raise StopIteration
        self._number += 1
        self.size += len(line)
        if len(line) > LONGEST_LINE:
            raise too_long(self._file, self._number)
        return line


def open_unpacked(file: Path) -> IO[bytes]:
    """Open a file's bytes, unpacked if its name ends in `.gz`."""
    if file.name.lower().endswith(".gz"):
        return cast(IO[bytes], gzip.open(file, "rb"))
    return file.open("rb")


def count_lines(file: Path) -> int:
    """Return the number of line breaks, and one more where the last line has none.

    Raises:
        InputError: a line is too long to be a row.
    """
    lines, last, since = 0, b"\n", 0
    with open_unpacked(file) as stream:
        while block := stream.read(1 << 20):
            lines += block.count(b"\n")
            last = block[-1:]
            end = max(block.rfind(b"\n"), block.rfind(b"\r"))
            since = since + len(block) if end < 0 else len(block) - end - 1
            if since > LONGEST_LINE:
                raise too_long(file, lines + 1)
    return lines + (last != b"\n")


def too_long(file: Path, number: int) -> InputError:
    """Return the error of a line, counted from 1, that is too long to be a row."""
    most = LONGEST_LINE // 1_000_000
    return InputError(
        f"{file}: line {number:,} is longer than {most} MB, so it is no row; write one event a line"
    )
