"""Marking an alert from the command line, and its marks as text."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import msgspec

from driftline.consumer.cli import alert_log
from driftline.consumer.cli.alert_text import minute
from driftline.consumer.cli.output_log import OutputLog
from driftline.consumer.config import Config
from driftline.consumer.deliver.mark_writer import MarkWriter
from driftline.consumer.judge.sentence import clean
from driftline.consumer.log.protocol import Broker
from driftline.consumer.wire.control import Action, Mark, Marks
from driftline.consumer.wire.records import Alert
from driftline.producer.records.timestamp import format_time

_WORDS: dict[Action, str] = {
    "acknowledge": "acknowledged",
    "snooze": "snoozed",
    "false_alarm": "a false alarm",
}


def mark(
    broker: Broker,
    config: Config | None,
    alert_id: str,
    action: Action,
    given: tuple[str, str | None, float | None] | None,
) -> str:
    """Mark an alert, or take a mark back; return a line about it.

    Args:
        broker: where the topics are; it is given up.
        config: names the topics; without one they are `driftline.*`.
        alert_id: the id, or enough of its beginning.
        action: the mark.
        given: who marks it, why, and for how many seconds; None: take the mark back.

    Raises:
        CommandError: there is no such alert, or several begin so.
        AlertsError: it cannot be marked so, or the topic does not exist.
    """
    output = OutputLog.of(broker, config)
    with closing(MarkWriter(broker, output.topic("control"), now_ms)) as writer:
        alert = alert_log.find_alert(output, alert_id).alert
        if given is None:
            marks = writer.clear(alert.alert_id, action)
        else:
            who, why, seconds = given
            until = None if seconds is None else format_time(now_ms() + int(seconds * 1000))
            marks = writer.mark(alert.alert_id, action, who, why, until)
    what = marks_text(marks, now_text()) or "no marks"
    return f"{alert.alert_id}  {what}  {clean(alert.summary)}"


def marks_text(marks: Marks | None, now: str) -> str:
    """Return the marks of an alert in words, empty where there are none; no snooze that is over.

    Args:
        marks: all of them.
        now: RFC 3339, in UTC.

    >>> snooze = Mark("ada", "2026-01-01T08:00:00Z", "a release", "2026-01-01T12:00:00Z")
    >>> marks = Marks("driftline.control.v1", "a", Mark("bob", "2026-01-01T07:00:00Z"), snooze)
    >>> marks_text(marks, "2026-01-01T09:00:00Z")
    'acknowledged by bob, snoozed until 2026-01-01 12:00 by ada (a release)'
    >>> marks_text(marks, "2026-01-01T13:00:00Z")
    'acknowledged by bob'
    """
    if marks is None:
        return ""
    texts = []
    for action, word in _WORDS.items():
        found: Mark | None = getattr(marks, action)
        if found is None or (action == "snooze" and not marks.snoozed(now)):
            continue
        until = f" until {minute(found.until)}" if found.until else ""
        why = f" ({clean(found.why)})" if found.why else ""
        texts.append(f"{word}{until} by {clean(found.who)}{why}")
    return ", ".join(texts)


def with_marks(alert: Alert, marks: Marks | None) -> Any:
    """Return an alert as JSON has it, with its marks, if it has any, as its field `marks`."""
    if marks is None:
        return alert
    return {**msgspec.to_builtins(alert), "marks": msgspec.to_builtins(marks)}


def change_line(alert: Alert, marks: str) -> str:
    """Return a line about the marks of an alert that have changed: when, which, and of what."""
    now = marks or "no marks any more"
    return f"{minute(now_text())}  MARKED    {alert.severity:<8}  {now}: {clean(alert.summary)}"


def now_ms() -> int:
    """Return ms since 1970."""
    return time.time_ns() // 1_000_000


def now_text() -> str:
    """Return the present, RFC 3339 in UTC."""
    return format_time(now_ms())
