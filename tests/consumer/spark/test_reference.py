"""Rows that come to the driver as columns mean what they meant."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.consumer.spark.lake import lake

from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.readings import (
    PartWork,
    merged,
    packed,
    unpacked,
)
from driftline.consumer.spark.reference import build_reference
from driftline.producer.errors import InputError
from driftline.producer.files.arrow import arrow_table
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.counted_answers import CountedAnswers
from driftline.producer.reference.events import events_of
from driftline.producer.reference.seen import Seen


class Pickled:
    """As Spark does, which need not be there."""

    def pack(self, reading: Any) -> bytes:
        return pickle.dumps(reading)

    def unpack(self, data: bytes) -> Any:
        return pickle.loads(data)


PICKLED = Pickled()


def test_rows_are_what_they_were(tmp_path: Path) -> None:
    table = lake(tmp_path, 300, 1, bad=7).table()
    batches = table.to_batches(max_chunksize=100)
    values = [value for batch in packed(iter(batches)) for value in batch.column(0).to_pylist()]
    first, found, places = 0, [], []
    for value in values:
        for part in unpacked(value, first):
            places.append(part.first)
            found += part.to_rows()
            first += part.rows
    assert found == [row for batch in batches for row in arrow_table(batch).to_rows()]
    assert places[0] == 0
    assert first == 300


def test_tasks_read_and_merge(tmp_path: Path) -> None:
    """What tasks read and others merge is what one process reads."""
    table = lake(tmp_path, 900, 1).table()
    mapping = Mapping({"features.amount": "amount", "timestamp": "at", "tags.channel": "channel"})
    batches = table.to_batches(max_chunksize=100)
    work = PartWork(PICKLED.pack(Seen(64, CountedAnswers())), PICKLED, mapping, "m00", ("channel",))
    tasks: list[list[pa.RecordBatch]] = [batches[:2], batches[2:], []]
    parts = [part for own in tasks for part in work.read(own)]
    assert len(parts) == 2
    [whole] = [row for part in merged(parts, PICKLED) for row in part.to_pylist()]
    assert whole["rows"] == 900
    found: Seen = PICKLED.unpack(whole["part"])
    expected = Seen(64, CountedAnswers())
    expected.add(events_of(arrow_table(table.combine_chunks().to_batches()[0]), mapping, "m00"))
    assert found.events == expected.events == 900
    assert found.looks["amount"].numbers.about() == expected.looks["amount"].numbers.about()
    assert found.times.plan() == expected.times.plan()


def test_a_problem_of_a_task_comes_through() -> None:
    batch = pa.record_batch({"x": [1.0]})
    work = PartWork(PICKLED.pack(_Refuses()), PICKLED, Mapping({"features.x": "x"}), "m", ())
    [row] = [row for part in merged(work.read([batch]), PICKLED) for row in part.to_pylist()]
    assert row["problem"] == "x: correct it"
    assert row["part"] is None


class _Refuses:
    def add(self, events: object) -> None:
        raise InputError("x: correct it")

    def merge(self, other: object) -> None: ...


def test_features_that_would_be_derived_are_refused() -> None:
    frame: object = None
    with pytest.raises(SparkError, match=r"^types: of note features would be derived, which dep"):
        build_reference(frame, model="m", types={"note": "text"})
