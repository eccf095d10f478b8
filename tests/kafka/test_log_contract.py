"""The log on a real broker does what every log does."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import confluent_kafka
import kafka
import pytest
from tests.contract.log_suite import LogSuite

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.kafka_python.consumer import KafkaConsumer
from driftline.consumer.log.kafka_python.log import KafkaLog
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer
from driftline.consumer.log.protocol import TopicPartition

FAST: dict[str, Any] = {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 500}


class KafkaTransaction:
    """See `log_suite.Transaction`; written by another client than the one that reads."""

    def __init__(self, bootstrap: str, partition: TopicPartition) -> None:
        self._partition = partition
        self._producer = confluent_kafka.Producer(
            {
                "bootstrap.servers": bootstrap,
                "transactional.id": uuid.uuid4().hex,
                "compression.type": "zstd",
                "log_level": 2,
            }
        )
        self._producer.init_transactions(30)
        self._producer.begin_transaction()

    def send(self, value: bytes) -> None:
        topic, number = self._partition
        self._producer.produce(topic, value, partition=number)
        assert self._producer.flush(30) == 0

    def commit(self) -> None:
        self._producer.commit_transaction(30)

    def abort(self) -> None:
        self._producer.abort_transaction(30)


class KafkaBody:
    """See `log_suite.Body`."""

    def __init__(self, config: KafkaConfig, new_topic: Callable[..., str], admin: Any) -> None:
        self._config = config
        self._new_topic = new_topic
        self._admin = admin
        self._members: list[KafkaConsumer] = []
        self._producer: KafkaProducer | None = None
        self._log: KafkaLog | None = None

    def topic(self, name: str, partitions: int = 1, cleanup_policy: str = "delete") -> str:
        return self._new_topic(name, partitions, {"cleanup.policy": cleanup_policy})

    def consumer(self, *topics: str) -> KafkaConsumer:
        settings = self._config.model_copy(update={"options": FAST})
        self._members.append(KafkaConsumer(settings, frozenset(topics)))
        return self._members[-1]

    def producer(self) -> KafkaProducer:
        if self._producer is None:
            self._producer = KafkaProducer(start_producer(self._config))
        return self._producer

    def log(self) -> KafkaLog:
        if self._log is None:
            self._log = KafkaLog(self._config)
        return self._log

    def transaction(self, partition: TopicPartition) -> KafkaTransaction:
        return KafkaTransaction(self._config.bootstrap_servers[0], partition)

    def delete_before(self, partition: TopicPartition, offset: int) -> None:
        self._admin.delete_records({kafka.TopicPartition(*partition): offset})

    def close(self) -> None:
        for member in self._members:
            member.close()
        if self._producer is not None:
            self._producer.close()
        if self._log is not None:
            self._log.close()


class TestKafkaLog(LogSuite):
    @pytest.fixture
    def body(
        self, config: KafkaConfig, new_topic: Callable[..., str], admin: Any
    ) -> Iterator[KafkaBody]:
        opened = KafkaBody(config, new_topic, admin)
        yield opened
        opened.close()
