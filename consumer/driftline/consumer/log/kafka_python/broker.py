"""A broker that was reached: the client's consumer, producer and log."""

from __future__ import annotations

from collections.abc import Set

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.kafka_python.consumer import KafkaConsumer
from driftline.consumer.log.kafka_python.log import KafkaLog
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer


class KafkaBroker:
    """A broker that was reached; see `protocol.Broker`."""

    def __init__(self, config: KafkaConfig) -> None:
        self._config = config
        self.log = KafkaLog(config)

    def producer(self) -> KafkaProducer:
        """Start a producer."""
        return KafkaProducer(start_producer(self._config))

    def consumer(self, topics: Set[str]) -> KafkaConsumer:
        """Join the group that shares `topics`."""
        return KafkaConsumer(self._config, topics)
