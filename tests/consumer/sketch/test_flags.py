"""Booleans and 0 and 1 are the same feature, whichever of them the reference has."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer import report
from driftline.consumer.sketch.decode import ModelSchema
from driftline.detectors.counts import Feature, Layout
from driftline.producer.records.table import Table
from driftline.producer.records.text_form import TextForm
from driftline.producer.records.values import kind_of

from .decode_cases import NOW, decoder, encoded, plain

FLAG = Feature("member", "numeric", np.array([0.0, 1.0]))
SCHEMA = ModelSchema("shop", Layout.of([FLAG]), {})


def value_of(value: object) -> float:
    """What a value is read as, by rows and by columns."""
    reader = decoder(SCHEMA)
    event = {"model": "shop", "features": {"member": value}, "timestamp": NOW}
    by_row = plain(reader, reader.decode([encoded(event)], [NOW]))["rows"]
    by_column = plain(reader, reader.decode_table(Table.of_rows([event])))["rows"]
    assert repr(by_row) == repr(by_column)
    ((_, _, numeric, _, _, _),) = by_row.values()
    return float(numeric[0])


@given(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2)
    | st.sampled_from(["true", "FALSE", "yes", "n", "1", "on", "3", ""])
)  # fmt: skip
def test_rows_and_columns_read_the_same(value: object) -> None:
    assert repr(value_of(value)) == repr(kind_of(FLAG).read(value))


@pytest.mark.parametrize(
    ("value", "read"),
    [(True, 1), ("false", 0), ("Yes", 1), (0.5, 0.5), (7, 7), ("on", -math.inf), ([], -math.inf)],
)
def test_values_of_a_flag(value: object, read: float) -> None:
    assert value_of(value) == read


def test_a_count_is_no_flag() -> None:
    count = Feature("visits", "numeric", np.array([0.0, 1.0, 2.0]))

    assert kind_of(count).read(True) == -math.inf


def test_texts_of_a_flag_are_numbers_where_it_is_said() -> None:
    flag = kind_of(FLAG, TextForm(("?", "no"), coerce=True))

    assert [flag.read(text) for text in ("1.0", "true", "7")] == [1.0, 1.0, 7.0]
    assert all(math.isnan(flag.read(text)) for text in ("?", "no", "NA"))


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
