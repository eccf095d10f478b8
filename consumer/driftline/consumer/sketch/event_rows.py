"""What a mapping finds in the rows of a table: the fields of events, before they are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.event_ids import NO_ID, hash_ids, id_text
from driftline.consumer.sketch.fields import (
    EVENT_ID,
    VERSION,
    DerivedScalars,
    EventFields,
    Scalar,
)
from driftline.consumer.sketch.listed import is_scalar
from driftline.consumer.sketch.versions import Versions
from driftline.detectors.counts import CodeArray
from driftline.detectors.grid import FloatArray, IntArray
from driftline.producer.records.category import category_text
from driftline.producer.records.column_values import (
    as_coded,
    doubles,
    held,
    null_where,
    outcome_doubles,
)
from driftline.producer.records.event_fields import ALIASES
from driftline.producer.records.mapping import Constant, Mapping, Path, finite_or_text
from driftline.producer.records.native_table import renamed
from driftline.producer.records.table import ABSENT as NO_KEY
from driftline.producer.records.table import Coded, Column, Numbers, Struct, Table, Times, Vectors
from driftline.producer.records.timestamp_column import UNREADABLE, times_of, times_of_two
from driftline.producer.records.values import ABSENT

if TYPE_CHECKING:
    from driftline.consumer.wire.join_rows import IdArray

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class EventRows:
    """Some rows of a table, and what the mapping finds in them.

    Attributes:
        table: of the event's own names, if it holds native events.
        mapping: what the rows look like.
        chosen: places of the rows; None for all.
    """

    table: Table
    mapping: Mapping
    chosen: IntArray | None

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.table.rows if self.chosen is None else len(self.chosen)

    def find(self, path: Path) -> tuple[Column, Bools | None] | None:
        """Return the column at a path, and where it is absent; see `Table.find`."""
        found = self.table.find(path)
        if found is None or self.chosen is None:
            return found
        column, gone = found
        return column.take(self.chosen), None if gone is None else gone[self.chosen]

    def doubles(self, scalar: Scalar) -> FloatArray:
        """Return one value of each event."""
        values: FloatArray | None = None
        for path in (scalar.second, scalar.path):  # the first that is there counts
            if path is None:
                continue
            holder = self.find(path[:-1]) if scalar.bare else None
            if holder is not None and not isinstance(holder[0], Struct):
                column, gone = holder
                found = outcome_doubles(column, scalar.name, scalar.kind, scalar.numbers)
            else:
                inner = self.find(path)
                if inner is None:
                    continue
                column, gone = inner
                found = doubles(column, scalar.kind)
            if gone is not None:
                found = np.where(gone, ABSENT, found)
            values = found if values is None else np.where(found == ABSENT, values, found)
        if values is None:
            return np.full(len(self), scalar.constant if scalar.path is None else ABSENT)
        return values

    def derived(self, scalars: DerivedScalars) -> FloatArray:
        """Return the features that are derived from one value of each event."""
        values = np.full((len(scalars.reader.places), len(self)), ABSENT)
        if scalars.constant is not None:
            values[:] = scalars.reader.read([scalars.constant.value])
        for path in (scalars.second, scalars.path):  # the first that is there counts
            inner = None if path is None else self.find(path)
            if inner is None:
                continue
            column, gone = inner
            found = scalars.reader.column(column)
            absent = (found == ABSENT).all(axis=0)
            if gone is not None:
                absent |= gone
            values = np.where(absent, values, found) if absent.any() else found
        return values

    def raw(self, field: str) -> Column | None:
        """Return a field of the event as it is; null where it is absent; None where there is none.

        Constants too are columns.
        """
        source = self.mapping.paths().get(field)
        if isinstance(source, Constant):
            return Coded(np.zeros(len(self), np.int64), [source.value])
        return None if source is None else self.at(source)

    def at(self, path: Path) -> Column | None:
        """Return the column at a path; null where it is absent; None where there is none."""
        found = self.find(path)
        if found is None:
            return None
        column, gone = found
        return column if gone is None else null_where(column, gone)

    def names(self, path: Path) -> list[str]:
        """Return the keys of the objects at a path; of the rows themselves, if it is empty."""
        if not path:
            return [*self.table.columns]
        found = self.table.find(path)
        column = None if found is None else found[0]
        if isinstance(column, Struct):
            return [*column.fields]
        objects = column.distinct if isinstance(column, Coded) else ()
        return [*dict.fromkeys(key for each in objects if isinstance(each, dict) for key in each)]

    def holds(self, path: Path, wanted: Callable[[object], bool]) -> Bools:
        """Return the rows whose value at a path is neither null nor absent, and is wanted."""
        found = self.find(path)
        if found is None:
            return np.zeros(len(self), bool)
        column, gone = found
        held = _where(column, wanted)
        return held if gone is None else held & ~gone

    def holds_scalar(self, path: Path) -> Bools:
        """Return the rows that hold what could be a feature's value at a path."""
        held = self.holds(path, is_scalar)
        found = self.find(path)
        if found is not None and isinstance(found[0], Numbers):
            held &= np.isfinite(found[0].data)
        return held

    def times(self) -> IntArray:
        """Return the times of the events in ms, `UNREADABLE` where there is none."""
        column, form = self.raw("timestamp"), self.mapping.times
        if column is None:
            return np.full(len(self), UNREADABLE)
        if self.mapping.clock is not None:
            clock = self.at(self.mapping.clock) or Coded(np.zeros(len(self), np.int64), [None])
            return times_of_two(column, clock, form)
        return times_of(column, form)

    def without(self, field: str) -> Bools:
        """Return the rows where a field is null or absent."""
        column = self.raw(field)
        return np.ones(len(self), bool) if column is None else ~held(column)

    def versions(self, versions: Versions) -> CodeArray:
        """Return the codes of the events' versions; -1 for none."""
        column = self.raw(VERSION)
        if column is None:
            return np.full(len(self), -1, np.int32)
        found = as_coded(column)
        # Names get their codes in the order in which they appear.
        first = np.full(len(found.distinct), len(self))
        first[found.codes[::-1]] = np.arange(len(self))[::-1]
        seen = [place for place in np.argsort(first).tolist() if first[place] < len(self)]
        values = [found.distinct[place] for place in seen]
        codes = np.full(len(found.distinct), -1, np.int32)
        codes[seen] = versions.codes(
            [None if value is NO_KEY else category_text(finite_or_text(value)) for value in values]
        )
        return codes[found.codes]

    def ids(self) -> IdArray:
        """Return the hashes of the events' ids."""
        column = self.raw(EVENT_ID)
        if column is None:
            return np.full(len(self), NO_ID, np.uint64)
        if isinstance(column, Numbers) and column.data.dtype.kind != "f":
            return hash_ids(column.values())
        found = as_coded(column)
        distinct = found.distinct
        if set(map(type, distinct)) != {str}:  # texts are what they are
            distinct = [id_text(finite_or_text(value)) for value in distinct]
        return hash_ids(distinct)[found.codes]

    def unclear(self, fields: EventFields) -> Bools:
        """Return the rows with something of a wrong form, which an event is refused for."""
        unclear = np.zeros(len(self), bool)
        paths = self.mapping.paths()
        for part in fields.parts:
            path = paths.get(part)
            if isinstance(path, tuple):
                wrong = _is_list if part in ("prediction", "actual") else _is_no_object
                unclear |= self.holds(path, wrong)
        version = self.raw(VERSION)
        if version is not None:
            unclear |= _where(version, _is_no_category)
        return unclear


