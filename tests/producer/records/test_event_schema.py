"""The published schemas and the decoder accept the same records."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.consumer.sketch.event_ids import id_text
from driftline.consumer.sketch.exact import EventReader, read_row
from driftline.consumer.sketch.fields import EventFields
from driftline.consumer.sketch.labels import LabelReader
from driftline.consumer.wire.kinds import Reason
from driftline.detectors.counts import Feature, Layout
from driftline.producer.records.derived_values import numbers_in
from driftline.producer.records.event import Event, Label, event_schema, label_schema
from driftline.producer.records.event_fields import rename_aliases
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.timestamp import LATEST, parse_timestamp
from driftline.producer.records.values import INVALID

# Categories are the widest type: what is invalid as one is invalid as any other type, too.
NAMES = ("a", "b")
LAYOUT = Layout.of(
    [
        *(Feature(name, "categorical", np.zeros(0), ("x",)) for name in NAMES),
        Feature("prediction.score", "numeric", np.array([0.5])),
        Feature("prediction.label", "categorical", np.zeros(0), ("x",)),
    ]
)
MODEL = ModelSchema("m", LAYOUT, {"t": ("x",), "model_version": ("x",)}, ids=True)
FIELDS = EventFields.of(MODEL, Mapping())
NOW = LATEST  # so that no event is ahead of its record
EVENT, LABEL = (jsonschema.Draft202012Validator(s) for s in (event_schema(), label_schema()))

SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-9, 9) | st.text(max_size=3)
JUNK = SCALARS | st.lists(SCALARS, max_size=1) | st.dictionaries(st.sampled_from("ab"), SCALARS)
TIMES = st.sampled_from(
    ["2026-11-23T03:10:15Z", "2026-11-23", "1553644800", "soon", "2026-02-30", "", None]
    + [1553644800 * factor for factor in (1, 1.5, 10**3, 10**6, 10**9)]
    + [946684799, 946684800, 9214646399, 9214646400, 9.3e11, 9.5e11, 1e17, 2e18, 9.3e18, -1, True]
)


def mostly(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 9).flatmap(lambda i: JUNK if i == 0 else values)


NAMED = st.dictionaries(st.sampled_from(NAMES), mostly(SCALARS)) | st.sampled_from(
    ['{"a": 1}', "{} ", "{", "a"]
)
TAGS = st.dictionaries(st.just("t"), mostly(SCALARS))
OUTCOME = SCALARS | st.fixed_dictionaries(
    {}, optional={"label": mostly(SCALARS), "score": mostly(st.floats(0, 1) | st.none())}
)
IDS = st.sampled_from(["a", 7, 7.5, "", None])
EVENTS = {
    **dict.fromkeys(
        ("event_id", "prediction_id"), mostly(st.sampled_from(["a", 7, 7.5, "", None]))
    ),
    **dict.fromkeys(("features", "inputs"), mostly(NAMED)),
    **dict.fromkeys(("prediction", "outputs"), mostly(OUTCOME)),
    **dict.fromkeys(("actual", "target", "label", "ground_truth"), mostly(OUTCOME)),
    "timestamp": mostly(TIMES),
    "model": mostly(st.sampled_from(["m", "", None])),
    "model_version": mostly(SCALARS),
    "tags": mostly(TAGS),
    "more": JUNK,
}
RECORDS = st.fixed_dictionaries({}, optional=EVENTS)


DECODER = Decoder(Mapping(), [MODEL], 0, 10**6)
AMONG_EVENTS, ALONE = (
    LabelReader({"m": ("x", "y")}, Mapping(), o, 0, 10**6) for o in (True, False)
)


def encoded(record: dict[str, Any]) -> bytes:
    """Return a record; a model that is watched, because no other's records are looked at."""
    if isinstance(record.get("model"), str):
        record = {**record, "model": "m"}
    return json.dumps(record).encode()


def reasons(reader: LabelReader, value: bytes) -> set[Reason]:
    """Why a record is a dead letter of labels; which classes there are, the reference says."""
    _, rejected = reader.labels_of("m", reader.decode([value], [NOW]))
    return {bad.reason for bad in rejected} - {"unknown_class"}


def read_as_event(record: dict[str, Any]) -> bool:
    """Whether an event is read, and nothing in it is invalid whatever its feature is."""
    value = encoded(record)
    if DECODER.decode([value], [NOW]).rejected or reasons(AMONG_EVENTS, value):
        return False
    event = EventReader(Mapping()).read(record)
    if isinstance(event.get("features"), dict):
        named = event["features"].items()
        event["features"] = {k: "x" if is_vector(value) else value for k, value in named}
    given_id = event.get("event_id")
    return (
        INVALID not in read_row(FIELDS, event).doubles
        and (given_id is None or id_text(given_id) is not None)
        and truth_is_valid(event)
    )


def is_vector(value: object) -> bool:
    """Whether a value is what the field of a vector holds; the model of these tests has none."""
    return isinstance(value, list) and numbers_in(value, None) is not None


def read_as_label(record: dict[str, Any]) -> bool:
    return not reasons(ALONE, encoded(record)) and truth_is_valid(rename_aliases(record))


def truth_is_valid(record: dict[str, Any]) -> bool:
    """Whether neither part of the truth is what no class and no number can be."""
    actual = record.get("actual")
    parts = (actual.get(part) for part in ("label", "score")) if isinstance(actual, dict) else ()
    return not any(isinstance(part, list | dict) for part in parts)


def is_beyond(record: dict[str, Any]) -> bool:
    """Whether one of the things that no JSON Schema can say is what is wrong with a record."""
    texts = (record.get(name) for name in ("features", "inputs", "tags"))
    time = record.get("timestamp")
    return any(isinstance(text, str) and text[:1] == "{" for text in texts) or (
        isinstance(time, str) and parse_timestamp(time) is None
    )


def accepts(model: type[BaseModel], record: dict[str, Any]) -> bool:
    try:
        model.model_validate(record)
    except ValidationError:
        return False
    return True


@given(record=RECORDS)
@example(record={"features": None, "inputs": {"a": 1}})
@example(record={"inputs": None, "features": {"a": 1}})
@example(record={"prediction": None})
@example(record={"features": '{"a": [1]}'})
@example(record={"features": {"a": [1]}})
@example(record={"prediction": 1, "tags": [1]})
@example(record={"prediction": 1, "actual": {}})
@example(record={"prediction": 1, "model_version": True})
@settings(max_examples=100)
def test_events(record: dict[str, Any]) -> None:
    read = read_as_event(record)
    assert not read or EVENT.is_valid(record)
    if not is_beyond(record):
        assert read == EVENT.is_valid(record) == accepts(Event, record)


@given(record=RECORDS)
@example(record={"event_id": "a", "actual": {}})
@example(record={"event_id": "a", "actual": None, "target": 1})
@example(record={"prediction_id": 7, "ground_truth": {"score": "x"}})
@example(record={"event_id": "", "prediction_id": "a", "actual": 1})
@example(record={"event_id": True, "actual": {"label": None, "score": 0}})
@settings(max_examples=100)
def test_labels(record: dict[str, Any]) -> None:
    read = read_as_label(record)
    assert not read or LABEL.is_valid(record)
    if not is_beyond(record):
        assert read == LABEL.is_valid(record) == accepts(Label, record)


def test_the_schemas_are_schemas() -> None:
    for schema in (event_schema(), label_schema()):
        jsonschema.Draft202012Validator.check_schema(schema)
