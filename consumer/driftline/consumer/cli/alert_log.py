"""The alerts that the log holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.output_log import OutputLog
from driftline.consumer.judge.ids import identity
from driftline.consumer.judge.records import Alert, Verdict
from driftline.consumer.log.messages import partition_of
from driftline.consumer.log.protocol import Record
from driftline.producer.timestamp import parse_timestamp

_MINUTE = 60_000
_SEVERITIES = ("warning", "critical")


@dataclass(frozen=True)
class Choice:
    """Which alerts are asked for; None asks for all.

    Attributes:
        model: only this model's.
        severity: this one or worse.
        since: only of windows that end at this time (ms) or later.
    """

    model: str | None = None
    severity: str | None = None
    since: int | None = None

    def holds(self, alert: Alert) -> bool:
        """Tell whether `alert` is asked for."""
        if self.model is not None and alert.model != self.model:
            return False
        least = _SEVERITIES.index(self.severity) if self.severity is not None else 0
        if _SEVERITIES.index(alert.severity) < least:
            return False
        end = parse_timestamp(alert.window.end)
        return self.since is None or (end is not None and end >= self.since)


def alerts_in(
    records: Iterable[Record], seen: set[tuple[str, int]] | None = None
) -> Iterator[tuple[Record, Alert]]:
    """Yield each alert record once, however often it was written; what is no alert is left out.

    Args:
        records: of the topic of alerts.
        seen: identities of those that were yielded before; new ones are added.
    """
    seen = set() if seen is None else seen
    for record in records:
        try:
            alert = msgspec.json.decode(record.value or b"", type=Alert)
        except msgspec.DecodeError:
            continue
        if (alert.alert_id, alert.revision) not in seen:
            seen.add((alert.alert_id, alert.revision))
            yield record, alert


def present(alerts: Iterable[Alert]) -> list[Alert]:
    """Return the newest record of each alert that fires now, oldest window first."""
    newest: dict[str, Alert] = {}
    for alert in alerts:
        known = newest.get(alert.alert_id)
        if known is None or alert.revision > known.revision:
            newest[alert.alert_id] = alert
    return in_order(alert for alert in newest.values() if alert.status == "firing")


def in_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Return records by the end of their window; within one window the largest effect first."""
    return sorted(
        alerts, key=lambda a: (a.window.end, -(a.effect or 0.0), a.stream, a.feature or "")
    )


def tail(output: OutputLog, choice: Choice, wait: Callable[[], bool]) -> Iterator[Alert]:
    """Yield what fires now, then each alert record that comes.

    With `choice.since` what is there already is yielded record by record, the resolved ones too.

    Args:
        output: the deployment's topics.
        choice: which alerts are asked for.
        wait: called when all is read; False ends it.
    """
    seen: set[tuple[str, int]] = set()
    cursor = output.cursor("alerts")
    there = [alert for _, alert in alerts_in(cursor.new(), seen)]
    first = present(there) if choice.since is None else there
    yield from (alert for alert in in_order(first) if choice.holds(alert))
    while wait():
        new = [alert for _, alert in alerts_in(cursor.new(), seen)]
        yield from (alert for alert in in_order(new) if choice.holds(alert))


def find_alert(output: OutputLog, alert_id: str) -> tuple[Record, Alert]:
    """Return the newest record of one alert.

    Args:
        output: the deployment's topics.
        alert_id: the id, or enough of its beginning.

    Raises:
        CommandError: there is none, or several begin so.
    """
    found: dict[str, tuple[Record, Alert]] = {}
    for record, alert in alerts_in(output.read("alerts")):
        if alert.alert_id.startswith(alert_id):
            known = found.get(alert.alert_id)
            if known is None or alert.revision > known[1].revision:
                found[alert.alert_id] = (record, alert)
    topic = output.topic("alerts")
    if not found:
        raise CommandError(f"{alert_id}: no such alert in {topic}, which keeps 30 days")
    if len(found) > 1:
        raise CommandError(f"{alert_id}: {len(found)} alerts in {topic} begin so, give more of it")
    return next(iter(found.values()))


def find_verdict(output: OutputLog, record: Record, alert: Alert) -> Verdict | None:
    """Return the verdict of an alert's window, None if it is gone by retention."""
    if alert.feature is None:
        return None
    wanted = identity(
        alert.stream, alert.feature, alert.window.start, alert.window.end, alert.reference.id
    )
    partitions = output.partitions("verdicts")
    partition = partitions[partition_of(alert.stream, len(partitions))]
    # A verdict is sent just before its alert; after a restart perhaps much earlier.
    for start in (record.timestamp - 10 * _MINUTE, 0):
        for each in output.read_after(partition, max(0, start)):
            if wanted.encode() in (each.value or b""):
                verdict = msgspec.json.decode(each.value or b"", type=Verdict)
                if verdict.verdict_id == wanted:
                    return verdict
    return None
