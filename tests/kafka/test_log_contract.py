"""The log on a real broker does what every log does."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import confluent_kafka
import kafka
import pytest
from tests.contract.log_suite import LogSuite
from tests.kafka.conftest import CLIENTS
from tests.kafka.members import FAST

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Consumer, Log, Producer, TopicPartition


class KafkaTransaction:
    """See `log_suite.Transaction`; confluent-kafka's, whichever client reads."""

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
        self._bootstrap = config.bootstrap_servers[0]
        self._broker = connect(config.model_copy(update={"options": FAST}))
        self._new_topic = new_topic
        self._admin = admin
        self._members: list[Consumer] = []
        self._producer: Producer | None = None

    def topic(self, name: str, partitions: int = 1, cleanup_policy: str = "delete") -> str:
        return self._new_topic(name, partitions, {"cleanup.policy": cleanup_policy})

    def consumer(self, *topics: str) -> Consumer:
        self._members.append(self._broker.consumer(frozenset(topics)))
        return self._members[-1]

    def producer(self) -> Producer:
        if self._producer is None:
            self._producer = self._broker.producer()
        return self._producer

    def log(self) -> Log:
        return self._broker.log

    def transaction(self, partition: TopicPartition) -> KafkaTransaction:
        return KafkaTransaction(self._bootstrap, partition)

    def delete_before(self, partition: TopicPartition, offset: int) -> None:
        self._admin.delete_records({kafka.TopicPartition(*partition): offset})

    def close(self) -> None:
        for member in self._members:
            member.close()
        if self._producer is not None:
            self._producer.close()
        self._broker.log.close()


@pytest.mark.parametrize("client", CLIENTS)
class TestKafkaLog(LogSuite):
    """Each test for each client."""

    @pytest.fixture
    def body(
        self, config: KafkaConfig, new_topic: Callable[..., str], admin: Any, client: str
    ) -> Iterator[KafkaBody]:
        opened = KafkaBody(config.model_copy(update={"client": client}), new_topic, admin)
        yield opened
        opened.close()
