"""CSV as it is written: commas or tabs between cells, nothing in the cell of a missing value."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, BinaryIO

from driftline.producer.files.column_types import Chunks, Types
from driftline.producer.records.timestamp import format_time


def write(stream: BinaryIO, types: Types, chunks: Chunks) -> None:
    r"""Write columns with a header; times as RFC 3339 in UTC, booleans and lists as JSON.

    >>> import io
    >>> stream = io.BytesIO()
    >>> write(stream, {"at": "time", "ok": "boolean"}, [{"at": [0, 1], "ok": [True, None]}])
    >>> stream.getvalue()
    b'at,ok\n1970-01-01T00:00:00Z,true\n1970-01-01T00:00:00.001Z,\n'
    """
    _write(stream, types, chunks, ",")


def write_tabs(stream: BinaryIO, types: Types, chunks: Chunks) -> None:
    """Write the same with a tab between cells."""
    _write(stream, types, chunks, "\t")


def _write(stream: BinaryIO, types: Types, chunks: Chunks, between: str) -> None:
    text = io.TextIOWrapper(stream, "utf-8", newline="", write_through=True)
    writer = csv.writer(text, delimiter=between, lineterminator="\n")
    writer.writerow(types)
    for chunk in chunks:
        columns = [_cells(chunk[name], kind) for name, kind in types.items()]
        writer.writerows(zip(*columns, strict=True))
    text.detach()


def _cells(values: Any, kind: str) -> Any:
    if kind == "time":
        return [None if value is None else format_time(value) for value in values]
    if kind == "boolean":
        return [None if value is None else "true" if value else "false" for value in values]
    if kind == "numbers":
        return [None if value is None else json.dumps(value) for value in values]
    return values
