"""Rows of a table to numpy columns: what `decode` does with records, without a record.

The columns mean what their rows would mean as events of JSON (`Table.to_rows`, and of each
`Mapping.to_event`). What only a look at the whole row can tell, such as why it is no event, the
exact way (`exact`) decides for that row alone.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.batch import tag_codes
from driftline.consumer.sketch.decoded import Decoded, ModelRows, NewFields
from driftline.consumer.sketch.event_ids import NO_ID
from driftline.consumer.sketch.event_rows import EventRows, with_aliases
from driftline.consumer.sketch.exact import (
    EventReader,
    UnusableError,
    in_record,
    json_type,
    read_row,
    values_of,
)
from driftline.consumer.sketch.fields import EVENT_ID, EventFields
from driftline.consumer.sketch.versions import Versions
from driftline.consumer.wire.join_rows import IdArray
from driftline.detectors.grid import FloatArray, IntArray
from driftline.producer.records.column_values import as_coded, feature_columns
from driftline.producer.records.mapping import Mapping, finite_or_text
from driftline.producer.records.native_table import renamed
from driftline.producer.records.table import ABSENT as NO_KEY
from driftline.producer.records.table import Coded, Table
from driftline.producer.records.timestamp import EARLIEST
from driftline.producer.records.timestamp_column import UNREADABLE
from driftline.producer.records.values import ABSENT

Bools = NDArray[np.bool_]


def no_time(mapping: Mapping) -> str:
    """Return what is wrong with an event whose time cannot be read."""
    return f"the timestamp is no time that can be read{in_record(mapping, 'timestamp')}"


def too_far_ahead(most: int, mapping: Mapping) -> str:
    """Return what is wrong with an event that is too far (ms) after its record."""
    return (
        f"the timestamp is more than {most} ms after the record's{in_record(mapping, 'timestamp')}"
    )


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
        return EventFields.of(self.fields.schema, Mapping(texts=self.fields.mapping.texts))


class TableDecoder:
    """Decodes tables of one input; see `Decoder`.

    Args:
        mapping: what the rows look like.
        models: the models whose events they are.
        default: the model of events that name none.
        constant: whether `default` is the model of all events.
        max_ahead: ms that an event may be later than its record, where that one's time is known.
    """

    def __init__(
        self,
        mapping: Mapping,
        models: AnyMapping[str, ModelTables],
        default: str | None,
        constant: bool,
        max_ahead: int,
    ) -> None:
        self._mapping = mapping
        self._models = models
        self._default = default
        self._constant = constant
        self._max_ahead = max_ahead
        self._events = EventReader(Mapping.native())

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that are read; of no ids where none are matched."""
        schemas = [model.fields.schema for model in self._models.values()]
        parts = {part for model in self._models.values() for part in model.fields.parts}
        unread = {"actual"} - parts
        if not any(schema.ids for schema in schemas):
            unread.add(EVENT_ID)
        found = set(self._mapping.used(unread))
        for model in self._models.values():
            for scalar in model.fields.scalars:
                found.update(path[0] for path in (scalar.path, scalar.second) if path)
            for derived in model.fields.derived:
                found.update(path[0] for path in (derived.path, derived.second) if path)
        return with_aliases(found) if self._mapping.is_native else frozenset(found)

    def decode(self, table: Table, resting: Container[str] = ()) -> Decoded:
        """Decode a table; the places in what is returned are rows of it.

        `resting`: models of which nothing more is read.
        """
        decoded = Decoded()
        whole = EventRows(renamed(table) if self._mapping.is_native else table, self._mapping, None)
        for name, places in self._by_model(whole, decoded).items():
            if name not in self._models:
                decoded.unknown_model += len(places)
            elif name in resting:
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

    def _by_model(self, whole: EventRows, decoded: Decoded) -> dict[str, IntArray]:
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
                where = in_record(self._mapping, "model")
                detail = f"model is {json_type(name)}, not text{where}"
            for place in places.tolist():
                decoded.refuse(place, "schema", detail)
        groups = {name: np.sort(np.concatenate(parts)) for name, parts in found.items()}
        return {name: places for name, places in groups.items() if places.size}

    def _read(
        self, name: str, table: Table, whole: EventRows, places: IntArray, decoded: Decoded
    ) -> None:
        """Add the events of a model, which are in the rows `places`, to `decoded`."""
        model = self._models[name]
        fields = model.fields
        rows = whole if len(places) == table.rows else replace(whole, chosen=places)
        matrix = np.empty((len(fields.scalars), len(places)))
        for i, scalar in enumerate(fields.scalars):
            matrix[i] = rows.doubles(scalar)
        for derived in fields.derived:
            matrix[derived.reader.places] = rows.derived(derived)
        ids = rows.ids() if fields.schema.ids else None
        new: list[tuple[IntArray, str]] = []
        keep = self._settle(model, table, rows, places, matrix, ids, decoded, new)
        times, ahead = self._timed(table, rows, places)
        wrong = keep & (times == UNREADABLE)
        for place in places[wrong].tolist():
            decoded.refuse(place, "timestamp", no_time(self._mapping))
        for place in places[keep & ahead].tolist():
            decoded.refuse(place, "too_far_ahead", too_far_ahead(self._max_ahead, self._mapping))
        keep &= ~(wrong | ahead)
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
            tag_codes(fields, matrix, versions),
            ids,
            self._new_fields(model, whole, places, new),
            partial(self._values, table, places),
        )

    def _new_fields(
        self,
        model: ModelTables,
        whole: EventRows,
        places: IntArray,
        known: Sequence[tuple[IntArray, str]],
    ) -> NewFields:
        """Return which of the rows at `places` hold which fields that are not listed.

        `known`: of rows that were read exactly.
        """
        listed, path = model.fields.listed, model.fields.whole
        if listed is None or path is None:
            return NewFields()
        used = self._mapping.used() if self._mapping.wildcard else frozenset()
        found = [*known]
        for name in whole.names(path):
            if name not in used and listed.is_new(name):
                held = whole.holds_scalar((*path, name))
                found.append((np.flatnonzero(held), name))
        return NewFields.of(found, places)

    def _values(self, table: Table, index: IntArray, places: IntArray) -> list[dict[str, Any]]:
        """Return what the features hold in some of the rows at `index`; see `ModelRows`."""
        rows = table.take(index[places]).to_rows()
        return [values_of(self._events.read(self._mapping.to_event(row))) for row in rows]

    def _timed(self, table: Table, rows: EventRows, places: IntArray) -> tuple[IntArray, Bools]:
        """Return the times of events, and which are too far ahead of their record.

        Where the times of records are known, an event without one has that of its record.
        """
        times = rows.times()
        if table.places is None or table.places.times is None:
            return times, np.zeros(len(places), bool)
        recorded = table.places.times[places]
        known: Bools = recorded >= EARLIEST
        lacking = known & (times == UNREADABLE)
        if lacking.any():
            times = np.where(lacking & rows.without("timestamp"), recorded, times)
        ahead: Bools = known & (times != UNREADABLE) & (times - self._max_ahead > recorded)
        return times, ahead

    def _settle(
        self,
        model: ModelTables,
        table: Table,
        rows: EventRows,
        places: IntArray,
        matrix: FloatArray,
        ids: IdArray | None,
        decoded: Decoded,
        new: list[tuple[IntArray, str]],
    ) -> Bools:
        """Read rows exactly where their columns do not tell all; return which rows are of use.

        Fields that the reference does not list are added to `new`.
        """
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
                    read = read_row(model.native, event)
                    matrix[:, at] = read.doubles
                    new += [(places[at : at + 1], name) for name in read.new]
                except UnusableError as refused:
                    keep[at] = False
                    place = int(places[at])
                    detail = refused.detail + in_record(self._mapping, refused.field)
                    decoded.refuse(place, refused.reason, detail, refused.lack)
        return keep
