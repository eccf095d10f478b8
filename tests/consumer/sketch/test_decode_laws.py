"""What holds for any records: two ways of reading agree, and batches may be cut anywhere."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.sketch import compile as compiled_way
from driftline.consumer.sketch.batch import Batch
from driftline.consumer.sketch.decode import Decoder
from driftline.detectors.grid import IntArray
from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.records.text_form import TextForm

from .decode_cases import CHURN, NOW, NOW_TEXT, PRICE, decoder, encoded, plain

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.just(10**400)
    | st.sampled_from(["", "free", "true", "NaN", "1", "größer", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=3,
)


def mostly(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return `values`, and now and then something that does not belong there."""
    return st.integers(0, 11).flatmap(lambda i: JUNK if i == 0 else values)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


NUMBER = mostly(st.floats(-1e6, 1e6) | st.integers(-5, 5) | st.none())
PLAN = mostly(st.sampled_from(["free", "größer", "3", 3, "paid", None]))
TRUTH = mostly(st.sampled_from([True, False, 0, 1, "true", "False", None]))
VALUES: dict[str, st.SearchStrategy[Any]] = {"age": NUMBER, "amount": NUMBER}
VALUES |= {"plan": PLAN, "vip": TRUTH}
FEATURES = mostly(objects(**VALUES))
PREDICTION = mostly(
    objects(score=NUMBER, label=PLAN) | st.floats(0, 1) | st.sampled_from(["fraud", True, 1])
)
TIMESTAMP = mostly(st.sampled_from([NOW_TEXT, NOW, NOW - 1000, "2026-11-23", NOW + 10**9, None]))
MODEL = mostly(st.sampled_from(["churn", "churn", "price", "other", None]))
VERSION = mostly(st.sampled_from(["1", "2", 2, "3.1", 7, None]))
TAGS = mostly(objects(channel=mostly(st.sampled_from(["app", "web", "shop", None]))))
NATIVE = objects(
    features=FEATURES,
    inputs=FEATURES,
    prediction=PREDICTION,
    outputs=PREDICTION,
    timestamp=TIMESTAMP,
    model=MODEL,
    model_version=VERSION,
    tags=TAGS,
)
ORDINARY = st.fixed_dictionaries({"features": objects(**VALUES)}, optional={"prediction": NUMBER})
FLAT = objects(**VALUES, ts=TIMESTAMP, price=NUMBER, market=PLAN, model=MODEL)
NESTED = objects(
    meta=mostly(objects(at=TIMESTAMP, model=MODEL)),
    body=mostly(objects(inputs=FEATURES, person=mostly(objects(age=NUMBER)), out=PREDICTION)),
)
NUMBER_LIKE = "31 -1.5e3 +1 .5 1. 007 1_0 1234567890123456789 1e400 -999 ٣ 1.0 0 nan NaN -inf"
WORDS = "Infinity NA null ? free unknown no True"
WRITTEN = st.sampled_from([*NUMBER_LIKE.split(), *WORDS.split(), "", " 2 "])
NUMBERS = st.floats(-1e6, 1e6).map(repr) | st.integers(-5, 5).map(str)
TEXT = mostly(NUMBERS | WRITTEN | st.none() | st.integers(0, 2))
TEXTS = objects(age=TEXT, amount=mostly(NUMBERS), plan=TEXT, vip=TEXT)
OUTCOME = objects(score=TEXT, label=TEXT) | TEXT
ALL_TEXT = objects(
    features=TEXTS, prediction=OUTCOME, tags=objects(channel=TEXT), model=MODEL, timestamp=TIMESTAMP
)
MARKS = ("?", "unknown", "free", "app", "NaN", "no")
CASES: dict[str, tuple[Mapping, st.SearchStrategy[dict[str, Any]]]] = {
    "native": (Mapping(), NATIVE | ORDINARY),
    "flat": (
        Mapping(
            {
                "timestamp": "ts",
                "model": "model",
                "prediction.score": "price",
                "tags.channel": "market",
                "features": "*",
            }
        ),
        FLAT,
    ),
    "nested": (
        Mapping(
            {
                "timestamp": "meta.at",
                "model": "meta.model",
                "features": "body.inputs",
                "features.age": "body.person.age",
                "features.plan": Constant("free"),
                "prediction": "body.out",
            }
        ),
        NESTED,
    ),
    "marks": (Mapping(texts=TextForm(MARKS)), ALL_TEXT),
    "coerced": (Mapping(texts=TextForm(coerce=True)), ALL_TEXT),
    "coerced, with marks": (Mapping(texts=TextForm((*MARKS, "-999", "1"), True)), ALL_TEXT),
    "coerced and mapped": (
        Mapping(
            {"features.age": "age", "features": "x", "prediction": "p", "tags.channel": "t"},
            texts=TextForm(coerce=True),
        ),
        objects(age=TEXT, x=TEXTS, p=OUTCOME, t=TEXT),
    ),
    "the same path twice": (
        Mapping({"features": "body", "tags.channel": "body.plan", "prediction": "out"}),
        objects(body=FEATURES, out=PREDICTION),
    ),
}


