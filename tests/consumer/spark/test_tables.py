"""What tasks count and judge, without Spark: Arrow batches in, the records of a backtest out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.consumer.spark.lake import TOPIC, Lake, Record, compare, lake

from driftline.consumer.spark.judging import judged
from driftline.consumer.spark.shipped import Shipped
from driftline.consumer.spark.tables import COUNTED, CountTable
from driftline.consumer.wire.codec import decode
from driftline.consumer.wire.messages import Pane

Batches = Sequence[pa.RecordBatch]


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return lake(tmp_path_factory.mktemp("labelled"), 6_000, 2, bad=101)


def parted(table: pa.Table, tasks: int, seed: int) -> list[Batches]:
    """The rows by task, in no order."""
    rng = np.random.default_rng(seed)
    of = rng.integers(0, tasks, table.num_rows)
    shuffled = [rng.permutation(np.flatnonzero(of == task)) for task in range(tasks)]
    return [table.take(places).to_batches(max_chunksize=500) for places in shuffled]


def in_order(table: pa.Table, tasks: int) -> list[Batches]:
    size = -(-table.num_rows // tasks)
    return [table.slice(i * size, size).to_batches(max_chunksize=700) for i in range(tasks)]


def counted(shipped: Shipped, parts: Sequence[Batches], *, values: bool = False) -> pa.Table:
    """What all tasks count, and then the panes added up."""

    def every() -> Iterator[pa.RecordBatch]:
        for number, batches in enumerate(parts):
            yield from CountTable(shipped, values).count(batches, number)

    merged = CountTable(shipped, values).merge(every())
    return pa.Table.from_batches(merged, COUNTED)


def judge(shipped: Shipped, found: pa.Table, model: str | None) -> list[Record]:
    own = found.filter(pa.array([name == model for name in found["model"].to_pylist()]))
    rows = judged(shipped, model, own).to_pylist()
    assert [row["seq"] for row in rows] == list(range(len(rows)))
    assert {row["model"] for row in rows} <= {model}
    return [(row["kind"], row["json"]) for row in rows]


def of(records: Sequence[Record], *, performance: bool) -> list[Record]:
    """The records of performance, or all others, in their order."""
    return [
        (kind, text)
        for kind, text in records
        if (msgspec.json.decode(text)["type"] == "performance") == performance
    ]


@pytest.mark.parametrize("tasks", [1, 3, 17])
def test_the_records_are_those_of_a_backtest(labelled: Lake, tasks: int) -> None:
    """With segments, labels and rows that are no events; whatever task has which rows."""
    shipped = Shipped.of(labelled.loaded, TOPIC, by_path=False)
    table = labelled.table()
    for parts in (in_order(table, tasks), parted(table, tasks, tasks)):
        found = counted(shipped, parts)
        for model in labelled.models:
            expected = labelled.expected(model)
            assert {kind for kind, _ in expected} == {"verdict", "alert"}
            own = judge(shipped, found, model)
            for performance in (True, False):
                some = of(own, performance=performance)
                assert some == of(expected, performance=performance) != []


def test_they_come_in_the_order_of_a_backtest(tmp_path: Path) -> None:
    own = lake(tmp_path, 4_000, 1, labels=None)
    shipped = Shipped.of(own.loaded, TOPIC, by_path=True)
    found = counted(shipped, parted(own.table(), 5, 5))
    assert judge(shipped, found, "m00") == own.expected("m00")


def test_labels_of_another_topic_are_not_known(tmp_path: Path) -> None:
    own = lake(tmp_path, 4_000, 1, labels="ml.labels")
    shipped = Shipped.of(own.loaded, TOPIC, by_path=False)
    found = counted(shipped, in_order(own.table(), 3))
    assert "rows" not in found["kind"].to_pylist()
    assert judge(shipped, found, "m00") == own.expected("m00")


@pytest.mark.parametrize("traffic", ["split", "same"])
def test_comparisons_are_judged(tmp_path: Path, traffic: str) -> None:
    """Of two models of the topic, whatever task has which rows; beside the models themselves."""
    own = lake(tmp_path, 6_000, 2, files=3)
    if traffic == "same":
        both = with_both(own.table(), own.models)
        for i, file in enumerate(sorted(own.folder.iterdir())):
            pq.write_table(both.slice(i * 4_000, 4_000), file)
    compare(own, f"{{champion: m00, challenger: m01, traffic: {traffic}}}")
    shipped = Shipped.of(own.loaded, TOPIC, by_path=False)
    expected = own.compared("better")
    assert {kind for kind, _ in expected} >= {"verdict"}
    assert "comparison" in expected[-1][1]
    for parts in (in_order(own.table(), 4), parted(own.table(), 7, 7)):
        found = counted(shipped, parts)
        assert judge(shipped, found, "better") == expected
        for model in own.models:
            assert sorted(judge(shipped, found, model)) == sorted(own.expected(model))


def with_both(table: pa.Table, models: Sequence[str]) -> pa.Table:
    """The same with every event predicted by both models, the second of which errs more."""
    second = pa.array([models[1]] * table.num_rows)
    said = pa.array(["yes" if i % 3 else "no" for i in range(table.num_rows)])
    other = table.set_column(2, "model", second).set_column(8, "said", said)
    first = table.set_column(2, "model", pa.array([models[0]] * table.num_rows))
    return pa.concat_tables([first, other]).sort_by("at")


def test_rows_that_are_no_events_are_told(labelled: Lake) -> None:
    shipped = Shipped.of(labelled.loaded, TOPIC, by_path=False)
    table = labelled.table()
    ways = [judge(shipped, counted(shipped, parted(table, n, n)), None) for n in (1, 4)]
    assert ways[0] == ways[1]
    letters = [msgspec.json.decode(text) for kind, text in ways[0] if kind == "dead-letter"]
    assert len(letters) == len(ways[0])
    assert Counter(letter["reason"] for letter in letters) == {"timestamp": 60}
    said = "the timestamp is no time that can be read: field at"
    assert {letter["detail"] for letter in letters} == {said}
    assert all("features" in msgspec.json.decode(letter["value"]) for letter in letters)


@pytest.mark.parametrize("kind", [pa.binary(), pa.string()], ids=str)
def test_events_of_json_give_the_same(labelled: Lake, kind: pa.DataType) -> None:
    table = labelled.table()
    shipped = Shipped.of(labelled.loaded, TOPIC, by_path=False)
    rows = table.to_pylist()
    for row in rows:
        row["at"] = None if row["at"] is None else row["at"].isoformat()
    texts = [msgspec.json.encode(row) for row in rows]
    values = pa.array(texts, pa.binary()).cast(kind)
    batches = pa.table({"value": values}).to_batches(max_chunksize=900)
    found = counted(shipped, [batches[::2], batches[1::2]], values=True)
    for model in labelled.models:
        assert sorted(judge(shipped, found, model)) == sorted(labelled.expected(model))
    assert {kind for kind, _ in judge(shipped, found, None)} == {"dead-letter"}


def test_a_pane_is_one_part_however_it_was_counted(labelled: Lake) -> None:
    shipped = Shipped.of(labelled.loaded, TOPIC, by_path=False)
    table = labelled.table()
    ways = []
    for tasks in (1, 6):
        found = counted(shipped, parted(table, tasks, 3)).to_pylist()
        panes = [decode(row["value"], Pane) for row in found if row["kind"] == "pane"]
        # The sample goes by the places of rows, and every other count by their values.
        bare = [msgspec.structs.replace(pane, sample=None) for pane in panes]
        ways.append(sorted(bare, key=lambda pane: (pane.model, pane.start)))
    keys = [(pane.model, pane.start) for pane in ways[0]]
    assert len(set(keys)) == len(keys) > 50
    assert ways[0] == ways[1]
