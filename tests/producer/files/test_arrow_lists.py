"""Columns of lists in Arrow: arrays of numbers where all are equally long, else value by value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from driftline.consumer.offline.data import tables_of
from driftline.producer.files.arrow import arrow_column
from driftline.producer.records.joined_table import joined
from driftline.producer.records.table import Coded, Table, Vectors
from driftline.producer.records.table_bytes import decode_table, encode_table

NUMBERS = [
    pa.list_(pa.float32()),
    pa.list_(pa.float64(), 2),
    pa.large_list(pa.int16()),
    pa.list_(pa.uint64()),
]


@pytest.mark.parametrize("kind", NUMBERS, ids=str)
@pytest.mark.parametrize("part", [slice(0, 4), slice(1, 4), slice(2, 3), slice(1, 2), slice(0, 0)])
def test_numbers(kind: Any, part: slice) -> None:
    array = pa.array([[1, 2], None, [3, 4], [5, 6]], kind)[part]
    column = arrow_column(array)
    assert column.values() == array.to_pylist()
    assert isinstance(column, Vectors) == any(column.values())
    assert column.take(np.arange(len(array))[::-1]).values() == array.to_pylist()[::-1]


@pytest.mark.parametrize(
    "values", [[[1.0], [1.0, 2.0]], [[1.0, None]], [[], []], [["a", "b"]], [[[1.0]]], [[True]]]
)
def test_others(values: list[Any]) -> None:
    column = arrow_column(pa.array(values))
    assert isinstance(column, Coded)
    assert column.values() == values


def test_arrays_of_a_program() -> None:
    given = {
        "a": np.array([[1, 2], [3, 4]], np.int32),
        "b": np.array([[1, 2], [3, 4]], np.float32),
        "c": np.array([[1], [2**64 - 1]], np.uint64),
        "d": np.array([np.array([1.5]), None], object),
    }
    (table,) = tables_of(given)
    expected = {"a": [1, 2], "b": [1.0, 2.0], "c": [1], "d": [1.5]}
    assert table.to_rows()[0] == expected
    assert table.to_rows()[1] == {"a": [3, 4], "b": [3.0, 4.0], "c": [2**64 - 1], "d": None}
    assert [type(table.columns[name]) for name in "abc"] == [Vectors] * 3


def test_tables_with_them_are_joined_and_kept() -> None:
    table = Table(2, {"v": Vectors(np.array([[1.0, np.inf], [2.0, 3.0]]), np.array([False, True]))})
    assert joined([table, table]).to_rows() == table.to_rows() * 2
    assert decode_table(encode_table(table)).to_rows() == table.to_rows()
