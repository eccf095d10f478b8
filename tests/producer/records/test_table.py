"""Tables mean what their rows mean."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from driftline.producer.records.table import ABSENT, Coded, Numbers, Struct, Table, Times

TABLE = Table(
    3,
    {
        "km": Numbers(np.array([1, 2, 3]), np.array([False, True, False])),
        "at": Times(np.array([0, 1, 1_553_644_800_000]), np.array([False, True, False])),
        "fuel": Coded(np.array([0, 1, 2]), ["gas", None, ABSENT]),
        "user": Struct(
            3,
            {"age": Numbers(np.array([31.0, 32.0, np.nan]))},
            np.array([False, True, False]),
        ),
    },
    first=7,
)


def test_rows_have_what_the_columns_have() -> None:
    rows = TABLE.to_rows()
    assert rows[:2] == [
        {"km": 1, "at": "1970-01-01T00:00:00Z", "fuel": "gas", "user": {"age": 31.0}},
        {"km": None, "at": None, "fuel": None, "user": None},
    ]
    assert list(rows[2]) == ["km", "at", "user"]
    assert np.isnan(rows[2]["user"]["age"])


@pytest.mark.parametrize("chosen", [slice(1, 3), np.array([1, 2]), np.array([False, True, True])])
def test_chosen_rows(chosen: slice | np.ndarray) -> None:
    some = TABLE.take(chosen)
    assert (some.rows, some.first) == (2, 7)
    assert repr(some.to_rows()) == repr(TABLE.to_rows()[1:])


def test_without_columns_rows_are_empty() -> None:
    assert Table(2).to_rows() == [{}, {}]


def test_nested_columns_are_absent_where_the_object_is_null() -> None:
    found = TABLE.find(("user", "age"))
    assert found is not None
    column, gone = found
    assert_array_equal(column.values(), [31.0, 32.0, np.nan])
    assert gone is not None
    assert gone.tolist() == [False, True, False]
    assert TABLE.find(("km", "age")) is None
    assert TABLE.find(("user", "name")) is None
    assert TABLE.find(("km",)) == (TABLE.columns["km"], None)


def test_objects_as_text_are_looked_into() -> None:
    texts = ['{"age": 31, "geo": "{\\"lat\\": 1.5}"}', "{", None, '{"geo": null}']
    table = Table.of_rows([{"user": text} for text in texts])
    ages, _ = table.find(("user", "age")) or (None, None)
    assert ages is not None
    assert ages.values() == [31, ABSENT, ABSENT, ABSENT]
    found, _ = table.find(("user", "geo", "lat")) or (None, None)
    assert found is not None
    assert found.values() == [1.5, ABSENT, ABSENT, ABSENT]


def test_half_a_surrogate_pair_is_no_object() -> None:
    found = Table.of_rows([{"user": '{"name": "\ud83d"}'}, {"user": "{}"}]).find(("user", "name"))
    assert found is not None
    assert found[0].values() == [ABSENT, ABSENT]


def test_objects_in_objects_are_absent_where_either_is_null() -> None:
    inner = Struct(2, {"b": Numbers(np.array([1, 2]))}, np.array([True, False]))
    found = Table(2, {"a": Struct(2, {"i": inner}, np.array([False, True]))}).find(("a", "i", "b"))
    assert found is not None
    assert found[1] is not None
    assert found[1].tolist() == [True, True]


def test_absent_names_itself() -> None:
    assert repr(ABSENT) == "ABSENT"
