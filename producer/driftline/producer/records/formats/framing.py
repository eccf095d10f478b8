"""The frames that serializers put around a value: which schema it was written with."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from driftline.producer.errors import FormatError

SCHEMA_HEADER = "__value_schema_id"
"""The record header in which newer serializers name the schema."""

_BY_ID, _BY_GUID = 0, 1
_GLUE = (b"\x03\x00", b"\x03\x05")
_SINGLE_OBJECT = b"\xc3\x01"

SchemaId = int | str
"""An id of a Schema Registry, or a GUID."""

Headers = Iterable[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Frame:
    """What a frame says, and what is in it.

    Attributes:
        schema: of a Schema Registry; None where it names none of its own.
        data: the value without the frame.
        name: of the frame, as a text.
        indexes: where the frame is a header, the message indexes of Protobuf that follow there.
    """

    schema: SchemaId | None
    data: bytes
    name: str
    indexes: bytes = b""


def unframe(value: bytes, headers: Headers) -> Frame | None:
    r"""Return the frame of a value, None where it has none.

    A Schema Registry's is a zero byte and four bytes of an id, or a header with a GUID or an id.
    AWS Glue's (a version, a compression and sixteen bytes of an id) and the eight bytes of
    Avro's single objects name a schema that only a local file can hold.

    Raises:
        FormatError: the frame is cut off, or of a version that is not known.

    >>> unframe(b"\0\0\0\0\x2a{}", [])
    Frame(schema=42, data=b'{}', name='Schema Registry id 42', indexes=b'')
    """
    for name, content in headers:
        if name == SCHEMA_HEADER and content:
            schema, rest = _schema_of(content)
            return Frame(schema, value, f"Schema Registry GUID {schema}", rest)
    if value[:1] == b"\0":
        if len(value) < 5:
            raise FormatError("malformed", "the value begins as a Schema Registry's and is cut off")
        schema, rest = _schema_of(value)
        return Frame(schema, rest, f"Schema Registry id {schema}")
    if value[:2] in _GLUE and len(value) > 18:
        data = value[18:]
        if value[1] == 5:
            try:
                data = zlib.decompress(data)
            except zlib.error:
                raise FormatError(
                    "malformed", "the value begins as AWS Glue's and cannot be unpacked"
                ) from None
        return Frame(None, data, "AWS Glue Schema Registry")
    if value[:2] == _SINGLE_OBJECT and len(value) >= 10:
        return Frame(None, value[10:], "Avro single object")
    return None


def read_indexes(data: bytes) -> tuple[tuple[int, ...], bytes]:
    r"""Return where a Protobuf message stands in its file, and the bytes behind that.

    A single zero stands for the first message; else a number of indexes, then these, as zigzag
    varints: a message, then the one in it, and so on.

    Raises:
        FormatError: they are cut off, or no such indexes.

    >>> read_indexes(b"\0rest"), read_indexes(b"\x04\x02\0rest")
    (((0,), b'rest'), ((1, 0), b'rest'))
    """
    count, data = _varint(data)
    if count == 0:
        return (0,), data
    if not 0 < count <= 100:
        raise FormatError("malformed", "the message indexes of Protobuf are damaged")
    indexes = []
    for _ in range(count):
        index, data = _varint(data)
        indexes.append(index)
    return tuple(indexes), data


def _schema_of(data: bytes) -> tuple[SchemaId, bytes]:
    if data[0] == _BY_ID and len(data) >= 5:
        return int.from_bytes(data[1:5], "big"), data[5:]
    if data[0] == _BY_GUID and len(data) >= 17:
        return str(uuid.UUID(bytes=data[1:17])), data[17:]
    raise FormatError("malformed", f"the header {SCHEMA_HEADER} holds neither an id nor a GUID")


def _varint(data: bytes) -> tuple[int, bytes]:
    number = 0
    for place, byte in enumerate(data[:10]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), data[place + 1 :]
    raise FormatError("malformed", "the message indexes of Protobuf are cut off")
