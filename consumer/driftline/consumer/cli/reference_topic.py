"""A reference out of a topic: its first records, or those between two times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.load_models import schema_source
from driftline.consumer.cli.progress import progress
from driftline.consumer.cli.screen import Screen
from driftline.consumer.cli.terminal import say
from driftline.consumer.config import Config
from driftline.consumer.config.settings import LimitsConfig
from driftline.consumer.log.protocol import Log, TopicInfo, Unread, UnreadBatch
from driftline.consumer.log.ranges import (
    Offsets,
    first_records,
    partitions_of,
)
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.ground_truth import check_measured
from driftline.consumer.service.formats import RecordOpener, record_form
from driftline.producer.errors import FormatError
from driftline.producer.files.given import Given
from driftline.producer.records.formats.json_text import parse_json
from driftline.producer.records.mapping import Mapping as FieldMapping
from driftline.producer.records.table import Table
from driftline.producer.reference.build import (
    BuiltReference,
    ReferenceSettings,
    Together,
    reference_from_events,
)

_SAMPLE = 1_000
_NOTES = 5


@dataclass(frozen=True)
class RecordRange:
    """Which records: the `first` N, or those with timestamps from `since` to `until` (ms)."""

    first: int | None
    since: int
    until: int


def from_topic(
    log: Log,
    topic: str,
    stretch: RecordRange,
    settings: ReferenceSettings,
    config: Config | None,
    actual: str | None,
    together: Together | None = None,
) -> BuiltReference:
    """Build a reference from the records of a topic.

    Raises:
        DriftlineError: there is no such topic, no record in the stretch, or no usable event.
    """
    with closing(log):
        reading = _Reading(log, topic, stretch, config)
        every = reading.rows()
        sample = list(islice(every, _SAMPLE))
        reading.check(sample)
        if config is not None and topic in config.sources:
            mapping = config.sources[topic].mapping
        else:
            mapping = file_rows.guess_rows(sample, Screen(), actual)
            if config is not None and mapping.is_native:
                mapping = FieldMapping.native()  # as the service reads the topic
        mapping = file_rows.with_actual(mapping, actual)
        built = reference_from_events(_events(mapping, sample, every), settings, together)
        check_measured(built, mapping, actual, None)
        reading.note_unreadable()
        return built


def first_rows(log: Log, topic: str, first: int) -> Given:
    """Return the first records of a topic as rows.

    Raises:
        DriftlineError: there is no such topic, or no usable record.
    """
    with closing(log):
        reading = _Reading(log, topic, RecordRange(first, 0, 0), None)
        rows = list(reading.rows())
        reading.check(rows)
        reading.note_unreadable()
    if not rows:
        raise CommandError(f"--from-topic {topic}: none of its first {first:,} records can be read")
    table = Table.of_rows(rows)
    return Given(topic, lambda: iter([table]))


class _Reading:
    """Reads a stretch of a topic; records that cannot be read are counted.

    Raises:
        CommandError: there is no such topic, or no record in the stretch.
    """

    def __init__(self, log: Log, topic: str, stretch: RecordRange, config: Config | None) -> None:
        info = log.topics(frozenset([topic])).get(topic)
        if info is None:
            raise CommandError(f"--from-topic {topic}: there is no such topic")
        self._log, self._topic = log, topic
        self._start, self._stop = _offsets(log, info, stretch)
        self._total = sum(max(0, self._stop[each] - self._start[each]) for each in self._start)
        if not self._total:
            raise self._nothing()
        self._opener = _opener(topic, config)
        self._unreadable: Counter[str] = Counter()
        self._batches = 0

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the events."""
        with progress("records", self._total) as show:
            for done, record in enumerate(self._log.read(self._start, self._stop), 1):
                if isinstance(record.value, UnreadBatch):
                    place = f"{self._topic}[{record.partition}]"
                    say(f"note  {place}: {record.value.detail}; left out")
                    self._batches += 1
                    continue
                for event in self._opener.open([record]):
                    row = _row(event.value, self._unreadable)
                    if row is not None:
                        yield row
                if done % _SAMPLE == 0:
                    show(done)

    def check(self, sample: list[dict[str, Any]]) -> None:
        """Refuse a stretch in which all there are are records of aborted transactions."""
        if not (sample or self._unreadable or self._batches):
            raise self._nothing()

    def note_unreadable(self) -> None:
        """Say how many records are left out, and why."""
        for detail, records in self._unreadable.most_common(_NOTES):
            say(f"note  {records:,} records are left out: {detail}")

    def _nothing(self) -> CommandError:
        return CommandError(
            f"{self._topic} has no records there; choose others with --since, or --first"
        )


def _offsets(log: Log, topic: TopicInfo, stretch: RecordRange) -> tuple[Offsets, Offsets]:
    if stretch.first is not None:
        return first_records(log, topic, stretch.first)
    partitions = partitions_of(topic)
    return log.offsets_at(partitions, stretch.since), log.offsets_at(partitions, stretch.until)


def _events(
    mapping: FieldMapping, sample: list[dict[str, Any]], rest: Iterator[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    for rows in (sample, rest):
        yield from map(mapping.to_event, rows)


def _opener(topic: str, config: Config | None) -> RecordOpener:
    """Return what opens the records of the topic, by the configuration where there is one."""
    source = None if config is None else config.sources.get(topic)
    schemas = None if config is None else schema_source(config)
    most = (LimitsConfig() if config is None else config.limits).max_event_bytes
    return RecordOpener(record_form(topic, source), schemas, most)


def _row(value: bytes | None, unreadable: Counter[str]) -> dict[str, Any] | None:
    """Return an event as a row; of one that cannot be read count why."""
    if value is None:  # a tombstone
        return None
    if isinstance(value, Unread):
        unreadable[value.detail] += 1
        return None
    try:
        row = parse_json(value)
    except FormatError as error:
        unreadable[error.detail.partition(":")[0]] += 1  # not where: it is elsewhere in each
        return None
    if isinstance(row, dict):
        return row
    unreadable["they are no JSON objects"] += 1
    return None
