"""Members of a group that a test polls by hand."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from driftline.consumer.log.kafka_python.consumer import KafkaConsumer
from driftline.consumer.log.protocol import Gap, Ownership, TopicPartition

PATIENCE = 30.0  # seconds; only a failing test waits so long
FAST: dict[str, Any] = {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 500}


class Reader:
    """Polls a member and remembers what came."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self.consumer = consumer
        self.values: dict[TopicPartition, list[int]] = defaultdict(list)
        self.changes: list[Ownership] = []
        self.gaps: list[Gap] = []

    @property
    def owned(self) -> frozenset[TopicPartition]:
        return self.changes[-1].partitions if self.changes else frozenset()

    def poll(self, timeout: float = 0.1) -> None:
        polled = self.consumer.poll(timeout)
        if polled.ownership is not None:
            self.changes.append(polled.ownership)
            assert polled.records.keys() <= polled.ownership.kept
        self.gaps += polled.gaps
        for partition, records in polled.records.items():
            assert partition in self.owned
            self.values[partition] += [int(record.value or b"") for record in records]

    def start(self, offset: int = 0) -> None:
        """Read everything that is new from `offset` on."""
        for partition in self.changes[-1].partitions - self.changes[-1].kept:
            self.consumer.seek(partition, offset)
        self.consumer.resume(self.owned)


def until(condition: Callable[[], bool], *readers: Reader) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        for reader in readers:
            reader.poll()


def partitions(topic: str, *numbers: int) -> frozenset[TopicPartition]:
    return frozenset(TopicPartition(topic, number) for number in numbers)
