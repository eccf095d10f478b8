"""Assumptions about a file without a configuration; each of them is a note."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from driftline.consumer.judge.sentence import clean
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.growing import features_of, growing, growing_later
from driftline.consumer.sketch.event_rows import event_times
from driftline.producer.errors import InputError
from driftline.producer.files.given import Input
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import file_notes
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.number_text import plain_number
from driftline.producer.records.table import Table
from driftline.producer.records.text_form import TextForm
from driftline.producer.records.time_form import GUESSED, GivenTimes
from driftline.producer.records.timestamp import is_written
from driftline.producer.reference.derive import DerivedKind
from driftline.producer.reference.guess_texts import type_of
from driftline.producer.reference.sample import plain

_MOST_FEATURES = 1_000
_SAMPLE = 100  # values of a column, at least, to tell that it names or numbers the rows
_WORDS = 4  # of a text, on average, from which on it is prose
_VECTOR: DerivedKind = "vector"
_TEXT: DerivedKind = "text"
_KNOWN = ("give --time-format with", "if these are")  # the column is the one
_PARTS = {"year": (1678, 2261), "month": (1, 12), "day": (1, 31)}
_IN_PARTS = "a part of the date"
_JOIN_PARTS = (
    "year, month and day are columns of their own, which are not put together: for windows of time"
    " write a column such as 2026-03-27"
)
_CLOCK = re.compile(r"\b[0-9]{1,2}:[0-9]{2}\b")
_NAMES = 0.9  # share of distinct texts from which on a column names the rows


@dataclass(frozen=True)
class Assumptions:
    """How the rows of a file are read.

    Attributes:
        mapping: how a row becomes an event.
        model: whose events they are.
        ignore: features that say nothing of the model's input: times, names, running numbers.
        no_time: why no column is the timestamp; empty where one is.
        unclear: a column surely holds times, but how they are written is not known.
        marks: texts that surely stand for no value, to the columns of text that they are in.
        types: fields of which features are derived.
        rows: how many were looked at.
    """

    mapping: Mapping
    model: str
    ignore: tuple[str, ...]
    no_time: str = ""
    unclear: bool = False
    marks: AnyMapping[str, Sequence[str]] = field(default_factory=dict)
    types: AnyMapping[str, DerivedKind] = field(default_factory=dict)
    rows: int = 0

    def with_marks(self) -> Assumptions:
        """Return the assumptions with the marks read as missing values."""
        texts = replace(self.mapping.texts, missing=tuple(self.marks))
        return replace(self, mapping=replace(self.mapping, texts=texts))

    def without_growing(self, tables: Sequence[Table], feedback: Feedback) -> Assumptions:
        """Return the assumptions without the features that grow too slowly for the first rows.

        Args:
            tables: the rows that became the reference.
            feedback: takes a note of each.
        """
        if sum(table.rows for table in tables) <= self.rows:
            return self
        grown = growing_later(tables, self.mapping, self.ignore, self.types)
        for name, why in grown:
            feedback.note("assumed", clean(f"not watched: {name} ({why})"))
        return replace(self, ignore=(*self.ignore, *(glob_of(name) for name, _ in grown)))

    def check_times(self, file: Input) -> None:
        """Refuse a file without times where it is known what a column lacks.

        Raises:
            InputError: naming it.
        """
        if self.no_time:
            known = any(text in self.no_time for text in _KNOWN)
            option = "" if known else "; name another with --timestamp"
            raise InputError(f"{file}: no column holds times: {self.no_time}{option}")


def assume(
    file: Input,
    model: str | None,
    feedback: Feedback,
    actual: str | None = None,
    times: GivenTimes = GUESSED,
    known: AnyMapping[str, DerivedKind] | None = None,
) -> Assumptions:
    """Read the beginning of a file, and note what is assumed of it.

    Args:
        file: CSV, Parquet or NDJSON.
        model: its name, None if the events or the file tell.
        feedback: takes the notes.
        actual: the column with the ground truth, None to guess it.
        times: what is known of the times.
        known: fields of which the reference derives features; None: that is to be seen.

    Raises:
        DriftlineError: the file cannot be used as it is.
    """
    rows = next(read_rows(file))
    if actual is not None:
        file_rows.check_actual(file, rows, actual)
    found = file_rows.look(file, rows, _MOST_FEATURES, actual, times)
    mapping = file_rows.with_actual(found.mapping, actual)
    events = [mapping.to_event(row) for row in rows]
    types = dict.fromkeys(found.vectors, _VECTOR) | dict.fromkeys(_prose(events), _TEXT)
    types = types if known is None else dict(known)
    unfit = {name: why for name, why in _unfit(events, mapping.texts) if name not in types}
    held, when = features_of(events), event_times(Table.of_rows(rows), mapping)
    if not mapping.names("timestamp"):
        unfit |= _date_parts(held)
    grown = growing(held, when, coerce=mapping.texts.coerce)
    unfit |= {name: why for name, why in grown if name not in types.keys() | unfit.keys()}
    if _IN_PARTS in unfit.values():
        feedback.note("note", _JOIN_PARTS)
    watched = set(held) - set(unfit)
    if unfit and not watched and all(event.get("prediction") is None for event in events):
        name, why = next(iter(unfit.items()))
        raise InputError(
            f"{file}: has no column to watch: {name} is not watched ({why}); give a file with the"
            " model's inputs or predictions"
        )
    listed = [f"not watched: {name} ({why})" for name, why in unfit.items()]
    listed += [f"{kind}: {name}, of which features are derived" for name, kind in types.items()]
    for sentence in (*found.said, *listed):
        feedback.note("assumed", clean(sentence))
    file_rows.suggest_actual(found, feedback)
    for kind, sentence in file_notes(file):
        feedback.note(kind, clean(sentence))
    name = model or _model_of(file, events)
    ignore = tuple(map(glob_of, unfit))
    return Assumptions(
        mapping, name, ignore, found.no_time, found.unclear, found.marks, types, len(rows)
    )


def _date_parts(columns: AnyMapping[str, Sequence[Any]]) -> dict[str, str]:
    """Return the columns of a date in three, each with that it is one; none where it is in none."""
    found: dict[str, str] = {}
    for name, values in columns.items():
        called = plain(name).removesuffix("_of_month")
        there = [value for value in values if value is not None]
        for part, (least, most) in _PARTS.items():
            in_range = there and all(type(v) is int and least <= v <= most for v in there)
            if in_range and called in (part, part[0], f"m{part}"):
                found.setdefault(part, name)
    return dict.fromkeys(found.values(), _IN_PARTS) if len(found) == len(_PARTS) else {}


def _model_of(file: Input, events: Iterable[dict[str, Any]]) -> str:
    """Return the model that the events name; else a name made of the file's."""
    named = sorted({str(event["model"]) for event in events if event.get("model") is not None})
    if len(named) > 1:
        raise InputError(f"which model? give --model, one of {', '.join(named)}")
    made = re.sub(r"[^a-zA-Z0-9_-]+", "-", file.name.split(".")[0]).strip("-")
    return named[0] if named else made or "model"


