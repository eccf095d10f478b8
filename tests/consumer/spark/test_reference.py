"""Rows that come to the driver as columns mean what they meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.consumer.spark.lake import lake

from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.reference import build_reference, packed, unpacked
from driftline.producer.files.arrow import arrow_table


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


def test_features_that_would_be_derived_are_refused() -> None:
    frame: object = None
    with pytest.raises(SparkError, match=r"^types: of note features would be derived, which dep"):
        build_reference(frame, model="m", types={"note": "text"})
