"""Records that are not native events: flat rows, nested paths, constants."""

import math

from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.records.time_form import TimeForm

from .decode_cases import (
    CHURN,
    NOW,
    NOW_TEXT,
    PRICE,
    encoded,
    only,
)

ABSENT = math.inf


FLAT = Mapping(
    {
        "timestamp": "ts",
        "model_version": "build",
        "prediction.score": "price",
        "tags.channel": "market",
        "features": "*",
    },
    TimeForm("s"),
)


def test_flat_rows() -> None:
    row = {
        "ts": NOW // 1000, "build": 2, "price": 9.5, "market": "web",
        "age": 31, "plan": "free", "vip": "True", "comment": "-",
    }  # fmt: skip
    model, time, features, version, segments = only(encoded(row), mapping=FLAT)
    assert (model, time, version) == ("churn", NOW // 1000 * 1000, "2")
    assert segments == {"channel": 1, "model_version": 1}
    assert features == {
        "age": 31, "amount": ABSENT, "prediction.score": 9.5,
        "plan": 1, "prediction.label": 5, "vip": 1,
    }  # fmt: skip
    assert only(b"{}", mapping=FLAT)[2]["age"] == ABSENT
    assert only(encoded({"model": "other", "age": 1}), mapping=FLAT)[0] == "churn"


def test_a_top_level_field_that_an_entry_reads_is_no_feature() -> None:
    mapping = Mapping({"tags.channel": "plan", "features": "*"})
    features, segments = (
        only(encoded({"plan": "app", "age": 2}), mapping=mapping)[i] for i in (2, 4)
    )
    assert (features["plan"], features["age"], segments["channel"]) == (5, 2, 0)


NESTED = Mapping(
    {
        "timestamp": "meta.time.at",
        "model": "meta.model",
        "features": "payload.inputs",
        "features.age": "payload.customer.age",
        "features.plan": Constant("free"),
        "prediction": "payload.out",
        "tags.channel": Constant("app"),
    }
)


def test_nested_paths_and_constants() -> None:
    record = {
        "meta": {"time": {"at": NOW_TEXT}, "model": "churn"},
        "payload": {
            "inputs": {"amount": 3, "age": 99, "plan": "paid"},
            "customer": {"age": 31},
            "out": {"score": 0.5},
        },
    }
    _, time, features, version, segments = only(encoded(record), mapping=NESTED)
    assert (time, version, segments) == (NOW, None, {"channel": 0, "model_version": 2})
    assert features == {
        "age": 31, "amount": 3, "prediction.score": 0.5,
        "plan": 1, "prediction.label": 5, "vip": 4,
    }  # fmt: skip


def test_objects_on_a_path_may_be_absent_null_or_something_else() -> None:
    for payload in ({"inputs": {"amount": 3}}, {"inputs": {"amount": 3}, "customer": None}):
        record = {"meta": None, "payload": payload}
        assert only(encoded(record), mapping=NESTED)[2]["amount"] == 3
        assert only(encoded(record | {"meta": "x"}), mapping=NESTED)[2]["amount"] == 3
    # A named path that leads nowhere leaves the feature to the whole object.
    inner = {"payload": {"inputs": {"age": 99}}}
    assert only(encoded(inner), mapping=NESTED)[2]["age"] == 99


def test_a_path_that_is_read_as_two_things() -> None:
    mapping = Mapping({"features": "p", "tags.channel": "p.plan", "timestamp": "p.age"})
    record = {"p": {"plan": "free", "age": NOW, "amount": 2}}
    _, time, features, _, segments = only(encoded(record), mapping=mapping)
    assert (time, features["plan"], features["age"]) == (NOW, 1, NOW)
    assert segments["channel"] == 2


def test_constant_model() -> None:
    churn = Mapping({"model": Constant("churn"), "features": "*"})
    price = Mapping({"model": Constant("price"), "features": "*"})
    value = encoded({"model": "x", "age": 3})
    assert only(value, CHURN, PRICE, mapping=churn)[0] == "churn"
    assert only(value, CHURN, mapping=price) == "unknown_model"
    assert only(b"x", CHURN, mapping=price) == "malformed"
    constant = Mapping({"features": "*", "prediction": Constant(0.5), "model_version": Constant(3)})
    _, _, features, version, _ = only(value, mapping=constant)
    assert (features["prediction.score"], version) == (0.5, "3")
