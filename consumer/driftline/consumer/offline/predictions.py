"""Predictions and ground truth of a file, as columns of all its rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.config import Side
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.sketch.event_ids import NO_ID
from driftline.consumer.sketch.event_rows import EventRows, columns_of
from driftline.consumer.wire.join_rows import IdArray
from driftline.detectors.grid import IntArray
from driftline.producer.records.column_values import as_coded
from driftline.producer.records.mapping import Constant, Mapping, quote_name
from driftline.producer.records.native_table import renamed
from driftline.producer.records.table import ABSENT, Coded, Column, Numbers, Table
from driftline.producer.records.text_form import AS_WRITTEN, TextForm
from driftline.producer.reference.events import OUTCOMES, events_of
from driftline.producer.reference.field import Field

Bools = NDArray[np.bool_]

ANSWERS = ("prediction.score", "prediction.label")
TRUTH = ("actual.score", "actual.label")
_FIELDS = ("event_id", "timestamp", "model", "model_version", "prediction", "actual")
_PLACE = "place of the row"  # no column is called so, or it is not needed


@dataclass(frozen=True, eq=False)
class Predictions:
    """n rows of a file: predictions, ground truth, or both.

    Attributes:
        places: int64 (n,), of the rows in the file.
        ids: uint64 (n,): hashes of the events' ids, `NO_ID` for none.
        times: int64 (n,): ms since 1970, `UNREADABLE` for none.
        owners: int64 (n,): the place in `sides` of the model and version that the row names.
        sides: those that occur; the model is empty where a row names none.
        outcomes: of `OUTCOMES` those that any row has, each a column of n rows, null for none.
        texts: what texts among these stand for.
    """

    places: IntArray
    ids: IdArray
    times: IntArray
    owners: IntArray
    sides: tuple[Side, ...]
    outcomes: dict[str, Column]
    texts: TextForm = AS_WRITTEN

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.places)

    def take(self, rows: Any) -> Predictions:
        """Return the chosen rows: a mask or places."""
        return replace(
            self,
            places=self.places[rows],
            ids=self.ids[rows],
            times=self.times[rows],
            owners=self.owners[rows],
            outcomes={name: column.take(rows) for name, column in self.outcomes.items()},
        )

    def having(self, fields: Iterable[str]) -> Bools:
        """Return which rows have one of some outcomes."""
        found = np.zeros(len(self), bool)
        for name in fields:
            if name in self.outcomes:
                found |= _known(self.outcomes[name])
        return found

    def with_truth(self, truth: Predictions, wanted: Bools) -> Predictions:
        """Return the wanted rows with the ground truth of their ids, where there is one.

        Of several of one id the last holds.
        """
        sound = np.flatnonzero((truth.ids != NO_ID) & truth.having(TRUTH))[::-1]
        ids, first = np.unique(truth.ids[sound], return_index=True)
        if not ids.size or not len(self):
            return self
        at = np.minimum(np.searchsorted(ids, self.ids), len(ids) - 1)
        found = wanted & (ids[at] == self.ids)
        rows = np.where(found, len(self) + sound[first][at], np.arange(len(self)))
        outcomes = dict(self.outcomes)
        for name in TRUTH:
            both = [(each.outcomes.get(name), len(each)) for each in (self, truth)]
            if any(column is not None for column, _ in both):
                outcomes[name] = joined(both).take(rows)
        return replace(self, outcomes=outcomes)


@dataclass
class _Gathered:
    """Parts of what `Predictions` holds, a table each."""

    rows: int = 0
    places: list[IntArray] = field(default_factory=list)
    ids: list[IdArray] = field(default_factory=list)
    times: list[IntArray] = field(default_factory=list)
    owners: list[IntArray] = field(default_factory=list)
    sides: dict[Side, int] = field(default_factory=dict)
    outcomes: list[tuple[dict[str, Column], int]] = field(default_factory=list)

    def add(self, table: Table, mapping: Mapping, outcomes: Mapping) -> None:
        """Append the rows of a table."""
        whole = renamed(table) if mapping.is_native else table
        rows = EventRows(whole, mapping, None)
        numbered = {**whole.columns, _PLACE: Numbers(np.arange(whole.rows))}
        events = events_of(Table(whole.rows, numbered), outcomes, "")
        kept = events.features["place"].column.take(slice(None)) if events.rows else None
        chosen = kept.data.astype(np.int64) if isinstance(kept, Numbers) else np.zeros(0, np.int64)
        self.places.append(self.rows + chosen)
        self.ids.append(rows.ids()[chosen])
        self.times.append(rows.times()[chosen])
        self.owners.append(self._owners(rows)[chosen])
        found = {name: _with_nulls(each) for name, each in events.outcomes.items()}
        self.outcomes.append((found, len(chosen)))
        self.rows += table.rows

    def joined(self) -> Predictions:
        """Return all rows, in the order in which they came."""
        names = {name for found, _ in self.outcomes for name in found}
        return Predictions(
            np.concatenate(self.places),
            np.concatenate(self.ids),
            np.concatenate(self.times),
            np.concatenate(self.owners),
            tuple(self.sides),
            {
                name: joined([(found.get(name), rows) for found, rows in self.outcomes])
                for name in OUTCOMES
                if name in names
            },
        )

    def _owners(self, rows: EventRows) -> IntArray:
        models, versions = (
            _names(rows.raw(name), len(rows)) for name in ("model", "model_version")
        )
        many = len(versions.distinct)
        distinct, inverse = np.unique(models.codes * many + versions.codes, return_inverse=True)
        places = np.empty(len(distinct), np.int64)
        for at, code in enumerate(distinct.tolist()):
            side = Side(models.distinct[code // many] or "", versions.distinct[code % many])
            places[at] = self.sides.setdefault(side, len(self.sides))
        owners: IntArray = places[inverse]
        return owners


def _names(column: Column | None, rows: int) -> Coded:
    """Return models or versions as texts, None for none."""
    if column is None:
        return Coded(np.zeros(rows, np.int64), [None])
    found = as_coded(column)
    return Coded(
        found.codes,
        [None if value is None or value is ABSENT else str(value) for value in found.distinct],
    )


def read_predictions(
    tables: Iterable[Table], mapping: Mapping, feedback: Feedback, rows: int | None
) -> Predictions:
    """Read what is predicted and what really happened.

    Args:
        tables: of a file.
        mapping: how its rows become events.
        feedback: shows progress.
        rows: how many there are, None if nobody knows.

    >>> table = Table.of_rows([{"id": 7, "said": "yes", "paid": "no"}, {"id": 8}])
    >>> mapping = Mapping({"event_id": "id", "prediction.label": "said", "actual": "paid"})
    >>> found = read_predictions([table], mapping, Feedback(), 2)
    >>> {name: column.values() for name, column in found.outcomes.items()}
    {'prediction.label': ['yes', None], 'actual.label': ['no', None]}
    """
    gathered, outcomes = _Gathered(), _outcome_mapping(mapping)
    with feedback.progress("predictions", rows) as show:
        for table in tables:
            gathered.add(table, mapping, outcomes)
            show(gathered.rows)
    return replace(gathered.joined(), texts=mapping.texts)


def needed_columns(mapping: Mapping) -> frozenset[str]:
    """Return the names of the columns that `read_predictions` reads."""
    return frozenset().union(*(columns_of(name, mapping) for name in _FIELDS))


def joined(parts: Iterable[tuple[Column | None, int]]) -> Column:
    """Return columns behind one another, each with its number of rows; None: null throughout.

    >>> joined([(Numbers(np.array([1, 2])), 2), (None, 1)]).values()
    [1, 2, None]
    """
    parts = list(parts)
    if all(column is None or isinstance(column, Numbers) for column, _ in parts):
        data: list[NDArray[Any]] = [
            c.data if isinstance(c, Numbers) else np.zeros(n, np.int64) for c, n in parts
        ]
        null = [_null(column, n) for column, n in parts]
        return Numbers(np.concatenate(data), np.concatenate(null))
    places: dict[tuple[type, Any], int] = {}
    distinct: list[Any] = []
    codes = []
    for column, rows in parts:
        found = Coded(np.zeros(rows, np.int64), [None]) if column is None else as_coded(column)
        moved = []
        for value in found.distinct:
            # What cannot be a key, such as a list, stands for itself alone.
            key = (type(value), value if value.__hash__ is not None else id(value))
            if key not in places:
                places[key] = len(distinct)
                distinct.append(value)
            moved.append(places[key])
        codes.append(np.array(moved, np.int64)[found.codes])
    return Coded(np.concatenate(codes), distinct)


def _null(column: Column | None, rows: int) -> Bools:
    if isinstance(column, Numbers):
        return np.zeros(rows, bool) if column.null is None else column.null
    return np.ones(rows, bool)


def _outcome_mapping(mapping: Mapping) -> Mapping:
    """Return how predictions and ground truth are read, with the place of the row."""
    fields = {
        name: source if isinstance(source, Constant) else mapping.fields.get(name, name)
        for part in ("prediction", "actual")
        for name, source in mapping.paths().items()
        if name.partition(".")[0] == part
    }
    return Mapping({**fields, "features.place": quote_name(_PLACE)}, texts=mapping.texts)


def _with_nulls(found: Field) -> Column:
    """Return the values of a field, null where there is none, or a text that stands for none."""
    column, gone, marks = found.column, found.gone(), found.texts.marks
    if isinstance(column, Numbers):
        if not gone.any():
            return column
        return Numbers(column.data, gone if column.null is None else gone | column.null)
    held = as_coded(column)
    distinct = [
        None if value is ABSENT or (type(value) is str and value in marks) else value
        for value in held.distinct
    ]
    return Coded(np.where(gone, len(distinct), held.codes), [*distinct, None])


def _known(column: Column) -> Bools:
    """Return where a value is not null."""
    if isinstance(column, Numbers):
        return ~_null(column, len(column))
    held = as_coded(column)
    return np.array([value is not None for value in held.distinct], bool)[held.codes]
