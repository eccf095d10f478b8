"""Reading and writing what people say of alerts: the records of `<prefix>.control`.

    with closing(connect(kafka).log) as log:
        marks = MarkReader(log, "driftline.control")
        for changed in marks.new():
            print(changed.alert_id, changed.acknowledge)

    writer = MarkWriter(connect(kafka), "driftline.control", now)
    writer.mark("56f29dcfdc4e44e8", "snooze", "ada", "a release", "2026-01-01T12:00:00Z")
    writer.clear("56f29dcfdc4e44e8", "snooze")

The newest record of an alert holds all that is said of it, so a writer reads it, changes one part
and writes it again. Where two write about one alert within the same second, the later one holds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import msgspec

from driftline.consumer.deliver.cursor import Cursor
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.log.protocol import Broker, Log, Message, Producer, TopicPartition
from driftline.consumer.wire.control import ACTIONS, SCHEMA, Action, Mark, Marks, read_marks
from driftline.consumer.wire.messages import partition_of
from driftline.errors import DriftlineError
from driftline.producer.records.timestamp import format_time, parse_timestamp

logger = logging.getLogger(__name__)

LONGEST_NAME, LONGEST_REASON = 200, 2_000  # characters of who says something, and why


class MarkReader:
    """What is said of each alert now. Without the topic nothing is, until it exists.

    Args:
        log: the log; used by one thread.
        topic: `<prefix>.control`.

    Attributes:
        newest: the newest marks by alert_id, as far as `new` has read.
    """

    def __init__(self, log: Log, topic: str) -> None:
        self.newest: dict[str, Marks] = {}
        self._log = log
        self._topic = topic
        self._cursor: Cursor | None = None

    def partitions(self) -> int:
        """Return the number of partitions of the topic; 0 where there is none.

        Raises:
            LogError, WorkerLost: as `new`.
        """
        if self._cursor is None:
            info = self._log.topics(frozenset([self._topic])).get(self._topic)
            if info is None:
                return 0
            partitions = (TopicPartition(self._topic, number) for number in range(info.partitions))
            self._cursor = Cursor(self._log, partitions)
        return len(self._cursor.next)

    def new(self) -> list[Marks]:
        """Return the newest marks of each alert that were written since the last call.

        Raises:
            LogError: the topic cannot be read.
            WorkerLost: the broker has given no answer for a minute.
        """
        if not self.partitions() or self._cursor is None:
            return []
        changed: dict[str, Marks] = {}
        for record in self._cursor.new():
            try:
                marks = read_marks(record.key, record.value)
            except msgspec.DecodeError as error:
                where = f"{record.topic}[{record.partition}], offset {record.offset}"
                logger.warning("%s: no marks that this version knows: %s", where, error)
                continue
            changed[marks.alert_id] = marks
        self.newest.update(changed)
        return list(changed.values())


class MarkWriter:
    """Says something of an alert, or takes it back; threads may share it.

    It connects for writing when something is first written, and again after an error.

    Args:
        broker: a connection that nobody else uses; `close` gives it up.
        topic: `<prefix>.control`.
        now: returns ms since 1970.
    """

    def __init__(self, broker: Broker, topic: str, now: Callable[[], int]) -> None:
        self._broker = broker
        self._topic = topic
        self._now = now
        self._reader = MarkReader(broker.log, topic)
        self._producer: Producer | None = None
        self._lock = threading.Lock()  # guards all above

    def mark(
        self,
        alert_id: str,
        action: Action,
        who: str,
        why: str | None = None,
        until: str | None = None,
    ) -> Marks:
        """Say something of an alert; return all that is said of it once the broker has it.

        Args:
            alert_id: the alert's full id; whether there is such an alert is not looked up.
            action: what is said; said already, it is said anew.
            who: says it.
            why: the reason.
            until: RFC 3339, when a snooze ends; of a snooze only, which needs it.

        Raises:
            AlertsError: an argument is not as it must be, or the topic does not exist.
            LogError: the broker refuses.
            WorkerLost: the broker has given no answer for a minute.
        """
        now = self._now()
        mark = Mark(
            _text(who, "who", LONGEST_NAME),
            format_time(now // 1000 * 1000),
            _text(why, "why", LONGEST_REASON) if why and why.strip() else None,
            _end(action, until, now),
        )
        return self._write(alert_id, action, mark)

    def clear(self, alert_id: str, action: Action) -> Marks:
        """Take back what was said of an alert; return all that is still said of it.

        Raises:
            AlertsError, LogError, WorkerLost: as `mark`.
        """
        return self._write(alert_id, action, None)

    def close(self) -> None:
        """Give up the connections."""
        with self._lock:
            self._give_up()
            self._broker.log.close()

    def _write(self, alert_id: str, action: Action, mark: Mark | None) -> Marks:
        if action not in ACTIONS:
            raise AlertsError(f"{action}: use one of {', '.join(ACTIONS)}")
        with self._lock:
            partitions = self._reader.partitions()
            if not partitions:
                raise AlertsError(
                    f"{self._topic} does not exist, so alerts cannot be marked: run  driftline"
                    " topics create"
                )
            self._reader.new()
            known = self._reader.newest.get(alert_id) or Marks(SCHEMA, alert_id)
            marks = known.with_mark(action, mark)
            message = Message(
                self._topic,
                partition_of(alert_id, partitions),
                alert_id.encode(),
                msgspec.json.encode(marks),
            )
            try:
                self._producer = self._producer or self._broker.producer()
                self._producer.send(message)
                self._producer.flush()
            except DriftlineError:
                self._give_up()
                raise
            return marks

    def _give_up(self) -> None:
        if self._producer is not None:
            self._producer.close()
        self._producer = None


def _text(text: str, name: str, longest: int) -> str:
    text = text.strip()
    if not text or len(text) > longest:
        raise AlertsError(f"{name}: write 1 to {longest:,} characters")
    return text


def _end(action: Action, until: str | None, now: int) -> str | None:
    """Return when a snooze ends, in UTC and whole seconds, so that it compares as text."""
    if action != "snooze":
        if until is not None:
            raise AlertsError(f"until: a snooze ends, {action} does not: leave it out")
        return None
    end = parse_timestamp(until)
    if end is None or end <= now:
        raise AlertsError("until: write when the snooze ends, a time to come in RFC 3339")
    return format_time(-(-end // 1000) * 1000)
