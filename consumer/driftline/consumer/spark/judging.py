"""What a task does with all that was counted of one model: it judges it, as a backtest does.

Nothing here knows Spark: rows of Arrow in, rows of Arrow out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.offline.run import is_of_labels
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.states import sketch_key
from driftline.consumer.sketch.join_progress import JoinProgress
from driftline.consumer.sketch.state import ModelProgress, SketchState
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.shipped import Shipped
from driftline.consumer.wire.codec import decode
from driftline.consumer.wire.join_rows import pack_rows, unpack_rows
from driftline.consumer.wire.messages import Block, Pane, decode_block
from driftline.consumer.wire.records import Alert, Verdict

RECORDS = pa.schema(
    [
        ("model", pa.string()),
        ("seq", pa.int64()),
        ("kind", pa.string()),
        ("json", pa.string()),
    ]
)
"""What is made known: `verdict` and `alert`, numbered in their order within the model, or the
comparison; and `dead-letter`, of no model."""

RECORDS_DDL = "model string, seq long, kind string, json string"


def judged(shipped: Shipped, name: str | None, counted: pa.Table) -> pa.Table:
    """Return the records of a model or a comparison; of none, the dead letters.

    Args:
        shipped: what is watched.
        name: of the model or comparison.
        counted: all rows of it, as `tables.COUNTED` has them, in any order.

    Raises:
        SparkError: a stage of the model failed.
    """
    if name is None:
        texts = sorted(value.decode() for value in counted.column("value").to_pylist())
        return _table(None, [("dead-letter", text) for text in texts])
    rows = counted.to_pylist()
    model = shipped.models_of(name)[0]
    hidden = shipped.config.models[model].labels is not None and not shipped.labelled_here(model)
    found = [
        ("alert" if isinstance(record, Alert) else "verdict", msgspec.json.encode(record).decode())
        for record in records(shipped, name, rows)
        if not (hidden and is_of_labels(record))
    ]
    return _table(name, found)


def records(
    shipped: Shipped, name: str, rows: Sequence[Mapping[str, Any]]
) -> Iterator[Verdict | Alert]:
    """Yield the verdicts and alerts of a model or comparison, from what was counted of it."""
    topic = shipped.topic
    newest, joined = _largest(rows, "progress"), _largest(rows, "joined")
    models = {model: ModelProgress(0, 0, time) for model, time in newest.items()}
    joins = {model: JoinProgress(0, time) for model, time in joined.items()}
    state = SketchState("table", 1, 0, 0, 0, models, joins)
    states = {sketch_key(TopicPartition(topic, 0)): state}
    sides = shipped.models_of(name)
    compared = sides if name in shipped.config.comparisons else ()
    backtest = Backtest(shipped.plan_of(name), sides[0], topic, states=states, sides=compared)
    items = [row for row in rows if row["kind"] in ("pane", "rows")]
    items.sort(key=lambda row: (row["start"], row["kind"] == "pane", row["value"]))
    known, read = None, 0
    for item in items:
        if item["start"] != known:  # nothing that is still to come is before it
            known = item["start"]
            yield from backtest.close(known)
        if item["kind"] == "pane":
            yield from backtest.take([decode(item["value"], Pane)], 1)
            read += 1
        else:
            block, many = _renumbered(decode_block(item["value"]), topic, read)
            yield from backtest.take([block], many)
            read += many
    yield from backtest.end()
    for failed, error in backtest.failures.items():
        raise SparkError(
            f"{failed} failed ({error!r}): mend it, or take it out of the configuration"
        ) from error


def _renumbered(block: Block, topic: str, first: int) -> tuple[Block, int]:
    """Return rows for the join with the places `first` and on, and how many places they have.

    To the join they are those of one partition; as tasks number them they would come in no order.
    """
    assert block.rows is not None  # noqa: S101 (others are not kept)
    rows = unpack_rows(block.rows)
    places, rows.offsets = np.unique(rows.offsets, return_inverse=True)
    rows.offsets = rows.offsets.astype(np.int64) + first
    horizon = msgspec.structs.replace(
        block.horizon, source=topic, partition=0, partitions=1, until=first + len(places)
    )
    return msgspec.structs.replace(block, horizon=horizon, rows=pack_rows(rows)), len(places)


def _largest(rows: Iterable[Mapping[str, Any]], kind: str) -> dict[str, int]:
    """Return the largest time of each model in the rows of a kind."""
    found: dict[str, int] = {}
    for row in rows:
        if row["kind"] == kind:
            model = row["value"].decode()
            found[model] = max(row["start"], found.get(model, row["start"]))
    return found


def _table(name: str | None, found: Sequence[tuple[str, str]]) -> pa.Table:
    kinds, texts = zip(*found, strict=True) if found else ((), ())
    columns = [[name] * len(found), range(len(found)), kinds, texts]
    arrays = [pa.array(list(c), t) for c, t in zip(columns, RECORDS.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=RECORDS)
