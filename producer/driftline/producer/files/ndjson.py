"""NDJSON: one JSON object a line. NaN and Infinity, which are no JSON but are written, are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from driftline.producer.errors import InputError
from driftline.producer.files.text_lines import (
    CHUNK_SIZE,
    Lines,
    count_lines,
    open_unpacked,
)


def read(file: Path, chunk: int) -> Iterator[list[dict[str, Any]]]:
    """Yield chunks of up to `chunk` rows, fewer where they are long; empty lines are skipped.

    Raises:
        InputError: a line that is not a JSON object, or is too long; it is named by its number.
    """
    decode = msgspec.json.Decoder().decode
    rows: list[dict[str, Any]] = []
    handed_on = 0
    with open_unpacked(file) as stream:
        lines = Lines(stream, file)
        for number, line in enumerate(lines, 1):
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            try:
                row = decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                row = _decode_loosely(line)
            if not isinstance(row, dict):
                raise InputError(
                    f"{file}: line {number} is not a JSON object; write one event a line"
                )
            rows.append(row)
            if len(rows) == chunk or lines.size - handed_on > CHUNK_SIZE:
                yield rows
                rows, handed_on = [], lines.size
    if rows:
        yield rows


def count(file: Path) -> int:
    """Return the number of lines, which may be a few more than the rows.

    Raises:
        InputError: a line is too long to be a row.
    """
    return count_lines(file)


def _decode_loosely(line: bytes) -> Any:
    try:
        row = json.loads(line)
        msgspec.json.encode(row)  # refuses half surrogate pairs, which could not be sent
    except (ValueError, RecursionError):
        return None
    return row
