"""What the tests of blocks share: two models with labels, and rows as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
from tests.consumer.service.small import (
    HORIZON,
    LABELS,
    MODEL,
    OTHER,
    SECOND,
    START,
    TOPIC,
    labelled_reference,
    plan,
)

from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.event_ids import hash_ids
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals, Output
from driftline.consumer.wire.join_rows import unpack_rows
from driftline.consumer.wire.messages import Block

GRACE, TARGETS, WRITTEN = 5 * SECOND, 4, START + 60 * SECOND
Row = dict[str, Any]


def joined_plan(labels: str) -> Plan:
    """The plan for two models whose labels lie in the topic `labels`."""
    section: dict[str, Any] = {
        "window": {"length": "30s", "every": "10s", "grace": "5s"},
        "labels": {"topic": labels, "horizon": f"{HORIZON}s"},
        "segments": ["tier"],
    }
    references = {name: labelled_reference(name) for name in (MODEL, OTHER)}
    return plan(references, models={OTHER: section}, **section)


APART, TOGETHER = joined_plan(LABELS), joined_plan(TOPIC)


def sketch(
    topic: str = TOPIC, plan: Plan = APART, state: SketchState | None = None, partition: int = 0
) -> PartitionSketch:
    state = state or SketchState("id", 1, 0, 0, 0, {})
    source = TopicPartition(topic, partition)
    return plan.sketch(source, 1, state, 0, InputTotals(), TARGETS)


def log(values: Iterable[Row | bytes | None], topic: str = TOPIC) -> list[MemoryRecord]:
    return [
        MemoryRecord(
            topic, 0, offset, WRITTEN, None,
            msgspec.json.encode(value) if isinstance(value, dict) else value,
        )
        for offset, value in enumerate(values)
    ]  # fmt: skip


def event(time: float, event_id: object = "a", **fields: Any) -> Row:
    """An event at so many seconds after the start."""
    return {
        "event_id": event_id, "timestamp": START + int(time * SECOND), "model": MODEL,
        "features": {"x": 0.5, "c": "p"}, "prediction": {"label": "yes", "score": 0.75}, **fields,
    }  # fmt: skip


def label(time: float, event_id: object = "a", actual: object = "yes", **fields: Any) -> Row:
    at = START + int(time * SECOND)
    return {"event_id": event_id, "timestamp": at, "model": MODEL, "actual": actual, **fields}


def blocks(outputs: Iterable[Output], model: str = MODEL) -> list[Block]:
    return [o for o in outputs if isinstance(o, Block) and o.horizon.model == model]


def rows(outputs: Iterable[Output], model: str = MODEL) -> list[tuple[Any, ...]]:
    """Return the rows that were sent as plain values, in the order of their records.

    (offset, id, whether it is a label, seconds, class, score, version, tier)
    """
    found = []
    for block in blocks(outputs, model):
        if block.rows is None:
            continue
        sent = unpack_rows(block.rows)
        assert (sent.ids % np.uint64(TARGETS) == block.target).all()
        names = [None, *block.versions]
        for i in range(len(sent)):
            own = int(sent.values[i]) if sent.labels[i] else int(sent.predicted[i])
            found.append(
                (
                    int(sent.offsets[i]),
                    int(sent.ids[i]),
                    bool(sent.labels[i]),
                    (int(sent.times[i]) - START) / SECOND,
                    [*block.classes, None][own],
                    None if sent.labels[i] else float(sent.values[i]),
                    names[sent.versions[i]],
                    [*block.segments["tier"], None][sent.segments[0, i]],
                )
            )
    return sorted(found, key=lambda row: (row[0], row[2]))


def hashed(event_id: object) -> int:
    return int(hash_ids([event_id])[0])
