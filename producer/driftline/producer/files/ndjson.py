"""JSON: one object a line, or one array of objects.

NaN and Infinity, which are no JSON but are written, are read.
"""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from driftline.producer.errors import InputError
from driftline.producer.files.column_types import Chunks, Types
from driftline.producer.files.text_lines import (
    CHUNK_SIZE,
    Lines,
    count_lines,
    open_unpacked,
)
from driftline.producer.records.first_bytes import UTF8_MARK
from driftline.producer.records.mapping import finite_or_text
from driftline.producer.records.timestamp import format_time

_HEAD = 4_096  # bytes, which tell whether a file is an array
_SEPARATOR = b"\x1e"  # before each record of a sequence of JSON texts (RFC 7464)
_MANY = 10  # rows, at least, that make an object a table
_NO_TEXT = r"holds half of a surrogate pair (such as \ud83d), which is no text"
_LONGEST_ARRAY = 1_000_000_000  # bytes: it is held as a whole


def read(file: Path, chunk: int) -> Iterator[list[dict[str, Any]]]:
    """Yield chunks of up to `chunk` rows, fewer where they are long; empty lines are skipped.

    Raises:
        InputError: a line, or an element of the array, that is not a JSON object, or is too long;
            it is named by its number.
    """
    if _is_array(file):
        elements = _elements(file)
        for start in range(0, len(elements), chunk):
            part = enumerate(elements[start : start + chunk], start + 1)
            yield [_row_of(file, number, element) for number, element in part]
        return
    decode = msgspec.json.Decoder().decode
    rows: list[dict[str, Any]] = []
    handed_on = 0
    with open_unpacked(file) as stream:
        lines = Lines(stream, file)
        for number, line in enumerate(lines, 1):
            if number == 1:
                line = line.removeprefix(UTF8_MARK)
            line = line.lstrip(_SEPARATOR)
            if not line.strip():
                continue
            try:
                row = decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                row = _decode_loosely(line)
            if not isinstance(row, dict):
                raise InputError(f"{file}: line {number} {_problem(line)}")
            rows.append(row)
            if len(rows) == chunk or lines.size - handed_on > CHUNK_SIZE:
                yield rows
                rows, handed_on = [], lines.size
    if handed_on == 0 and len(rows) == 1 and (problem := _document(rows[0])):
        raise InputError(f"{file}: {problem}")
    if rows:
        yield rows


def count(file: Path) -> int | None:
    """Return the number of lines, which may be a few more than the rows; None of an array.

    Raises:
        InputError: a line is too long to be a row.
    """
    return None if _is_array(file) else count_lines(file)


def write(stream: BinaryIO, types: Types, chunks: Chunks) -> None:
    r"""Write rows, one a line; times as RFC 3339 in UTC, of a number that is not finite its name.

    >>> import io
    >>> stream = io.BytesIO()
    >>> write(stream, {"at": "time", "km": "number"}, [{"at": [0], "km": [float("nan")]}])
    >>> stream.getvalue()
    b'{"at":"1970-01-01T00:00:00Z","km":"NaN"}\n'
    """
    encoder = msgspec.json.Encoder()
    for chunk in chunks:
        columns = [
            [None if value is None else format_time(value) for value in chunk[name]]
            if kind == "time"
            else map(finite_or_text, chunk[name])
            for name, kind in types.items()
        ]
        rows = (dict(zip(types, row, strict=True)) for row in zip(*columns, strict=True))
        stream.write(encoder.encode_lines(list(rows)))


def _is_array(file: Path) -> bool:
    with open_unpacked(file) as stream:
        return stream.read(_HEAD).removeprefix(UTF8_MARK).lstrip().startswith(b"[")


