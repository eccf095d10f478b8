"""Ground truth in a file of its own, put beside the events: known at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from driftline.consumer.judge.sentence import clean
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.sketch.event_ids import id_text
from driftline.consumer.wire.text import counted
from driftline.producer.errors import InputError
from driftline.producer.files.columns import Columns
from driftline.producer.files.given import Input
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.mapping import Mapping, Path, quote_name
from driftline.producer.records.table import ABSENT, Column, Table, column_of
from driftline.producer.reference.guess import guess_truth, id_names

_SAMPLE = 1_000
_NAMES = 0.9  # share of distinct values from which on a column names the rows
_FOUND = 0.5  # share of the labels whose event must occur for a pair of columns to be their ids


@dataclass(frozen=True)
class Truth:
    """The ground truth of events, and where it finds them.

    Attributes:
        column: the name that it gets among the events' columns.
        ids: where the events have their ids; None: labels and events are in the same order.
        values: by the text of the id; or by the place of the row.
        of_labels: in the other file, the columns of `event_id`, if any, and `actual`.
    """

    column: str
    ids: Path | None
    values: dict[str | int, Any]
    of_labels: dict[str, str] = field(default_factory=dict)

    def read_from(self, events: Input, columns: Columns | None = None) -> Iterator[Table]:
        """Yield the tables of a file of events, some of their columns, with the ground truth."""
        if columns is not None:
            ids = {self.ids[0]} if self.ids else set()
            columns = replace(columns, named=columns.named - {self.column} | ids)
        yield from self.beside(read_tables(events, columns))

    def beside(self, tables: Iterable[Table]) -> Iterator[Table]:
        """Yield the events' tables, all of them in their order, with the ground truth.

        >>> truth = Truth("actual", ("id",), {"7": "yes"})
        >>> [table] = truth.beside([Table.of_rows([{"id": 7}, {"id": 8}])])
        >>> table.to_rows()
        [{'id': 7, 'actual': 'yes'}, {'id': 8, 'actual': None}]
        """
        done = 0
        for table in tables:
            keys: Iterable[str | int | None] = range(done, done + table.rows)
            if self.ids is not None:
                held = table.find(self.ids)
                keys = [None] * table.rows if held is None else _texts(held[0])
            known = column_of([None if key is None else self.values.get(key) for key in keys])
            done += table.rows
            yield replace(table, columns={**table.columns, self.column: known})

    def mapped(self, mapping: Mapping) -> Mapping:
        """Return how a row becomes an event, with its ground truth, and its id where it has one."""
        if mapping.is_native:
            return mapping
        others = {name: path for name, path in mapping.fields.items() if not _is_actual(name)}
        fields = {**others, "actual": quote_name(self.column)}
        if self.ids is not None and "event_id" not in fields:
            fields["event_id"] = ".".join(map(quote_name, self.ids))
        return replace(mapping, fields=fields)


def _is_actual(field: str) -> bool:
    return field.partition(".")[0] == "actual"


def read_truth(
    file: Input,
    events: Input,
    mapping: Mapping,
    feedback: Feedback,
    actual: str | None = None,
    *,
    at_once: bool = True,
) -> Truth:
    """Read the ground truth of a file of events, and note what is assumed of it.

    Args:
        file: the ground truth.
        events: the file of events.
        mapping: how a row of these becomes an event.
        feedback: takes the notes.
        actual: the column with the ground truth, None to guess it.
        at_once: note that it counts as known with the events.

    Raises:
        InputError: a file cannot be used, or it is not clear what the columns are.
    """
    when = ", known at once" if at_once else ""
    beside = mapping.names("actual")
    if beside and not mapping.is_native:
        raise InputError(
            f"--labels {file}: {events} has ground truth beside the events already, in"
            f" {mapping.fields[beside[0]]}: leave out --labels, or that column"
        )
    labels = _columns(file)
    column = _truth_column(file, mapping, events, actual)
    own = _columns(events)
    pair = _ids(file, labels, own, mapping, column)
    rows = len(next(iter(labels.values())))
    truth = _texts_or_values(labels[column])
    name = "actual" if mapping.is_native or "actual" not in own else f"{column} of {file.name}"
    known = {place: value for place, value in enumerate(truth) if value is not None}
    if not known:
        raise InputError(f"{file}: {column} is empty in every row; give --actual COLUMN")
    if pair is None:
        many = len(next(iter(own.values())))
        if rows != many:
            raise InputError(
                f"{file}: no column of it holds ids that {events} has, and it has {rows:,} rows"
                f" where the events are {many:,}: give both files a column id with the same ids"
            )
        feedback.note(
            "assumed",
            clean(
                f"labels: column {column} of {file.name}, in the order of the events' rows, as no"
                f" column holds the ids of both{when}"
            ),
        )
        return Truth(name, None, dict(known.items()), {"actual": column})
    theirs, ids = pair
    found: dict[str | int, Any] = {}
    repeated = 0
    for place, key in enumerate(_texts(labels[theirs])):
        if key is not None and place in known:
            repeated += key in found
            found[key] = known[place]
    matched = sum(key in found for key in _texts(own[ids]))
    by = f"by {ids}" if ids == theirs else f"by {theirs} there and {ids} here"
    feedback.note(
        "assumed",
        clean(
            f"labels: column {column} of {file.name}, {by}{when}; {matched:,} of"
            f" {counted(len(own[ids]), 'event')} have one"
        ),
    )
    note_repeated(repeated, rows, file, feedback)
    return Truth(name, (ids,), found, {"event_id": theirs, "actual": column})


def note_repeated(repeated: int, labels: int, file: Input, feedback: Feedback) -> None:
    """Warn of labels with an id that an earlier one has."""
    if repeated:
        feedback.note(
            "warning",
            clean(
                f"{repeated:,} of {labels:,} labels in {file.name} have an id that an earlier one"
                " has: the last one holds"
            ),
        )


def _truth_column(file: Input, mapping: Mapping, events: Input, actual: str | None) -> str:
    """Return the column with the ground truth.

    Raises:
        InputError: it is not clear which it is.
    """
    rows = next(read_rows(file))[:_SAMPLE]
    columns = dict.fromkeys(name for row in rows for name in row)
    if actual is not None:
        if actual in columns:
            return actual
        raise InputError(f"--actual {actual}: not in {file}, which has {', '.join(columns)}")
    sample = [mapping.to_event(row) for row in next(read_rows(events))[:_SAMPLE]]
    found = guess_truth(rows, [event.get("prediction") for event in sample])
    if found is None:
        raise InputError(
            f"{file}: which column holds the ground truth? give --actual COLUMN, one of"
            f" {', '.join(columns)}"
        )
    return found


def _ids(
    file: Input,
    labels: dict[str, Column],
    own: dict[str, Column],
    mapping: Mapping,
    truth: str,
) -> tuple[str, str] | None:
    """Return the columns of labels and of events with the ids of both; None where there are none.

    Raises:
        InputError: both have ids, and not the same.
    """
    named = mapping.paths().get("event_id")
    mapped = [named[0]] if isinstance(named, tuple) and named[0] in own else []
    here = list(dict.fromkeys([*mapped, *id_names(list(own))]))
    names = []
    for name in id_names([name for name in labels if name != truth]):
        keys = [key for key in _texts(labels[name]) if key is not None]
        if not keys or len(set(keys)) < _NAMES * len(keys):
            continue
        names.append(name)
        # A column of the same name first; ids may have another name in the other file.
        for ids in sorted(here, key=lambda other: other != name):
            known = set(_texts(own[ids]))
            if sum(key in known for key in keys) >= _FOUND * min(len(keys), len(known)):
                return name, ids
    shared = [name for name in names if name in mapped or name in own]
    if shared:
        raise InputError(
            f"no id of {file}, column {shared[0]}, occurs among the events, or less than half of"
            " them do: give it the ids of the events"
        )
    return None


def _columns(file: Input) -> dict[str, Column]:
    """Return the columns of a file."""
    parts: dict[str, list[Any]] = {}
    rows = 0
    for table in read_tables(file):
        for name, column in table.columns.items():
            held = parts.setdefault(name, [])
            held += [None] * (rows - len(held))
            held += _texts_or_values(column)
        rows += table.rows
    return {name: column_of([*held, *[None] * (rows - len(held))]) for name, held in parts.items()}


def _texts_or_values(column: Column) -> list[Any]:
    return [None if value is ABSENT else value for value in column.values()]


def _texts(column: Column) -> list[str | None]:
    """Return the texts of ids; None for what is none."""
    return [None if value is ABSENT else id_text(value) or None for value in column.values()]
