"""Kafka record values to numpy columns: the first step of the sketch.

Every value has exactly one result: it is a row of a model, a tombstone, an event of a model that
nobody watches, or refused with a reason. The result depends on the value, the timestamp of its
record and the settings, not on the values beside it: a batch may be cut anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import partial
from typing import Any, Self, cast

import numpy as np

from driftline.consumer.log.protocol import Unread
from driftline.consumer.sketch.batch import Batch, merge, select
from driftline.consumer.sketch.decode_table import ModelTables, TableDecoder, no_time, too_far_ahead
from driftline.consumer.sketch.decoded import Decoded, ModelRows, Rejected
from driftline.consumer.sketch.event_record import EventBytes
from driftline.consumer.sketch.exact import (
    EventReader,
    Lack,
    Row,
    UnusableError,
    in_record,
    parse,
    read_model,
    read_row,
    values_of,
)
from driftline.consumer.sketch.failures import Failures
from driftline.consumer.sketch.fields import EventFields, ModelSchema
from driftline.consumer.sketch.later_rows import attach
from driftline.consumer.sketch.model_reader import ModelReader
from driftline.detectors.counts import Layout
from driftline.detectors.grid import IntArray
from driftline.producer.records.category import category_text
from driftline.producer.records.formats.presets import looks_like
from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.records.table import Table
from driftline.producer.records.timestamp import EARLIEST
from driftline.producer.records.timestamp_column import UNREADABLE, parse_timestamps

__all__ = ["Decoded", "Decoder", "ModelRows", "ModelSchema", "Rejected"]


class Decoder:
    """Decodes the values of one topic.

    Attributes:
        version_names: model to the names of its versions, which `ModelRows.versions` are codes of.
            Holds until the next batch, also of one that shares the readers: it grows, and begins
            anew when it has become too long.
        failures: models whose reader could not be made; their events are `unread`.
        resting: models of which nothing more is read; their events are `unread` too.
        later: decoders of versions after the present one, by number, of the models that have some.

    Args:
        mapping: what the topic's records look like.
        models: the models whose events it holds. If it is one, events need not name it.
        max_ahead: ms that an event may be later than its record.
        max_event_bytes: larger values are refused, unread.
        unnamed: the model of events that name none. All models are then read alike, as the first
            of them, and a value is read once, whosever it is.

    >>> from driftline.detectors.counts import Feature
    >>> layout = Layout.of([Feature("age", "numeric", np.array([20.0, 30.0]))])
    >>> decoder = Decoder(Mapping(), [ModelSchema("churn", layout, {})], 300_000, 262_144)
    >>> now = 1_553_644_800_000
    >>> decoded = decoder.decode([b'{"features": {"age": 31}}', b"oops"], [now, now])
    >>> decoded.models["churn"].columns.numeric.tolist()
    [[31.0]]
    >>> [(bad.index, bad.reason) for bad in decoded.rejected]
    [(1, 'malformed')]
    """

    def __init__(
        self,
        mapping: Mapping,
        models: Sequence[ModelSchema],
        max_ahead: int,
        max_event_bytes: int,
        unnamed: str | None = None,
    ) -> None:
        self._times = mapping.times
        self._mapping = mapping
        self._events = EventReader(mapping)
        # Reads no features: where a topic holds several models, it finds out whose an event is.
        self._router = ModelReader(EventFields.of(ModelSchema("", Layout(()), {}), mapping))
        self._max_ahead = max_ahead
        self._max_event_bytes = max_event_bytes
        self.failures = Failures()
        self.resting: set[str] = set()
        self.later: dict[int, Decoder] = {}
        self._models = dict.fromkeys((schema.name for schema in models), self._router)
        self._order = {name: place for place, name in enumerate(self._models)}
        self._read_last: set[str] = set()  # the models that may have learned names
        self._alike: ModelReader | None = None
        for schema in models:
            with self.failures.guard(schema.name, lambda name, _: self.rest(name)):
                reader = self._alike or ModelReader(EventFields.of(schema, mapping))
                self._models[schema.name] = reader
                self._alike = None if unnamed is None else reader
        self.version_names = {name: m.versions.names for name, m in self._models.items()}
        model = mapping.paths().get("model")
        self._constant = isinstance(model, Constant)
        self._default = unnamed  # the model of events that name none
        if isinstance(model, Constant):
            self._default = category_text(model.value)
        elif len(self._models) == 1 and unnamed is None:
            (self._default,) = self._models
        self._tables = TableDecoder(
            mapping,
            {name: ModelTables(m.fields, m.versions) for name, m in self._models.items()},
            self._default,
            self._constant,
            max_ahead,
        )

    def rest(self, name: str) -> None:
        """Read no more events of a model that failed; they are counted as `unread`."""
        self.resting.add(name)
        for other in self.later.values():
            other.rest(name)

    def shared(self) -> Self:
        """Return a decoder that reads by the same readers; a model that rests in one, rests alone.

        >>> from driftline.detectors.counts import Feature
        >>> layout = Layout.of([Feature("age", "numeric", np.array([20.0, 30.0]))])
        >>> first = Decoder(Mapping(), [ModelSchema("churn", layout, {})], 300_000, 262_144)
        >>> second = first.shared()
        >>> second.rest("churn")
        >>> value, now = b'{"features": {"age": 31}}', 1_553_644_800_000
        >>> [decoder.decode([value], [now]).unread for decoder in (first, second)]
        [0, 1]
        """
        other = copy(self)
        other.resting = set(self.resting)
        other.later = {number: each.shared() for number, each in self.later.items()}
        return other

    def decode(
        self,
        values: Sequence[bytes | None],
        timestamps: Sequence[int],
    ) -> Decoded:
        """Decode a batch.

        Args:
            values: of the records; None is a tombstone.
            timestamps: of the records, ms since 1970; before 2000 for a record that has none.

        Returns:
            The columns, and the values that are no rows, each with its reason.
        """
        decoded = Decoded()
        for name in self._read_last:
            self._models[name].tidy()
        self._read_last.clear()
        places, kept = self._admit(values, decoded)
        batches, left = self._read(places, kept, decoded)
        rows: dict[str, list[tuple[int, Row]]] = {}
        for place in left:
            self._read_exactly(values[place], place, rows, decoded)
        record_times = np.fromiter(timestamps, np.int64, len(values))
        self._read_last |= batches.keys() | rows.keys()
        for name in sorted(self._read_last, key=self._order.__getitem__):
            own, known = rows.get(name, []), len(decoded.rejected)
            with decoded.failed.guard(name):
                self._finish(name, merge(batches.get(name), own), record_times, decoded)
                if name in decoded.models:
                    read = partial(self._values, values, decoded.models[name].index)
                    decoded.models[name].values = read
            if name in decoded.failed:
                del decoded.rejected[known:]
                fast = len(batches[name].places) if name in batches else 0
                decoded.unread += fast + len(own)
        for name in decoded.failed:
            self._models[name].forget()
        decoded.rejected.sort(key=lambda bad: bad.index)
        for number, other in self.later.items():
            attach(decoded, number, other.decode(values, timestamps), other.version_names)
        return decoded

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that `decode_table` reads of a table."""
        return self._tables.columns

    def decode_table(self, table: Table) -> Decoded:
        """Decode rows that are columns; the rows mean what they would mean as records of JSON.

        >>> from driftline.detectors.counts import Feature
        >>> from driftline.producer.records.table import Numbers
        >>> layout = Layout.of([Feature("age", "numeric", np.array([20.0, 30.0]))])
        >>> mapping = Mapping({"timestamp": "ts", "features": "*"})
        >>> decoder = Decoder(mapping, [ModelSchema("churn", layout, {})], 300_000, 262_144)
        >>> now = Numbers(np.array([1_553_644_800, 5]))
        >>> table = Table(2, {"ts": now, "age": Numbers(np.array([31, 32]))})
        >>> decoded = decoder.decode_table(table)
        >>> decoded.models["churn"].columns.numeric.tolist()
        [[31.0]]
        >>> [(bad.index, bad.reason) for bad in decoded.rejected]
        [(1, 'timestamp')]
        """
        for model in self._models.values():
            model.tidy()
        return self._tables.decode(table, self.resting)

    def _finish(self, name: str, batch: Batch, record_times: IntArray, decoded: Decoded) -> None:
        """Add the events of a model whose time can be used to `decoded`."""
        if name in decoded.failed:
            return
        batch, times = self._timed(name, batch, record_times, decoded)
        if times.size:
            decoded.models[name] = self._models[name].rows(batch, times)

    def _values(
        self, values: Sequence[bytes | None], index: IntArray, places: IntArray
    ) -> list[dict[str, Any]]:
        """Return what the features hold in some of the events at `index`; see `ModelRows`."""
        return [
            values_of(self._events.read(parse(values[place] or b"")))
            for place in index[places].tolist()
        ]

    def _admit(
        self, values: Sequence[bytes | None], decoded: Decoded
    ) -> tuple[IntArray, Sequence[bytes]]:
        """Return the values that are to be read, and before them their places."""
        present = cast(Sequence[bytes], values)
        try:
            longest = max(map(len, present), default=0)
            if longest <= self._max_event_bytes and set(map(type, present)) <= {bytes}:
                return np.arange(len(present)), present
        except TypeError:  # None has no length
            pass
        places, kept = [], []
        for place, value in enumerate(values):
            if value is None:
                decoded.tombstones += 1
            elif isinstance(value, Unread):
                decoded.refuse(place, value.reason, value.detail)
            elif len(value) > self._max_event_bytes and not isinstance(value, EventBytes):
                detail = f"{len(value)} bytes, at most {self._max_event_bytes} are read"
                decoded.refuse(place, "too_large", detail)
            else:
                places.append(place)
                kept.append(value)
        return np.array(places, np.int64), kept

    def _read(
        self, places: IntArray, values: Sequence[bytes], decoded: Decoded
    ) -> tuple[dict[str, Batch], list[int]]:
        """Read values the fast way; return what was read, and the places of those left over."""
        if not values:
            return {}, []
        if self._alike is not None and not self._constant:
            return self._read_alike(self._alike, places, values, decoded)
        if self._default is not None:
            if self._default not in self._models:
                return {}, places.tolist()
            found, left = self._read_model(self._default, places, values, decoded)
            return {name: self._own(batch, decoded) for name, batch in found.items()}, left
        batches: dict[str, Batch] = {}
        routed, left = self._router.read(places, values)
        by_place = dict(zip(places.tolist(), values, strict=True))
        groups: dict[str | None, list[int]] = {}
        for place, name in zip(routed.places.tolist(), routed.raw["model"], strict=True):
            groups.setdefault(name, []).append(place)
        for name, chosen in groups.items():
            if name is None:
                left += chosen
            elif name not in self._models:
                decoded.unknown_model += len(chosen)
            else:
                some = [by_place[place] for place in chosen]
                found, others = self._read_model(name, np.array(chosen), some, decoded)
                batches |= found
                left += others
        return batches, left

    def _read_alike(
        self, reader: ModelReader, places: IntArray, values: Sequence[bytes], decoded: Decoded
    ) -> tuple[dict[str, Batch], list[int]]:
        """Read values the fast way, as `_read` does, where all models are read alike."""
        batch, left = reader.read(places, values)
        names = batch.raw["model"]
        distinct = {name: code for code, name in enumerate(dict.fromkeys(names))}
        codes = np.fromiter(map(distinct.__getitem__, names), np.int64, len(names))
        batches = {}
        for named, code in distinct.items():
            name = self._default if named is None else named
            own = codes == code
            if name is None or name not in self._models:
                decoded.unknown_model += int(own.sum())
            else:
                batches[name] = batch if len(distinct) == 1 else select(batch, own)
        return batches, left

    def _read_model(
        self, name: str, places: IntArray, values: Sequence[bytes], decoded: Decoded
    ) -> tuple[dict[str, Batch], list[int]]:
        """Read one model's values the fast way, as `_read` does; nothing of a model that fails."""
        if name not in self.resting:
            with decoded.failed.guard(name):
                batch, left = self._models[name].read(places, values)
                return {name: batch}, left
        decoded.unread += len(places)
        return {}, []

    def _own(self, batch: Batch, decoded: Decoded) -> Batch:
        """Leave out the events that name another model than the topic's only one."""
        names = batch.raw["model"]
        if self._constant or not set(names) - {None, self._default}:
            return batch
        own = np.array([name in (None, self._default) for name in names])
        decoded.unknown_model += int((~own).sum())
        return select(batch, own)

    def _read_exactly(
        self,
        value: bytes | None,
        place: int,
        rows: dict[str, list[tuple[int, Row]]],
        decoded: Decoded,
    ) -> None:
        """Read one value the exact way; refuse it where it cannot be used."""
        name: str | None = None
        record: dict[str, Any] = {}
        try:
            record = parse(value or b"")
            event = self._events.read(record)
            named = None if self._constant or "model" not in event else read_model(event)
            name = self._default if named is None else named
            if name is None:
                detail = "the event names no model, and the topic holds several"
                raise UnusableError("schema", detail)
            if name not in self._models:
                decoded.unknown_model += 1
            elif name in self.resting or name in decoded.failed:
                decoded.unread += 1
            else:
                row = read_row(self._models[name].fields, event)
                rows.setdefault(name, []).append((place, row))
        except UnusableError as refused:
            detail = refused.detail + in_record(self._mapping, refused.field)
            if refused.lack is Lack.EVENT and (preset := looks_like(record)) is not None:
                detail += f"; it looks like {preset}: set preset of its source to that"
            decoded.refuse(place, refused.reason, detail, refused.lack, name)
        except Exception as error:
            if name is None:
                raise
            decoded.failed[name] = error
            decoded.unread += 1

    def _timed(
        self, name: str, batch: Batch, record_times: IntArray, decoded: Decoded
    ) -> tuple[Batch, IntArray]:
        """Return the events whose time can be used, and their times."""
        recorded = record_times[batch.places]
        values = batch.raw["timestamp"]
        times = parse_timestamps(values, self._times)
        unread = np.flatnonzero(times == UNREADABLE)
        absent = [i for i in unread.tolist() if values[i] is None]
        times[absent] = np.where(recorded >= EARLIEST, recorded, UNREADABLE)[absent]
        wrong = times == UNREADABLE
        # A record's time from before 2000 (0, or -1 for none) says nothing of its event.
        ahead = ~wrong & (recorded >= EARLIEST) & (times - self._max_ahead > recorded)
        if not (wrong | ahead).any():
            return batch, times
        for place in batch.places[wrong].tolist():
            decoded.refuse(place, "timestamp", no_time(self._mapping), model=name)
        for place in batch.places[ahead].tolist():
            detail = too_far_ahead(self._max_ahead, self._mapping)
            decoded.refuse(place, "too_far_ahead", detail, model=name)
        keep = ~(wrong | ahead)
        return select(batch, keep), times[keep]
