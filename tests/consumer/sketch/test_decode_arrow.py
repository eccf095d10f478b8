"""Every type of Arrow decodes as its rows do, whole and in slices; see `test_decode_table`."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.sketch.decode import ModelSchema
from driftline.detectors.counts import Feature, Layout
from driftline.producer.files.arrow import arrow_column, arrow_table
from driftline.producer.files.arrow_values import plain_values
from driftline.producer.records.mapping import Constant, Mapping

from .test_decode_table import assert_columns_mean_rows

DAY = dt.date(2020, 1, 1)
INSTANT = dt.datetime(2026, 1, 1, 1, 2, 3, 999_999, dt.UTC)
NAIVE = INSTANT.replace(tzinfo=None)
NUMBERS = [0, 1, -5, 2**53 + 1, 2**63 - 1]
FLOATS = [0.0, -0.0, 1.5, 3.0, math.nan, math.inf, -math.inf, 1e308, 5e-324]
TEXTS = ["a", "b", "3", "true", "NaN", "", "Ü €"]
CENTS = [decimal.Decimal("1.50"), decimal.Decimal("3.00")]
TYPES: dict[str, tuple[Any, list[Any]]] = {
    "i64": (pa.int64(), NUMBERS),
    "i8": (pa.int8(), [0, 1, 3, -128]),
    "u64": (pa.uint64(), [0, 3, 2**64 - 1]),
    "f64": (pa.float64(), FLOATS),
    "f32": (pa.float32(), [0.1, 1.5, math.nan]),
    "f16": (pa.float16(), [np.float16(0.1), np.float16(1.5)]),
    "truth": (pa.bool_(), [True, False]),
    "text": (pa.string(), TEXTS),
    "large": (pa.large_string(), TEXTS),
    "view": (pa.string_view(), TEXTS),
    "coded": (pa.dictionary(pa.int8(), pa.string()), TEXTS),
    "numbered": (pa.dictionary(pa.int8(), pa.int64()), [1, 3, 2**40]),
    "dec": (pa.decimal128(12, 2), CENTS),
    "wide": (pa.decimal128(38, 2), [*CENTS, decimal.Decimal("123456789012345678901.25")]),
    "wider": (pa.decimal256(50, 2), CENTS),
    "date": (pa.date32(), [DAY]),
    "date64": (pa.date64(), [DAY]),
    "clock": (pa.time64("us"), [dt.time(1, 2, 3)]),
    "when": (pa.timestamp("us"), [NAIVE]),
    "zoned": (pa.timestamp("ns", "Europe/Berlin"), [INSTANT]),
    "wait": (pa.duration("ms"), [dt.timedelta(seconds=2), dt.timedelta(seconds=3)]),
    "bytes": (pa.binary(), [b"a", b"\xff"]),
    "fixed": (pa.binary(1), [b"a", b"b"]),
    "list": (pa.list_(pa.int64()), [[1], []]),
    "map": (pa.map_(pa.string(), pa.int64()), [[("a", 1)]]),
    "object": (
        pa.struct([("x", pa.float64()), ("y", pa.string())]),
        [{"x": 1.5, "y": "a"}, {"x": None, "y": None}],
    ),
    "nothing": (pa.null(), []),
}
TIMES: dict[str, tuple[Any, list[Any]]] = {
    "us": (pa.timestamp("us", "UTC"), [INSTANT, dt.datetime(1999, 1, 1, tzinfo=dt.UTC)]),
    "ns": (pa.timestamp("ns"), [NAIVE]),
    "day": (pa.date32(), [DAY]),
    "text": (pa.string(), ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00.123456+01:00", "no"]),
    "whole": (pa.int64(), [1_767_225_600, 1_767_225_600_123, 5]),
    "parts": (pa.float64(), [1_767_225_600.25, math.nan]),
}
IDS: dict[str, tuple[Any, list[Any]]] = {
    "text": (pa.string(), ["a", "b", ""]),
    "whole": (pa.int64(), [7, 8]),
    "parts": (pa.float64(), [7.0, 7.5, math.nan]),
}
GRID = np.array([0.0, 1.5, 3.0, 255.0])
LISTED = ("1.5", "2020-01-01", "3", "NaN", "a", "b", "true")
FLAT = {
    "event_id": "id", "timestamp": "ts", "model": "who", "model_version": "v",
    "prediction": "score", "tags.channel": "text", "features": "*", "features.inner": "object.x",
    "features.same": Constant(3),
}  # fmt: skip
FLAT_MAPPINGS = [
    FLAT,
    {**FLAT, "model": Constant("m")},
    {**{name: path for name, path in FLAT.items() if name != "prediction"},
     "prediction.label": "score", "prediction.score": "f64"},
]  # fmt: skip


def layout(kinds: dict[str, str]) -> Layout:
    def feature(name: str, kind: str) -> Feature:
        if kind == "numeric":
            return Feature(name, "numeric", GRID)
        if kind == "boolean":
            return Feature(name, "boolean", np.empty(0), ("false", "true"))
        return Feature(name, "categorical", np.empty(0), LISTED)

    return Layout.of([feature(name, kind) for name, kind in kinds.items()])


def column(data: st.DataObject, kind: Any, values: list[Any], rows: int) -> Any:
    drawn = data.draw(st.lists(st.sampled_from([*values, None]), min_size=rows, max_size=rows))
    if pa.types.is_float16(kind):  # not every version makes one of None
        whole = pa.array([None if v is None else float(v) for v in drawn], pa.float32())
        return whole.cast(kind)
    return pa.array(drawn, kind)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Any, list[ModelSchema]]:
    data, rows = draw(st.data()), draw(st.integers(1, 8))
    names = draw(st.lists(st.sampled_from([*TYPES]), min_size=1, max_size=6, unique=True))
    names = [*dict.fromkeys([*names, "text", "object", "f64"])]
    columns = {name: column(data, *TYPES[name], rows) for name in names}
    columns["ts"] = column(data, *TIMES[draw(st.sampled_from([*TIMES]))], rows)
    columns["id"] = column(data, *IDS[draw(st.sampled_from([*IDS]))], rows)
    columns["who"] = column(data, pa.string(), ["m", "m", "n", "x"], rows)
    columns["v"] = column(data, *TYPES[draw(st.sampled_from(["text", "f64"]))], rows)
    columns["score"] = column(
        data, *TYPES[draw(st.sampled_from(["f64", "i64", "text", "truth"]))], rows
    )
    kinds = st.sampled_from(["numeric", "categorical", "boolean"])
    features = {name: draw(kinds) for name in [*names, "inner", "same", "gone"]}
    outcome = {"prediction.score": "numeric", "prediction.label": draw(kinds)}
    segments = {"channel": ("a", "3"), "model_version": ("1.5",)}
    schemas = [
        ModelSchema("m", layout({**features, **outcome}), segments, ids=True),
        ModelSchema("n", layout(features), {}),
    ]
    return pa.record_batch(columns), schemas[: draw(st.integers(1, 2))]


@pytest.mark.parametrize("name", [*TYPES, *TIMES])
def test_a_column_has_the_values_that_are_read_one_by_one(name: str) -> None:
    kind, values = TYPES[name] if name in TYPES else TIMES[name]
    if pa.types.is_float16(kind):
        array = pa.array([float(each) for each in values]).cast(kind)
    else:
        array = pa.array([None, *values, None], kind)
    for each in (array, array[1:], array[1:-1]):
        assert repr(arrow_column(each).values()) == repr(plain_values(each))


@pytest.mark.parametrize("fields", FLAT_MAPPINGS)
@given(drawn=batches())
@settings(max_examples=60, deadline=None)
def test_columns_of_any_type(fields: dict[str, Any], drawn: tuple[Any, list[ModelSchema]]) -> None:
    batch, schemas = drawn
    for part in (batch, batch.slice(1)):
        if part.num_rows:
            assert_columns_mean_rows(arrow_table(part), Mapping(fields), *schemas)


@given(drawn=batches(), alias=st.booleans())
@settings(max_examples=60, deadline=None)
def test_native_events_in_structs(drawn: tuple[Any, list[ModelSchema]], alias: bool) -> None:
    batch, schemas = drawn
    inner = [name for name in batch.schema.names if name not in ("ts", "id", "who", "v", "score")]
    features = pa.StructArray.from_arrays([batch[name] for name in inner], names=inner)
    native = pa.record_batch(
        {
            "inputs" if alias else "features": features,
            "prediction_id" if alias else "event_id": batch["id"],
            "outputs" if alias else "prediction": batch["score"],
            "timestamp": batch["ts"],
            "model": batch["who"],
            "model_version": batch["v"],
        }
    )
    assert_columns_mean_rows(arrow_table(native), Mapping.native(), *schemas)
