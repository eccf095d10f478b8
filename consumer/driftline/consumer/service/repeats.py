"""Alerts that are already in the log are not sent again after a restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from driftline.consumer.log.protocol import Log, TopicPartition
from driftline.consumer.wire.records import Alert


class _Identity(msgspec.Struct):
    model: str
    alert_id: str
    revision: int


class SentAlerts:
    """What a model's judge finds behind the ends that its state remembers.

    The remembered ends are kept until every record found there has come again: a second restart
    in between must find them too.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[str, int]] = set()
        self._left: set[tuple[str, int]] = set()

    def note(self, alert_id: str, revision: int) -> None:
        """Note a record that is in the log."""
        self._seen.add((alert_id, revision))
        self._left.add((alert_id, revision))

    def is_new(self, alert: Alert) -> bool:
        """Return whether `alert` is not in the log yet."""
        identity = (alert.alert_id, alert.revision)
        self._left.discard(identity)
        return identity not in self._seen

    @property
    def all_passed(self) -> bool:
        """Whether every record found has come again, so that newer ends may be remembered."""
        return not self._left


def sent_alerts(
    log: Log, topic: str, partitions: int, judges: Mapping[str, tuple[str, Sequence[int]]]
) -> dict[str, SentAlerts]:
    """Return what of each judge's alerts is in the log already; it is read once for all.

    Args:
        log: where it is.
        topic: the alerts topic.
        partitions: how many it has.
        judges: by name in the log, its name in alerts, and the end of each partition that its
            state remembers.
    """
    found = {name: SentAlerts() for name in judges}
    if not judges:
        return found
    ends = [ends for _, ends in judges.values()]
    begin = {
        TopicPartition(topic, number): min(_end(known, number) for known in ends)
        for number in range(partitions)
    }
    names: dict[str, list[str]] = {}
    for name, (model, _) in judges.items():
        names.setdefault(model, []).append(name)
    for record in log.read(begin):
        try:
            alert = msgspec.json.decode(record.value or b"", type=_Identity)
        except msgspec.DecodeError:
            continue  # not an alert of ours: a record of another program
        for name in names.get(alert.model, ()):
            if record.offset >= _end(judges[name][1], record.partition):
                found[name].note(alert.alert_id, alert.revision)
    return found


def _end(ends: Sequence[int], partition: int) -> int:
    return ends[partition] if partition < len(ends) else 0
