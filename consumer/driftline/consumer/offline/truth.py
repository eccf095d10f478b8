"""Ground truth in a file of its own, put beside the events: known at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from driftline.consumer.judge.sentence import clean
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.known_labels import KnownLabels, among, names_rows
from driftline.consumer.sketch.event_ids import NO_ID
from driftline.consumer.sketch.event_rows import event_ids
from driftline.consumer.wire.text import counted
from driftline.producer.errors import InputError
from driftline.producer.files.columns import Columns
from driftline.producer.files.given import Input
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.column_values import held, null_where
from driftline.producer.records.joined_table import compact, joined
from driftline.producer.records.mapping import Mapping, Path, quote_name
from driftline.producer.records.table import Numbers, Table
from driftline.producer.reference.guess import guess_truth, id_names

if TYPE_CHECKING:
    from driftline.consumer.wire.join_rows import IdArray

_SAMPLE = 1_000
_NAMES = 0.9  # share of distinct values from which on a column names the rows
_FOUND = 0.5  # share of the labels whose event must occur for a pair of columns to be their ids


@dataclass(frozen=True, eq=False)
class Truth:
    """The ground truth of events, and where it finds them.

    Attributes:
        column: the name that it gets among the events' columns.
        ids: where the events have their ids; None: labels and events are in the same order.
        labels: their values.
        of_labels: in the other file, the columns of `event_id`, if any, and `actual`.
    """

    column: str
    ids: Path | None
    labels: KnownLabels
    of_labels: dict[str, str] = field(default_factory=dict)

    def read_from(self, events: Input, columns: Columns | None = None) -> Iterator[Table]:
        """Yield the tables of a file of events, some of their columns, with the ground truth."""
        if columns is not None:
            ids = {self.ids[0]} if self.ids else set()
            columns = replace(columns, named=columns.named - {self.column} | ids)
        yield from self.beside(read_tables(events, columns))

    def beside(self, tables: Iterable[Table]) -> Iterator[Table]:
        """Yield the events' tables, all of them in their order, with the ground truth.

        >>> from driftline.consumer.sketch.event_ids import hash_ids
        >>> from driftline.producer.records.table import column_of
        >>> labels = KnownLabels.by_id(hash_ids(["7"]), column_of(["yes"]))
        >>> truth = Truth("actual", ("id",), labels)
        >>> [table] = truth.beside([Table.of_rows([{"id": 7}, {"id": 8}])])
        >>> table.to_rows()
        [{'id': 7, 'actual': 'yes'}, {'id': 8, 'actual': None}]
        """
        by_id = None if self.ids is None else _by(self.ids)
        done = 0
        for table in tables:
            if by_id is None:
                known = self.labels.values.take(slice(done, done + table.rows))
            else:
                known = self.labels.of(event_ids(table, by_id))
            done += table.rows
            yield compact(replace(table, columns={**table.columns, self.column: known}))

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
    labels = joined(list(read_tables(file)))
    column = _truth_column(file, mapping, events, actual)
    first = next(read_tables(events))
    pair = _ids(file, labels, events, first, mapping, column)
    name = "actual" if mapping.is_native or "actual" not in first.columns else None
    name = name or f"{column} of {file.name}"
    values = labels.columns[column]
    known = held(values)
    if not known.any():
        raise InputError(f"{file}: {column} is empty in every row; give --actual COLUMN")
    if pair is None:
        many = sum(table.rows for table in read_tables(events, ()))
        if labels.rows != many:
            raise InputError(
                f"{file}: no column of it holds ids that {events} has, and it has"
                f" {labels.rows:,} rows where the events are {many:,}: give both files a column id"
                " with the same ids"
            )
        feedback.note(
            "assumed",
            clean(
                f"labels: column {column} of {file.name}, in the order of the events' rows, as no"
                f" column holds the ids of both{when}"
            ),
        )
        in_order = KnownLabels(null_where(values, ~known))
        return Truth(name, None, in_order, {"actual": column})
    theirs, ids, own = pair
    found = KnownLabels.by_id(event_ids(labels, _by((theirs,))), values)
    matched = 0 if found.keys is None else int(among(own, found.keys).sum())
    by = f"by {ids}" if ids == theirs else f"by {theirs} there and {ids} here"
    feedback.note(
        "assumed",
        clean(
            f"labels: column {column} of {file.name}, {by}{when}; {matched:,} of"
            f" {counted(own.size, 'event')} have one"
        ),
    )
    note_repeated(found.repeated, labels.rows, file, feedback)
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
    file: Input, labels: Table, events: Input, first: Table, mapping: Mapping, truth: str
) -> tuple[str, str, IdArray] | None:
    """Return the columns of labels and of events with the ids of both, and those of the events.

    Args:
        file: the labels.
        labels: its rows.
        events: the file of events.
        first: some of its rows.
        mapping: how a row of these becomes an event.
        truth: the column of the labels that holds the ground truth.

    Returns:
        None where there are no such columns.

    Raises:
        InputError: both have ids, and not the same.
    """
    named = mapping.paths().get("event_id")
    mapped = [named[0]] if isinstance(named, tuple) and named[0] in first.columns else []
    here = list(dict.fromkeys([*mapped, *id_names(list(first.columns))]))
    names: list[str] = []
    read: dict[str, IdArray] = {}
    for name in id_names([name for name in labels.columns if name != truth]):
        keys = event_ids(labels, _by((name,)))
        if not names_rows(keys, _NAMES):
            continue
        names.append(name)
        keys = keys[keys != NO_ID]
        # A column of the same name first; ids may have another name in the other file.
        for ids in sorted(here, key=lambda other: other != name):
            if ids not in (name, *mapped) and not _may_name(first, ids):
                continue
            if ids not in read:
                tables = read_tables(events, {ids})
                read[ids] = np.concatenate([event_ids(each, _by((ids,))) for each in tables])
            known = np.unique(read[ids][read[ids] != NO_ID])
            found = among(keys, known).sum()
            if found and found >= _FOUND * min(keys.size, known.size):
                return name, ids, read[ids]
    shared = [name for name in names if name in mapped or name in first.columns]
    if shared:
        raise InputError(
            f"no id of {file}, column {shared[0]}, occurs among the events, or less than half of"
            " them do: give it the ids of the events"
        )
    return None


def _may_name(rows: Table, column: str) -> bool:
    """Return whether values of a column may be the ids of rows: distinct, and no fractions."""
    values = rows.columns[column]
    if isinstance(values, Numbers) and (np.floor(values.data) != values.data)[held(values)].any():
        return False
    return names_rows(event_ids(rows, _by((column,))), _NAMES)


def _by(path: Path) -> Mapping:
    """Return how ids that stand at a path are read."""
    return Mapping({"event_id": ".".join(map(quote_name, path))})
