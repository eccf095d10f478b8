"""Transactions in the log in memory, as a producer of events has them."""

from __future__ import annotations

from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.log.protocol import Message, TopicPartition


class MemoryTransaction:
    """A producer's transaction on one partition: open from its first record to its end."""

    def __init__(self, broker: MemoryBroker, partition: TopicPartition) -> None:
        self._broker = broker
        self._partition = partition
        self._offsets: list[int] = []

    def send(self, value: bytes) -> None:
        """Write one record."""
        record = self._broker.append(Message(*self._partition, None, value))
        if not self._offsets:
            self._broker.open[self._partition].append(record.offset)
        self._offsets.append(record.offset)

    def commit(self) -> None:
        """End it: what it has written can be read."""
        self._broker.open[self._partition].remove(self._offsets[0])
        # The control record, which takes an offset and is never read.
        marker = self._broker.append(Message(*self._partition, None, None))
        self._broker.hidden[self._partition].add(marker.offset)

    def abort(self) -> None:
        """End it: what it has written is never read."""
        self._broker.hidden[self._partition].update(self._offsets)
        self.commit()
