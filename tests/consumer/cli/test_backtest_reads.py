"""How often a backtest reads its file, and that the way of its format changes no result."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.consumer.cli.conftest import ANALYSIS_ROWS, Driftline

from driftline.producer.files import arrow_parquet
from driftline.producer.files.rows import read_rows
from driftline.producer.records.table import Table

from .test_backtest import ID, TABLE


@pytest.mark.usefixtures("car_loan_folder")
def test_a_configured_backtest_reads_a_file_twice_and_once_only_times(
    driftline: Driftline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for chunk in read_rows(ANALYSIS_ROWS) for row in chunk]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=5_000)
    read, asked = arrow_parquet.read, list[tuple[Collection[str] | None, list[int]]]()

    def counted(file: Path, columns: Collection[str] | None) -> Iterator[Table]:
        taken = list[int]()
        asked.append((columns, taken))
        for table in read(file, columns):
            taken.append(table.rows)
            yield table

    monkeypatch.setattr(arrow_parquet, "read", counted)
    ran = driftline("backtest", "--input", "a.parquet")
    assert ID.sub("ID", ran.out) == TABLE
    (_, look), *reads = asked  # at the first rows: are they of the topic, or events?
    assert look == [5_000]
    assert [sum(taken) for _, taken in reads] == [len(rows)] * 2
    times, events = [columns for columns, _ in reads]
    assert times is not None
    assert "car_value" not in times
    assert events is not None
    assert "car_value" in events
    assert "another" in events  # each column may be a new field
    assert "id" not in events  # no label is matched


@pytest.mark.usefixtures("car_loan_folder")
def test_a_reference_is_built_without_the_ids_of_its_events(
    driftline: Driftline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for chunk in read_rows(ANALYSIS_ROWS) for row in chunk]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    read, asked = arrow_parquet.read, list[Collection[str] | None]()

    def noted(file: Path, columns: Collection[str] | None) -> Iterator[Table]:
        asked.append(columns)
        return read(file, columns)

    monkeypatch.setattr(arrow_parquet, "read", noted)
    build = "reference build --model car-loan --input a.parquet --output some.json"
    assert driftline(*build.split()).code == 0
    whole = [columns for columns in asked if columns is not None and "car_value" in columns]
    assert len(whole) >= 3
    assert not any("id" in columns for columns in whole)
