"""Backtests on Spark: the bytes of `driftline backtest`, whatever the partitions, and retried."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.consumer.spark.lake import TOPIC, Lake, Record, compare, lake

from driftline.consumer.spark import SparkError, backtest, panes
from driftline.consumer.spark.batch import sent
from driftline.consumer.spark.shipped import Shipped
from driftline.consumer.spark.tables import CountTable

PICKLED = 100_000
"""Bytes of a task's own, at most: what it is to do is broadcast."""


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake(tmp_path_factory.mktemp("labelled"), 8_000, 2, bad=101)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake(tmp_path_factory.mktemp("fleet"), 40_000, 50, labels=None)


def by_model(rows: list[Any]) -> dict[str | None, list[Record]]:
    found: dict[str | None, list[Record]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.model or "", row.seq)):
        found[row.model].append((row.kind, row.json))
    return found


def failing_once(marker: Path) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Rows as they are, by a task that dies half-way through when it is first run."""

    def some(batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            yield batch
            if not marker.exists():
                marker.touch()
                raise RuntimeError("a task that is to be tried again")

    return some


PARTITIONINGS: dict[str, Callable[[Any], Any]] = {
    "by file": lambda df: df,
    "shuffled": lambda df: df.repartition(5),
    "by model, in few": lambda df: df.repartition(2, "model", "plan"),
}


@pytest.mark.parametrize("way", PARTITIONINGS)
def test_a_lake_of_8_files(spark: Any, labelled: Lake, way: str, tmp_path: Path) -> None:
    """Labels, segments and rows that are no events; a task is retried in each."""
    df = PARTITIONINGS[way](spark.read.parquet(str(labelled.folder)))
    marker = tmp_path / "failed"
    df = df.mapInArrow(failing_once(marker), df.schema)
    found = by_model(backtest(df, config=labelled.config).collect())
    assert marker.exists()
    for model in labelled.models:
        assert sorted(found[model]) == sorted(labelled.expected(model))
    assert {kind for kind, _ in found[None]} == {"dead-letter"}
    assert len(found[None]) == -(-8_000 // 101)
    assert set(found) == {None, *labelled.models}


def test_50_models(spark: Any, fleet: Lake) -> None:
    df = spark.read.parquet(str(fleet.folder))
    found = by_model(backtest(df, config=fleet.config, topic=TOPIC).collect())
    assert set(found) == set(fleet.models)
    for model in fleet.models:
        assert found[model] == fleet.expected(model)
    assert sum(kind == "alert" for records in found.values() for kind, _ in records) > 50


def test_comparisons(spark: Any, tmp_path: Path) -> None:
    own = lake(tmp_path, 4_000, 2, files=2)
    compare(own, "{champion: m00, challenger: m01}")
    df = spark.read.parquet(str(own.folder)).repartition(3)
    found = by_model(backtest(df, config=own.config).collect())
    assert set(found) == {"better", *own.models}
    assert found["better"] == own.compared("better")
    for model in own.models:
        assert sorted(found[model]) == sorted(own.expected(model))
    without = backtest(df, config=own.config, comparisons=False)
    assert {row.model for row in without.select("model").distinct().collect()} == set(own.models)


def test_what_a_task_is_sent_is_small(spark: Any, fleet: Lake) -> None:
    """References of 50 models go to the executors once, and not with each task."""
    from pyspark.serializers import CloudPickleSerializer

    count = CountTable(Shipped.of(fleet.loaded, TOPIC, by_path=False), values=False)
    files = count.shipped.files or {}
    assert sum(map(len, files.values())) > 4 * PICKLED
    task = sent(spark, count, by_path=False)

    def closure(batches: Any) -> Any:
        yield from task().count(batches, 0)

    assert len(CloudPickleSerializer().dumps(closure)) < PICKLED


def test_events_of_json_and_references_by_path(spark: Any, labelled: Lake) -> None:
    df = spark.read.parquet(str(labelled.folder)).selectExpr("to_json(struct(*)) AS value")
    own = backtest(df, config=str(labelled.config), references_by_path=True)
    found = by_model(own.collect())
    for model in labelled.models:
        assert sorted(found[model]) == sorted(labelled.expected(model))


def test_panes_are_one_part_each(spark: Any, labelled: Lake) -> None:
    df = spark.read.parquet(str(labelled.folder)).repartition(6)
    rows = panes(df, config=labelled.config).where("kind = 'pane'").collect()
    keys = [(row.model, row.start) for row in rows]
    assert len(set(keys)) == len(keys) > 50


def test_references_that_executors_cannot_read(spark: Any, tmp_path: Path) -> None:
    own = lake(tmp_path, 500, 1)
    df = spark.read.parquet(str(own.folder))
    shipped = Shipped.of(own.loaded, TOPIC, by_path=True)
    (tmp_path / "m00.json").unlink()
    from driftline.consumer.spark.probe import probe

    task = sent(spark, CountTable(shipped, values=False), by_path=True)
    with pytest.raises(SparkError, match=r"^an executor cannot read a reference .*m00\.json"):
        probe(spark, task)
    assert df.count() == 500
    assert isinstance(own.table(), pa.Table)
