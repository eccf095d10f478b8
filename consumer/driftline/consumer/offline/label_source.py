"""A file of labels as the source of a topic: what a configuration has to say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftline.consumer.config import LabelsConfig
from driftline.consumer.judge.sentence import clean
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.label_causes import Ids, delays
from driftline.consumer.offline.truth import Truth
from driftline.producer.errors import InputError
from driftline.producer.files.given import Input
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.durations import UNITS
from driftline.producer.records.mapping import DateAndClock, Mapping, Source, quote_name
from driftline.producer.records.time_form import TimeForm
from driftline.producer.records.timestamp_column import UNREADABLE, parse_timestamps
from driftline.producer.reference.guess_time import describe, infer_times

_SAMPLE = 1_000
_SOON = 0.99  # share of the labels that a horizon has to wait for; few may come at any time
_USUAL: int = LabelsConfig.model_fields["horizon"].default


@dataclass(frozen=True)
class LabelSource:
    """How the records of a topic of labels are read, and how long predictions wait for them.

    Attributes:
        mapping: of the records.
        horizon: ms.
    """

    mapping: Mapping
    horizon: int = _USUAL

    @property
    def is_usual(self) -> bool:
        """Whether the horizon is the one that a configuration has without saying so."""
        return self.horizon == _USUAL


def label_source(
    file: Input, truth: Truth, events: Input, mapping: Mapping, feedback: Feedback
) -> LabelSource:
    """Return the source of a topic whose records are the rows of a file of labels.

    Args:
        file: the labels.
        truth: what was found in them.
        events: the file of their events.
        mapping: how a row of these becomes an event, with its id.
        feedback: takes the notes.

    Raises:
        InputError: there are no ids, by which a label of a topic finds its event.
    """
    if truth.ids is None or mapping.paths().get("event_id") != truth.ids:
        raise InputError(
            f"{file}: no column of it holds ids that {events} has, and a label of a topic finds its"
            " event by event_id alone: give both files a column id with the same ids"
        )
    fields: dict[str, Source] = {
        name: quote_name(column) for name, column in truth.of_labels.items()
    }
    time = _time(file, list(truth.of_labels.values()))
    if time is None:
        note = f"{file.name} has no times: labels are known at once here, on a topic when they come"
        feedback.note("note", clean(note))
        return LabelSource(Mapping(fields))
    source, form, shown = time
    feedback.note("assumed", clean(f"labels: their time is column {shown}"))
    whole = Mapping({"event_id": fields["event_id"], "timestamp": source, **fields}, form)
    return LabelSource(whole, _horizon(file, whole, events, mapping))


def _time(file: Input, known: Sequence[str]) -> tuple[Source, TimeForm, str] | None:
    """Return where the times are, how they are written, and both in words; None without any.

    Of several columns the latest: it is when the truth was known.
    """
    rows = [
        {name: value for name, value in row.items() if name not in known}
        for row in next(read_rows(file))[:_SAMPLE]
    ]
    found = []
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row[name] for row in rows if row.get(name) is not None]
        guess = infer_times(values)
        if guess.open:
            guess = infer_times([value for value in _all(file, name) if value is not None])
        if guess.form is not None:
            times = parse_timestamps(values, guess.form)
            middle = float(np.median(times[times != UNREADABLE]))
            found.append((middle, name, guess.form, describe(guess.form, values[0])))
    if not found:
        return None
    _, name, form, how = max(found, key=lambda each: each[0])
    both = file_rows.look(file, rows, len(rows[0]) + 1).mapping
    pair = both.fields.get("timestamp")
    if isinstance(pair, DateAndClock) and pair.date == quote_name(name):
        return pair, both.times, f"{name} with {pair.clock}"
    return quote_name(name), form, f"{name} ({how})"


def _all(file: Input, column: str) -> Iterator[Any]:
    for rows in read_rows(file):
        yield from (row.get(column) for row in rows)


def _horizon(file: Input, labels: Mapping, events: Input, mapping: Mapping) -> int:
    """Return how long predictions have to wait for their labels: the usual, or whole days."""
    ids = []
    for each, of in ((events, mapping), (file, labels)):
        held = Ids(of)
        for table in read_tables(each):
            held.add(table)
        ids.append(held)
    found = np.abs(delays(*ids))
    if not found.size:
        return _USUAL
    day = UNITS["d"]
    return max(_USUAL, (int(np.quantile(found, _SOON)) // day + 1) * day)
