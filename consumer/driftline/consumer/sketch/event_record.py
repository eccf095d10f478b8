"""An event as a record: what a record in another form, or one of several events, is read as."""

from __future__ import annotations

from dataclasses import dataclass

from driftline.consumer.log.protocol import Headers, Record


class EventBytes(bytes):
    """An event made of a record: as JSON it may be larger than a record may be."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event of a record; itself a record, see `protocol.Record`.

    Attributes:
        record: as it was written.
        value: the event as JSON, or `Unread`.
        index: place among several events of the record; None where it is the only one.
    """

    record: Record
    value: bytes | None
    index: int | None = None

    @property
    def topic(self) -> str:
        """Of the record."""
        return self.record.topic

    @property
    def partition(self) -> int:
        """Of the record."""
        return self.record.partition

    @property
    def offset(self) -> int:
        """Of the record: that of all of its events."""
        return self.record.offset

    @property
    def timestamp(self) -> int:
        """Of the record."""
        return self.record.timestamp

    @property
    def key(self) -> bytes | None:
        """Of the record."""
        return self.record.key

    @property
    def headers(self) -> Headers:
        """Of the record."""
        return self.record.headers
