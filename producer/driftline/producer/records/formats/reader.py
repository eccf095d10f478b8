"""A record's bytes and headers to its events, as JSON: one step, for all who read topics.

What a value is, its first bytes say: JSON begins with a brace; before it may stand a byte order
mark, gzip, or the frame of a Schema Registry, which names the schema. One record may hold several
events: an array, rows of tensors. Each is given back as one JSON text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from driftline.producer.errors import FormatError, SchemaError
from driftline.producer.records.formats.framing import (
    SCHEMA_HEADER,
    Frame,
    Headers,
    SchemaId,
    read_indexes,
    unframe,
)
from driftline.producer.records.formats.json_text import elements, parse_json, to_json
from driftline.producer.records.formats.packing import foreign, unpack
from driftline.producer.records.formats.presets import PRESETS
from driftline.producer.records.formats.rows import Events
from driftline.producer.records.formats.schemas import (
    Compiled,
    Schema,
    SchemaSource,
    compile_schema,
    language,
)
from driftline.producer.records.formats.vectors import name_values

Format = Literal["auto", "json", "avro", "protobuf"]

MOST_EVENTS = 5_000
"""Events of one record that are read: what the join gets of a record has to fit a message."""

_CACHED = 1_000  # schemas; ids that a registry does not have are among them
_BASE64 = (b"eyJ", b"eyAi", b"ewog", b"ewoi")  # of {" and the like
_AVRO_FILE = b"Obj\x01"
_TEXTS_IN_TEXTS = 2


@dataclass(frozen=True)
class RecordForm:
    """How the records of a topic are written.

    Attributes:
        format: of values; `auto` tells it from the first bytes.
        schema: of values that name none themselves, or none that can be asked for.
        preset: what wrote the records, of `PRESETS`; None for events, or what fields are mapped of.
        names: of the values in arrays of features.
        topic: whose records they are.
        features: where the array of features stands; empty: native events.
    """

    format: Format = "auto"
    schema: Schema | None = None
    preset: str | None = None
    names: tuple[str, ...] = ()
    topic: str = "<topic>"
    features: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The key of the topic in the configuration."""
        return f"sources.{self.topic}"

    @property
    def is_plain(self) -> bool:
        """Whether a JSON object is read as it is."""
        return self.format in ("auto", "json") and self.preset is None and not self.names


@dataclass(frozen=True)
class Opened:
    """What was in a record.

    Attributes:
        events: one or more, as JSON; what is none as an error.
        form: how the record was written, in words.
        halves: of each event that has features alone `request`, that has a prediction alone
            `answer`, as far as a preset made them.
    """

    events: Sequence[bytes | FormatError]
    form: str
    halves: Sequence[str] = ()


