"""The published schema, and the models behind it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from driftline.producer.records.event import Event, Label, event_schema, label_schema
from driftline.producer.records.event_fields import (
    ALIASES,
    EVENT_FIELDS,
    rename_aliases,
    split_outcome,
)

FULL: dict[str, Any] = {
    "event_id": "a1",
    "timestamp": "2026-11-23T03:10:15.010Z",
    "model": "fraud-scorer",
    "model_version": "3.2",
    "features": {"amount": 12.5, "country": "DE", "age": None, "vip": False},
    "prediction": {"label": "fraud", "score": 0.93, "probabilities": {"fraud": 0.93, "ok": 0.07}},
    "actual": None,
    "tags": {"channel": "web"},
}


def test_the_example_of_the_conventions_is_an_event() -> None:
    assert Event.model_validate(FULL).model_dump() == FULL


@pytest.mark.parametrize(
    "record",
    [
        {"features": {"amount": 1}},
        {"features": {"embedding": [0.5, 1]}},
        {"prediction": 0.5},
        {"prediction": "fraud"},
        {"prediction": True, "unknown": [1, 2]},
        {"inputs": {"amount": 1}, "outputs": 0.5, "target": 1, "prediction_id": "x"},
        {"timestamp": 1553644800, "features": {}},
    ],
)
def test_small_events_are_events(record: dict[str, Any]) -> None:
    Event.model_validate(record)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"event_id": "a", "tags": {}},
        {"features": [1, 2]},
        {"features": {"amount": []}},
        {"features": {"amount": [1, "2"]}},
        {"features": {}, "tags": {"amount": [1]}},
        {"features": {"amount": float("nan")}},
        {"prediction": {"score": "high"}},
        {"prediction": [0.5]},
        {"features": {}, "timestamp": True},
        {"features": {}, "model": 3},
    ],
)
def test_what_is_no_event(record: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Event.model_validate(record)


def test_a_label_needs_an_event_and_a_truth() -> None:
    label = Label.model_validate({"prediction_id": "a1", "ground_truth": {"label": "ok"}})
    assert label.event_id == "a1"
    for record in ({"event_id": "a1"}, {"actual": 1}, {"event_id": "a1", "actual": None}):
        with pytest.raises(ValidationError):
            Label.model_validate(record)


def test_the_schemas_have_an_id_a_version_and_every_field() -> None:
    for schema, name in ((event_schema(), "event"), (label_schema(), "label")):
        assert schema["$id"] == f"urn:driftline:{name}:v1"
        assert schema["version"] == 1
        assert schema["$schema"].endswith("2020-12/schema")
    assert set(event_schema()["properties"]) == set(EVENT_FIELDS)
    properties = event_schema()["properties"]
    assert properties["features"]["anyOf"][0]["additionalProperties"]["anyOf"] == [
        {"type": ["boolean", "number", "string"]},
        {"items": {"type": "number"}, "minItems": 1, "type": "array"},
        {"type": "null"},
    ]  # fmt: skip
    assert not [name for name, field in properties.items() if not field.get("description")]


def test_the_native_name_wins_over_its_aliases() -> None:
    assert rename_aliases({"label": 1, "actual": 0, "target": 2}) == {"actual": 0}
    assert rename_aliases({"label": 1, "target": 2}) == {"actual": 2}
    for field, names in ALIASES.items():
        for name in names:
            assert rename_aliases({name: "x", "other": 1}) == {field: "x"}


@pytest.mark.parametrize("value", [None, [1], object()])
def test_what_is_no_outcome_has_no_parts(value: object) -> None:
    assert split_outcome(value) == {}