def _elements(file: Path) -> list[msgspec.Raw]:
    """Return the elements of an array, each as its text."""
    with open_unpacked(file) as stream:
        text = stream.read(_LONGEST_ARRAY + 1)
    if len(text) > _LONGEST_ARRAY:
        most = _LONGEST_ARRAY // 1_000_000
        raise InputError(
            f"{file}: is one JSON array of more than {most:,} MB; write one event a line"
        )
    text = text.removeprefix(UTF8_MARK)
    try:
        return msgspec.json.decode(text, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return [msgspec.Raw(json.dumps(each).encode()) for each in json.loads(text)]
    except (ValueError, RecursionError) as error:
        where = (
            f"line {error.lineno:,}, column {error.colno:,}: {error.msg}"
            if isinstance(error, json.JSONDecodeError)
            else "the text is not as JSON has it"
        )
        raise InputError(
            f"{file}: begins as a JSON array and is none ({where}); write one array of events, or"
            " one event a line"
        ) from None


def _problem(line: bytes) -> str:
    """Return why a line is no object, and what to do."""
    try:
        text = line.decode().strip()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return "is not UTF-8 text; convert the file to UTF-8"
    if _is_object(line):
        return f"{_NO_TEXT}; leave it out"
    if text.startswith(("{'", '{"')) and text.endswith("}") and _is_python(text):
        return "is a dictionary of Python, not JSON; write each with json.dumps"
    if text.startswith("{") and text.endswith("},"):
        return "ends with a comma; write one event a line, without commas between, or one array"
    if text.startswith("{") and _begins_two(text):
        return "holds several objects; write each on one line (`jq -c .`), or one array"
    if text.startswith("{") and not text.endswith("}"):
        if line.endswith(b"\n"):
            return "is the begin of an object; write each on one line (`jq -c .`), or one array"
        return "ends within an object; copy the file again, or leave the line out"
    return "is not a JSON object; write one event a line"


def _is_object(text: bytes) -> bool:
    """Return whether a text that was refused is a JSON object all the same."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _begins_two(text: str) -> bool:
    """Return whether an object is followed by another one in the same line."""
    try:
        return text[json.JSONDecoder().raw_decode(text)[1] :].lstrip(" ,").startswith("{")
    except (ValueError, RecursionError):
        return False


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that Python does not know
            return isinstance(ast.literal_eval(text), dict)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False


def _document(row: dict[str, Any]) -> str | None:
    """Return what to do where the only object of a file holds rows or columns, and is none."""
    inner = {f"{k}.{i}": v for k, o in row.items() if isinstance(o, dict) for i, v in o.items()}
    for name, value in (row | inner).items():
        if (
            isinstance(value, list)
            and len(value) >= _MANY
            and all(isinstance(v, dict) for v in value)
        ):
            return f"is one object, whose {name!r} holds the rows; write these, as one array"
    held = list(row.values())
    keys = [list(each) for each in held if isinstance(each, dict)]
    sizes = [len(each) for each in held if isinstance(each, list)]
    alike = len(keys) == len(held) and all(len(each) >= _MANY and each == keys[0] for each in keys)
    if len(held) > 1 and (alike or (len(sizes) == len(held) and min(sizes) == max(sizes) >= _MANY)):
        return (
            "is one object of columns; write an object a row, in pandas"
            " to_json(orient='records', lines=True)"
        )
    if len(keys) == len(held) >= _MANY and all(each == keys[0] for each in keys):
        return (
            "is one object of rows; write these, as one array, in pandas to_json(orient='records')"
        )
    if {"columns", "data"} <= row.keys() and len(sizes) > 1:
        return (
            "is one object of columns and data; write an object a row, in pandas"
            " to_json(orient='records', lines=True)"
        )
    return None


def _row_of(file: Path, number: int, element: msgspec.Raw) -> dict[str, Any]:
    try:
        row = msgspec.json.decode(element)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        row = _decode_loosely(bytes(element))
    if not isinstance(row, dict):
        if _is_object(bytes(element)):
            raise InputError(f"{file}: element {number:,} of the array {_NO_TEXT}; leave it out")
        raise InputError(
            f"{file}: element {number:,} of the array is not a JSON object; write one event each"
        )
    return row


def _decode_loosely(line: bytes) -> Any:
    try:
        row = json.loads(line)
        msgspec.json.encode(row)  # refuses half surrogate pairs, which could not be sent
    except (ValueError, RecursionError):
        return None
    return row
