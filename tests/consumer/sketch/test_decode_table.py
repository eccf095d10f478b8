"""Columns mean what their rows mean: a table decodes as its rows do, sent as events of JSON."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.sketch.decode import Decoded, Decoder, ModelSchema
from driftline.consumer.sketch.decoded import Rejected
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.replay.replay import encode_event

from .decode_cases import CHURN, LAYOUT, MAX_AHEAD, MAX_BYTES, PRICE, SEGMENTS, plain
from .test_decode_laws import CASES

WITH_IDS = ModelSchema("churn", LAYOUT, SEGMENTS, ids=True)


def new(mapping: Mapping, *models: ModelSchema) -> Decoder:
    return Decoder(mapping, models, MAX_AHEAD, MAX_BYTES)


def everything(decoder: Decoder, decoded: Decoded) -> dict[str, Any]:
    ids = {n: None if r.ids is None else r.ids.tolist() for n, r in decoded.models.items()}
    lacks = [bad.lack for bad in decoded.rejected]
    return {**plain(decoder, decoded), "ids": ids, "lacks": lacks, "names": decoder.version_names}


def assert_columns_mean_rows(table: Table, mapping: Mapping, *models: ModelSchema) -> None:
    """The oracle: each row as a native event of JSON, without a time of its record."""
    records = [encode_event(mapping.to_event(row))[1] for row in table.to_rows()]
    rows, columns = new(Mapping(texts=mapping.texts), *models), new(mapping, *models)
    expected = everything(rows, rows.decode(records, [-1] * len(records)))
    found = everything(columns, columns.decode_table(table))
    # A native event does not know in which column something stood.
    found["rejected"] = [
        (place, reason, detail.split(": field")[0]) for place, reason, detail in found["rejected"]
    ]
    assert found == expected


def can_be_sent(value: Any) -> bool:
    """Whether a value can be written as an event of JSON at all."""
    if isinstance(value, dict):
        return all(can_be_sent(k) and can_be_sent(v) for k, v in value.items())
    if isinstance(value, list):
        return all(map(can_be_sent, value))
    if isinstance(value, str):
        return not any("\ud800" <= char <= "\udfff" for char in value)
    return not isinstance(value, int) or -(2**63) <= value < 2**64


@pytest.mark.parametrize("case", CASES)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_rows_of_any_form(case: str, data: st.DataObject) -> None:
    mapping, values = CASES[case]
    usable = values.filter(lambda row: isinstance(row, dict) and can_be_sent(row))
    rows = data.draw(st.lists(usable, min_size=1, max_size=8))
    for models in ([CHURN], [WITH_IDS, PRICE]):
        assert_columns_mean_rows(Table.of_rows(rows), mapping, *models)


def is_finite(value: Any) -> bool:
    if isinstance(value, dict | list):
        return all(map(is_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("case", CASES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_wrong_is_said_in_the_same_words(case: str, data: st.DataObject) -> None:
    """Reason, and the field of the record that is concerned, are those of the record way."""
    mapping, values = CASES[case]
    usable = values.filter(
        lambda row: isinstance(row, dict) and can_be_sent(row) and is_finite(row)
    )
    rows = data.draw(st.lists(usable, min_size=1, max_size=8))
    records = [json.dumps(row).encode() for row in rows]
    for models in ([CHURN], [WITH_IDS, PRICE]):
        one, other = new(mapping, *models), new(mapping, *models)
        by_records = one.decode(records, [-1] * len(rows)).rejected
        by_columns = other.decode_table(Table.of_rows(rows)).rejected
        assert list(map(plainly, by_columns)) == list(map(plainly, by_records))


def plainly(bad: Rejected) -> Rejected:
    """What was refused, without the preset that its record seems to be of: tables have none."""
    return replace(bad, model=None, detail=bad.detail.partition("; it looks like")[0])


def test_the_column_is_named() -> None:
    mapping = Mapping({"timestamp": "meta.ts", "model_version": "v", "features": "*"})
    rows: list[dict[str, Any]] = [
        {"meta": {"ts": "soon"}},
        {"meta": {"ts": 1_767_225_600}, "v": [1]},
    ]
    decoded = new(mapping, CHURN).decode_table(Table.of_rows(rows))
    assert [bad.detail for bad in decoded.rejected] == [
        "the timestamp is no time that can be read: field meta.ts",
        "model_version is an array, not text: field v",
    ]
