"""What each record value becomes: the columns' values, and the reasons of refused records."""

import json
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.consumer.sketch.exact import EventReader, parse
from driftline.detectors.counts import Feature, Layout
from driftline.producer.files.rows import read_rows
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.timestamp import EARLIEST

from .decode_cases import (
    CHURN,
    MAX_AHEAD,
    MAX_BYTES,
    NO_GRID,
    NOW,
    NOW_TEXT,
    PRICE,
    decoder,
    encoded,
    only,
    plain,
    read,
)

MISSING, ABSENT, INVALID = math.nan, math.inf, -math.inf
EVENT = {
    "event_id": "a1",
    "timestamp": NOW_TEXT,
    "model": "churn",
    "model_version": "2",
    "features": {"age": 31, "amount": 12.5, "plan": "free", "vip": True, "extra": [1, {}]},
    "prediction": {"label": "fraud", "score": 0.93, "probabilities": {"fraud": 0.93}},
    "actual": None,
    "tags": {"channel": "web"},
}
FEATURES = {
    "age": 31.0, "amount": 12.5, "prediction.score": 0.93, "plan": 1, "prediction.label": 2,
    "vip": 1,
}  # fmt: skip


def test_the_recommended_event() -> None:
    expected = ("churn", NOW, FEATURES, "2", {"channel": 1, "model_version": 1})
    assert only(encoded(EVENT)) == expected


@pytest.mark.parametrize(
    ("json_text", "expected"),
    [
        ("1", 1.0),
        ("-0.5", -0.5),
        ("1e30", 1e30),
        ("1" + "0" * 30, 1e30),
        ("9007199254740993", 9007199254740992.0),
        ("null", MISSING),
        ("true", INVALID),
        ('"31"', INVALID),
        ('"NaN"', INVALID),
        ("NaN", INVALID),
        ("Infinity", INVALID),
        ("-Infinity", INVALID),
        ("1e400", INVALID),
        ("-1e400", INVALID),
        ("1" + "0" * 400, INVALID),
        ("9" * 4_000, INVALID),
        ("-" + "9" * 5_000, INVALID),
        ("[1]", INVALID),
        ('{"value": 1}', INVALID),
    ],
)
def test_numeric_values(json_text: str, expected: float) -> None:
    value = f'{{"features": {{"amount": 7, "age": {json_text}}}}}'.encode()
    features = only(value)[2]
    np.testing.assert_equal(features["age"], expected)
    assert features["amount"] == 7


@pytest.mark.parametrize(
    ("json_text", "code"),
    [
        ('"free"', 1),
        ('"gr\\u00f6\\u00dfer"', 2),
        ('"größer"', 2),
        ('"3"', 0),
        ("3", 0),
        ("3.0", 0),
        ("4", 3),
        ("3.5", 3),
        ('"paid"', 3),
        ('"NaN"', 3),
        ('""', 3),
        ('"\\u0000"', 3),
        ('"\\ud800"', 3),
        ("true", 3),
        (str(2**63), 3),
        ("1" + "0" * 30, 3),
        ("null", 4),
        ("NaN", 3),
        ("1e400", 3),
        ("9" * 4_000, 6),
        ("[]", 6),
        ("{}", 6),
    ],
)
def test_categorical_values(json_text: str, code: int) -> None:
    value = f'{{"features": {{"amount": 7, "plan": {json_text}}}}}'.encode()
    assert only(value)[2]["plan"] == code


@pytest.mark.parametrize(
    ("json_text", "code"),
    [
        ("false", 0),
        ("true", 1),
        ('"true"', 1),
        ('"False"', 0),
        ('"TRUE"', 1),
        ("0", 0),
        ("1", 1),
        ("1.0", 1),
        ("null", 3),
        ("2", 5),
        ("0.5", 5),
        ("-1", 5),
        ("NaN", 5),
        ("9" * 4_000, 5),
        ('"yes"', 1),
        ('"N"', 0),
        ('"t"', 1),
        ('"0"', 0),
        ('"maybe"', 5),
        ('""', 5),
        ("[]", 5),
    ],
)
def test_boolean_values(json_text: str, code: int) -> None:
    value = f'{{"features": {{"amount": 7, "vip": {json_text}}}}}'.encode()
    assert only(value)[2]["vip"] == code


def test_integer_categories_of_any_size() -> None:
    listed = ("-5", "007", "9223372036854775807", "9.223372036854775808e+18", "1.5")
    values = [-5, "007", 7, 2**63 - 1, "9.223372036854775808e+18", 1.5, -0, 2**63]
    feature = Feature("id", "categorical", NO_GRID, listed)
    schema = ModelSchema("ids", Layout.of([feature]), {})
    found = [only(encoded({"features": {"id": value}}), schema)[2]["id"] for value in values]
    assert found == [0, 1, 5, 2, 3, 4, 5, 5]


