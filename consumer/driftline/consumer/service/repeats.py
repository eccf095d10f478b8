"""Alerts that are already in the log are not sent again after a restart."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from driftline.consumer.judge.records import Alert
from driftline.consumer.log.protocol import Log, TopicPartition


class _Identity(msgspec.Struct):
    model: str
    alert_id: str
    revision: int


class SentAlerts:
    """What a model's judge finds behind the ends that its state remembers.

    The remembered ends are kept until every record found there has come again: a second restart
    in between must find them too.
    """

    def __init__(self, log: Log, topic: str, partitions: int, model: str, ends: Sequence[int]):
        found = {
            TopicPartition(topic, number): ends[number] if number < len(ends) else 0
            for number in range(partitions)
        }
        self._seen: set[tuple[str, int]] = set()
        for record in log.read(found):
            try:
                alert = msgspec.json.decode(record.value or b"", type=_Identity)
            except msgspec.DecodeError:
                continue  # not an alert of ours: somebody tried the topic out
            if alert.model == model:
                self._seen.add((alert.alert_id, alert.revision))
        self._left = set(self._seen)

    def is_new(self, alert: Alert) -> bool:
        """Return whether `alert` is not in the log yet."""
        identity = (alert.alert_id, alert.revision)
        self._left.discard(identity)
        return identity not in self._seen

    @property
    def all_passed(self) -> bool:
        """Whether every record found has come again, so that newer ends may be remembered."""
        return not self._left
