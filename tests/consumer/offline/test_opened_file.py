"""Files of records that platforms wrote: the events are what a topic's `preset` makes of them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from driftline.consumer.config import Config
from driftline.consumer.offline.opened_file import opened
from driftline.producer.files.tables import read_tables

NOW = "2026-03-02T00:00:00Z"


def config(**source: Any) -> Config:
    return Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "sources": {"captures": source},
            "models": {"m": {"predictions": "captures", "reference": "r.json"}},
        }
    )


SAGEMAKER = config(preset="sagemaker", names=["amount", "age"])


def capture(rows: str, scores: str, *, packed: bool = False) -> dict[str, Any]:
    data = base64.b64encode(rows.encode()).decode() if packed else rows
    return {
        "captureData": {
            "endpointInput": {"data": data, "encoding": "BASE64" if packed else "CSV"},
            "endpointOutput": {"data": scores, "encoding": "CSV"},
        },
        "eventMetadata": {"eventId": "a", "inferenceTime": NOW},
    }


def written(tmp_path: Path, rows: list[dict[str, Any]]) -> Path:
    file = tmp_path / "captures.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def rows_of(file: Path, source: Config = SAGEMAKER) -> list[dict[str, Any]]:
    return [
        row for table in read_tables(opened(file, source, "captures")) for row in table.to_rows()
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_each_row_of_a_capture_is_an_event(tmp_path: Path, packed: bool) -> None:
    file = written(tmp_path, [capture("1.5,30\n2.5,40", "0.25\n0.75", packed=packed)])
    found = rows_of(file)
    assert [row["features"] for row in found] == [
        {"amount": 1.5, "age": 30},
        {"amount": 2.5, "age": 40},
    ]
    assert [row["prediction"] for row in found] == [0.25, 0.75]
    assert {row["timestamp"] for row in found} == {NOW}


def test_a_record_that_cannot_be_read_is_no_event(tmp_path: Path) -> None:
    file = written(tmp_path, [capture("1.5,30", "0.25"), {"captureData": 3}])
    assert rows_of(file)[1:] == [{}]


def test_a_file_of_other_rows_stays_as_it_is(tmp_path: Path) -> None:
    file = written(tmp_path, [{"amount": 1.5, "age": 30}])
    assert opened(file, SAGEMAKER, "captures") is file
    assert opened(file, SAGEMAKER, "other") is file
    assert opened(file, None, None) is file
    assert opened(file, config(preset="bentoml"), "captures") is file


def test_arrays_get_their_names(tmp_path: Path) -> None:
    file = written(tmp_path, [{"timestamp": NOW, "features": [1.5, 30]}])
    (row,) = rows_of(file, config(names=["amount", "age"]))
    assert row["features"] == {"amount": 1.5, "age": 30}


def test_the_events_of_a_record_stand_at_its_place(tmp_path: Path) -> None:
    rows = [
        {**capture("1.5,30\n2.5,40", "0.25\n0.75"), "partition": 1, "offset": 7},
        {**capture("3.5,50", "0.5"), "partition": 1, "offset": 8},
    ]
    (table,) = read_tables(opened(written(tmp_path, rows), SAGEMAKER, "captures"))
    assert table.places is not None
    assert table.places.offsets.tolist() == [7, 7, 8]
