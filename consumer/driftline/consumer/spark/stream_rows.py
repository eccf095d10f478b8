"""What goes between the driver and the tasks of a batch, as rows of Arrow.

Nothing here knows Spark: records of Kafka in, what they count to out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import Message
from driftline.consumer.spark.counted import Counted, CountedState, CountTask
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Pane

READ = ("partition", "offset", "timestamp", "key", "value", "headers")
"""Columns of Spark's source for Kafka that are read."""

COUNTED_DDL = (
    "kind string, model string, start long, task long, seq long, topic string, partition int, "
    "key binary, value binary, headers array<struct<key: string, value: binary>>"
)

_HEADERS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))
COUNTED = pa.schema(
    [
        ("kind", pa.string()),
        ("model", pa.string()),
        ("start", pa.int64()),
        ("task", pa.int64()),
        ("seq", pa.int64()),
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("headers", _HEADERS),
    ]
)
"""`pane`, a part, with its model and start (ms); `message`, a record to be sent, with its place in
the task's order; `state`, what is known of a partition. Of the first and the last `value` is the
record."""

_ROWS = 1_000


def count(task: CountTask, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield what the records of a task count to.

    Args:
        task: what is to be done.
        batches: columns as in `READ`.
    """
    counted = task.count(runs(task.topic, batches))
    number = min((one.partition for one in counted.states), default=0)
    yield from written(counted, number)


def merge(task: CountTask, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the same with one part of each pane; all parts of a pane are in `batches`."""
    parts: dict[tuple[str, int], list[Pane]] = {}
    for batch in batches:
        panes = np.array([kind == "pane" for kind in batch.column(0).to_pylist()], bool)
        for row in batch.filter(pa.array(panes)).select(["model", "start", "value"]).to_pylist():
            own = parts.setdefault((row["model"], row["start"]), [])
            own.append(decode(row["value"], Pane))
        if not panes.all():
            yield batch.filter(pa.array(~panes))
    for _, own in sorted(parts.items()):
        yield from written(Counted(task.merged(own), (), ()), 0)


def runs(topic: str, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, list[MemoryRecord]]]:
    """Yield the records of a partition that follow one another, with its number."""
    for batch in batches:
        if not batch.num_rows:
            continue
        partitions = batch.column(0).to_numpy(zero_copy_only=False)
        times = batch.column(2).cast(pa.int64()).to_numpy(zero_copy_only=False) // 1_000
        columns = [batch.column(1).to_pylist(), times.tolist()]
        columns += [batch.column(place).to_pylist() for place in (3, 4)]
        columns.append([_headers(each) for each in batch.column(5).to_pylist()])
        edges = [0, *(np.flatnonzero(np.diff(partitions)) + 1).tolist(), len(partitions)]
        for low, high in pairwise(edges):
            number = int(partitions[low])
            rows = zip(*(column[low:high] for column in columns), strict=True)
            yield number, [MemoryRecord(topic, number, *row) for row in rows]


def written(counted: Counted, task: int) -> Iterator[pa.RecordBatch]:
    """Yield rows of what was counted; `task`: its number among those of the batch."""
    rows: list[tuple[Any, ...]] = [
        ("pane", pane.model, pane.start, task, 0, None, None, None, encode(pane), None)
        for pane in counted.panes
    ]
    for seq, each in enumerate(counted.messages):
        headers = [{"key": name, "value": value} for name, value in each.headers]
        place = (each.topic, each.partition, each.key, each.value, headers)
        rows.append(("message", None, None, task, seq, *place))
    for one in counted.states:
        value = msgspec.msgpack.encode(one)
        rows.append(("state", None, None, task, 0, None, one.partition, None, value, None))
    for at in range(0, len(rows), _ROWS):
        columns = zip(*rows[at : at + _ROWS], strict=True)
        arrays = [pa.array(c, kind) for c, kind in zip(columns, COUNTED.types, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=COUNTED)


def read(table: pa.Table) -> Counted:
    """Return what a whole batch counts to, of all its rows in any order."""
    rows = table.to_pylist()
    messages = [row for row in rows if row["kind"] == "message"]
    messages.sort(key=lambda row: (row["task"], row["seq"]))
    return Counted(
        [decode(row["value"], Pane) for row in rows if row["kind"] == "pane"],
        [
            Message(
                row["topic"], row["partition"], row["key"], row["value"], _headers(row["headers"])
            )
            for row in messages
        ],
        [
            msgspec.msgpack.decode(row["value"], type=CountedState)
            for row in rows
            if row["kind"] == "state"
        ],
    )


def _headers(found: Sequence[dict[str, Any]] | None) -> tuple[tuple[str, bytes], ...]:
    return tuple((each["key"], each["value"]) for each in found or ())
