"""A partition counts a table as it counts the same rows as records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.consumer.service.small import LABELS, TOPIC

from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.input_rows import TableRecord, TableRows
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.totals import DeadLetter, Output
from driftline.consumer.wire.codec import encode
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table

from .block_cases import APART, TOGETHER, Row, event, label, log, sketch

FEW = {"features": [1]}
EVENTS = [
    *(event(i, f"e{i}", tags={"tier": "gold" if i % 2 else "x"}) for i in range(40)),
    {"timestamp": "never", "features": {}},
    event(41, model="nobody"),
    FEW,
    event(60, None),
    event(61, "odd", prediction=None),
]
ROWS = {
    TOPIC: EVENTS,
    LABELS: [*(label(i, f"e{i}") for i in range(9)), label(9, None), label(10, "z", "maybe")],
}
MIXED = [*EVENTS[:20], *ROWS[LABELS], event(62, "own", actual="no"), *EVENTS[20:]]


def said(outputs: list[Output]) -> list[Any]:
    return [
        (each.record.offset, each.record.topic, each.reason, each.detail)
        if isinstance(each, DeadLetter)
        else encode(each)
        for each in outputs
    ]


def by_tables(one: PartitionSketch, rows: list[Row], cut: int) -> list[Output]:
    """The rows in two tables."""
    found: list[Output] = []
    for first, part in ((0, rows[:cut]), (cut, rows[cut:])):
        table = Table.of_rows(part, first)
        found += one.feed_table(TableRows(table, one.source, Mapping.native()), 0)
    return found


@pytest.mark.parametrize(
    ("plan", "topic", "rows"),
    [(APART, TOPIC, EVENTS), (APART, LABELS, ROWS[LABELS]), (TOGETHER, TOPIC, MIXED)],
)
def test_a_table_is_counted_as_its_records(plan: Plan, topic: str, rows: list[Row]) -> None:
    records, columns, cut = sketch(topic, plan), sketch(topic, plan), len(rows) // 2
    polled = [replace(record, timestamp=-1) for record in log(rows, topic)]
    expected = [*records.feed(polled[:cut], 0), *records.feed(polled[cut:], 0)]
    found = by_tables(columns, rows, cut)
    assert said(found) == said(expected)
    assert said(columns.idle(0, 0)) == said(records.idle(0, 0))
    assert columns.totals == records.totals
    assert columns.totals.rejected.total() > 0


def test_a_row_as_a_record() -> None:
    mapping = Mapping({"event_id": "id", "features": "*"})
    table = Table.of_rows([{"id": 1, "x": 1.5}, {"id": 2, "x": float("nan")}], first=10)
    record = TableRows(table, TopicPartition("t", 0), mapping).record(1)
    assert isinstance(record, TableRecord)
    assert (record.topic, record.partition, record.offset) == ("t", 0, 11)
    assert (record.timestamp, record.headers, record.key) == (-1, (), b"2")
    assert record.value == b'{"event_id":2,"features":{"x":"NaN"}}'
