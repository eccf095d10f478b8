"""Arrow's files and streams are read as Parquet is: same rows, same columns, same sentences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, ipc

from driftline.producer.errors import InputError
from driftline.producer.files.arrow import arrow_column
from driftline.producer.files.rows import count_rows, read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.table import Dates

from .test_parquet_types import CASES

ROWS = [{"km": n, "fuel": ["gas", None, "oil"][n % 3], "at": {"x": n / 2}} for n in range(7)]


def write_file(table: Any, path: Path, compression: str | None = None) -> None:
    options = ipc.IpcWriteOptions(compression=compression)
    with ipc.new_file(path, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=3)


def write_stream(table: Any, path: Path) -> None:
    with ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


def write_feather(table: Any, path: Path) -> None:
    feather.write_feather(table, path, compression="lz4")


WRITERS: dict[str, Callable[[Any, Path], None]] = {
    "a.arrow": write_file,
    "a.feather": write_feather,
    "a.arrows": write_stream,
    "stream.arrow": write_stream,  # what polars and others call so too
    "file.arrows": lambda table, path: write_file(table, path, "zstd"),
}


@pytest.fixture(params=WRITERS)
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    WRITERS[request.param](pa.Table.from_pylist(ROWS), path)
    return path


def test_rows_numbers_and_count(written: Path) -> None:
    tables = list(read_tables(written))
    assert [row for table in tables for row in table.to_rows()] == ROWS
    starts = [table.first for table in tables]
    assert starts == [0, *(table.first + table.rows for table in tables[:-1])]
    assert count_rows(written) == len(ROWS)


def test_the_columns_that_are_asked_for(written: Path) -> None:
    tables = list(read_tables(written, ["at", "km", "other"]))
    assert {name for table in tables for name in table.columns} == {"km", "at"}
    assert sum(table.rows for table in read_tables(written, ())) == len(ROWS)


def test_long_batches_are_cut(tmp_path: Path) -> None:
    path, table = tmp_path / "a.arrow", pa.table({"n": range(70_000)})
    with ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    read = [each.rows for each in read_tables(path)]
    assert (sum(read), max(read)) == (70_000, 32_768)


@pytest.mark.parametrize("kind", CASES)
def test_a_type(kind: str, tmp_path: Path) -> None:
    column, expected = CASES[kind]
    for name in ("a.arrow", "a.arrows"):
        file = tmp_path / name
        WRITERS[name](pa.table({"c": column}), file)
        assert [row["c"] for rows in read_rows(file) for row in rows] == expected


def test_a_stream_whose_dictionary_grows(tmp_path: Path) -> None:
    path = tmp_path / "a.arrows"
    batches = [pa.record_batch([pa.array(c).dictionary_encode()], ["c"]) for c in ("ab", "cab")]
    with ipc.new_stream(path, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    assert [row["c"] for rows in read_rows(path) for row in rows] == list("abcab")


def test_a_folder_of_them(tmp_path: Path) -> None:
    for day, rows in (("day=1", ROWS[:3]), ("day=2", ROWS[3:])):
        (tmp_path / day).mkdir()
        write_file(pa.Table.from_pylist(rows), tmp_path / day / "a.arrow")
    found = [row for rows in read_rows(tmp_path) for row in rows]
    assert [row["km"] for row in found] == list(range(7))
    assert [row["day"] for row in found] == ["1"] * 3 + ["2"] * 4


def _bytes_of(write: Callable[[Any, Path], None], folder: Path) -> bytes:
    write(pa.Table.from_pylist(ROWS), folder / "whole")
    return (folder / "whole").read_bytes()


@pytest.mark.parametrize("write", [write_file, write_stream])
def test_one_that_is_cut_off(write: Callable[[Any, Path], None], tmp_path: Path) -> None:
    whole, path = _bytes_of(write, tmp_path), tmp_path / "cut.arrow"
    for end in (3, 7, 40, len(whole) // 2 + 1, len(whole) - 40):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match="is not readable Arrow data; write the file again"):
            list(read_rows(path))
    assert count_rows(path) is None


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("torn.arrow", b"\0km", "is not readable Arrow data; write the file again"),
        ("torn.arrows", b"\0km", "is not readable Arrow data; write the file again"),
        ("text.arrow", b"km,fuel\n1,gas\n", "is CSV; call it so: text.csv"),
        ("old.feather", b"FEA1\0\0\0\0", "is Feather 1; write it as Feather 2 or Parquet"),
        ("empty.arrow", b"", "is empty; give a file with at least one event"),
    ],
)
def test_what_is_none(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"^{tmp_path / name}: {sentence}"):
        list(read_rows(tmp_path / name))


@pytest.mark.parametrize("write", [write_file, write_stream])
def test_without_rows_or_with_one_name_twice(
    write: Callable[[Any, Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "a.arrow"
    write(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(InputError, match="has no rows"):
        read_rows(path)
    assert count_rows(path) == 0
    write(pa.table([[1], [2]], names=["a", "a"]), path)
    with pytest.raises(InputError, match="two columns are called a; rename one of them"):
        read_rows(path)


def test_dates_are_told_from_texts_that_look_like_them() -> None:
    days = arrow_column(pa.array([date(2026, 3, 1), None, date(2026, 3, 1)]))
    texts = arrow_column(pa.array(["2026-03-01", None]))

    assert days.values() == ["2026-03-01", None, "2026-03-01"]
    assert (isinstance(days, Dates), isinstance(texts, Dates)) == (True, False)