@pytest.fixture(scope="module", autouse=True)
def small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_way, "_CHUNK", 5)
        yield


class ReadNothing:
    """In the place of a model's compiled decoder: leaves every value to the exact way."""

    def __init__(self, scalars: int) -> None:
        self._empty = np.empty((scalars, 0))

    def read(self, places: IntArray, values: Sequence[bytes]) -> tuple[Batch, list[int]]:
        raw: dict[str, list[Any]] = {"model": [], "timestamp": [], "model_version": []}
        return Batch(np.empty(0, np.int64), self._empty, raw), places.tolist()


def exact_only(decoder: Decoder) -> Decoder:
    for model in (*decoder._models.values(), decoder._router):
        nothing = ReadNothing(len(model.fields.scalars))
        model._compiled = nothing  # type: ignore[assignment]  # has the method that is used
    return decoder


def batches(case: str) -> st.SearchStrategy[list[bytes | None]]:
    value = CASES[case][1].map(encoded)
    broken = st.sampled_from([None, b"", b"x", b'{"features":', b"[]", b"\xff\xfe"])
    return st.lists(st.integers(0, 9).flatmap(lambda i: broken if i == 0 else value), max_size=12)


def assert_two_ways_agree(case: str, values: list[bytes | None]) -> None:
    times = [NOW] * len(values)
    for models in ([CHURN], [CHURN, PRICE]):
        mapping = CASES[case][0]
        fast = decoder(*models, mapping=mapping)
        exact = exact_only(decoder(*models, mapping=mapping))
        decoded = fast.decode(values, times)
        found = plain(fast, decoded)
        assert found == plain(exact, exact.decode(values, times))
        counted = sum(rows.times.size for rows in decoded.models.values())
        refused = len(decoded.rejected) + decoded.tombstones + decoded.unknown_model
        assert len(values) == counted + refused


@pytest.mark.parametrize("number", [10**309, -(10**309), 10**400])
def test_a_version_that_no_double_holds_is_the_same_in_both_ways(number: int) -> None:
    event = f'{{"timestamp": "2026-11-23T03:10:15Z", "model_version": {number}, "prediction": 1}}'
    assert_two_ways_agree("native", [event.encode()])


@pytest.mark.parametrize("case", CASES)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_compiled_way_reads_what_the_exact_one_reads(case: str, data: st.DataObject) -> None:
    assert_two_ways_agree(case, data.draw(batches(case)))


@pytest.mark.parametrize("case", CASES)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_batch_may_be_cut_anywhere(case: str, data: st.DataObject) -> None:
    values = data.draw(batches(case))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=3)))
    models = data.draw(st.sampled_from([[CHURN], [CHURN, PRICE]]))
    times = [NOW] * len(values)
    whole = decoder(*models, mapping=CASES[case][0])
    parts = decoder(*models, mapping=CASES[case][0])
    expected = plain(whole, whole.decode(values, times))
    rows: dict[int, object] = {}
    rejected: list[object] = []
    tombstones = unknown = 0
    for start, end in zip([0, *cuts], [*cuts, len(values)], strict=True):
        found = plain(parts, parts.decode(values[start:end], times[start:end]))
        rows |= {start + i: row for i, row in found["rows"].items()}
        rejected += [(start + i, reason, detail) for i, reason, detail in found["rejected"]]
        tombstones += found["tombstones"]
        unknown += found["unknown_model"]
    assert rows == expected["rows"]
    assert rejected == expected["rejected"]
    assert (tombstones, unknown) == (expected["tombstones"], expected["unknown_model"])
    assert parts.version_names == whole.version_names


def test_ordinary_events_do_not_take_the_exact_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("an ordinary event was read the exact way")

    monkeypatch.setattr(Decoder, "_read_exactly", fail)
    features = {"age": 1, "amount": None, "plan": "new", "vip": "True", "extra": {"a": [1]}}
    events = [
        {"features": features, "prediction": {"label": 1, "score": 0.5}, "tags": None},
        {"features": features, "prediction": 0.5, "timestamp": NOW, "model_version": 3},
        {"features": {"amount": 2}, "prediction": "fraud", "timestamp": None},
        {"features": {"vip": 7}, "prediction": None, "tags": {"channel": "unknown"}},
        {"prediction": {"score": 1}, "model": "other", "actual": [1]},
    ]
    values = [json.dumps(event).encode() for event in events]
    decoded = decoder().decode(values, [NOW] * len(values))
    assert decoded.models["churn"].index.tolist() == [0, 1, 2, 3]
    assert decoded.unknown_model == 1
