"""Protobuf to JSON's values: it comes with the extra `protobuf` only.

Fields have the names of the schema. A field that may be left out, and is, is null; one that cannot
has its default value: on the wire both look alike, the schema tells them apart.
"""

from __future__ import annotations

import base64
import binascii
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from driftline.producer.errors import FormatError, MissingExtraError, SchemaError
from driftline.producer.records.formats.schemas import Read, Schema

try:
    import grpc_tools
    from google.protobuf import (
        any_pb2,
        descriptor_pb2,
        descriptor_pool,
        duration_pb2,
        empty_pb2,
        field_mask_pb2,
        message_factory,
        struct_pb2,
        timestamp_pb2,
        wrappers_pb2,
    )
    from google.protobuf.json_format import MessageToDict
    from grpc_tools import protoc
except ImportError:
    raise MissingExtraError(
        'reading Protobuf needs the extra protobuf: pip install "driftline[protobuf]"'
    ) from None

_KNOWN = (
    any_pb2, descriptor_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2,
    wrappers_pb2,
)  # fmt: skip
_PACKAGE = "google.protobuf."
_WRAPPERS = frozenset(f"{_PACKAGE}{name}" for name in wrappers_pb2.DESCRIPTOR.message_types_by_name)
_AS_JSON = frozenset(
    f"{_PACKAGE}{name}" for name in ("Timestamp", "Struct", "Value", "ListValue", "FieldMask")
)
_MAIN = "schema.proto"

_Convert = Callable[[Any], Any]


class Messages:
    """The messages of a Protobuf schema.

    Args:
        schema: source, or a descriptor in base64: of a file, or of a set of files.

    Raises:
        SchemaError: it is no Protobuf schema, or does not say which of several messages is meant.

    >>> source = 'syntax = "proto3"; message Score { string id = 1; double score = 2; }'
    >>> Messages(Schema("PROTOBUF", source)).default(bytes([10, 1, 97]))
    ({'id': 'a', 'score': 0.0}, 3)
    """

    def __init__(self, schema: Schema) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        self._converts: dict[str, _Convert] = {}
        files = _descriptors(schema)
        names = {file.name for file in files}
        for module in _KNOWN:
            if module.DESCRIPTOR.name not in names:
                known = descriptor_pb2.FileDescriptorProto()
                module.DESCRIPTOR.CopyToProto(known)
                self._pool.Add(known)
        try:
            for file in files:
                self._pool.Add(file)
            self._file = self._pool.FindFileByName(files[-1].name)
        except (TypeError, KeyError) as error:
            raise SchemaError(f"the Protobuf schema cannot be used: {error}") from None
        self._message = schema.message.removeprefix(f"{self._file.package}.")
        if self._message and self._message not in self._file.message_types_by_name:
            listed = ", ".join(self._file.message_types_by_name) or "none"
            text = f"the Protobuf schema has no message {schema.message}: it has {listed}"
            raise SchemaError(text)

    def default(self, data: bytes) -> tuple[Any, int]:
        """Read a value of the message that is meant; see `Schema.message`."""
        return self._read(self._meant(), data)

    def of(self, indexes: tuple[int, ...]) -> Read:
        """Return what reads values of the message at a place of the file.

        Raises:
            FormatError: there is no such message.
        """
        found = list(self._file.message_types_by_name.values())
        message: Any = None
        for index in indexes:
            if not 0 <= index < len(found):
                raise FormatError("malformed", "the schema has no message at the value's indexes")
            message = found[index]
            found = list(message.nested_types)
        return partial(self._read, message)

    def _meant(self) -> Any:
        messages = dict(self._file.message_types_by_name)
        if self._message:
            return messages[self._message]
        held = {
            field.message_type.full_name
            for message in messages.values()
            for field in message.fields
            if field.message_type not in (None, message)
        }
        free = [m for m in messages.values() if m.full_name not in held]
        if len(free) != 1:
            listed = ", ".join(m.name for m in free) or "none that no other holds"
            raise FormatError(
                "malformed", f"the schema has several messages ({listed}): name one with message"
            )
        return free[0]

    def _read(self, descriptor: Any, data: bytes) -> tuple[Any, int]:
        message = message_factory.GetMessageClass(descriptor)()
        try:
            message.ParseFromString(data)
        except Exception as error:  # its own, which the two bodies of the library name differently
            raise FormatError(
                "malformed",
                f"the value is no {descriptor.full_name} of Protobuf: {type(error).__name__}",
            ) from None
        return self._convert(descriptor)(message), len(data)

    def _convert(self, descriptor: Any) -> _Convert:
        """Return what turns a message of a type into a value; made once a type."""
        name = descriptor.full_name
        if name not in self._converts:
            self._converts[name] = lambda message: self._converts[name](
                message
            )  # it may hold itself
            self._converts[name] = self._make(descriptor)
        made: _Convert = self._converts[name]
        return made

    def _make(self, descriptor: Any) -> _Convert:
        name: str = descriptor.full_name
        if name in _WRAPPERS:
            return lambda message: message.value
        if name in _AS_JSON:
            to_dict: _Convert = MessageToDict
            return to_dict
        if name == f"{_PACKAGE}Duration":
            return lambda message: message.seconds + message.nanos / 1e9
        fields = [(field.name, self._field(field)) for field in descriptor.fields]
        return lambda message: {field: get(message) for field, get in fields}

    def _field(self, field: Any) -> _Convert:
        """Return what gets a field of a message as a value."""
        name, kind = field.name, field.message_type
        if kind is not None and kind.GetOptions().map_entry:
            convert = self._one(kind.fields_by_name["value"])
            return lambda message: {
                str(key): convert(value) for key, value in getattr(message, name).items()
            }
        convert = self._one(field)
        if field.is_repeated:
            return lambda message: list(map(convert, getattr(message, name)))
        if field.has_presence:
            return lambda message: (
                convert(getattr(message, name)) if message.HasField(name) else None
            )
        return lambda message: convert(getattr(message, name))

    def _one(self, field: Any) -> _Convert:
        if field.message_type is not None:
            return self._convert(field.message_type)
        if field.enum_type is not None:
            names = {v.number: v.name for v in field.enum_type.values}
            return lambda number: names.get(number, number)
        return lambda value: value


