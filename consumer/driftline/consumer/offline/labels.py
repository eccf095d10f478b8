"""Labels of a file of their own: ground truth that came later than its predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from driftline.consumer.config import LabelsConfig
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.known_labels import KnownLabels
from driftline.consumer.offline.label_causes import Ids, causes, sentences
from driftline.consumer.offline.label_rows import LabelRows
from driftline.consumer.offline.truth import Truth, note_repeated
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.sketch.event_rows import (
    event_ids,
    event_values,
    has_values,
    with_aliases,
)
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.text import some
from driftline.producer.errors import InputError
from driftline.producer.files.given import Input
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.category import category_text
from driftline.producer.records.column_values import as_coded
from driftline.producer.records.durations import format_duration
from driftline.producer.records.event_fields import ALIASES, split_outcome
from driftline.producer.records.joined_table import joined
from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.records.table import ABSENT, Coded, Column, Table, coded
from driftline.producer.reference.guess_time import infer_times

_FEW = 3
_SAMPLE = 1_000


@dataclass(frozen=True)
class Files:
    """The two files, and how they are read.

    Attributes:
        labels: CSV, Parquet or NDJSON.
        config: topic and horizon of the labels.
        mapping: of the rows of labels.
        events: the file of predictions.
        topic: of the predictions.
        events_mapping: of their rows.
        classes: that the reference has; none of a regression.
    """

    labels: Path
    config: LabelsConfig
    mapping: Mapping
    events: Input
    topic: str
    events_mapping: Mapping
    classes: tuple[str, ...]


class LabelFile:
    """A file of labels, in the order of their times, or of their offsets in a recording.

    Args:
        files: it and that of its predictions.

    Raises:
        InputError: the file cannot be used.
        InputError: no row has a time though a column holds some, an id or ground truth.
    """

    def __init__(self, files: Files) -> None:
        self._files, self._file, self._topic = files, files.labels, files.config.topic
        self._rows = LabelRows(read_tables(self._file), files.mapping)
        self._refused: Counter[str] = Counter()
        self._predictions = Ids(files.events_mapping)
        if not self._rows.timed and self._has_times():
            raise InputError(self._no_value("timestamp", "which tells when it came"))
        for field, why in (
            ("actual", "the ground truth"),
            ("event_id", "by which it finds its prediction"),
        ):
            if not self._has(field):
                raise InputError(self._no_value(field, why))

    @property
    def topic(self) -> str:
        """The topic that the file stands for."""
        return self._topic

    @property
    def partitions(self) -> int | None:
        """How many the topic has, if the file is a recording."""
        return self._rows.partitions

    @property
    def timed(self) -> bool:
        """Whether any label has a time; else they are known with their predictions."""
        return self._rows.timed

    def truth(self, model: str, feedback: Feedback) -> Truth:
        """Return the labels of a model as ground truth to put beside its events.

        Args:
            model: its name.
            feedback: takes the notes.

        Raises:
            InputError: the events have no ids.
        """
        files = self._files
        ids = _ids_of(files.events, files.events_mapping)
        if ids is None:
            raise InputError(
                f"{files.events}: no event has an event_id, by which labels find it: correct"
                f" sources.{files.topic}.fields"
            )
        rows = joined(list(self._of(model)))
        labels = KnownLabels.by_id(event_ids(rows, files.mapping), _actual(rows, files.mapping))
        note_repeated(labels.repeated, labels.labels, self._file, feedback)
        return Truth(self._column(), ids, labels)

    def _column(self) -> str:
        """Return the column of the events that gets the truth: what they hold there gives way."""
        mapping = self._files.events_mapping
        paths = [mapping.paths()[name] for name in mapping.names("actual")]
        whole = [path[0] for path in paths if isinstance(path, tuple) and len(path) == 1]
        return whole[0] if whole else f"actual of {self._file.name}"

    @property
    def fed(self) -> int:
        """Rows that have been fed."""
        return self._rows.yielded

    @property
    def refused(self) -> Counter[str]:
        """By reason, rows that are no labels."""
        return self._refused

    def note_predictions(self, table: Table) -> None:
        """Remember the ids of rows of the other file."""
        self._predictions.add(table)

    def feed(self, backtest: Backtest, time: int | None) -> Iterator[Verdict | Alert]:
        """Feed the labels up to a time (ms), or all that are left; yield what is made known."""
        for table in self._rows.rest() if time is None else self._rows.until(time):
            before = backtest.totals.rejected.copy()
            yield from backtest.feed_label_table(table)
            self._refused += backtest.totals.rejected - before
        if time is not None:
            yield from backtest.close_labels(time)

    def causes(self, model: str) -> list[str]:
        """Return why labels of a model and its predictions did not match, a sentence each."""
        own = Ids(self._files.mapping)
        for table in self._of(model):
            own.add(table)
        files = self._files
        horizon = files.config.horizon
        return sentences(
            causes(self._predictions, own, horizon),
            str(self._file),
            str(files.events),
            (files.topic, self._topic),
            format_duration(horizon),
        )

    def note_what_was_left_out(self, backtest: Backtest, model: str, feedback: Feedback) -> None:
        """Note how many rows are no labels, and why.

        Raises:
            InputError: none is a label of the model.
        """
        files, advice = self._files, f"map the columns with sources.{self._topic}.fields"
        worst = self._refused.most_common(1)
        labels = backtest.totals.labels[model]
        if worst:
            ((reason, rows),) = worst
            example = backtest.examples[reason]
            detail = f", {example.detail}" if example.record.topic == self._topic else ""
            if reason == "unknown_class":
                known = files.classes
                detail = f", {unknown_class(self._rows.rows(), files.mapping, known)}"
                advice = "write the classes as in the reference, or build it with these"
            said = f"{self._file}: {rows:,} of {self.fed:,} rows are no labels: {reason}{detail}"
            if not labels:
                raise InputError(f"{said}; {advice}")
            feedback.note("warning", said)
        if not labels:
            raise InputError(
                f"{self._file}: none of {self.fed:,} rows is a label of the model {model}"
            )

    def _of(self, model: str) -> Iterator[Table]:
        """Yield the rows that name this model, or none."""
        path = self._files.mapping.paths().get("model")
        for table in self._rows.tables():
            found = None if path is None or isinstance(path, Constant) else table.find(path)
            if found is None:
                yield table
                continue
            column, gone = found
            named = as_coded(column)
            own = np.array([name in (None, ABSENT, model) for name in named.distinct], bool)
            yield table.take(own[named.codes] if gone is None else own[named.codes] | gone)

    def _path(self, field: str) -> tuple[str, ...] | Constant | None:
        """Return where a field stands in the records, also in its parts; None if not mapped."""
        paths = self._files.mapping.paths()
        return next((paths[name] for name in self._files.mapping.names(field)), None)

    def _has(self, field: str) -> bool:
        mapping = self._files.mapping
        return any(has_values(table, mapping, field) for table in self._rows.tables())

    def _has_times(self) -> bool:
        """Return whether there are times: in the column that is mapped, or in one that is not."""
        rows = list(islice(self._rows.rows(), _SAMPLE))
        path = self._path("timestamp")
        if isinstance(path, Constant):
            return True
        columns = dict.fromkeys(name for row in rows for name in row)
        paths = [each for each in self._files.mapping.paths().values() if isinstance(each, tuple)]
        known = with_aliases({each[0] for each in paths})
        named = with_aliases({"timestamp"}) if self._files.mapping.is_native else set(path or ())
        if named & columns.keys():
            return True
        free = [name for name in columns if name not in known]
        held = ([row[name] for row in rows if row.get(name) is not None] for name in free)
        return any(infer_times(values).form is not None for values in held)

    def _no_value(self, field: str, why: str) -> str:
        """Return why no label has a field, and what the file has instead."""
        names = {"timestamp": "time", "event_id": "event_id", "actual": "actual"}
        rows, source = list(islice(self._rows.rows(), _SAMPLE)), f"sources.{self._topic}.fields"
        columns = list(dict.fromkeys(name for row in rows for name in row))
        head = f"{self._file}: no label has {_an(names[field])}, {why}"
        has = f"the file has {', '.join(columns)}"
        path = self._path(field)
        if path is None:
            return f"{head}: map it with {source}.{field}; {has}"
        if isinstance(path, Constant):
            return f"{head}: map {source}.{field} to a column; {has}"
        aliases = ALIASES.get(field, ()) if self._files.mapping.is_native else ()
        if not {path[0], *aliases} & set(columns):
            where = source if self._files.mapping.is_native else f"{source}.{field}"
            return f"{head}: there is no column {'.'.join(path)}, correct {where}; {has}"
        values = file_rows.column(list(self._rows.rows()), path)
        value = next((value for value in values if value is not None), None)
        if value is None:
            return f"{head}: column {'.'.join(path)} is empty; {has}"
        shown = category_text(value)
        return (
            f"{head}: column {'.'.join(path)} holds no times that can be read, such as {shown};"
            f" correct {source}.{field}; {has}"
        )


def _actual(rows: Table, mapping: Mapping) -> Column:
    """Return the ground truth of labels, as it is where one field has it."""
    if mapping.names("actual") == ["actual"]:
        whole = event_values(rows, mapping, "actual")
        return Coded(np.zeros(rows.rows, np.int64), [None]) if whole is None else whole
    return coded([mapping.to_event(row).get("actual") for row in rows.to_rows()])


def _ids_of(events: Input, mapping: Mapping) -> tuple[str, ...] | None:
    """Return where events have their ids, by the first rows; None where none has one."""
    rows = next(read_rows(events))
    path = mapping.paths().get("event_id")
    names = [path] if isinstance(path, tuple) else []
    if mapping.is_native:
        names += [(name,) for name in ALIASES.get("event_id", ())]
    found = (name for name in names if any(v is not None for v in file_rows.column(rows, name)))
    return next(found, None)


def unknown_class(rows: Iterable[dict[str, Any]], mapping: Mapping, classes: Sequence[str]) -> str:
    """Return which classes the labels have that the reference does not have."""
    found: dict[str, None] = {}
    for row in rows:
        parts = split_outcome(mapping.to_event(row).get("actual"))
        value = parts.get("label") if parts.get("label") is not None else parts.get("score")
        text = category_text(value)
        if text is not None and text not in classes:
            found[text] = None
    shown = some([f'"{text}"' for text in found], _FEW)
    return f"actual is {shown}; the reference has {', '.join(classes)}"


def _an(name: str) -> str:
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"
