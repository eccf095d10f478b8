"""Schemas of records: what a registry or a file says, compiled to what reads bytes with it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, Protocol

from driftline.producer.errors import SchemaError
from driftline.producer.records.formats.framing import SchemaId

SchemaType = Literal["AVRO", "PROTOBUF", "JSON"]


@dataclass(frozen=True)
class Schema:
    """A schema as text.

    Attributes:
        type: its language.
        text: the schema; of Protobuf the source, or the descriptor of the file in base64.
        references: what it imports, by the names that it uses; what those need comes first.
        message: the message of Protobuf that is meant; empty: the only one that no other holds.
    """

    type: SchemaType
    text: str
    references: Sequence[tuple[str, str]] = field(default_factory=tuple)
    message: str = ""


class SchemaSource(Protocol):
    """Where schemas are kept."""

    def find(self, schema: SchemaId) -> Schema | None:
        """Return a schema; None where there is no such.

        Raises whatever says that nobody answers: no record may be refused for that.
        """


Read = Callable[[bytes], tuple[Any, int]]
"""From bytes to what they hold, as JSON has it, and how many of them were read."""


def language(name: Literal["avro", "protobuf"]) -> Any:
    """Return the module that reads a language; it is imported where that is needed alone.

    Raises:
        MissingExtraError: the extra is not installed that it comes with.
    """
    return import_module(f"driftline.producer.records.formats.{name}")


@dataclass(frozen=True)
class Compiled:
    """A schema that was made ready.

    Attributes:
        type: its language.
        read: reads a value; of Protobuf, of a message given by its indexes, see `of`.
        of: of Protobuf, returns what reads another message of the file.
    """

    type: SchemaType
    read: Read
    of: Callable[[tuple[int, ...]], Read] | None = None


def compile_schema(schema: Schema) -> Compiled:
    """Make a schema ready.

    Raises:
        SchemaError: it is no such schema, or the extra that reads it is not installed.
    """
    if schema.type == "AVRO":
        return Compiled("AVRO", language("avro").reader(schema))
    if schema.type == "PROTOBUF":
        messages = language("protobuf").Messages(schema)
        return Compiled("PROTOBUF", messages.default, messages.of)
    return Compiled("JSON", lambda data: (data, len(data)))


def schema_of_file(name: str, content: bytes, message: str = "") -> Schema:
    """Return the schema that a file holds: `.avsc`, `.proto`, or descriptors of protoc.

    Raises:
        SchemaError: it is none of these.

    >>> schema_of_file("score.avsc", b'"string"').type
    'AVRO'
    """
    if name.endswith((".desc", ".pb", ".protoset", ".binpb")):
        return Schema("PROTOBUF", base64.b64encode(content).decode(), message=message)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SchemaError(f"{name} is not UTF-8; descriptors of protoc end in .desc") from None
    if name.endswith(".proto"):
        return Schema("PROTOBUF", text, message=message)
    if name.endswith((".avsc", ".json")):
        return Schema("AVRO", text)
    raise SchemaError(f"{name} is no schema by its name: it ends in .avsc, .proto or .desc")
