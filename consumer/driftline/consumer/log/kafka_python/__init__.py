"""The log on a real Kafka, by way of kafka-python, which nothing else in the monitor knows.

`driftline.consumer.log.broker.connect` is the way in; nobody else imports anything from here.
"""

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


def connect(config: KafkaConfig) -> KafkaBroker:
    """Reach the broker and log in; see `driftline.consumer.log.broker.connect`."""
    return KafkaBroker(config)
