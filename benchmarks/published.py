"""What lies in the topics of a deployment: verdicts and alerts by their ids, and the states."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Self

import confluent_kafka
import msgspec


class _Identity(msgspec.Struct):
    verdict_id: str = ""
    alert_id: str = ""
    revision: int = 0
    feature: str | None = None  # a verdict on the number of events has none


@dataclass
class Published:
    """What lies in a topic of verdicts or alerts, read further with each look.

    Attributes:
        found: digest of each record, by what identifies it.
        features: how many of them are verdicts on a feature.
        repeated: records that came again, with the same bytes.
    """

    bootstrap: str
    topic: str
    found: dict[tuple[str, int], bytes] = field(default_factory=dict)
    features: int = 0
    repeated: int = 0

    def __post_init__(self) -> None:
        settings = {"bootstrap.servers": self.bootstrap, "group.id": "reader"}
        self._client = confluent_kafka.Consumer(settings | {"enable.auto.commit": False})
        known = self._client.list_topics(self.topic, timeout=30).topics[self.topic].partitions
        begin = confluent_kafka.OFFSET_BEGINNING
        self._partitions = [confluent_kafka.TopicPartition(self.topic, n, begin) for n in known]
        self._client.assign(self._partitions)

    def look(self, seconds: float = 0.5) -> Self:
        """Read for some seconds.

        Raises:
            AssertionError: a record came again with other bytes.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for message in self._client.consume(10_000, timeout=0.2):
                self._take(message.value() or b"{}")
        return self

    def rest(self) -> Self:
        """Read all that is there now."""
        ends = [self._client.get_watermark_offsets(at, timeout=30)[1] for at in self._partitions]
        while any(
            at.offset < end and end
            for at, end in zip(self._client.position(self._partitions), ends, strict=True)
        ):
            self.look(0.2)
        return self

    def _take(self, value: bytes) -> None:
        one = msgspec.json.decode(value, type=_Identity)
        digest, identity = blake2b(value, digest_size=16).digest(), (one.verdict_id, one.revision)
        if one.alert_id:
            identity = (one.alert_id, one.revision)
        known = self.found.setdefault(identity, digest)
        if known is digest:
            self.features += bool(one.feature)
        else:
            assert known == digest, f"{identity} came again with other bytes"
            self.repeated += 1

    def close(self) -> None:
        """Give up the connection."""
        self._client.close()


def states(bootstrap: str, prefix: str) -> str:
    """Return how large the log of states is: all of it, and what compaction would leave."""
    client = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reader", "enable.partition.eof": True}
    )
    topic = f"{prefix}.state"
    known = client.list_topics(topic, timeout=30).topics[topic].partitions
    begin = confluent_kafka.OFFSET_BEGINNING
    client.assign([confluent_kafka.TopicPartition(topic, number, begin) for number in known])
    newest: dict[bytes, int] = {}
    records = written = largest = ended = 0
    while ended < len(known):
        for message in client.consume(10_000, timeout=1.0):
            if message.error() is not None:
                ended += 1
                continue
            size = len(message.value() or b"")
            records, written, largest = records + 1, written + size, max(largest, size)
            newest[message.key() or b""] = size
    client.close()
    live = [size for size in newest.values() if size]
    return (
        f"{topic}: {records:,} records, {written / 1e6:,.1f} MB; living {len(live):,} of "
        f"{sum(live) / 1e6:,.1f} MB, the largest {largest:,} B"
    )
