"""Avro to JSON's values, by fastavro: it comes with the extra `avro` only."""

from __future__ import annotations

import io
import json
from typing import Any

from driftline.producer.errors import FormatError, MissingExtraError, SchemaError
from driftline.producer.records.formats.schemas import Read, Schema

try:
    import fastavro
except ImportError:
    raise MissingExtraError(
        'reading Avro needs the extra avro: pip install "driftline[avro]"'
    ) from None

CONTAINER = b"Obj\x01"
"""The first bytes of a file of Avro, which holds its schema."""


def reader(schema: Schema) -> Read:
    """Return what reads values that were written with a schema.

    Unions are the values in them, enumerations texts, times as Python has them.

    Raises:
        SchemaError: it is no Avro schema.

    >>> read = reader(Schema("AVRO", '{"type": "array", "items": "long"}'))
    >>> read(bytes([4, 2, 3, 0]))
    ([1, -2], 4)
    """
    known: dict[str, Any] = {}
    try:
        for _, text in schema.references:
            fastavro.parse_schema(json.loads(text), named_schemas=known)
        parsed = fastavro.parse_schema(json.loads(schema.text), named_schemas=known)
    except Exception as error:  # of many kinds
        raise SchemaError(f"the Avro schema cannot be used: {_line(error)}") from None

    def read(data: bytes) -> tuple[Any, int]:
        stream = io.BytesIO(data)
        try:
            value = fastavro.schemaless_reader(stream, parsed, None)
        except Exception as error:  # of many kinds, by what the bytes happen to say
            raise FormatError(
                "malformed",
                f"the value does not fit its Avro schema: {type(error).__name__}",
            ) from None
        return value, stream.tell()

    return read


def read_container(data: bytes) -> list[Any]:
    """Return the values of a whole Avro file, which holds its own schema.

    Raises:
        FormatError: it is damaged.
    """
    try:
        return list(fastavro.reader(io.BytesIO(data)))
    except Exception as error:  # as above
        raise FormatError(
            "malformed", f"the value is a damaged Avro file: {type(error).__name__}"
        ) from None


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__} {error}".split())[:200]
