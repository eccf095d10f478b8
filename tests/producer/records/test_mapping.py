"""Records to events, and the sentences for mappings that cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.errors import MappingError
from driftline.producer.records.event_fields import EVENT_FIELDS
from driftline.producer.records.mapping import Constant, Mapping, parse_path, quote_name
from driftline.producer.records.time_form import TimeForm


def test_a_native_event_stays_as_it_is() -> None:
    event = {
        "event_id": "a",
        "timestamp": 1553644800,
        "model": "m",
        "features": {"x": 1, "y": None},
        "prediction": {"score": 0.5},
        "tags": {"channel": "web"},
    }
    mapping = Mapping.native()
    assert mapping.to_event(event) == event
    assert mapping.is_native
    assert not mapping.wildcard
    assert mapping.paths() == {name: (name,) for name in EVENT_FIELDS}


def test_native_aliases_and_unknown_fields() -> None:
    record = {"inputs": {"x": 1}, "outputs": 0.5, "ground_truth": 1, "prediction_id": 7, "debug": 1}
    assert Mapping.native().to_event(record) == {
        "event_id": 7,
        "features": {"x": 1},
        "prediction": 0.5,
        "actual": 1,
    }


def test_flat_rows() -> None:
    mapping = Mapping(
        {
            "event_id": "request_id",
            "timestamp": "ts",
            "prediction.score": "price",
            "tags.country": "market",
            "features": "*",
        },
        TimeForm("ms"),
    )
    row = {"request_id": "r", "ts": 1553644800123, "price": 9.5, "market": "DE", "km": 1, "c": None}
    assert mapping.to_event(row) == {
        "event_id": "r",
        "timestamp": 1553644800123,
        "prediction": {"score": 9.5},
        "tags": {"country": "DE"},
        "features": {"km": 1, "c": None},
    }
    assert mapping.wildcard
    assert mapping.used() == {"request_id", "ts", "price", "market"}
    assert "features" not in mapping.paths()


def test_nested_records() -> None:
    mapping = Mapping(
        {
            "timestamp": "meta.time",
            "features": "request.inputs",
            "features.age": "customer.age",
            "prediction": "response",
            "tags": "meta.tags",
            "tags.region": "meta.region",
        }
    )
    record = {
        "meta": {"time": "2019-03-27", "tags": {"channel": "web"}, "region": "eu"},
        "request": {"inputs": {"x": 1, "age": -1}},
        "customer": {"age": 30},
        "response": {"label": "ok"},
    }
    expected = {
        "timestamp": "2019-03-27",
        "features": {"x": 1, "age": 30},
        "prediction": {"label": "ok"},
        "tags": {"channel": "web", "region": "eu"},
    }
    assert mapping.to_event(record) == expected
    reverse = Mapping(dict(reversed(mapping.fields.items())))
    assert reverse.to_event(record) == expected


def test_the_wildcard_leaves_out_what_a_nested_path_reads() -> None:
    mapping = Mapping({"prediction.score": "out.score", "features.age": "who.age", "features": "*"})
    record = {"out": {"score": 1, "debug": 2}, "who": {"age": 3}, "km": 4}
    assert mapping.to_event(record)["features"] == {"km": 4, "age": 3}


def test_constants() -> None:
    mapping = Mapping.from_config(
        {"model": {"value": "price"}, "tags.source": {"value": 1}, "features": "f"}
    )
    assert mapping.to_event({"f": {"x": 1}}) == {
        "model": "price",
        "tags": {"source": 1},
        "features": {"x": 1},
    }
    assert mapping.paths()["model"] == Constant("price")
    assert mapping.used() == {"f"}


def test_absent_and_null_stay_apart() -> None:
    mapping = Mapping({"features.a": "a", "features.b": "b.c", "prediction.score": "s"})
    assert mapping.to_event({"a": None, "b": 3}) == {"features": {"a": None}}
    assert mapping.to_event({"s": None, "b": {"c": None}}) == {
        "features": {"b": None},
        "prediction": {"score": None},
    }


def test_a_features_object_that_is_none_is_kept_for_the_monitor_to_refuse() -> None:
    mapping = Mapping({"features": "f", "features.a": "a"})
    assert mapping.to_event({"f": "broken", "a": 1})["features"] == "broken"


def test_numbers_that_json_does_not_have_become_text() -> None:
    nan, inf = float("nan"), float("inf")
    mapping = Mapping({"prediction.score": "s", "actual": "t", "features": "*"})
    event = mapping.to_event({"s": nan, "t": inf, "a": -inf, "b": nan, "c": 1.5})
    assert event == {
        "prediction": {"score": "NaN"},
        "actual": "Infinity",
        "features": {"a": "-Infinity", "b": "NaN", "c": 1.5},
    }
    json.dumps(event, allow_nan=False)


def test_a_configured_unit_reaches_the_event() -> None:
    mapping = Mapping({"timestamp": "t", "features": "*"}, TimeForm("ms"))
    assert mapping.to_event({"t": 1553644800123.7})["timestamp"] == 1553644800123
    assert mapping.to_event({"t": "2019-03-27"})["timestamp"] == "2019-03-27T00:00:00Z"
    # read as seconds this would be 2001; as ms it is 1970, so it must stay unreadable
    assert mapping.to_event({"t": 1_000_000_000})["timestamp"] == "no time: 1000000000"
    assert (
        Mapping({}, TimeForm("s")).to_event({"timestamp": 1553644800})["timestamp"] == 1553644800000
    )


@given(st.lists(st.text(st.characters(exclude_characters="\\"), min_size=1), min_size=1))
def test_quoted_names_are_one_part_each(names: list[str]) -> None:
    assert parse_path(".".join(map(quote_name, names))) == tuple(names)


def test_a_column_with_a_dot() -> None:
    mapping = Mapping({"prediction.score": quote_name("y.score"), "features": "*"})
    assert mapping.to_event({"y.score": 1, "x.a": 2}) == {
        "prediction": {"score": 1},
        "features": {"x.a": 2},
    }


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"predction.score": "x"},
            "predction.score: not a field of an event, did you mean prediction.score?",
        ),
        ({"time_stamp": "x"}, "time_stamp: not a field of an event, did you mean timestamp?"),
        ({"feature.age": "x"}, "feature.age: not a field of an event, did you mean features.age?"),
        ({"tag.geo": "x"}, "tag.geo: not a field of an event, did you mean tags.geo?"),
        (
            {"zzz": "x"},
            "zzz: not a field of an event, use one of event_id, timestamp, model, model_version,"
            " features, prediction, actual, tags, prediction.score, prediction.label, actual.score,"
            " actual.label, features.<name>, tags.<name>",
        ),
        ({"timestamp": "*"}, 'timestamp: only features can be "*"; name the path in the record'),
        ({"timestamp": "a..b"}, "timestamp: the path 'a..b' has an empty part"),
        ({"timestamp": ""}, "timestamp: the path '' has an empty part"),
        (
            {"prediction": "a", "prediction.score": "b"},
            "prediction and prediction.score are both named: leave one of them out",
        ),
        (
            {"actual.label": "a", "actual": "b"},
            "actual and actual.label are both named: leave one of them out",
        ),
        (
            {"features": {"value": 1}},
            "features: a constant has to name one, such as features.channel",
        ),
        (
            {"model": {"value": [1]}},
            "model: a constant is text, a number, true, false or null",
        ),
        (
            {"features": ["a", "b"]},
            "features: only a timestamp can stand in two fields; name one path",
        ),
        (
            {"timestamp": ["a", ""]},
            "timestamp: the path '' has an empty part",
        ),
        (
            {"timestamp": ["a", "b", "c"]},
            "timestamp: write a dotted path, or {value: X} for a value that never changes",
        ),
    ],
)
def test_mappings_that_cannot_be(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(MappingError) as caught:
        Mapping.from_config(fields)
    assert str(caught.value) == sentence


def test_an_unknown_unit() -> None:
    with pytest.raises(MappingError, match="timestamp_unit 'minutes': use one of auto, s, ms"):
        TimeForm("minutes")  # type: ignore[arg-type]  # a slip
