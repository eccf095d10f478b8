"""Booleans and 0 and 1 are the same feature, whichever of them the reference has."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer import report
from driftline.consumer.sketch.decode import ModelSchema
from driftline.detectors.counts import Feature, Layout
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.records.text_form import AS_WRITTEN, TextForm
from driftline.producer.records.values import Kind, boolean, flag, kind_of

from .decode_cases import NOW, decoder, encoded, plain

FLAG = Feature("member", "numeric", np.array([0.0, 1.0]))
SCHEMA = ModelSchema("shop", Layout.of([FLAG]), {})


def value_of(value: object, texts: TextForm = AS_WRITTEN) -> float:
    """What a value is read as, by rows and by columns."""
    reader = decoder(SCHEMA, mapping=Mapping(texts=texts))
    event = {"model": "shop", "features": {"member": value}, "timestamp": NOW}
    by_row = plain(reader, reader.decode([encoded(event)], [NOW]))["rows"]
    by_column = plain(reader, reader.decode_table(Table.of_rows([event])))["rows"]
    assert repr(by_row) == repr(by_column)
    ((_, _, numeric, _, _, _),) = by_row.values()
    return float(numeric[0])


@given(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2)
    | st.sampled_from(["true", "True", "FALSE", "yes", "n", "1", "0.0", "on", "3", ""]),
    st.sampled_from([AS_WRITTEN, TextForm(("0", "True", "n"), True), TextForm(("1.0",))]),
)  # fmt: skip
def test_rows_and_columns_read_the_same(value: object, texts: TextForm) -> None:
    assert repr(value_of(value, texts)) == repr(kind_of(FLAG, texts).read(value))


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, 1), ("false", 0), ("True", 1), (0.5, 0.5), (7, 7), ("on", -math.inf), ([], -math.inf)],
)
def test_values_of_a_flag(value: object, read: float) -> None:
    assert value_of(value) == read


@pytest.mark.parametrize("text", ["0", "1", "1.0", "t", "n", "Yes"])
def test_other_texts_are_values_of_a_flag_only_where_it_is_said(text: str) -> None:
    assert value_of(text) == -math.inf
    assert value_of(text, TextForm(coerce=True)) in (0, 1)


@pytest.mark.parametrize("kind", [flag, boolean])
def test_known_texts_need_no_reading_one_by_one(kind: Callable[[TextForm], Kind]) -> None:
    texts = ["0", "1", "0.0", "1.0", "True", "False", "true", "yes", "?"]
    type_ = kind(TextForm(("?",), coerce=True)).type
    decoded = [msgspec.convert(text, type_) for text in texts]

    assert all(any(value is member for member in type(value)) for value in decoded)
    assert [float(value) for value in decoded[:-1]] == [0, 1, 0, 1, 1, 0, 1, 1]
    assert math.isnan(decoded[-1])


def test_a_count_is_no_flag() -> None:
    count = Feature("visits", "numeric", np.array([0.0, 1.0, 2.0]))

    assert kind_of(count).read(True) == -math.inf


def test_texts_of_a_flag_are_numbers_where_it_is_said() -> None:
    kind = kind_of(FLAG, TextForm(("?", "no"), coerce=True))

    assert [kind.read(text) for text in ("1.0", "true", "7")] == [1.0, 1.0, 7.0]
    assert all(math.isnan(kind.read(text)) for text in ("?", "no", "NA"))


FORMS: dict[str, Any] = {
    "booleans": lambda flags: flags,
    "integers": lambda flags: flags.astype(np.int64),
    "floats": lambda flags: flags.astype(float),
    "nullable": lambda flags: pd.array(flags, dtype="boolean"),
    "texts": lambda flags: flags.astype(str),
}


@pytest.mark.parametrize("now", FORMS)
@pytest.mark.parametrize("before", FORMS)
def test_forms_of_booleans_are_compared(before: str, now: str) -> None:
    few, many = np.arange(2_000) % 10 == 0, np.arange(2_000) % 10 != 0

    quiet = report({"member": FORMS[before](few)}, {"member": FORMS[now](few)})
    changed = report({"member": FORMS[before](few)}, {"member": FORMS[now](many)})

    assert (quiet.drifted, changed.drifted) == ([], ["member"])
    assert "now" not in changed["member"].change
