"""What stands around an event is taken off, whatever it is; what cannot be is named."""

from __future__ import annotations

import gzip
import io
import json
import struct
import uuid
import zlib
from functools import partial
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.errors import FormatError, MissingExtraError, SchemaError
from driftline.producer.records.formats.framing import SCHEMA_HEADER, SchemaId
from driftline.producer.records.formats.json_text import to_json
from driftline.producer.records.formats.reader import (
    MOST_EVENTS,
    Format,
    RecordForm,
    RecordReader,
)
from driftline.producer.records.formats.schemas import Schema, language, schema_of_file

# Without the time: a parameter's bytes name its test, and every process collects the same names.
zipped = partial(gzip.compress, mtime=0)
EVENT = b'{"event_id":"a","features":{"km":1.5},"prediction":0.25}'
GUID = "0d1b1f9c-6b5e-4d2a-9c55-0f0e1d2c3b4a"
AVRO = json.dumps(
    {
        "type": "record",
        "name": "Score",
        "fields": [
            {"name": "event_id", "type": "string"},
            {"name": "features", "type": {"type": "map", "values": ["null", "double"]}},
            {"name": "prediction", "type": "double"},
        ],
    }
)
PROTO = """
syntax = "proto3";
package shop;
message Outer { message Inner { double km = 1; } Inner features = 1; }
message Score { string event_id = 1; Outer.Inner features = 2; double prediction = 3; }
"""


class Schemas:
    """Schemas in a dictionary, which count how often they are asked for."""

    def __init__(self, known: dict[SchemaId, Schema]) -> None:
        self.known, self.asked = known, 0

    def find(self, schema: SchemaId) -> Schema | None:
        self.asked += 1
        return self.known.get(schema)


def avro(event: Any = None) -> bytes:
    out = io.BytesIO()
    event = event or {"event_id": "a", "features": {"km": 1.5}, "prediction": 0.25}
    fastavro.schemaless_writer(out, json.loads(AVRO), event)
    return out.getvalue()


# Score, by hand: field 1 "a", field 2 {km 1.5}, field 3 0.25.
PROTOBUF = b"\x0a\x01a\x12\x09\x09" + struct.pack("<d", 1.5) + b"\x19" + struct.pack("<d", 0.25)


def read(
    value: bytes, form: RecordForm | None = None, schemas: Schemas | None = None, **headers: bytes
) -> list[Any]:
    reader = RecordReader(form or RecordForm(topic="t"), schemas, 10_000)
    found = reader.read(value, list(headers.items())).events
    return [each if isinstance(each, FormatError) else json.loads(each) for each in found]


def refused(value: bytes, form: RecordForm | None = None, schemas: Any = None) -> FormatError:
    with pytest.raises(FormatError) as caught:
        read(value, form, schemas)
    return caught.value


def framed(data: bytes, schema: int = 42) -> bytes:
    return b"\0" + struct.pack(">I", schema) + data


@pytest.mark.parametrize(
    "value",
    [
        EVENT,
        b"\n\t " + EVENT,
        b"\xef\xbb\xbf" + EVENT,
        EVENT.decode().encode("utf-16"),
        zipped(EVENT),
        zipped(EVENT[:20]) + zipped(EVENT[20:]),
        zipped(b"\xef\xbb\xbf" + EVENT),
        json.dumps(EVENT.decode()).encode(),
        json.dumps(json.dumps(EVENT.decode())).encode(),
        framed(EVENT),
        b"[" + EVENT + b"]",
    ],
)
def test_json_is_found_in_what_stands_around_it(value: bytes) -> None:
    assert read(value) == [json.loads(EVENT)]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (EVENT, "JSON"),
        (b"[" + EVENT + b"]", "JSON, arrays"),
        (zipped(b"[" + EVENT + b"]"), "JSON, gzip, arrays"),
        (json.dumps(EVENT.decode()).encode(), "JSON in a text"),
        (framed(EVENT), "JSON, Schema Registry id 42"),
    ],
)
def test_the_form_is_named(value: bytes, form: str) -> None:
    assert RecordReader(RecordForm(), None, 10_000).read(value, []).form == form


@given(events=st.lists(st.dictionaries(st.text(), st.integers() | st.text()), min_size=1))
def test_an_array_holds_its_elements_as_they_are_written(events: list[dict[str, Any]]) -> None:
    texts = [json.dumps(event).encode() for event in events]
    opened = RecordReader(RecordForm(), None, 1 << 20).read(b"[" + b", ".join(texts) + b"]", [])
    assert opened.events == texts


