"""One alert of the log, and the verdict that it came from."""

from __future__ import annotations

import msgspec

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.output_log import OutputLog
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.subscriber import AlertRecord, newest
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Verdict
from driftline.consumer.wire.subject import identity

_APART = 600_000  # ms from a verdict to its alert, at most


def find_alert(output: OutputLog, alert_id: str) -> AlertRecord:
    """Return the newest record of one alert.

    Args:
        output: the deployment's topics.
        alert_id: the id, or enough of its beginning.

    Raises:
        CommandError: there is none, or several begin so.
    """
    return choose_alert(newest_alerts(output), output, alert_id)


def newest_alerts(output: OutputLog) -> list[AlertRecord]:
    """Return the newest record of every alert."""
    return newest(output.alerts(Choice(since=0)).poll())


def choose_alert(records: list[AlertRecord], output: OutputLog, alert_id: str) -> AlertRecord:
    """Return the record of one alert; see `find_alert`."""
    found = [record for record in records if record.alert.alert_id.startswith(alert_id)]
    topic = output.topic("alerts")
    if not found:
        raise CommandError(f"{alert_id}: no such alert in {topic}, which keeps 30 days")
    if len(found) > 1:
        raise CommandError(f"{alert_id}: {len(found)} alerts in {topic} begin so, give more of it")
    return found[0]


def find_verdict(output: OutputLog, record: AlertRecord) -> Verdict | None:
    """Return the verdict of an alert's window.

    None if it is gone by retention, and of an alert on what came since a change began: no window
    is that long.
    """
    alert = record.alert
    if alert.feature is None:
        return None
    wanted = identity(alert.stream, alert.feature, *alert.window.times, alert.reference.id)
    partitions = output.partitions("verdicts")
    partition = partitions[partition_of(alert.stream, len(partitions))]
    # A verdict is sent just before its alert, also where both are sent again after a restart.
    first, last = record.timestamp - _APART, record.timestamp + _APART
    for each in output.read_after(partition, max(0, first)):
        if each.timestamp > last:
            return None
        if wanted.encode() in (each.value or b""):
            verdict = msgspec.json.decode(each.value or b"", type=Verdict)
            if verdict.verdict_id == wanted:
                return verdict
    return None
