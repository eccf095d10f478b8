"""`protocol.Consumer` whose records librdkafka fetches; the member of the group is kafka-python's.

The partitions stay paused in the member, whose heart beats in a thread of its own and which is
polled between two fetches. One exception: a batch that librdkafka cannot unpack. Its partition is
resumed in the member until that has passed the batch, so that what cannot be read is the same
record by both clients.
"""

from __future__ import annotations

import time
from collections.abc import Set
from typing import Any

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.confluent.fetcher import Fetcher
from driftline.consumer.log.kafka_python.consumer import KafkaConsumer
from driftline.consumer.log.kafka_python.rebalance import joined
from driftline.consumer.log.protocol import Ownership, Polled, TopicPartition

_SLICE = 0.1  # seconds after which a wait for records looks at the group

_TUNABLE = {
    # As of the other client: few and large answers, and where few records come the broker waits.
    "max.partition.fetch.bytes": 8 * 1024 * 1024,
    "fetch.min.bytes": 256 * 1024,
    "fetch.wait.max.ms": 200,
}
_FIXED = {"queued.max.messages.kbytes": 32 * 1024}  # fetched and not yet brought


class ConfluentConsumer(KafkaConsumer):
    """A member of the consumer group that reads `topics`.

    Args:
        config: Where to connect, as whom, and the name of the group.
        topics: Topics whose partitions the group shares.

    Raises:
        LogError: The broker gives no answer.
    """

    def __init__(self, config: KafkaConfig, topics: Set[str]) -> None:
        super().__init__(config, topics)
        self._fetcher = Fetcher(config, _TUNABLE | _FIXED, self._client.config["max_poll_records"])
        self._by_member: set[TopicPartition] = set()  # stand before a batch for kafka-python

    def poll(self, timeout: float) -> Polled:
        """Wait up to `timeout` seconds for records or a change of ownership.

        Raises:
            LogError: The group or a topic may not be read, or a topic was re-created.
            WorkerLost: Another worker has taken this one's `group_instance_id`.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            ready = joined(self._client)
            # Where the group must be waited for, there is nothing to fetch meanwhile.
            polled = super().poll(left if not ready or self._by_member else 0.0)
            if polled.ownership is not None:
                self._own(polled.ownership)
            if polled.ownership is not None or polled.records or polled.gaps:
                self._pass_back(polled)
                return polled
            if not ready:
                return polled
            fetched = self._fetcher.fetch(min(left, _SLICE))
            for partition in fetched.unreadable:
                self._leave_to_member(partition)
            gaps = []
            if fetched.gone:
                wanted = {partition: self._fetcher.next[partition] for partition in fetched.gone}
                # Where the broker does not say now how far they are, it is asked once more.
                for partition, offset in wanted.items():
                    self._fetcher.seek(partition, offset)
                gaps = self._go_on_after_gap(wanted)
            if fetched.records or gaps or left <= _SLICE:
                return Polled(fetched.records, None, gaps)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read `partition` from `offset` on. Nothing happens when it is not held any more."""
        for tp in self._held((partition,)):
            self._by_member.discard(partition)
            self._client.pause(tp)
            self._fetcher.seek(partition, offset)

    def pause(self, partitions: Set[TopicPartition]) -> None:
        """Bring no records of `partitions` until they are resumed."""
        self._fetcher.pause(partitions)
        super().pause(partitions)

    def resume(self, partitions: Set[TopicPartition]) -> None:
        """Undo `pause`."""
        self._fetcher.resume({TopicPartition(*tp) for tp in self._held(partitions)})
        super().resume(partitions & self._by_member)

    def close(self) -> None:
        """Leave the group."""
        super().close()
        self._fetcher.close()

    def _own(self, ownership: Ownership) -> None:
        self._by_member &= ownership.kept
        self._fetcher.keep(ownership.kept)

    def _position(self, tp: Any) -> int | None:
        """Return the offset that is read next, None before anything came of the partition."""
        partition = TopicPartition(*tp)
        if partition not in self._fetcher.met:
            return None
        return self._fetcher.next[partition]

    def _leave_to_member(self, partition: TopicPartition) -> None:
        """Let kafka-python read what comes next: it says why a batch cannot be read."""
        for tp in self._held((partition,)):
            self._client.seek(tp, self._fetcher.next[partition])
            self._client.resume(tp)
            self._by_member.add(partition)

    def _pass_back(self, polled: Polled) -> None:
        """Let librdkafka go on behind what kafka-python has read."""
        for partition, found in polled.records.items():
            self.seek(TopicPartition(*partition), found[-1].offset + 1)