def event_times(table: Table, mapping: Mapping) -> IntArray:
    """Return the time of each row's event in ms, `UNREADABLE` where there is none.

    >>> table = Table(2, {"ts": Numbers(np.array([1553644800, 5]))})
    >>> event_times(table, Mapping({"timestamp": "ts"})).tolist()
    [1553644800000, -9223372036854775808]
    """
    return EventRows(renamed(table) if mapping.is_native else table, mapping, None).times()


def event_ids(table: Table, mapping: Mapping) -> IdArray:
    """Return the hash of each row's event id, `NO_ID` where there is none."""
    return EventRows(renamed(table) if mapping.is_native else table, mapping, None).ids()


def event_values(table: Table, mapping: Mapping, field: str) -> Column | None:
    """Return a field of each row's event as it is; null where it is absent; None without one."""
    return EventRows(renamed(table) if mapping.is_native else table, mapping, None).raw(field)


def columns_of(field: str, mapping: Mapping) -> frozenset[str]:
    """Return the names of the columns that a field of events is in.

    >>> sorted(columns_of("event_id", Mapping()))
    ['event_id', 'prediction_id']
    """
    paths = mapping.paths()
    places = [
        *map(paths.get, mapping.names(field)),
        mapping.clock if field == "timestamp" else None,
    ]
    found = {path[0] for path in places if isinstance(path, tuple)}
    return with_aliases(found) if mapping.is_native else frozenset(found)


def has_values(table: Table, mapping: Mapping, field: str) -> bool:
    """Return whether any row has a field of the event, or a part of it, that is not null."""
    rows = EventRows(renamed(table) if mapping.is_native else table, mapping, None)
    for name in mapping.names(field):
        column = rows.raw(name)
        if column is not None and held(column).any():
            return True
    return False


def with_aliases(names: Iterable[str]) -> frozenset[str]:
    """Return names of columns of native events with the other names that these may have."""
    return frozenset(alias for name in names for alias in (name, *ALIASES.get(name, ())))


_SAMPLES: tuple[tuple[type[Column], object], ...] = ((Struct, {}), (Times, ""), (Vectors, []))
"""What each value of such a column is like."""


def _where(column: Column, wrong: Callable[[object], bool]) -> Bools:
    """Return the rows whose value is neither null nor absent, and wrong."""
    if isinstance(column, Coded):
        flags = [v is not None and v is not NO_KEY and wrong(v) for v in column.distinct]
        return np.array(flags, bool)[column.codes] if any(flags) else np.zeros(len(column), bool)
    sample = next((each for form, each in _SAMPLES if isinstance(column, form)), 0)
    null = column.null if isinstance(column, Numbers | Times | Vectors | Struct) else None
    return np.full(len(column), wrong(sample)) if null is None else wrong(sample) & ~null


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_no_object(value: object) -> bool:
    return not isinstance(value, dict)


def _is_no_category(value: object) -> bool:
    return category_text(finite_or_text(value)) is None
