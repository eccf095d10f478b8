"""docs/asyncapi.yaml is an AsyncAPI document, and says of records what they are."""

from __future__ import annotations

import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from tests.consumer.service.small import TOPIC, plan

from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import UnreadBatch
from driftline.consumer.log.topics import output_topics
from driftline.consumer.service.messages import cloud_event, dead_letter_message
from driftline.consumer.sketch.event_record import EventRecord
from driftline.consumer.sketch.totals import DeadLetter
from driftline.consumer.wire.records import Alert

from .pages import DOCS

TESTS = Path(__file__).parents[1]
DOCUMENT = yaml.safe_load((DOCS / "asyncapi.yaml").read_text("utf-8"))
EXAMPLES = json.loads((TESTS / "consumer" / "interface_examples.json").read_bytes())
INTERNAL = {"panes", "joins", "models", "state"}


def valid(part: str, record: Any) -> bool:
    """Whether something is valid by a part of the document, as draft 7 of JSON Schema has it."""
    schema = {"$ref": f"#/components/{part}", "components": DOCUMENT["components"]}
    return bool(jsonschema.Draft7Validator(schema).is_valid(record))


def test_it_is_an_asyncapi_document() -> None:
    packed = (TESTS / "data" / "asyncapi" / "schema-3.0.0.json.gz").read_bytes()
    with warnings.catch_warnings():  # it refers to parts by names that are no JSON pointers
        warnings.simplefilter("ignore", DeprecationWarning)
        validator = jsonschema.Draft7Validator(json.loads(gzip.decompress(packed)))
        assert not [error.message for error in validator.iter_errors(DOCUMENT)]
        wrong = {**DOCUMENT, "channels": {"a": {"adress": "t"}}}
        assert not validator.is_valid(wrong)


def references(part: Any) -> list[str]:
    if isinstance(part, list):
        return [each for inner in part for each in references(inner)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [each for inner in part.values() for each in references(inner)]


def test_every_reference_leads_somewhere() -> None:
    found = references(DOCUMENT)
    assert len(found) > 30
    for reference in found:
        part = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def test_every_topic_that_users_read_or_write_is_a_channel() -> None:
    topics = {spec.name.partition(".")[2] for spec in output_topics("driftline", 1, 0)}
    assert DOCUMENT["channels"].keys() == {"predictions", "labels", *topics - INTERNAL}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_valid(name: str) -> None:
    sort = "alert" if "alert_id" in EXAMPLES[name] else "verdict"
    assert valid(f"schemas/{sort}", EXAMPLES[name])
    assert not valid(f"schemas/{sort}", {**EXAMPLES[name], "model": 7})


def test_events_and_labels_are_told_apart() -> None:
    event, label = {"features": {"a": 1}}, {"event_id": "a", "ground_truth": 1}
    assert [valid("schemas/event", each) for each in (event, label)] == [True, False]
    assert [valid("schemas/label", each) for each in (event, label)] == [False, True]


def headers_of(message: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in message}


def test_headers_of_alerts() -> None:
    alert = json.dumps(next(each for each in EXAMPLES.values() if "alert_id" in each))
    headers = headers_of(cloud_event(msgspec.json.decode(alert, type=Alert), plan()))
    assert (
        headers.keys()
        == DOCUMENT["components"]["messages"]["alert"]["headers"]["properties"].keys()
    )
    assert valid("messages/alert/headers", headers)


def test_headers_of_dead_letters() -> None:
    record = MemoryRecord(TOPIC, 0, 7, 0, None, b"oops", ())
    packed = UnreadBatch(b"x", first=7, last=9, reason="too_large", detail="large")
    batch = MemoryRecord(TOPIC, 0, 9, 0, None, packed, ())
    keyed = MemoryRecord(TOPIC, 0, 7, 0, b"k" * 500_000, b"v" * 500_000, ())
    letters = [
        DeadLetter(record, "malformed", "no JSON"),
        DeadLetter(EventRecord(record, b"{}", 1), "schema", "no features"),
        DeadLetter(batch, "too_large", "large"),
        DeadLetter(keyed, "too_large", "large"),
    ]
    found = [headers_of(dead_letter_message(each, "letters", 1).headers) for each in letters]
    schema = DOCUMENT["components"]["messages"]["dead-letter"]["headers"]
    assert set().union(*found) == schema["properties"].keys()
    assert all(valid("messages/dead-letter/headers", headers) for headers in found)
    assert set(schema["required"]) == found[0].keys()