def test_null_absent_and_empty_are_told_apart() -> None:
    features = read({"age": None, "plan": None, "vip": None})
    np.testing.assert_equal(features["age"], MISSING)
    assert features["amount"] == features["prediction.score"] == ABSENT
    assert (features["plan"], features["vip"], features["prediction.label"]) == (4, 3, 5)


@pytest.mark.parametrize(
    ("prediction", "score", "label"),
    [
        (0.93, 0.93, 5),
        (1, 1.0, 5),
        ("fraud", ABSENT, 2),
        (True, ABSENT, 3),
        (None, ABSENT, 5),
        ({}, ABSENT, 5),
        ({"label": 1}, ABSENT, 1),
        ({"label": None, "score": None}, MISSING, 4),
        ({"label": [1], "score": "high"}, INVALID, 6),
    ],
)
def test_predictions(prediction: object, score: float, label: int) -> None:
    features = read({"age": 1}, prediction=prediction)
    np.testing.assert_equal(features["prediction.score"], score)
    assert features["prediction.label"] == label


def test_a_prediction_alone_is_an_event() -> None:
    for value in ({"prediction": 0.5}, {"features": None, "prediction": {"score": 0.5}}):
        features = only(encoded(value))[2]
        assert (features["age"], features["prediction.score"]) == (ABSENT, 0.5)


def test_features_may_be_empty_but_must_be_there() -> None:
    assert only(encoded({"features": {}}))[2]["age"] == ABSENT
    for nothing in ({}, {"features": None}, {"prediction": None}, {"age": 3}, {"actual": 1}):
        assert only(encoded(nothing)) == "schema"


@pytest.mark.parametrize(
    "field",
    [
        {"features": [1, 2]},
        {"features": "x"},
        {"features": 1},
        {"prediction": [0.1, 0.9]},
        {"tags": ["web"]},
        {"tags": "web"},
        {"model": 5},
        {"model": ["churn"]},
        {"model_version": {"major": 1}},
        {"model_version": [1]},
    ],
)
def test_wrong_shapes(field: dict[str, object]) -> None:
    assert only(encoded(EVENT | field)) == "schema"


