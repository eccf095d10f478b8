"""What goes between driver and tasks as Arrow, and what a query keeps when it is pickled."""

from __future__ import annotations

import datetime
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, START, TOPIC, labelled_plan, reference, row
from tests.consumer.spark.test_driver import engine

from driftline.consumer.config import load
from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import Message
from driftline.consumer.spark import SparkError, shipped_config, stream_rows
from driftline.consumer.spark.counted import together
from driftline.consumer.spark.metrics import metrics_of
from driftline.consumer.spark.query import SketchQuery
from driftline.consumer.spark.watched import Watched


def as_spark_reads(records: list[MemoryRecord]) -> pa.RecordBatch:
    """Records as Spark's source for Kafka has them."""
    utc = datetime.UTC
    times = [datetime.datetime.fromtimestamp(r.timestamp / 1000, utc) for r in records]
    headers = [[{"key": k, "value": v} for k, v in r.headers] or None for r in records]
    return pa.RecordBatch.from_arrays(
        [
            pa.array([r.partition for r in records], pa.int32()),
            pa.array([r.offset for r in records], pa.int64()),
            pa.array(times, pa.timestamp("us", tz="UTC")),
            pa.array([r.key for r in records], pa.binary()),
            pa.array([r.value for r in records], pa.binary()),
            pa.array(headers, pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
        ],
        names=list(stream_rows.READ),
    )


def plain(message: Message) -> Message:
    """A message whose headers are tuples."""
    return message._replace(headers=tuple(message.headers))


def test_records_come_as_they_were_written() -> None:
    records = [
        MemoryRecord("in", 2, 7, START + 5, b"k", b"v", (("h", b"x"),)),
        MemoryRecord("in", 2, 9, START + 6, None, None),
        MemoryRecord("in", 0, 3, -1, None, b"w"),
    ]
    empty = as_spark_reads(records).slice(0, 0)
    found = list(stream_rows.runs("in", [as_spark_reads(records), empty]))
    assert found == [(2, records[:2]), (0, records[2:])]


def test_what_tasks_count_comes_to_the_driver_whole() -> None:
    rig = Rig(labelled_plan("arrival"), partitions=2)
    for partition in (0, 1):
        rig.write([row(time * SECOND) for time in range(40)], partition)
        rig.write([b"oops"], partition, key=b"k", headers=[("h", b"1")])
    task = engine(rig).start().task(0)
    records = [*rig.broker.records(TOPIC)]
    tasks = [[r for r in records if r.partition == number] for number in (0, 1)]
    whole = together([task.count([(n, own)]) for n, own in enumerate(tasks)])
    batches = [b for own in tasks for b in stream_rows.count(task, [as_spark_reads(own)])]
    schema = stream_rows.COUNTED
    found = stream_rows.read(pa.Table.from_batches(batches, schema))
    assert (found.panes, found.states) == (whole.panes, whole.states)
    assert list(map(plain, found.messages)) == list(map(plain, whole.messages)) != []
    (shuffled,) = pa.Table.from_batches(batches[::-1], schema).combine_chunks().to_batches()
    merged = stream_rows.read(pa.Table.from_batches(stream_rows.merge(task, [shuffled]), schema))
    assert merged.messages == found.messages
    assert sorted(merged.states, key=lambda one: one.partition) == whole.states
    starts = sorted({pane.start for pane in whole.panes})
    assert len(whole.panes) > len(starts)
    assert [pane.start for pane in merged.panes] == starts
    expected = [task.merged([p for p in whole.panes if p.start == start]) for start in starts]
    assert [[pane] for pane in merged.panes] == expected


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    (tmp_path / "m.json").write_bytes(reference().to_json())
    config = tmp_path / "driftline.yaml"
    config.write_text(
        "kafka: {bootstrap_servers: 'localhost:9092'}\nhttp: {port: 0}\n"
        f"models: {{m: {{predictions: in, reference: {tmp_path / 'm.json'}}}}}\n"
    )
    return Watched.of(load(config, environ={}), "in")


def test_a_query_is_pickled_without_what_it_has_open(watched: Watched) -> None:
    query: Any = SketchQuery(watched, take_over=True)
    query._open = object()
    again: Any = pickle.loads(pickle.dumps(query))
    assert again._open is None
    assert (again._take_over, again._finite) == (True, False)
    assert again._watched.plan.references["m"].id == watched.plan.references["m"].id
    assert dict(again._watched.plan.references).keys() == {"m"}
    assert len(again._watched.plan.references) == 1


def test_a_look_that_failed_is_done_again_over_another_connection(watched: Watched) -> None:
    said: list[str] = []

    class Driver:
        def tick(self, read: dict[int, int], *, over: bool) -> None:
            said.append(f"tick {read} {over}")
            if len(said) == 1:
                raise WorkerLost("the broker has given no answer")

        def reconnect(self) -> None:
            said.append("reconnect")

    query: Any = SketchQuery(watched, take_over=False)
    progress = SimpleNamespace(sources=[SimpleNamespace(endOffset='{"in": {"0": 7}}')])
    started: Any = SimpleNamespace(lastProgress=progress)
    query.look(started)  # nothing is open
    metrics = SimpleNamespace(look=lambda driver: said.append("metrics"))
    query._open = SimpleNamespace(driver=Driver(), metrics=metrics, lapsed=False)
    for over in (False, False, True):
        query.look(started, over=over)
    ticks = [f"tick {{0: 7}} {over}" for over in (False, False, True)]
    first, second, third = ticks
    assert said == [first, "metrics", "reconnect", second, "metrics", third, "metrics"]


def test_to_count_no_reference_is_read_whole(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped_config, "parse_reference", None)
    assert watched.plan.sketch_model("m").layout_id == reference().layout_id
    with pytest.raises(TypeError):
        _ = watched.plan.references["m"]


def test_a_topic_that_no_model_reads_is_refused(watched: Watched, tmp_path: Path) -> None:
    with pytest.raises(SparkError, match=r"^no model reads out: give topic, an input of the conf"):
        Watched.of(load(tmp_path / "driftline.yaml", environ={}), "out")
    nothing = tmp_path / "nothing.yaml"
    nothing.write_text("kafka: {bootstrap_servers: 'localhost:9092'}\n")
    loaded = load(nothing, environ={}, needs_models=False)
    with pytest.raises(SparkError, match=r"^the configuration names no models, and those of drift"):
        Watched.of(loaded, "in")


def test_metrics_tell_what_a_query_has_read(watched: Watched) -> None:
    import urllib.request

    metrics = metrics_of(watched)
    try:
        metrics.totals("in").read = 7
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics.port}/metrics") as answer:
            text = answer.read().decode()
    finally:
        metrics.close()
    assert 'driftline_events_consumed_total{source="in"} 7.0' in text
