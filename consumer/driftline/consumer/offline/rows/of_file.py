"""The rows of a span in a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from driftline.consumer.offline.rows.event_row import EventRow, RowReader
from driftline.consumer.offline.rows.span import Span
from driftline.consumer.sketch.event_rows import event_times
from driftline.detectors.grid import IntArray
from driftline.producer.records.table import Table
from driftline.producer.records.timestamp import EARLIEST
from driftline.producer.records.timestamp_column import UNREADABLE


def rows_of_file(
    tables: Iterable[Table], reader: RowReader, spans: Iterable[Span]
) -> Iterator[EventRow]:
    """Yield the events of a file that are in one of some spans, in the file's order.

    Args:
        tables: all rows of the file.
        reader: reads them.
        spans: of one model and segment, all by time or all by numbers.

    >>> from driftline.producer.records.mapping import Mapping
    >>> span = Span("m", None, 1, 3, numbered=True)
    >>> table = Table.of_rows([{"km": 7}, {"km": 8}, {"km": 9}])
    >>> reader = RowReader(Mapping({"features": "*"}), span, {})
    >>> [row.features["km"] for row in rows_of_file([table], reader, [span])]
    [8, 9]
    """
    spans, before = list(spans), 0
    for table in tables:
        numbers = np.arange(before, before + table.rows)
        before += table.rows
        times = _times(table, reader)
        places = numbers if spans[0].numbered else times
        chosen = np.zeros(table.rows, bool)
        for span in spans:
            chosen |= (span.since <= places) & (places < span.until)
        if not chosen.any():
            continue
        found = zip(
            table.take(chosen).to_rows(),
            places[chosen].tolist(),
            times[chosen].tolist(),
            strict=True,
        )
        for record, place, time in found:
            event = reader.event(record)
            if "features" not in event and "prediction" not in event:
                continue
            row = reader.row(event, place, None if time == UNREADABLE else time)
            if row is not None:
                yield row


def _times(table: Table, reader: RowReader) -> IntArray:
    """Return the times of rows in ms; of a recording those of the records where there is none."""
    times = event_times(table, reader.mapping)
    if table.places is None or table.places.times is None:
        return times
    sent = np.where(table.places.times < EARLIEST, UNREADABLE, table.places.times)
    return np.where(times == UNREADABLE, sent, times)