MALFORMED = {
    "empty": b"",
    "space": b"  ",
    "text": b"hello",
    "truncated": encoded(EVENT)[:-1],
    "cut in a string": encoded(EVENT)[:20],
    "trailing": encoded(EVENT) + b"x",
    "two": encoded(EVENT) * 2,
    "array": b"[1]",
    "scalar": b"3",
    "null": b"null",
    "NaN": b"NaN",
    "latin-1": json.dumps({"features": {"plan": "größer"}}, ensure_ascii=False).encode("latin-1"),
    "utf-16": json.dumps(EVENT).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + encoded(EVENT),
    "avro": b"\x00\x00\x00\x00\x01\x02\x06abc",
    "single quotes": str(EVENT).encode(),
    "deep": b'{"features": {"age": ' + b"[" * 10_000 + b"]" * 10_000 + b"}}",
    "deep elsewhere": b'{"features": {}, "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "deep from the start": b"[" * 10_000,
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed(value: bytes) -> None:
    assert only(value) == "malformed"


def test_details_are_short_and_never_a_value_of_the_record() -> None:
    secret = "s3cr3t" * 100
    values = [
        f'{{"features": {{"{secret}": {secret}'.encode(),
        encoded({"features": secret}),
        encoded({"model_version": [secret], "features": {}}),
        encoded({"timestamp": secret, "features": {}}),
        encoded(secret),
        secret.encode() * 1_000,
    ]
    decoded = decoder().decode(values, [NOW] * len(values))
    assert len(decoded.rejected) == len(values)
    for bad in decoded.rejected:
        assert 10 < len(bad.detail) <= 256
        assert "s3cr3t" not in bad.detail


def test_too_large_is_not_even_parsed() -> None:
    event = encoded(EVENT)
    padded = event + b" " * (MAX_BYTES - len(event))
    assert only(padded) == only(event)
    assert only(padded + b" ") == "too_large"
    assert only(b"x" * 5_000_000) == "too_large"
    keys = {f"key_{i}": i for i in range(100_000)}
    assert only(encoded({"features": keys})) == "too_large"


def test_100_000_keys_below_the_limit_are_ignored() -> None:
    reader = Decoder(Mapping(), [CHURN], MAX_AHEAD, 10_000_000)
    keys = {f"key_{i}": i for i in range(100_000)}
    decoded = reader.decode([encoded({"features": {**keys, "age": 1}})], [NOW])
    assert decoded.models["churn"].columns.numeric[0, 0] == 1


@pytest.mark.parametrize(
    ("timestamp", "time"),
    [
        (NOW_TEXT, NOW),
        ("2026-11-23 04:10:15.01+01:00", NOW),
        (NOW, NOW),
        (NOW / 1000, NOW),
        (NOW * 1000, NOW),
        (None, NOW),
        ("2000-01-01T00:00:00Z", 946_684_800_000),
    ],
)
def test_timestamps(timestamp: object, time: int) -> None:
    assert only(encoded(EVENT | {"timestamp": timestamp}))[1] == time
    # The exact way reads the same.
    wrong = {"features": {"age": "x"}}
    assert only(encoded(EVENT | wrong | {"timestamp": timestamp}))[1] == time


@pytest.mark.parametrize(
    "timestamp",
    [0, -1, 5, "1677-12-31T23:59:59Z", "yesterday", "", True, [], {}, 1e300, 10**50, "NaN"],
)
def test_unreadable_timestamps(timestamp: object) -> None:
    assert only(encoded(EVENT | {"timestamp": timestamp})) == "timestamp"


def test_a_missing_timestamp_is_the_records() -> None:
    values = [b'{"features": {"age": 1}}', b'{"features": {"age": NaN}}'] * 2
    decoded = decoder().decode(values, [NOW, NOW + 1, -1, -1])
    assert decoded.models["churn"].times.tolist() == [NOW, NOW + 1]
    assert [(bad.index, bad.reason) for bad in decoded.rejected] == [
        (2, "timestamp"),
        (3, "timestamp"),
    ]


def test_too_far_ahead() -> None:
    value = encoded(EVENT)
    records = [NOW - MAX_AHEAD, NOW - MAX_AHEAD - 1, NOW - 10 * 365 * 86_400_000, -1, NOW + 10**12]
    decoded = decoder().decode([value] * 5, records)
    assert [(bad.index, bad.reason) for bad in decoded.rejected] == [
        (1, "too_far_ahead"),
        (2, "too_far_ahead"),
    ]
    assert decoded.models["churn"].index.tolist() == [0, 3, 4]


@pytest.mark.parametrize("record_time", [0, 1, -1, EARLIEST - 1])
def test_a_record_time_before_2000_says_nothing(record_time: int) -> None:
    values = [encoded(EVENT | {"timestamp": NOW_TEXT}), encoded({"features": {"age": 1}})]
    decoded = decoder().decode(values, [record_time] * 2)
    assert decoded.models["churn"].times.tolist() == [NOW]
    assert [(bad.index, bad.reason) for bad in decoded.rejected] == [(1, "timestamp")]


def test_tombstones_are_counted() -> None:
    assert only(None) == "tombstone"
    reader = decoder()
    decoded = reader.decode([None, encoded(EVENT), None], [NOW] * 3)
    assert decoded.tombstones == 2
    assert decoded.models["churn"].index.tolist() == [1]
    assert plain(reader, reader.decode([], []))["rows"] == {}


def test_one_model_needs_no_name() -> None:
    nameless = {name: value for name, value in EVENT.items() if name != "model"}
    assert only(encoded(nameless)) == only(encoded(EVENT))
    assert only(encoded(EVENT | {"model": None})) == only(encoded(EVENT))
    assert only(encoded(EVENT | {"model": "other"})) == "unknown_model"
    assert only(encoded(EVENT | {"model": ""})) == "unknown_model"
    assert only(encoded({"model": "other", "features": 3})) == "unknown_model"


def test_several_models_are_told_apart_by_name() -> None:
    reader = decoder(CHURN, PRICE)
    events = [
        EVENT,
        {"model": "price", "features": {"age": "old"}, "prediction": 9.5},
        {"model": "other", "features": {"age": "old"}},
        {"features": {"age": 3}},
        {"model": "price", "features": {"age": [3]}},
        {"model": "churn", "features": {"age": 3}},
        {"model": ["churn"], "features": {"age": 3}},
        {"model": "other", "features": 4},
    ]
    decoded = reader.decode([encoded(event) for event in events], [NOW] * len(events))
    assert decoded.models["churn"].index.tolist() == [0, 5]
    assert decoded.models["price"].index.tolist() == [1, 4]
    assert decoded.models["price"].columns.codes.tolist() == [[0], [5]]
    assert decoded.models["price"].columns.numeric.tolist() == [[9.5], [ABSENT]]
    assert decoded.unknown_model == 2
    assert [(bad.index, bad.reason) for bad in decoded.rejected] == [(3, "schema"), (6, "schema")]


def test_aliases() -> None:
    event = {"inputs": {"age": 31}, "outputs": {"score": 0.5}, "prediction_id": "a"}
    features = only(encoded(event))[2]
    assert (features["age"], features["prediction.score"]) == (31, 0.5)
    # The event's own name wins.
    both = only(encoded(event | {"features": {"age": 1}, "prediction": 0.25}))[2]
    assert (both["age"], both["prediction.score"]) == (1, 0.25)
    assert only(encoded({"features": {"age": 1}, "outputs": 0.5}))[2]["prediction.score"] == 0.5


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_number_that_is_none_means_the_same_in_a_file_and_on_a_topic(
    tmp_path: Path, number: str
) -> None:
    line = f'{{"plan": {number}, "spent": 1}}'
    file = tmp_path / "rows.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    mapping = Mapping({"features": "*"})
    ((row,),) = read_rows(file)
    event = msgspec.json.decode(msgspec.json.encode(mapping.to_event(row)))
    assert EventReader(mapping).read(parse(line.encode())) == event
