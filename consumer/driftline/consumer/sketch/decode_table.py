"""Rows of a table to numpy columns: what `decode` does with records, without a record.

The columns mean what their rows would mean as events of JSON (`Table.to_rows`, and of each
`Mapping.to_event`). What only a look at the whole row can tell, such as why it is no event, the
exact way (`exact`) decides for that row alone.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.batch import segment_codes
from driftline.consumer.sketch.decoded import Decoded, ModelRows
from driftline.consumer.sketch.event_ids import NO_ID, hash_ids, id_text
from driftline.consumer.sketch.exact import EventReader, UnusableError, json_type, read_row
from driftline.consumer.sketch.fields import EVENT_ID, VERSION, EventFields, Scalar
from driftline.consumer.sketch.versions import Versions
from driftline.consumer.wire.join_rows import IdArray
from driftline.detectors.counts import CodeArray
from driftline.detectors.grid import FloatArray, IntArray
from driftline.producer.records.category import category_text
from driftline.producer.records.column_values import (
    as_coded,
    doubles,
    feature_columns,
    outcome_doubles,
)
from driftline.producer.records.mapping import Constant, Mapping, Path, finite_or_text
from driftline.producer.records.native_table import renamed
from driftline.producer.records.table import ABSENT as NO_KEY
from driftline.producer.records.table import Coded, Column, Numbers, Struct, Table, Times
from driftline.producer.records.timestamp_column import UNREADABLE, times_of, times_of_two
from driftline.producer.records.values import ABSENT

Bools = NDArray[np.bool_]

NO_TIME = "the timestamp is no time that can be read"


@dataclass(frozen=True)
class ModelTables:
    """How one model's events are read from tables.

    Attributes:
        fields: what is read, and in which columns it is.
        versions: gives the names of versions codes.
    """

    fields: EventFields
    versions: Versions

    @cached_property
    def native(self) -> EventFields:
        """What is read of a row that has become a native event."""
        return EventFields.of(self.fields.schema, Mapping.native())


class TableDecoder:
    """Decodes tables of one input; see `Decoder`.

    Args:
        mapping: what the rows look like.
        models: the models whose events they are.
        default: the model of events that name none.
        constant: whether `default` is the model of all events.
        resting: models of which nothing more is read.
    """

    def __init__(
        self,
        mapping: Mapping,
        models: AnyMapping[str, ModelTables],
        default: str | None,
        constant: bool,
        resting: set[str],
    ) -> None:
        self._mapping = mapping
        self._models = models
        self._default = default
        self._constant = constant
        self._resting = resting
        self._events = EventReader(Mapping.native())

    def decode(self, table: Table) -> Decoded:
        """Decode a table; the places in what is returned are rows of it."""
        decoded = Decoded()
        whole = _Rows(renamed(table) if self._mapping.is_native else table, self._mapping, None)
        for name, places in self._by_model(whole, decoded).items():
            if name not in self._models:
                decoded.unknown_model += len(places)
            elif name in self._resting:
                decoded.unread += len(places)
            else:
                known = len(decoded.rejected)
                with decoded.failed.guard(name):
                    self._read(name, table, whole, places, decoded)
                own = [replace(bad, model=name) for bad in decoded.rejected[known:]]
                decoded.rejected[known:] = own
                if name in decoded.failed:
                    del decoded.rejected[known:]
                    decoded.unread += len(places)
        decoded.rejected.sort(key=lambda bad: bad.index)
        return decoded

    def _by_model(self, whole: _Rows, decoded: Decoded) -> dict[str, IntArray]:
        """Return the rows of each model that is named; refuse those without a usable name."""
        everywhere = np.arange(whole.table.rows)
        column = None if self._constant else whole.raw("model")
        if column is None:
            if self._default is not None:
                return {self._default: everywhere}
            names: Coded = Coded(np.zeros(len(everywhere), np.int64), [None])
        else:
            names = as_coded(column)
        found: dict[str, list[IntArray]] = {}
        for code, value in enumerate(map(finite_or_text, names.distinct)):
            places = everywhere if len(names.distinct) == 1 else np.flatnonzero(names.codes == code)
            name = self._default if value is None or value is NO_KEY else value
            if isinstance(name, str):
                found.setdefault(name, []).append(places)
                continue
            detail = "the event names no model, and the topic holds several"
            if name is not None:
                detail = f"model is {json_type(name)}, not text"
            for place in places.tolist():
                decoded.refuse(place, "schema", detail)
        groups = {name: np.sort(np.concatenate(parts)) for name, parts in found.items()}
        return {name: places for name, places in groups.items() if places.size}

    def _read(
        self, name: str, table: Table, whole: _Rows, places: IntArray, decoded: Decoded
    ) -> None:
        """Add the events of a model, which are in the rows `places`, to `decoded`."""
        model = self._models[name]
        fields = model.fields
        rows = whole if len(places) == table.rows else replace(whole, chosen=places)
        matrix = np.empty((len(fields.scalars), len(places)))
        for i, scalar in enumerate(fields.scalars):
            matrix[i] = rows.doubles(scalar)
        ids = rows.ids() if fields.schema.ids else None
        keep = self._settle(model, table, rows, places, matrix, ids, decoded)
        times = rows.times()
        wrong = keep & (times == UNREADABLE)
        for place in places[wrong].tolist():
            decoded.refuse(place, "timestamp", NO_TIME)
        keep &= ~wrong
        if not keep.any():
            return
        if not keep.all():
            matrix, times, places = matrix[:, keep], times[keep], places[keep]
            ids = None if ids is None else ids[keep]
            rows = replace(whole, chosen=places)
        versions = rows.versions(model.versions)
        decoded.models[name] = ModelRows(
            places,
            times,
            feature_columns(fields.schema.layout, matrix),
            versions,
            segment_codes(fields, matrix, versions),
            ids,
        )

    def _settle(
        self,
        model: ModelTables,
        table: Table,
        rows: _Rows,
        places: IntArray,
        matrix: FloatArray,
        ids: IdArray | None,
        decoded: Decoded,
    ) -> Bools:
        """Read rows exactly where their columns do not tell all; return which rows are of use."""
        fields = model.fields
        record = fields.schema.record
        keep, unclear = np.ones(len(places), bool), rows.unclear(fields)
        features = matrix[: len(fields.schema.layout.features)]
        if not (record == "event" and self._mapping.wildcard):
            nothing = np.zeros(len(places), bool)
            if not len(features) or (features[0] == ABSENT).any():
                nothing = (features == ABSENT).all(axis=0)
            if record == "label among events":
                keep &= ~nothing
            else:
                unclear |= nothing
        if record == "label" and ids is not None:
            unclear |= ids == NO_ID
        asked = np.flatnonzero(unclear)
        if asked.size:
            keep[asked] = True
            some = table.take(places[asked]).to_rows()
            for at, row in zip(asked.tolist(), some, strict=True):
                try:
                    event = self._events.read(self._mapping.to_event(row))
                    matrix[:, at] = read_row(model.native, event).doubles
                except UnusableError as refused:
                    keep[at] = False
                    place = int(places[at])
                    decoded.refuse(place, refused.reason, refused.detail, refused.lack)
        return keep


@dataclass(frozen=True)
class _Rows:
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
        values = np.full(len(self), scalar.constant if scalar.path is None else ABSENT)
        for path in (scalar.second, scalar.path):  # the first that is there counts
            if path is None:
                continue
            holder = self.find(path[:-1]) if scalar.bare else None
            if holder is not None and not isinstance(holder[0], Struct):
                column, gone = holder
                found = outcome_doubles(column, scalar.name, scalar.kind)
            else:
                inner = self.find(path)
                if inner is None:
                    continue
                column, gone = inner
                found = doubles(column, scalar.kind)
            absent = found == ABSENT
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
        return column if gone is None else _null_where(column, gone)

    def times(self) -> IntArray:
        """Return the times of the events in ms, `UNREADABLE` where there is none."""
        column, form = self.raw("timestamp"), self.mapping.times
        if column is None:
            return np.full(len(self), UNREADABLE)
        if self.mapping.clock is not None:
            clock = self.at(self.mapping.clock) or Coded(np.zeros(len(self), np.int64), [None])
            return times_of_two(column, clock, form)
        return times_of(column, form)

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
        return hash_ids([id_text(finite_or_text(value)) for value in found.distinct])[found.codes]

    def unclear(self, fields: EventFields) -> Bools:
        """Return the rows with something of a wrong form, which an event is refused for."""
        unclear = np.zeros(len(self), bool)
        paths = self.mapping.paths()
        for part in fields.parts:
            path = paths.get(part)
            found = self.find(path) if isinstance(path, tuple) else None
            if found is not None:
                column, gone = found
                wrong = _is_list if part in ("prediction", "actual") else _is_no_object
                unclear |= _where(column, wrong) if gone is None else _where(column, wrong) & ~gone
        version = self.raw(VERSION)
        if version is not None:
            unclear |= _where(version, _is_no_category)
        return unclear


def _null_where(column: Column, gone: Bools) -> Column:
    if isinstance(column, Coded):
        codes = np.where(gone, len(column.distinct), column.codes)
        return Coded(codes, [*column.distinct, None])
    if isinstance(column, Numbers | Times | Struct):
        return replace(column, null=gone if column.null is None else gone | column.null)
    return column


def _where(column: Column, wrong: Callable[[object], bool]) -> Bools:
    """Return the rows whose value is neither null nor absent, and wrong."""
    if isinstance(column, Coded):
        flags = [v is not None and v is not NO_KEY and wrong(v) for v in column.distinct]
        return np.array(flags, bool)[column.codes] if any(flags) else np.zeros(len(column), bool)
    sample: object = {} if isinstance(column, Struct) else "" if isinstance(column, Times) else 0
    null = column.null if isinstance(column, Numbers | Times | Struct) else None
    return np.full(len(column), wrong(sample)) if null is None else wrong(sample) & ~null


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_no_object(value: object) -> bool:
    return not isinstance(value, dict)


def _is_no_category(value: object) -> bool:
    return category_text(finite_or_text(value)) is None
