"""The rows of a span in topics, read outside of any group, and the labels that came for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from driftline.consumer.config import Config
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log, Record, TopicPartition, Unread, UnreadBatch
from driftline.consumer.log.ranges import partitions_of
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.rows.event_row import EventRow, RowReader
from driftline.consumer.offline.rows.kept import Label
from driftline.consumer.offline.rows.span import Span
from driftline.consumer.service.formats import RecordOpener, record_form
from driftline.consumer.sketch.exact import UnusableError, parse
from driftline.consumer.wire.axis import TIME
from driftline.consumer.wire.text import counted
from driftline.producer.records.formats.schemas import SchemaSource
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.timestamp import EARLIEST

_SOME = 1_000  # records from one look at how far it is to the next
_NOTES = 5


@dataclass(frozen=True)
class TopicRows:
    """Reads the events of a model, and their labels, from its topics.

    A record may hold an event of any earlier time, and of one that is up to `limits.max_ahead`
    later. So records are read from that much before a span on, and to the end, or to `written`.

    Attributes:
        log: the log.
        config: the configuration.
        schemas: where schemas of records are kept; None: nowhere but in files.
        feedback: takes the notes, and shows progress.
        written: no record that was written later (ms since 1970) is read; None: all are. What an
            alert speaks of was there when it was published.
    """

    log: Log
    config: Config
    schemas: SchemaSource | None
    feedback: Feedback
    written: int | None = None
    _unread: Counter[str] = field(default_factory=Counter)

    def rows(self, spans: Sequence[Span], listed: dict[str, Sequence[str]]) -> Iterator[EventRow]:
        """Yield the events that are in one of some spans of one model and segment.

        What retention has deleted, and what cannot be read, is noted.

        Args:
            spans: when they are.
            listed: values of tags; see `RowReader`.

        Raises:
            LogError: a topic is not there, or cannot be read.
            WorkerLost: the broker gives no answer.
        """
        first = min(span.since for span in spans)
        ahead = self.config.limits.max_ahead
        for topic in self.config.models[spans[0].model].predictions:
            reader = RowReader(self._mapping(topic), spans[0], listed)
            for record, event in self._events(topic, first, ahead, self.written):
                sent = record.timestamp if record.timestamp >= EARLIEST else None
                row = reader.read(event, sent)
                if row is None or not any(span.holds(row.place) for span in spans):
                    continue
                if sent is None or row.place <= sent + ahead:
                    yield row
        self._note_unread()

    def labels(self, span: Span) -> Iterator[Label]:
        """Yield the labels that came for events of a span: of its model, from its begin on.

        A label may have come before its event, for as long as the horizon.
        """
        model = self.config.models[span.model]
        if model.labels is None:
            return
        before = self.config.limits.max_ahead + model.labels.horizon
        reader = RowReader(self._mapping(model.labels.topic), span, {})
        for record, event in self._events(model.labels.topic, span.since, before, None):
            label = reader.label(event, record.timestamp)
            if label is not None:
                yield label
        self._note_unread()

    def _mapping(self, topic: str) -> Mapping:
        source = self.config.sources.get(topic)
        return Mapping.native() if source is None else source.mapping

    def _events(
        self, topic: str, since: int, before: int, until: int | None
    ) -> Iterator[tuple[Record, dict[str, Any]]]:
        """Yield the events of records that were written in a stretch.

        Args:
            topic: the topic.
            since: from when on they are wanted, ms since 1970.
            before: ms before that, from which on they may have been written.
            until: written later they are not read; None: all are.
        """
        info = self.log.topics(frozenset([topic])).get(topic)
        if info is None:
            raise LogError(f"{topic} does not exist; check the configuration")
        partitions = partitions_of(info)
        start = self.log.offsets_at(partitions, since - before)
        stop = self.log.end_offsets(partitions)
        if until is not None:
            stop = self.log.offsets_at(partitions, until + 1)
        begins = self.log.begin_offsets(partitions)
        cut = {each for each in partitions if 0 < begins[each] == start[each]}
        for each in sorted(each for each in cut if begins[each] >= stop[each]):
            self._note_deleted(each, "all of its records")
            cut.remove(each)
        opener = RecordOpener(
            record_form(topic, self.config.sources.get(topic)),
            self.schemas,
            self.config.limits.max_event_bytes,
        )
        total = sum(max(0, stop[each] - start[each]) for each in partitions)
        with self.feedback.progress(f"records of {topic}", total) as show:
            for done, record in enumerate(self.log.read(start, stop), 1):
                partition = TopicPartition(topic, record.partition)
                if partition in cut:
                    cut.remove(partition)
                    if record.timestamp > since:
                        self._note_deleted(
                            partition, f"what came before {TIME.moment(record.timestamp)}"
                        )
                yield from self._opened(record, opener)
                if done % _SOME == 0:
                    show(done)

    def _opened(
        self, record: Record, opener: RecordOpener
    ) -> Iterable[tuple[Record, dict[str, Any]]]:
        if isinstance(record.value, UnreadBatch):
            place = f"{record.topic}[{record.partition}]"
            self.feedback.note("note", f"{place}: {record.value.detail}; left out")
            return
        for each in opener.open([record]):
            if each.value is None:  # a tombstone
                continue
            if isinstance(each.value, Unread):
                self._unread[each.value.detail] += 1
                continue
            try:
                yield each, parse(each.value)
            except UnusableError as error:
                self._unread[error.detail] += 1

    def _note_deleted(self, partition: TopicPartition, what: str) -> None:
        place = f"{partition.topic}[{partition.partition}]"
        self.feedback.note("warning", f"{place}: retention has deleted {what}, so rows are missing")

    def _note_unread(self) -> None:
        for detail, records in self._unread.most_common(_NOTES):
            many = counted(records, "record")
            verb = "is" if records == 1 else "are"
            self.feedback.note("note", f"{many} {verb} left out: {detail}")
        self._unread.clear()