def test_an_element_that_is_no_event_is_refused_alone() -> None:
    good, number, text, null = read(b"[" + EVENT + b', 3, "x", null]')
    assert good == json.loads(EVENT)
    assert (number.value, text.value, null.value) == (b"3", b'"x"', b"null")
    assert "sources.t.names" in number.detail


def test_numbers_that_are_not_finite_stay_apart_from_null() -> None:
    (event,) = read(b'[{"a": NaN, "b": Infinity, "c": null}]')
    assert event == {"a": "NaN", "b": "Infinity", "c": None}


@pytest.mark.parametrize(
    ("value", "reason", "names"),
    [
        (b"", "malformed", "is empty"),
        (b"[]", "schema", "without an event"),
        (b"[1, 2]", "malformed", "sources.t.names"),
        (b"3", "malformed", "no object"),
        (b'"hello"', "malformed", "text"),
        (b"oops", "malformed", "not JSON"),
        (b"\0\0\0\0", "malformed", "cut off"),
        (framed(struct.pack("<d", 2.0)), "malformed", "schema_registry.url"),
        (b"\x03\0" + bytes(16) + avro(), "malformed", "AWS Glue"),
        (b"\xc3\x01" + bytes(8) + avro(), "malformed", "Avro single object"),
        (b"\x28\xb5\x2f\xfd....", "malformed", "zstd"),
        (zlib.compress(EVENT), "malformed", "zlib"),
        (b"PAR1....", "malformed", "Parquet"),
        (b"\x80\x04K\x01.", "malformed", "pickle"),
        (b"<event/>", "malformed", "XML"),
        (b"\x0a\x01a", "malformed", "sources.t.format"),
        (b"\x1f\x8bnothing", "malformed", "gzip"),
        (zipped(EVENT)[:-9], "malformed", "gzip"),
        (b"\xff\xfeodd", "malformed", "UTF-16"),
        (zipped(bytes(20_000)), "too_large", "10000"),
        (b" " * 10_001, "too_large", "10001 bytes"),
        (b"[" + b"{}," * MOST_EVENTS + b"{}]", "too_large", "5001 events"),
    ],
)
def test_what_is_not_read_is_named(value: bytes, reason: str, names: str) -> None:
    most = 10_000 if len(value) <= 10_001 else 1 << 20
    with pytest.raises(FormatError, match=names) as caught:
        RecordReader(RecordForm(topic="t"), None, most).read(value, [])
    assert caught.value.reason == reason