def _descriptors(schema: Schema) -> list[Any]:
    """Return the files of a schema, those that others need first.

    All of its texts are sources, or all are descriptors in base64.
    """
    described = _decoded(schema.text)
    if described is None:
        return _compile(schema)
    try:
        whole = descriptor_pb2.FileDescriptorSet.FromString(described)
        if whole.file and whole.file[-1].message_type:
            return [*whole.file]
    except Exception:  # noqa: S110 (it is the descriptor of one file then)
        pass
    return [_file(text, name) for name, text in [*schema.references, (_MAIN, schema.text)]]


def _file(text: str, name: str) -> Any:
    """Return a file by its descriptor, under the name by which others import it."""
    try:
        file = descriptor_pb2.FileDescriptorProto.FromString(_decoded(text) or b"")
    except Exception:
        raise SchemaError(f"the Protobuf schema {name} is no descriptor of a file") from None
    file.name = name
    return file


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _compile(schema: Schema) -> list[Any]:
    """Compile sources, in a folder of their own, with the compiler that comes with the extra."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in [*schema.references, (_MAIN, schema.text)]:
            place = (root / name).resolve()
            if not place.is_relative_to(root.resolve()):
                raise SchemaError(f"the Protobuf schema imports {name}, which is outside of it")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        included = Path(grpc_tools.__file__).parent / "_proto"
        out = root / "out.desc"
        arguments: Sequence[str] = (
            "protoc", f"-I{root}", f"-I{included}", "--include_imports",
            f"--descriptor_set_out={out}", _MAIN,
        )  # fmt: skip
        if protoc.main(list(arguments)) != 0:
            raise SchemaError("the Protobuf schema cannot be compiled; the compiler says why above")
        whole = descriptor_pb2.FileDescriptorSet()
        whole.ParseFromString(out.read_bytes())
        return [*whole.file]
