"""The step in front of the decoder: records of a topic, in whatever form, to events in JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter, itemgetter

from driftline.consumer.config import SourceConfig
from driftline.consumer.log.protocol import Record, Unread
from driftline.consumer.sketch.event_record import EventBytes, EventRecord
from driftline.errors import DriftlineError
from driftline.producer.errors import FormatError, SchemaError
from driftline.producer.files.regular_file import read_bounded
from driftline.producer.records.formats.framing import SCHEMA_HEADER
from driftline.producer.records.formats.reader import Opened, RecordForm, RecordReader
from driftline.producer.records.formats.schemas import Schema, SchemaSource, schema_of_file

_LARGEST_SCHEMA = 10_000_000
_BRACE = ord("{")
_value, _headers, _first = attrgetter("value"), attrgetter("headers"), itemgetter(0)


class RecordOpener:
    """Opens the records of one topic.

    A topic of JSON objects pays a look at the first byte of each value, and nothing else.

    Args:
        form: how its records are written.
        schemas: where schemas are kept; None: nowhere.
        most_bytes: that a record may have.

    Attributes:
        forms: how many records were written in which form, as far as they could be read.
        halves: of a preset, how many events are a `request` alone, or an `answer`.

    Raises:
        SchemaError: the schema of the form cannot be used.
        MissingExtraError: what reads it is not installed.

    >>> from driftline.consumer.log.memory import MemoryRecord
    >>> opener = RecordOpener(RecordForm(), None, 262_144)
    >>> record = MemoryRecord("t", 0, 5, -1, None, b'[{"a": 1}, {"a": 2}]')
    >>> [(event.offset, event.index, event.value) for event in opener.open([record])]
    [(5, 0, b'{"a": 1}'), (5, 1, b'{"a": 2}')]
    """

    def __init__(self, form: RecordForm, schemas: SchemaSource | None, most_bytes: int) -> None:
        self._plain = form.is_plain
        self._reader = RecordReader(form, schemas, most_bytes)
        # A value that a header names the schema of may begin with any byte, that of JSON too.
        self._by_header = form.format != "json" and (schemas is not None or form.schema is not None)
        self.forms: Counter[str] = Counter()
        self.halves: Counter[str] = Counter()

    def open(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return the events of records, in their order; of plain JSON these are the records.

        What cannot be read stands there as `Unread`.

        Raises:
            MissingExtraError: what reads them is not installed.
            LogError, Unreachable: the registry of schemas refuses, or gives no answer.
        """
        if self._plain and self._all_plain(records):
            self.forms["JSON"] += len(records)
            return records
        events: list[Record] = []
        for record in records:
            events += self._open(record)
        return events

    def _all_plain(self, records: Sequence[Record]) -> bool:
        try:
            if {*map(_first, map(_value, records))} != {_BRACE}:
                return False
        except (TypeError, IndexError):  # null, or empty
            return False
        return not (self._by_header and any(map(_headers, records)))

    def _open(self, record: Record) -> Sequence[Record]:
        value = record.value
        if value is None or isinstance(value, Unread):
            return [record]
        if self._plain and value[:1] == b"{" and not (self._by_header and _is_named(record)):
            self.forms["JSON"] += 1
            return [record]
        try:
            opened = self._reader.read(value, record.headers)
        except FormatError as error:
            return [EventRecord(record, Unread.of(value, error))]
        except (DriftlineError, MemoryError):
            raise
        except Exception as error:  # one bad record must not stop a partition
            text = f"reading the record failed by an error of Driftline's own: {error!r}"
            return [EventRecord(record, Unread.of(value, FormatError("malformed", text)))]
        self.forms[opened.form] += 1
        self.halves.update(opened.halves)
        return _events(record, opened)


def _is_named(record: Record) -> bool:
    return any(name == SCHEMA_HEADER for name, _ in record.headers)


def _events(record: Record, opened: Opened) -> Sequence[Record]:
    several = len(opened.events) > 1
    return [
        EventRecord(
            record,
            Unread.of(event.value if several else record.value or b"", event)
            if isinstance(event, FormatError)
            else EventBytes(event),
            index if several else None,
        )
        for index, event in enumerate(opened.events)
    ]


def record_form(topic: str, source: SourceConfig | None) -> RecordForm:
    """Return how the records of a topic are written, by its configuration.

    Raises:
        SchemaError: the file of its schema cannot be read.
    """
    if source is None:
        return RecordForm(topic=topic)
    schema: Schema | None = None
    if source.schema_ is not None:
        try:
            content = read_bounded(source.schema_, _LARGEST_SCHEMA)
        except OSError as error:
            raise SchemaError(f"{source.schema_} cannot be read: {error.strerror}") from None
        schema = schema_of_file(source.schema_.name, content, source.message or "")
    path = source.mapping.paths().get("features")
    features = source.fields.get("features")
    wild = features == "*"
    return RecordForm(
        source.format,
        schema,
        source.preset,
        source.names,
        topic,
        () if source.mapping.is_native or wild or not isinstance(path, tuple) else path,
    )
