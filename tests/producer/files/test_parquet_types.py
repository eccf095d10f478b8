"""Every type of Arrow that Parquet holds becomes what JSON can hold."""

from __future__ import annotations

import json
import uuid
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftline.producer.files.arrow import arrow_table
from driftline.producer.files.rows import read_rows

UUIDS = [uuid.UUID(int=n) for n in (1, 2)]
UUID = pa.ExtensionArray.from_storage(
    pa.uuid(), pa.array([*(each.bytes for each in UUIDS), None], pa.binary(16))
)
SECONDS = 1_500_000_001  # in ns: no whole number of microseconds
NANOS = pa.timestamp("ns", "Nowhere/AtAll")
FAR = 3_000_000  # days: beyond the year 9999
SAID = "1970-01-01T00:00:01.500Z"

CASES: dict[str, tuple[Any, list[Any]]] = {
    "uuid": (UUID, ["00000000-0000-0000-0000-000000000001", str(UUIDS[1]), None]),
    "uuid in a list": (pa.ListArray.from_arrays([0, 1, 2], UUID), [[str(u)] for u in UUIDS]),
    "uuid in a struct": (
        pa.StructArray.from_arrays([UUID], names=["u"]),
        [{"u": str(UUIDS[0])}, {"u": str(UUIDS[1])}, {"u": None}],
    ),
    "bytes": (pa.array([b"ab", b"\xff\x00", None], pa.binary(2)), ["ab", "\ufffd\0", None]),
    "decimal": (pa.array([Decimal("1.50"), None], pa.decimal256(50, 2)), [1.5, None]),
    "half": (pa.array(np.array([1.5, 2], np.float16)), [1.5, 2.0]),
    "duration": (pa.array([SECONDS, None], pa.duration("ns")), [1.500000001, None]),
    "a long duration": (pa.array([2**50, -1], pa.duration("s")), [2.0**50, -1.0]),
    "date": (pa.array([FAR, 0, None], pa.int32()).cast(pa.date32()), [None, "1970-01-01", None]),
    "date in ms": (pa.array([date(2019, 3, 27), None], pa.date64()), ["2019-03-27", None]),
    "time": (pa.array([time(1, 2, 3), None], pa.time32("ms")), ["01:02:03", None]),
    "time in ns": (pa.array([SECONDS, None], pa.time64("ns")), ["00:00:01.500000", None]),
    "zone": (pa.array([SECONDS, None], NANOS), [SAID, None]),
    "no zone": (pa.array([SECONDS, None], pa.timestamp("ns")), [SAID.rstrip("Z"), None]),
    "times in a list": (pa.array([[SECONDS], [], None], pa.list_(NANOS)), [[SAID], [], None]),
    "times deep inside": (
        pa.array(
            [[{"t": [SECONDS], "d": SECONDS}]],
            pa.list_(pa.struct([("t", pa.large_list(NANOS)), ("d", pa.duration("ns"))])),
        ),
        [[{"t": [SAID], "d": 1.5}]],
    ),
    "far times in a list": (
        pa.array([[2**58], [0]], pa.list_(pa.timestamp("us"))), [None, ["1970-01-01T00:00:00"]],
    ),
    "map": (
        pa.array([[("a", SECONDS)], None], pa.map_(pa.string(), NANOS)), [[["a", SAID]], None],
    ),
    "dictionary": (pa.array(["a", "b", None]).dictionary_encode(), ["a", "b", None]),
    "dictionary of times": (pa.array([SECONDS], NANOS).dictionary_encode(), [SAID]),
    "fixed list": (pa.array([[1, 2]], pa.list_(pa.float32(), 2)), [[1.0, 2.0]]),
    "large text": (pa.array(["a", None], pa.large_string()), ["a", None]),
    "text view": (pa.array(["a", None], pa.string_view()), ["a", None]),
    "bytes view": (pa.array([b"a", None], pa.binary_view()), ["a", None]),
    "null": (pa.nulls(2), [None, None]),
    "boolean of 8 bits": (
        pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8())),
        [True, False, None],
    ),
    "tensor": (
        pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.float32(), [2]), pa.array([[1, 2]], pa.list_(pa.float32(), 2))
        ),
        [[1.0, 2.0]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_a_type(kind: str, tmp_path: Path) -> None:
    column, expected = CASES[kind]
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"c": column}), file)
    found = [row["c"] for rows in read_rows(file) for row in rows]
    assert found == expected
    json.dumps(found, allow_nan=False)


def test_texts_that_a_file_holds_as_a_dictionary_stay_texts(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    few = ["a", "b", None, "", "ü"]
    columns = {
        "few": pa.array([few[i] for i in rng.integers(0, 5, 900)]),
        "a.b": pa.array([few[i] for i in rng.integers(0, 2, 900)], pa.large_string()),
        "bytes": pa.array([b"x", b"\xff", None] * 300, pa.binary()),
        "changes": pa.array(["old"] * 300 + [None] * 300 + ["new"] * 300),
        "many": pa.array([f"{i:064}" for i in range(900)]),
        "inner": pa.array([{"few": "a"}, {"few": None}, None] * 300),
    }
    table = pa.table(columns)
    file = tmp_path / "texts.parquet"
    options: list[dict[str, Any]] = [{}, {"use_dictionary": ["few"]}, {"use_dictionary": False}]
    for option in options:
        pq.write_table(table, file, row_group_size=300, **option)
        read = [row for rows in read_rows(file) for row in rows]
        expected = [{**row, "bytes": _text(row["bytes"])} for row in table.to_pylist()]
        assert read == expected


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")


@pytest.mark.parametrize("freq", ["h", "min", "s", "D", "M", "Q", "Y"])
@pytest.mark.parametrize("known", [True, False], ids=["pandas", "without"])
def test_periods_of_pandas_are_their_begins(tmp_path: Path, freq: str, *, known: bool) -> None:
    periods = pd.Series(pd.period_range("1969-11-01", periods=5, freq=freq))
    periods[2] = pd.NaT
    file = tmp_path / "periods.parquet"
    pd.DataFrame({"at": periods}).to_parquet(file)
    read = arrow_table(pq.read_table(file).to_batches()[0]) if known else None
    if read is None:  # as where pandas is not imported
        array = pa.array([None if at is pd.NaT else at.ordinal for at in periods], pa.int64())
        metadata = {
            "ARROW:extension:name": "pandas.period",
            "ARROW:extension:metadata": json.dumps({"freq": str(periods.dtype)[7:-1]}),
        }
        schema = pa.schema([pa.field("at", pa.int64(), metadata=metadata)])
        read = arrow_table(pa.RecordBatch.from_arrays([array], schema=schema))
    begins = [None if at is pd.NaT else at.isoformat() for at in periods.dt.to_timestamp()]
    assert [row["at"] for row in read.to_rows()] == begins


def test_periods_of_weeks_stay_numbers(tmp_path: Path) -> None:
    weeks = pd.DataFrame({"at": pd.period_range("2026-01-01", periods=3, freq="W")})
    weeks.to_parquet(tmp_path / "weeks.parquet")
    assert all(type(row["at"]) is int for row in next(read_rows(tmp_path / "weeks.parquet")))
