"""Data of every form is the same table."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from driftline.consumer.offline.data import tables_of
from driftline.producer.errors import InputError

ROWS: list[dict[str, Any]] = [
    {"age": 31, "ok": True, "plan": "free", "at": "2026-03-01T00:00:00Z", "size": 0.5},
    {"age": 32, "ok": False, "plan": None, "at": "2026-03-01T00:01:00Z", "size": None},
]
TIMES = [datetime(2026, 3, 1, 0, minute, tzinfo=UTC) for minute in (0, 1)]
COLUMNS: dict[str, list[Any]] = {
    "age": [31, 32], "ok": [True, False], "plan": ["free", None], "at": TIMES, "size": [0.5, None],
}  # fmt: skip


def rows(data: Any) -> list[dict[str, Any]]:
    return [row for table in tables_of(data) for row in table.to_rows()]


FORMS = {
    "rows": ROWS,
    "columns": COLUMNS,
    "pandas": pd.DataFrame(COLUMNS),
    "pandas objects": pd.DataFrame(COLUMNS).astype(object),
    "pandas nullable": pd.DataFrame(COLUMNS).convert_dtypes(),
    "pandas arrow": pd.DataFrame(COLUMNS).convert_dtypes(dtype_backend="pyarrow"),
    "pandas category": pd.DataFrame(COLUMNS).astype({"plan": "category"}),
    "pandas index": pd.DataFrame(COLUMNS).set_index("age"),
    "polars": pl.DataFrame(COLUMNS),
    "arrow": pa.table(COLUMNS),
    "arrow batch": pa.record_batch(COLUMNS),
    "arrow stream": pa.RecordBatchReader.from_batches(
        pa.table(COLUMNS).schema, pa.table(COLUMNS).to_batches()
    ),
    "series": {name: pd.Series(values) for name, values in COLUMNS.items()},
    "arrays": {
        "age": np.array([31, 32], np.int8),
        "ok": np.array([True, False]),
        "plan": np.array(["free", None], object),
        "at": np.array(["2026-03-01T00:00", "2026-03-01T00:01"], "datetime64[ns]"),
        "size": np.array([0.5, np.nan], np.float32),
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_same_rows(form: str) -> None:
    # Arrays of numpy have no zone.
    local: list[dict[str, Any]] = [{**row, "at": row["at"].rstrip("Z")} for row in ROWS]
    assert rows(FORMS[form]) == (local if form == "arrays" else ROWS)


def test_values_of_every_kind() -> None:
    given = [np.bool_(True), np.float16(0.5), Decimal("1.5"), UUID(int=1), "x", pd.NaT, [1, 2]]
    expected = [True, 0.5, 1.5, str(UUID(int=1)), "x", None, [1, 2]]
    assert [row["a"] for row in rows({"a": given})] == expected
    assert [row["a"] for row in rows(pd.DataFrame({"a": given}))] == expected


def test_arrays_and_series_without_names() -> None:
    assert rows(np.array([[1, 2], [3, 4]])) == [{"0": 1, "1": 2}, {"0": 3, "1": 4}]
    assert rows(np.array([True, False])) == [{"0": True}, {"0": False}]
    assert rows(np.array([(1, 0.5)], [("a", "i4"), ("b", "f8")])) == [{"a": 1, "b": 0.5}]
    assert rows(pd.Series([1, 2])) == [{"0": 1}, {"0": 2}]
    assert rows(pl.Series("x", [1, 2])) == [{"x": 1}, {"x": 2}]
    assert rows({"big": np.array([2**64 - 1], np.uint64)}) == [{"big": 2**64 - 1}]


def test_long_frames_come_in_parts() -> None:
    for frame in (pd.DataFrame({"a": range(70_000)}), pl.DataFrame({"a": range(70_000)})):
        tables = list(tables_of(frame))
        assert [(table.first, table.rows) for table in tables] == [(0, 65_536), (65_536, 4_464)]


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    assert rows(tmp_path / "a.csv") == rows(str(tmp_path / "a.csv")) == [{"a": 1}]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "int is no data"),
        ([1, [2]], "list is no data"),
        ({"a": [1], "b": [1, 2]}, "a has 1 values, b 2"),
        ([], "no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "two columns are called a"),
    ],
)
def test_what_is_no_data(data: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rows(data)


def test_without_pyarrow_a_frame_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "driftline.producer.files.arrow_frames", raising=False)
    with pytest.raises(InputError, match="pip install"):
        rows(pd.DataFrame({"a": [1]}))


def test_a_list_of_values_is_a_column() -> None:
    assert rows([1, None, 3]) == [{"0": 1}, {"0": None}, {"0": 3}]
    assert rows((True, np.bool_(False))) == [{"0": True}, {"0": False}]


def test_rows_of_values_that_json_has_not_are_the_same_rows() -> None:
    held = [
        {"age": np.int64(31), "ok": np.bool_(True), "plan": "free", "at": TIMES[0],
         "size": np.float32(0.5), "deep": {"sum": Decimal("1.5"), "all": [np.float64(2)]}},
        {"age": np.int64(32), "ok": np.bool_(False), "plan": pd.NA, "at": pd.Timestamp(TIMES[1]),
         "size": float("nan"), "deep": {"sum": None, "all": []}},
    ]  # fmt: skip
    deep = [{"sum": 1.5, "all": [2.0]}, {"sum": None, "all": []}]

    assert rows(held) == [row | {"deep": inner} for row, inner in zip(ROWS, deep, strict=True)]


def test_an_index_that_is_a_column_too_is_read_once() -> None:
    frame = pd.DataFrame({"at": TIMES, "age": [31, 32]})

    [table] = tables_of(frame.set_index("at", drop=False))
    [both] = tables_of(frame.set_index(["at", pd.Index([7, 8], name="shop")], drop=False))

    assert list(table.columns) == ["at", "age"]
    assert list(both.columns) == ["shop", "at", "age"]


def test_periods_are_times_and_sparse_columns_are_numbers() -> None:
    frame = pd.DataFrame({
        "day": pd.period_range("2026-03-01", periods=2, freq="D"),
        "flag": pd.arrays.SparseArray([0.0, 1.0]),
    })  # fmt: skip

    assert rows(frame) == [
        {"day": "2026-03-01T00:00:00", "flag": 0.0}, {"day": "2026-03-02T00:00:00", "flag": 1.0},
    ]  # fmt: skip


def test_a_type_that_arrow_has_not_and_a_single_value_are_refused() -> None:
    wide = pl.DataFrame({"n": [1, 2]}).cast(pl.Int128)

    with pytest.raises(InputError, match=r"a type that Arrow cannot take .*cast it"):
        rows(wide)
    for value in (1, "ab", None):
        with pytest.raises(InputError, match=r"^age is one value: give a list"):
            rows({"age": value})


def test_masked_values_are_missing() -> None:
    masked = np.ma.masked_array([7, 999, 9], [False, True, False])
    pairs = np.ma.masked_array([[1.5, 2.5], [3.5, 4.5]], [[True, False], [False, False]])

    assert rows({"a": masked}) == [{"a": 7}, {"a": None}, {"a": 9}]
    assert rows(masked * 0.5) == [{"0": 3.5}, {"0": None}, {"0": 4.5}]
    assert rows(pairs) == [{"0": None, "1": 2.5}, {"0": 3.5, "1": 4.5}]
    assert rows({"a": np.ma.masked_array([3, 4])}) == [{"a": 3}, {"a": 4}]


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_rows_as_lists_and_matrices_are_tables() -> None:
    from collections import namedtuple

    trip = namedtuple("trip", "km fuel")  # what cursors of databases return

    assert rows([[1, "a"], [2, None]]) == [{"0": 1, "1": "a"}, {"0": 2, "1": None}]
    assert rows([trip(1.5, "gas")]) == [{"km": 1.5, "fuel": "gas"}]
    assert rows([np.array([1, 2]), np.array([3, 4])]) == [{"0": 1, "1": 2}, {"0": 3, "1": 4}]
    assert rows(np.matrix([[1, 2], [3, 4]])) == [{"0": 1, "1": 2}, {"0": 3, "1": 4}]
    with pytest.raises(InputError, match="row 2 has 1 values, the first 2"):
        rows([[1, 2], [3]])


def test_columns_by_their_rows_are_columns() -> None:
    frame = pd.DataFrame({"km": [5, 3], "fuel": ["gas", "oil"]}, index=[12, 7])

    assert rows(frame.to_dict()) == frame.to_dict("records")
    with pytest.raises(InputError, match="two columns are called 1"):
        rows({1: [5], "1": [6]})


def test_arrays_of_arrow_and_extensions_of_pandas_are_columns() -> None:
    chunks = pa.chunked_array([["a"], [None]])

    assert rows(pa.array(["a", None])) == rows(chunks) == [{"0": "a"}, {"0": None}]
    assert rows({"a": chunks}) == [{"a": "a"}, {"a": None}]
    assert rows(pd.array([1, None], dtype="Int64")) == [{"0": 1}, {"0": None}]


def test_objects_of_polars_are_their_values() -> None:
    held = pl.Series("price", [Decimal("1.5"), None], dtype=pl.Object)

    expected = [{"n": 1, "price": 1.5, "z": "a"}, {"n": 2, "price": None, "z": "b"}]
    assert rows(pl.DataFrame({"n": [1, 2], "price": held, "z": ["a", "b"]})) == expected
    assert rows(pl.DataFrame({"price": held})) == [{"price": 1.5}, {"price": None}]


def test_an_index_of_times_without_a_name_is_a_column() -> None:
    index = pd.date_range("2026-03-01", periods=2, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"km": [5, 3]}, index=index)
    times = ["2026-02-28T23:00:00Z", "2026-03-01T00:00:00Z"]

    assert [row["index"] for row in rows(frame)] == times
    assert rows(frame["km"]) == [{"index": times[0], "km": 5}, {"index": times[1], "km": 3}]
    days = frame.set_index(pd.period_range("2026-03-01", periods=2, freq="D"))
    assert [row["index"] for row in rows(days)] == ["2026-03-01T00:00:00", "2026-03-02T00:00:00"]
    assert rows(frame.reset_index(drop=True)) == [{"km": 5}, {"km": 3}]
