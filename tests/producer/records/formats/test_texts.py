"""What is said of records that are text, but no JSON object."""

from __future__ import annotations

import base64

import pytest

from driftline.producer.errors import FormatError
from driftline.producer.records.formats.json_text import parse_json
from driftline.producer.records.formats.reader import RecordForm, RecordReader

EVENT = b'{"event_id":"e1","prediction":0.5}'
READER = RecordReader(RecordForm(), None, 262_144)


@pytest.mark.parametrize("between", [b"\n", b"", b",", b"\n\x1e"])
def test_several_texts_in_a_record_are_told(between: bytes) -> None:
    with pytest.raises(FormatError) as refused:
        parse_json(between.join([EVENT, EVENT]))

    assert refused.value.detail == (
        "the value is several JSON texts, one behind the other: write them as one array, or one"
        " alone"
    )


@pytest.mark.parametrize("rest", [b"x", b"\0\0", b"}"])
def test_other_text_behind_an_object_is_no_second_one(rest: bytes) -> None:
    with pytest.raises(FormatError, match="not JSON: Extra data"):
        parse_json(EVENT + rest)


@pytest.mark.parametrize("blanks", [b"", b" \n"])
def test_an_empty_value_is_called_empty(blanks: bytes) -> None:
    with pytest.raises(FormatError, match="the value is empty"):
        READER.read(blanks, [])


def test_a_text_of_a_sequence_is_its_event() -> None:
    opened = READER.read(b"\x1e" + EVENT + b"\n", [])

    assert (opened.events, opened.form) == ([EVENT + b"\n"], "JSON, text sequence")


@pytest.mark.parametrize("text", [EVENT, b'{ "a": 1}', b'{\n  "a": 1}'])
def test_json_in_base64_is_told(text: bytes) -> None:
    with pytest.raises(FormatError, match="JSON in base64, which is not read: send the JSON"):
        READER.read(base64.b64encode(text), [])