@given(value=st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(value: bytes) -> None:
    schemas = Schemas({i: Schema("AVRO", AVRO) for i in range(3)})
    for form in (RecordForm(), RecordForm("avro", Schema("AVRO", AVRO))):
        try:
            found = RecordReader(form, schemas, 1_000).read(value, [])
        except FormatError:
            continue
        assert found.events


class TestSchemas:
    def test_a_schema_is_asked_for_once(self) -> None:
        schemas = Schemas({42: Schema("AVRO", AVRO)})
        reader = RecordReader(RecordForm(), schemas, 1_000)
        for _ in range(3):
            opened = reader.read(framed(avro()), [])
            assert json.loads(opened.events[0]) == json.loads(EVENT)  # type: ignore[arg-type]  # an event
            assert opened.form == "Avro, Schema Registry id 42"
        for _ in range(3):
            with pytest.raises(FormatError, match="has no schema"):
                reader.read(framed(avro(), 43), [])
        assert schemas.asked == 2

    def test_a_header_names_the_schema_by_its_guid(self) -> None:
        schemas = Schemas({GUID: Schema("AVRO", AVRO)})
        header = b"\1" + uuid.UUID(GUID).bytes
        assert read(avro(), None, schemas, **{SCHEMA_HEADER: header}) == [json.loads(EVENT)]

    def test_the_message_indexes_of_protobuf_are_read(self) -> None:
        schemas = Schemas({42: Schema("PROTOBUF", PROTO), GUID: Schema("PROTOBUF", PROTO)})
        assert read(framed(b"\x02\x02" + PROTOBUF), None, schemas) == [json.loads(EVENT)]
        inner = framed(b"\x04\0\0\x09" + struct.pack("<d", 2.5))
        assert read(inner, None, schemas) == [{"km": 2.5}]
        assert read(framed(b"\0"), None, schemas) == [{"features": None}]
        header = b"\1" + uuid.UUID(GUID).bytes + b"\x02\x02"
        assert read(PROTOBUF, None, schemas, **{SCHEMA_HEADER: header}) == [json.loads(EVENT)]
        assert "indexes" in refused(framed(b"\x02\x0e"), None, schemas).detail

    def test_json_with_a_schema_is_json(self) -> None:
        schemas = Schemas({42: Schema("JSON", "{}")})
        assert read(framed(EVENT), None, schemas) == [json.loads(EVENT)]
        assert read(framed(EVENT), RecordForm("json"), Schemas({})) == [json.loads(EVENT)]

    @pytest.mark.parametrize(
        "frame", [b"", framed(b""), b"\x03\0" + bytes(16), b"\xc3\x01" + bytes(8)]
    )
    def test_a_local_schema_reads_what_is_framed_and_what_is_not(self, frame: bytes) -> None:
        form = RecordForm("avro", schema_of_file("score.avsc", AVRO.encode()))
        assert read(frame + avro(), form) == [json.loads(EVENT)]

    def test_a_local_schema_of_protobuf(self) -> None:
        form = RecordForm("protobuf", schema_of_file("score.proto", PROTO.encode(), "shop.Score"))
        assert read(PROTOBUF, form) == [json.loads(EVENT)]
        assert "no shop.Score" in refused(b"\x0a\x05a", form).detail

    def test_a_file_of_avro_holds_its_own(self) -> None:
        out = io.BytesIO()
        rows = [{"event_id": str(i), "features": {}, "prediction": 0.5} for i in range(3)]
        fastavro.writer(out, json.loads(AVRO), rows)
        assert [event["event_id"] for event in read(out.getvalue())] == ["0", "1", "2"]

    def test_values_of_avro_are_those_of_json(self) -> None:
        schema = {
            "type": "record",
            "name": "R",
            "fields": [
                {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                {"name": "day", "type": {"type": "int", "logicalType": "date"}},
                {"name": "price", "type": {"type": "bytes", "logicalType": "decimal",
                                           "precision": 6, "scale": 2}},
                {"name": "kind", "type": {"type": "enum", "name": "K", "symbols": ["a", "b"]}},
                {"name": "none", "type": ["null", "double"]},
                {"name": "nan", "type": "double"},
            ],
        }  # fmt: skip
        value = struct.pack("B", 0x80) + b"\x01" + b"\x02" + b"\x04\x01\x00" + b"\x02" + b"\0"
        value += struct.pack("<d", float("nan"))
        form = RecordForm("avro", Schema("AVRO", json.dumps(schema)))
        assert read(value, form) == [
            {"at": "1970-01-01T00:00:00.064000Z", "day": "1970-01-02", "price": 2.56, "kind": "b",
             "none": None, "nan": "NaN"}
        ]  # fmt: skip

    def test_values_of_protobuf_are_those_of_json(self) -> None:
        source = """
            syntax = "proto3";
            import "google/protobuf/timestamp.proto";
            import "google/protobuf/wrappers.proto";
            import "google/protobuf/duration.proto";
            enum Kind { A = 0; B = 1; }
            message R {
              google.protobuf.Timestamp at = 1; google.protobuf.DoubleValue wrapped = 2;
              optional double given = 3; optional double left_out = 4; Kind kind = 5;
              repeated int64 many = 6; map<int32, double> named = 7; R inner = 8; int64 big = 9;
              google.protobuf.Duration took = 10; bytes raw = 11;
            }"""
        value = b"\x0a\x02\x08\x01" + b"\x12\x09\x09" + struct.pack("<d", 1.5)
        value += b"\x19" + bytes(8) + b"\x28\x01" + b"\x32\x02\x01\x02"
        value += b"\x3a\x0b\x08\x05\x11" + struct.pack("<d", 2.0) + b"\x48\x7f"
        value += b"\x52\x02\x08\x02" + b"\x5a\x01a"
        form = RecordForm("protobuf", Schema("PROTOBUF", source))
        assert read(value, form) == [
            {"at": "1970-01-01T00:00:01Z", "wrapped": 1.5, "given": 0.0, "left_out": None,
             "kind": "B", "many": [1, 2], "named": {"5": 2.0}, "inner": None, "big": 127,
             "took": 2.0, "raw": "YQ=="}
        ]  # fmt: skip

    def test_schemas_refer_to_others(self) -> None:
        inner = json.dumps(
            {"type": "record", "name": "In", "fields": [{"name": "a", "type": "int"}]}
        )
        outer = json.dumps(
            {"type": "record", "name": "Out", "fields": [{"name": "i", "type": "In"}]}
        )
        form = RecordForm("avro", Schema("AVRO", outer, (("In", inner),)))
        assert read(b"\x04", form) == [{"i": {"a": 2}}]
        imported = 'syntax = "proto3"; message In { int32 a = 1; }'
        source = 'syntax = "proto3"; import "in/in.proto"; message Out { In i = 1; }'
        form = RecordForm("protobuf", Schema("PROTOBUF", source, (("in/in.proto", imported),)))
        assert read(b"\x0a\x02\x08\x02", form) == [{"i": {"a": 2}}]

    @pytest.mark.parametrize(
        "schema",
        [
            Schema("AVRO", "{"),
            Schema("AVRO", '{"type": "nothing"}'),
            Schema("PROTOBUF", "message {"),
            Schema("PROTOBUF", "AAAA"),
            Schema("PROTOBUF", PROTO, message="Nothing"),
            Schema("PROTOBUF", PROTO, (("../up.proto", PROTO),)),
        ],
    )
    def test_what_is_no_schema_is_refused_at_the_start(self, schema: Schema) -> None:
        with pytest.raises(SchemaError):
            RecordReader(RecordForm("auto", schema), None, 1_000)

    def test_a_registered_schema_that_cannot_be_used_is_told_of_each_record(self) -> None:
        assert "schema 42" in refused(framed(b"a"), None, Schemas({42: Schema("AVRO", "{")})).detail

    def test_which_of_several_messages_is_asked(self) -> None:
        form = RecordForm("protobuf", Schema("PROTOBUF", PROTO))
        assert "Outer, Score" in refused(PROTOBUF, form).detail

    def test_a_value_longer_than_its_schema_is_refused(self) -> None:
        form = RecordForm("avro", Schema("AVRO", AVRO))
        assert "longer" in refused(avro() + b"x", form).detail

    def test_a_text_of_avro_may_hold_json(self) -> None:
        length = len(EVENT) * 2  # as a zigzag varint of two bytes
        value = bytes([length & 0x7F | 0x80, length >> 7]) + EVENT
        assert read(value, RecordForm("avro", Schema("AVRO", '"string"'))) == [json.loads(EVENT)]

    def test_without_a_schema_the_key_is_named(self) -> None:
        formats: tuple[Format, ...] = ("avro", "protobuf")
        for name in formats:
            assert "sources.t.schema" in refused(b"abc", RecordForm(name, topic="t")).detail

    @pytest.mark.parametrize("name", ["a.txt", "a.xsd"])
    def test_files_of_schemas_are_known_by_name(self, name: str) -> None:
        with pytest.raises(SchemaError, match=r"\.avsc, \.proto or \.desc"):
            schema_of_file(name, b"")


def test_without_the_extra_one_sentence_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for name, library in (("avro", "fastavro"), ("protobuf", "grpc_tools")):
        monkeypatch.delitem(sys.modules, f"driftline.producer.records.formats.{name}", False)
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(MissingExtraError, match=rf'pip install "driftline\[{name}\]"'):
            language(name)  # type: ignore[arg-type]  # one of both
        monkeypatch.delitem(sys.modules, f"driftline.producer.records.formats.{name}", False)


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(FormatError, match="JSON cannot hold"):
        to_json({"a": object()})


@pytest.mark.parametrize(
    ("form", "value", "event"),
    [
        (RecordForm(names=("age", "km")), {"features": [31, 2.5], "prediction": 1},
         {"features": {"age": 31, "km": 2.5}, "prediction": 1}),
        (RecordForm(names=("age", "km")), {"inputs": [31, 2.5]},
         {"inputs": {"age": 31, "km": 2.5}}),
        (RecordForm(names=("age", "prediction")), [31, 0.5],
         {"features": {"age": 31}, "prediction": 0.5}),
        (RecordForm(names=("age",), features=("body", "x")), {"body": {"x": [31], "y": 1}},
         {"body": {"x": {"age": 31}, "y": 1}}),
        (RecordForm(names=("age", "km"), features=("x",)), [31, 2], {"age": 31, "km": 2}),
        (RecordForm(names=("age",)), {"event_id": 1}, {"event_id": 1}),
    ],
)  # fmt: skip
def test_arrays_get_names(form: RecordForm, value: Any, event: Any) -> None:
    assert read(json.dumps(value).encode(), form) == [event]


def test_arrays_of_another_length_are_refused_alone() -> None:
    value = json.dumps([{"features": [1]}, {"features": [1, 2]}]).encode()
    good, wrong = read(value, RecordForm(names=("age",)))
    assert good == {"features": {"age": 1}}
    assert (wrong.reason, wrong.detail) == ("schema", "an array has 2 values, and names lists 1")
