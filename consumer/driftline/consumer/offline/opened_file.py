"""The records of a file that a model server or a platform wrote, as the events that they hold.

A topic's `preset` and `names` say how its records become events. A file of such records, such as
those that SageMaker's data capture keeps, is read in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from driftline.consumer.config import Config
from driftline.consumer.service.formats import record_form
from driftline.producer.errors import FormatError
from driftline.producer.files.given import Given, Input
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.formats.json_text import parse_json, to_json
from driftline.producer.records.formats.presets import PRESETS
from driftline.producer.records.formats.reader import RecordReader
from driftline.producer.records.mapping import finite_or_text
from driftline.producer.records.table import Table

_LOOKED_AT = 20  # rows, of which one has to be such a record


def opened(file: Input, config: Config | None, topic: str | None) -> Input:
    """Return a file's events, where its rows are records as the source of a topic has them.

    Of a record of several events each becomes a row. A row that is no such record becomes one
    without fields, which is no event. A file of other rows, such as one that was exported, stays
    as it is.

    Args:
        file: the records.
        config: how the records of topics are read.
        topic: whose records they are.

    Raises:
        DriftlineError: the file cannot be used.
    """
    source = None if config is None or topic is None else config.sources.get(topic)
    if config is None or topic is None or source is None:
        return file
    preset = PRESETS.get(source.preset or "")
    if not source.names and (preset is None or preset.events is None):
        return file
    reader = RecordReader(record_form(topic, source), None, config.limits.max_event_bytes)
    if not any(_events(reader, row) for row in next(read_rows(file))[:_LOOKED_AT]):
        return file

    def scan() -> Iterator[Table]:
        first = 0
        for table in read_tables(file):
            made = [_events(reader, row) or [{}] for row in table.to_rows()]
            places = np.repeat(np.arange(table.rows), [len(each) for each in made])
            rows = Table.of_rows([event for each in made for event in each], first)
            kept = None if table.places is None else table.places.take(places)
            yield Table(rows.rows, rows.columns, first, kept)
            first += rows.rows

    return Given(str(file), scan)


def _events(reader: RecordReader, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a record; none where it holds none."""
    try:
        finite = {name: finite_or_text(value) for name, value in row.items()}
        found = reader.read(to_json(finite), ()).events
    except FormatError:
        return []
    return [parse_json(event) if isinstance(event, bytes) else {} for event in found]
