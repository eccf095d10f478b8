"""NDJSON: one JSON object a line. NaN and Infinity, which are no JSON but are written, are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from driftline.producer.errors import InputError


def read(stream: IO[bytes], file: Path, chunk: int) -> Iterator[list[dict[str, Any]]]:
    """Yield chunks of up to `chunk` rows; empty lines are skipped.

    Raises:
        InputError: a line that is not a JSON object; it is named by its number.
    """
    decode = msgspec.json.Decoder().decode
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(stream, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            row = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            row = _decode_loosely(line)
        if not isinstance(row, dict):
            raise InputError(f"{file}: line {number} is not a JSON object; write one event a line")
        rows.append(row)
        if len(rows) == chunk:
            yield rows
            rows = []
    if rows:
        yield rows


def _decode_loosely(line: bytes) -> Any:
    try:
        row = json.loads(line)
        msgspec.json.encode(row)  # refuses half surrogate pairs, which could not be sent
    except (ValueError, RecursionError):
        return None
    return row