def _prose(events: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield the features whose values are texts of many words, nearly each another one."""
    for name, column in _columns(events).items():
        values = [value for value in column if value is not None]
        if len(values) < _SAMPLE or not all(isinstance(value, str) for value in values):
            continue
        words = sum(len(value.split()) for value in values)
        timed = sum(_CLOCK.search(value) is not None for value in values)
        if timed > _NAMES * len(values):  # times, or lines of a log: new words without end
            continue
        if words >= _WORDS * len(values) and len(set(values)) > _NAMES * len(values):
            yield name


def _columns(events: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for event in events:
        features = event.get("features")
        for name, value in features.items() if isinstance(features, dict) else ():
            columns.setdefault(name, []).append(value)
    return columns


def _unfit(events: Iterable[dict[str, Any]], form: TextForm) -> Iterator[tuple[str, str]]:
    """Yield the features that would drift whatever the model does, each with the reason."""
    for name, column in _columns(events).items():
        values = [value for value in column if value is not None]
        texts = bool(values) and all(isinstance(value, str) for value in values)
        if texts and all(map(is_written, values)):
            yield name, "times"
            continue
        if len(values) < _SAMPLE:
            continue
        if form.coerce and type_of(values, coerce=True) == "numeric":
            numbers = (plain_number(v) if isinstance(v, str) else v for v in values)
            values, texts = [number for number in numbers if number is not None], False
        if texts and len(set(values)) > _NAMES * len(values):
            yield name, "nearly every row has another text"
        elif all(type(v) is int for v in values) and all(a < b for a, b in pairwise(values)):
            yield name, "counts the rows"


def glob_of(name: str) -> str:
    """Return a pattern that fits this name alone.

    >>> glob_of("a[1]*")
    'a[[]1][*]'
    """
    return re.sub(r"([*?[])", r"[\1]", name)
