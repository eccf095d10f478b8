"""Writing what people say of alerts: the records of `<prefix>.control`.

    writer = MarkWriter(connect(kafka), "driftline.control", now)
    writer.mark("56f29dcfdc4e44e8", "snooze", "ada", "a release", "2026-01-01T12:00:00Z")
    writer.clear("56f29dcfdc4e44e8", "snooze")

The newest record of an alert holds all of its marks, so a writer reads it, changes one part
and writes it again. Where two write about one alert within the same second, the later one holds.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from driftline.consumer.deliver.confirmed import ConfirmedWriter
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.log.protocol import Broker
from driftline.consumer.wire.control import ACTIONS, SCHEMA, Action, Mark, Marks
from driftline.consumer.wire.messages import partition_of
from driftline.producer.records.timestamp import format_time, parse_timestamp

LONGEST_NAME, LONGEST_REASON = 200, 2_000  # characters of who marks it, and why


class MarkWriter(ConfirmedWriter):
    """Says something of an alert, or takes it back; threads may share it.

    Args:
        broker: a connection that nobody else uses; `close` gives it up.
        topic: `<prefix>.control`.
        now: returns ms since 1970.
    """

    def __init__(self, broker: Broker, topic: str, now: Callable[[], int]) -> None:
        super().__init__(broker, topic)
        self._now = now
        self._reader = MarkReader(broker.log, topic)  # under the lock

    def mark(
        self,
        alert_id: str,
        action: Action,
        who: str,
        why: str | None = None,
        until: str | None = None,
    ) -> Marks:
        """Mark an alert; return all of its marks once the broker has them.

        Args:
            alert_id: the alert's full id; whether there is such an alert is not looked up.
            action: the mark; one that is there is replaced.
            who: marks it.
            why: the reason.
            until: RFC 3339, when a snooze ends; of a snooze only, which needs it.

        Raises:
            AlertsError: an argument is not as it must be, or the topic does not exist.
            LogError: the broker refuses.
            WorkerLost: the broker has given no answer for a minute.
        """
        now = self._now()
        mark = Mark(
            checked_text(who, "who", LONGEST_NAME),
            format_time(now // 1000 * 1000),
            checked_text(why, "why", LONGEST_REASON) if why and why.strip() else None,
            _end(action, until, now),
        )
        return self._write(alert_id, action, mark)

    def clear(self, alert_id: str, action: Action) -> Marks:
        """Take a mark back; return those that are left.

        Raises:
            AlertsError, LogError, WorkerLost: as `mark`.
        """
        return self._write(alert_id, action, None)

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
            place = partition_of(alert_id, partitions)
            self._send(place, alert_id, msgspec.json.encode(marks))
            return marks


def checked_text(text: str, name: str, longest: int) -> str:
    """Return what somebody wrote, without space around it.

    Raises:
        AlertsError: it is empty or too long; `name` says what it is.
    """
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
