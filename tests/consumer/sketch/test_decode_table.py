"""Columns mean what their rows mean: a table decodes as its rows do, sent as events of JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.consumer.sketch.decode import Decoded, Decoder, ModelSchema
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
    assert everything(columns, columns.decode_table(table)) == expected


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
