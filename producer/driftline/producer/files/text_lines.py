"""Lines of a file, none without an end: a small `.gz` may unpack to one line of gigabytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, AnyStr, Generic

from driftline.producer.errors import InputError

LONGEST_LINE = 8_000_000
"""Bytes, of text characters."""

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


def too_long(file: Path, number: int) -> InputError:
    """Return the error of a line, counted from 1, that is too long to be a row."""
    most = LONGEST_LINE // 1_000_000
    return InputError(
        f"{file}: line {number:,} is longer than {most} MB, so it is no row; write one event a line"
    )
