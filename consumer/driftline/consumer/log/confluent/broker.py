"""A broker that was reached: consumer, producer and log by way of librdkafka."""

from __future__ import annotations

from collections.abc import Set

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.confluent.consumer import ConfluentConsumer
from driftline.consumer.log.confluent.log import ConfluentLog
from driftline.consumer.log.confluent.producer import ConfluentProducer, start_producer


class ConfluentBroker:
    """A broker that was reached; see `protocol.Broker`."""

    def __init__(self, config: KafkaConfig) -> None:
        self._config = config
        self.log = ConfluentLog(config)

    def producer(self) -> ConfluentProducer:
        """Start a producer."""
        return ConfluentProducer(start_producer(self._config))

    def consumer(self, topics: Set[str]) -> ConfluentConsumer:
        """Join the group that shares `topics`."""
        return ConfluentConsumer(self._config, topics)