@dataclass
class RecordReader:
    """Reads the records of one topic.

    Args:
        form: how they are written.
        schemas: where schemas are kept; None: nowhere.
        most_bytes: that a record may have, and what is unpacked of it.

    >>> reader = RecordReader(RecordForm(), None, 262_144)
    >>> reader.read(b'[{"event_id": 1}, {"event_id": 2}]', []).events
    [b'{"event_id": 1}', b'{"event_id": 2}']
    """

    form: RecordForm
    schemas: SchemaSource | None
    most_bytes: int
    _compiled: dict[SchemaId, Compiled | None] = field(default_factory=dict, init=False)
    _local: Compiled | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Make the schema of the configuration ready; raises SchemaError where it is none."""
        if self.form.format in ("avro", "protobuf"):
            language(self.form.format)
        schema = self.form.schema
        preset = PRESETS.get(self.form.preset or "")
        if schema is None and preset is not None and preset.message is not None:
            schema = preset.message(self.form.topic)
        if schema is not None:
            self._local = compile_schema(schema)

    def read(self, value: bytes, headers: Headers) -> Opened:
        """Return what is in a record.

        Raises:
            FormatError: it cannot be read.
        """
        headers = list(headers)
        if len(value) > self.most_bytes:
            text = f"{len(value)} bytes, at most {self.most_bytes} are read"
            raise FormatError("too_large", text)
        packed, around = unpack(value, self.most_bytes)
        if self._is_framed(packed, headers):
            content, name = self._framed(packed, headers)
        else:
            content, name = self._bare(packed)
        if isinstance(content, list) or (isinstance(content, bytes) and content[:1] == b"["):
            around.append("arrays")
        halves: Sequence[str] = ()
        if self.form.preset is None and not self.form.names:
            events = self._events(content)
        else:
            made = self._made(content, dict(headers))
            halves = [half for event in made if (half := _half(event))]
            events = [e if isinstance(e, FormatError) else to_json(e) for e in made]
        if not events:
            raise FormatError("schema", "the record is an array without an event in it")
        if isinstance(events[0], FormatError) and _are_one(events):
            raise events[0]
        if len(events) > MOST_EVENTS:
            text = f"the record holds {len(events)} events, at most {MOST_EVENTS} are read"
            raise FormatError("too_large", text)
        return Opened(events, ", ".join([name, *around]), halves)

    def _is_framed(self, packed: bytes, headers: Sequence[Any]) -> bool:
        """Tell whether a frame is to be looked for: raw values may begin with any byte."""
        if any(name == SCHEMA_HEADER and content for name, content in headers):
            return True
        return packed[:1] in (b"\0", b"\x03", b"\xc3")

    def _framed(self, packed: bytes, headers: Sequence[Any]) -> tuple[Any, str]:
        """Return what a framed value holds, and what it is."""
        try:
            frame = unframe(packed, headers)
        except FormatError:
            frame = None
            if self._local is None:
                raise
        if frame is None:
            return self._bare(packed)
        if self.form.format == "json":
            return self._json(frame.data), f"JSON, {frame.name}"
        if frame.schema is not None and self.schemas is not None:
            compiled = self._registered(frame.schema)
            if compiled is not None:
                if compiled.type == "JSON":
                    return self._json(frame.data), f"JSON, {frame.name}"
                return self._by_schema(
                    compiled, frame
                ), f"{_LANGUAGES[compiled.type]}, {frame.name}"
        if self._local is not None:
            return self._local_frame(self._local, packed, frame)
        if frame.data[:1] in (b"{", b"["):  # a serializer of JSON with a schema
            try:
                return self._json(frame.data), f"JSON, {frame.name}"
            except FormatError:
                pass
        raise FormatError("malformed", self._lacking(frame))

    def _lacking(self, frame: Frame) -> str:
        source = self.form.source
        if frame.schema is None:
            return (
                f"the value has the frame of {frame.name}: set {source}.format, and"
                f" {source}.schema to a file with its schema"
            )
        if self.schemas is None:
            return (
                f"the value has the frame of a {frame.name}, and is Avro or Protobuf:"
                f" set schema_registry.url, or {source}.format and {source}.schema"
            )
        return f"the Schema Registry has no schema of the value: {frame.name}"

    def _local_frame(self, local: Compiled, packed: bytes, frame: Frame) -> tuple[Any, str]:
        """Read with the schema of the configuration what seems to be framed, or is not."""
        try:
            return self._by_schema(local, frame), f"{_LANGUAGES[local.type]}, {frame.name}"
        except FormatError:
            if frame.data is packed:
                raise
        return self._raw(local, packed), _LANGUAGES[local.type]

    def _bare(self, packed: bytes) -> tuple[Any, str]:
        """Return what a value without a frame holds, and what it is."""
        if packed.startswith(_AVRO_FILE) and self.form.format in ("auto", "avro"):
            return language("avro").read_container(packed), "an Avro file"
        if self._local is not None and self.form.format != "auto":
            return self._raw(self._local, packed), _LANGUAGES[self._local.type]
        if packed.lstrip()[:1] in (b"{", b"[", b'"'):
            return self._json(packed), "JSON in a text" if packed.lstrip()[:1] == b'"' else "JSON"
        if self._local is not None:
            return self._raw(self._local, packed), _LANGUAGES[self._local.type]
        raise self._unknown(packed)

    def _unknown(self, packed: bytes) -> FormatError:
        if self.form.format in ("avro", "protobuf"):
            return FormatError(
                "malformed",
                f"the value has no frame of a Schema Registry: set {self.form.source}.schema to a"
                " file with its schema",
            )
        if (known := foreign(packed)) is not None:
            return known
        try:
            parse_json(packed)
        except FormatError as error:
            first = packed.lstrip()[:1]
            if packed.startswith(_BASE64):
                text = "the value is JSON in base64, which is not read: send the JSON itself"
                return FormatError("malformed", text)
            if not first or first.isalnum():  # text, if not of JSON
                return error
            return FormatError(
                "malformed",
                "the value is not JSON, and its first bytes name no other form: if it is Avro or"
                f" Protobuf, set {self.form.source}.format and {self.form.source}.schema",
            )
        return FormatError("malformed", "the value is JSON, but no object")

    def _by_schema(self, compiled: Compiled, frame: Frame) -> Any:
        """Read a framed value; of Protobuf the frame tells the message too."""
        read, data = compiled.read, frame.data
        if compiled.of is not None and frame.schema is not None:
            indexes, rest = read_indexes(frame.indexes or data)
            read, data = compiled.of(indexes), data if frame.indexes else rest
        return self._whole(read, data)

    def _raw(self, compiled: Compiled, data: bytes) -> Any:
        return self._whole(compiled.read, data)

    def _whole(self, read: Callable[[bytes], tuple[Any, int]], data: bytes) -> Any:
        value, used = read(data)
        if used != len(data):
            raise FormatError("malformed", "the value is longer than its schema says")
        if isinstance(value, str | bytes):  # a schema of one text, which holds JSON
            return self._json(value.encode() if isinstance(value, str) else value)
        return value

    def _registered(self, schema: SchemaId) -> Compiled | None:
        """Return a schema of the registry, asked for once; None where there is no such."""
        if schema not in self._compiled and self.schemas is not None:
            found = self.schemas.find(schema)
            try:
                compiled = None if found is None else compile_schema(found)
            except SchemaError as error:
                raise FormatError("malformed", f"schema {schema}: {error}") from None
            if len(self._compiled) >= _CACHED:
                self._compiled.clear()
            self._compiled[schema] = compiled
        return self._compiled[schema]

    def _json(self, text: bytes) -> bytes:
        """Return the JSON of a value: of a text that holds JSON, that."""
        for _ in range(_TEXTS_IN_TEXTS):
            text = text.lstrip(b" \t\r\n")
            if text[:1] != b'"':
                break
            inner = parse_json(text)
            begins = inner.lstrip()[:1] if isinstance(inner, str) else ""
            if begins not in ("{", "[", '"'):
                raise FormatError("malformed", "the value is text, not an object")
            text = inner.encode()
        if text[:1] not in (b"{", b"["):
            parse_json(text)
            raise FormatError("malformed", "the value is JSON, but no object")
        return text

    def _events(self, content: Any) -> Sequence[bytes | FormatError]:
        """Return the events of what a record holds: JSON as bytes, or values."""
        if not isinstance(content, bytes):
            return list(map(to_json, content if isinstance(content, list) else [content]))
        return [content] if content[:1] != b"[" else list(map(self._element, elements(content)))

    def _made(self, content: Any, headers: Mapping[str, bytes | None]) -> Events:
        """Return the events of a record whose shape has a name, or whose arrays have names."""
        if isinstance(content, bytes):
            content = parse_json(content)
        records = content if isinstance(content, list) and _holds_records(content) else [content]
        preset = PRESETS.get(self.form.preset or "")
        events: Events = []
        for record in records:
            try:
                if preset is None:
                    events.append(name_values(record, self.form.names, self.form.features))
                elif preset.events is None:
                    events.append(record)
                else:
                    events += preset.events(record, headers, self.form.names)
            except FormatError as error:
                events.append(error)
        return events

    def _element(self, text: bytes) -> bytes | FormatError:
        if text[:1] == b"{":
            return text
        wrong = "an element of the array is not an object"
        if text[:1] == b'"':
            try:
                return self._json(text)
            except FormatError as error:
                wrong = error.detail
        elif text[:1] in b"[-0123456789":
            wrong = f"the value is an array of values: name them with {self.form.source}.names"
        return FormatError("malformed", wrong, text)


_LANGUAGES = {"AVRO": "Avro", "PROTOBUF": "Protobuf", "JSON": "JSON"}


def _half(event: Any) -> str:
    """Return `request` of an event without an answer, `answer` of one without features."""
    if not isinstance(event, dict):
        return ""
    asks, answers = "features" in event, not event.keys().isdisjoint(("prediction", "response"))
    return "" if asks == answers else "request" if asks else "answer"


def _are_one(events: Sequence[bytes | FormatError]) -> bool:
    """Tell whether the same is wrong with all of a record: then it is wrong with the record."""
    details = {event.detail if isinstance(event, FormatError) else None for event in events}
    return len(details) == 1


def _holds_records(content: list[Any]) -> bool:
    """Tell whether an array holds records, and is not one: a vector of features."""
    return bool(content) and isinstance(content[0], dict | list)
