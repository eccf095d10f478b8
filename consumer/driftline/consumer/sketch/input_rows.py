"""Some rows of an input partition before they are decoded: records of a log, or a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Protocol

import numpy as np

from driftline.consumer.log.protocol import Headers, Record, TopicPartition
from driftline.consumer.sketch.decode import Decoder
from driftline.consumer.sketch.decoded import Decoded
from driftline.consumer.sketch.labels import DecodedLabels, LabelReader
from driftline.detectors.grid import IntArray
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.replay.replay import encode_event


class InputRows(Protocol):
    """Rows of one partition, at least one, in the order of their offsets."""

    @property
    def offsets(self) -> IntArray:
        """int64 (n,), ascending."""

    def decode(self, decoder: Decoder) -> Decoded:
        """Return the events."""

    def labels(self, reader: LabelReader) -> DecodedLabels:
        """Return the rows as labels."""

    def tombstones(self) -> int:
        """Return how many are null."""

    def record(self, place: int) -> Record:
        """Return one of them, for the dead letters."""


@dataclass(frozen=True)
class RecordRows:
    """Records as they were polled."""

    records: Sequence[Record]

    @cached_property
    def offsets(self) -> IntArray:
        """int64 (n,), ascending."""
        records = self.records
        return np.fromiter(map(attrgetter("offset"), records), np.int64, len(records))

    @cached_property
    def _values(self) -> list[bytes | None]:
        return [record.value for record in self.records]

    @cached_property
    def _timestamps(self) -> list[int]:
        return [record.timestamp for record in self.records]

    def decode(self, decoder: Decoder) -> Decoded:
        """Return the events."""
        return decoder.decode(self._values, self._timestamps)

    def labels(self, reader: LabelReader) -> DecodedLabels:
        """Return the rows as labels."""
        return reader.decode(self._values, self._timestamps)

    def tombstones(self) -> int:
        """Return how many are null."""
        return self._values.count(None)

    def record(self, place: int) -> Record:
        """Return one of them, for the dead letters."""
        return self.records[place]


@dataclass(frozen=True)
class TableRows:
    """Rows of a file as columns: the offset of a row is its place in the file, or the record's.

    Args:
        table: the rows.
        source: the partition that the file stands for.
        mapping: what the rows look like.
    """

    table: Table
    source: TopicPartition
    mapping: Mapping

    @cached_property
    def offsets(self) -> IntArray:
        """int64 (n,), ascending."""
        if self.table.places is not None:
            return self.table.places.offsets
        return np.arange(self.table.first, self.table.first + self.table.rows)

    def decode(self, decoder: Decoder) -> Decoded:
        """Return the events."""
        return decoder.decode_table(self.table)

    def labels(self, reader: LabelReader) -> DecodedLabels:
        """Return the rows as labels."""
        return reader.decode_table(self.table)

    def tombstones(self) -> int:
        """Return 0: a row is never null."""
        return 0

    def record(self, place: int) -> Record:
        """Return one of them, for the dead letters."""
        return TableRecord(self, place)


@dataclass(frozen=True)
class TableRecord:
    """One row of a file as a record; see `log.protocol.Record`. Written only if it is looked at."""

    rows: TableRows
    place: int
    headers: Headers = ()

    @property
    def timestamp(self) -> int:
        """The time of the record, ms since 1970; -1 where it is not known."""
        places = self.rows.table.places
        return -1 if places is None or places.times is None else int(places.times[self.place])

    @property
    def topic(self) -> str:
        """The topic that the file stands for."""
        return self.rows.source.topic

    @property
    def partition(self) -> int:
        """The partition that the file stands for."""
        return self.rows.source.partition

    @property
    def offset(self) -> int:
        """The row's place in the file, from 0; of a recording the record's in its partition."""
        return int(self.rows.offsets[self.place])

    @property
    def key(self) -> bytes | None:
        """The event's id."""
        return self._written[0]

    @property
    def value(self) -> bytes | None:
        """The row as a native event."""
        return self._written[1]

    @cached_property
    def _written(self) -> tuple[bytes | None, bytes]:
        (row,) = self.rows.table.take(slice(self.place, self.place + 1)).to_rows()
        return encode_event(self.rows.mapping.to_event(row))
