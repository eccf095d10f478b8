"""What tasks do with the rows of a table: count them, and add up the parts of a pane.

Nothing here knows Spark: Arrow batches in, Arrow batches out. The rows are a set, so none is late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.messages import dead_letter_message
from driftline.consumer.sketch.input_rows import TableRows
from driftline.consumer.sketch.pane_counts import PaneSource, merged
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import DeadLetter, InputTotals, Output
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.shipped import Shipped
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.join_rows import unpack_rows
from driftline.consumer.wire.messages import Block, Pane
from driftline.producer.files.arrow import arrow_table

COUNTED = pa.schema(
    [
        ("model", pa.string()),
        ("kind", pa.string()),
        ("start", pa.int64()),
        ("value", pa.binary()),
    ]
)
"""What is counted: `pane`, with its start (ms) and its record; `rows`, predictions and labels for
the join, with the smallest time and the record; `progress` and `joined`, the largest event time of
a task, and whose; `dead-letter`, of no model, as JSON.

All but panes are there under each comparison of a model, too."""

COUNTED_DDL = "model string, kind string, start long, value binary"

VALUE = "value"
"""The one column of a table of JSON events."""

_TASK = 40  # bits of a row's number within its task

Row = tuple[str | None, str, int | None, bytes | None]


@dataclass(frozen=True)
class CountTable:
    """Counts the rows that a task has.

    Args:
        shipped: what is counted.
        values: whether the table has one column of JSON events; else columns are fields.
    """

    shipped: Shipped
    values: bool

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that are read, where not any column may be a feature."""
        state, place = SketchState("table", 1, 0, 0, 0, {}), TopicPartition(self.shipped.topic, 0)
        return self.shipped.plan.sketch(place, 1, state, 0, InputTotals(), 1).columns

    def count(self, batches: Iterable[pa.RecordBatch], task: int) -> Iterator[pa.RecordBatch]:
        """Yield what a task's rows count to.

        Args:
            batches: the rows.
            task: its number; a task that is repeated has the same.

        Raises:
            SparkError: a model's own code failed.
        """
        plan, topic = self.shipped.plan, self.shipped.topic
        place, first = TopicPartition(topic, 0), task << _TASK
        mapping, totals = plan.mapping_of(topic), InputTotals()
        state = SketchState("table", 1, first, first, 0, {})
        sketch = plan.sketch(place, 1, state, 0, totals, 1)
        for batch in batches:
            if not batch.num_rows:
                continue
            at = sketch.position
            if self.values:
                records = [
                    MemoryRecord(topic, 0, at + i, -1, None, value)
                    for i, value in enumerate(batch.column(0).cast(pa.binary()).to_pylist())
                ]
                outputs = sketch.feed(records, 0)
            else:
                outputs = sketch.feed_table(TableRows(arrow_table(batch, at), place, mapping), 0)
            yield from _batches(self._rows(outputs))
        rows = list(self._rows(sketch.cut()))
        for name, error in sketch.failures.items():
            raise SparkError(
                f"the model {name} failed ({error!r}): mend it, or take it out of the configuration"
            ) from error
        found = sketch.state()
        for kind, known in (("progress", found.models), ("joined", found.joins)) if found else ():
            for name, own in known.items():
                if own.progress is not None:
                    rows.append((name, kind, own.progress, name.encode()))
        yield from _batches(rows)

    def merge(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the same with one part of each pane; all parts of a pane are in `batches`."""
        parts: dict[tuple[str, int], list[Pane]] = {}
        for batch in batches:
            rows = batch.to_pylist()
            for row in rows:
                if row["kind"] == "pane":
                    own = parts.setdefault((row["model"], row["start"]), [])
                    own.append(decode(row["value"], Pane))
            others = [tuple(row.values()) for row in rows if row["kind"] != "pane"]
            yield from _batches([*others, *self._compared(others)])
        plan = self.shipped.plan
        source = PaneSource(self.shipped.topic, 0, 0, 1)
        for (name, _), panes in sorted(parts.items()):
            model = plan.sketch_model(name)
            yield from _batches(self._rows(merged(panes, model, source)))

    def _compared(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield rows under the comparisons that need them."""
        for row in rows:
            for name in () if row[0] is None else self.shipped.comparisons_of(row[0]):
                yield (name, *row[1:])

    def _rows(self, outputs: Iterable[Output]) -> Iterator[Row]:
        for output in outputs:
            if isinstance(output, Pane):
                yield output.model, "pane", output.start, encode(output)
            elif isinstance(output, DeadLetter):
                yield None, "dead-letter", None, dead_letter(output)
            elif isinstance(output, Block) and output.rows is not None:
                name = output.horizon.model
                if self.shipped.labelled_here(name):
                    start = int(unpack_rows(output.rows).times.min())
                    yield name, "rows", start, encode(output)


def dead_letter(letter: DeadLetter) -> bytes:
    """Return a row that is no event as JSON: why, and what it holds.

    Where it stands is left out: a set has no places.
    """
    message = dead_letter_message(letter, "", 1)
    prefix, left = "driftline.error.", ("topic", "partition", "offset", "timestamp")
    facts = {
        name.removeprefix(prefix): (value or b"").decode()
        for name, value in message.headers
        if name.startswith(prefix)
    }
    value = message.value
    text = None if value is None else value.decode(errors="replace")
    return msgspec.json.encode({k: v for k, v in facts.items() if k not in left} | {"value": text})


def _batches(rows: Iterable[Sequence[Any]]) -> Iterator[pa.RecordBatch]:
    found = list(rows)
    if found:
        columns = zip(*found, strict=True)
        yield pa.RecordBatch.from_arrays(
            [pa.array(column, kind) for column, kind in zip(columns, COUNTED.types, strict=True)],
            schema=COUNTED,
        )
