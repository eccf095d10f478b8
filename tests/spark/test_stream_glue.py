"""A query in a session of Spark, over files that stand for a topic, and the log in memory."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, START, TOPIC, plan, reference, row
from tests.consumer.spark.test_stream_rows import as_spark_reads

from driftline.consumer.log.memory import MemoryLog, MemoryProducer, MemoryRecord
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.spark import SparkError, query, sketch_stream, stream
from driftline.consumer.wire.messages import Horizon, Pane, decode_panes

SCHEMA = (
    "partition int, offset long, timestamp timestamp, key binary, value binary, "
    "headers array<struct<key: string, value: binary>>"
)


class Reached:
    """The broker of a rig, as a query reaches it."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.log = rig, MemoryLog(rig.broker)

    def producer(self) -> MemoryProducer:
        return MemoryProducer(self.rig.broker)

    def consumer(self, topics: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    made = Rig(plan(), partitions=2)
    monkeypatch.setattr(query, "connect", lambda kafka: Reached(made))
    monkeypatch.setattr(stream, "check_connector", lambda session: None)  # no topic is read
    for partition in (0, 1):
        values: list[Any] = [row(time * SECOND) for time in range(60)]
        made.write([*values, b"oops", None], partition, headers=[("h", b"1")])
    return made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "m.json").write_bytes(reference().to_json())
    path = tmp_path / "driftline.yaml"
    path.write_text(
        "kafka: {bootstrap_servers: 'localhost:9092', start: earliest}\nhttp: {port: 0}\n"
        "limits: {idle_after: 1s}\nmodels:\n  m:\n    predictions: in\n    budget: off\n"
        f"    reference: {tmp_path / 'm.json'}\n"
        "    window: {length: 30s, every: 10s, grace: 5s, min_events: 1}\n"
    )
    return path


def files(folder: Path, records: list[MemoryRecord], size: int) -> Path:
    """Write records as files, of which each is a batch."""
    folder.mkdir()
    for number, at in enumerate(range(0, len(records), size)):
        own = sorted(records[at : at + size], key=lambda r: (r.partition, r.offset))
        path = folder / f"{number}.parquet"
        pq.write_table(pa.Table.from_batches([as_spark_reads(own)]), path)
        os.utime(path, (number, number))
    return folder


def started(spark: Any, rig: Rig, config: Path, tmp_path: Path, **given: Any) -> Any:
    records = sorted(rig.broker.records(TOPIC), key=lambda r: (r.offset, r.partition))
    folder = tmp_path / "in"
    if not folder.exists():
        files(folder, records, 50)
    df = spark.readStream.schema(SCHEMA).option("maxFilesPerTrigger", "1").parquet(str(folder))
    return (
        sketch_stream(df, config=config, topic=TOPIC, **given)
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .start()
    )


def ended(one: Any) -> None:
    one.awaitTermination()
    for thread in threading.enumerate():
        if thread.name == "driftline-in":
            thread.join(30)


def test_a_query_counts_what_it_reads(spark: Any, rig: Rig, config: Path, tmp_path: Path) -> None:
    ended(started(spark, rig, config, tmp_path))
    found = [decode_panes(record.value or b"") for record in rig.records("panes")]
    panes = [each for each in found if isinstance(each, Pane)]
    assert sum(pane.streams[0].events for pane in panes) == 120
    assert {(pane.source, pane.partition) for pane in panes} == {(TOPIC, 0)}
    last = [each for each in found if isinstance(each, Horizon)][-1]
    assert (last.partitions, last.idle, last.horizon) == (1, True, START + 50 * SECOND)
    letters = rig.records("dead-letter")
    assert [record.value for record in letters] == [b"oops", b"oops"]
    assert dict(letters[0].headers)["h"] == b"1"
    state = rig.states("sketch/in/1", SketchState)[-1]
    assert (state.position, state.rewind, state.batch, state.body) == (62, 62, 2, "spark")
    # Nothing is left to be done, and a second start changes nothing.
    ended(started(spark, rig, config, tmp_path))
    assert len([p for p in map(decode, rig.records("panes")) if isinstance(p, Pane)]) == len(panes)


def decode(record: MemoryRecord) -> Any:
    return decode_panes(record.value or b"")


def test_what_is_refused_is_refused_when_it_starts(
    spark: Any, rig: Rig, config: Path, tmp_path: Path
) -> None:
    rig.start()
    rig.settle()
    rig.stop()
    with pytest.raises(Exception, match=r"^in is read by driftline run: stop its workers, then "):
        started(spark, rig, config, tmp_path)
    ended(started(spark, rig, config, tmp_path, take_over=True))
    state = rig.states("sketch/in/0", SketchState)[-1]
    assert (state.body, state.position) == ("spark", 62)


def test_a_lost_checkpoint_ends_the_query_with_one_sentence(
    spark: Any, rig: Rig, config: Path, tmp_path: Path
) -> None:
    ended(started(spark, rig, config, tmp_path))
    (tmp_path / "checkpoint").rename(tmp_path / "lost")
    one = started(spark, rig, config, tmp_path)
    with pytest.raises(Exception, match=r"driftline\.state is at batch 2 of in, the checkpoint at"):
        one.awaitTermination()


def test_a_stream_without_headers_is_refused(spark: Any, rig: Rig, config: Path) -> None:
    df = spark.readStream.format("rate").load()
    with pytest.raises(SparkError, match=r"^the stream has no column partition: give sketch_str"):
        sketch_stream(df, config=config, topic=TOPIC)
    assert rig.records("panes") == []
