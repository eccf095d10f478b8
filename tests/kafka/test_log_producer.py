"""The producer: in order, bounded, and never silently short of a message."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import kafka.errors
import pytest
from kafka.future import Future
from tests.kafka.broker import Running
from tests.kafka.conftest import CLIENTS

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.confluent import producer as confluent_producer
from driftline.consumer.log.confluent.producer import ConfluentProducer
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.kafka_python import producer as kafka_producer
from driftline.consumer.log.kafka_python.log import KafkaLog
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer
from driftline.consumer.log.protocol import Message, Producer, TopicPartition

NewTopic = Callable[..., str]


class SilentClient:
    """Takes messages and acknowledges none by itself."""

    def __init__(self) -> None:
        self.futures: list[Any] = []

    def send(self, topic: str, **message: Any) -> Any:
        self.futures.append(Future())
        return self.futures[-1]

    def close(self, timeout: float) -> None:
        raise kafka.errors.KafkaTimeoutError("messages are outstanding")


StartProducer = Callable[..., Producer]


@pytest.fixture
def start(config: KafkaConfig, client: str) -> Iterator[StartProducer]:
    """Start a producer of either client: `start(patience=60.0)`."""
    started: list[Producer] = []

    def begin(patience: float = 60.0) -> Producer:
        if client == "confluent":
            started.append(ConfluentProducer(confluent_producer.start_producer(config), patience))
        else:
            started.append(KafkaProducer(start_producer(config), patience))
        return started[-1]

    yield begin
    for each in started:
        each.close()


@pytest.fixture
def producer(start: StartProducer) -> Producer:
    return start()


@pytest.mark.parametrize("client", CLIENTS)
def test_order_and_content(producer: Producer, config: KafkaConfig, new_topic: NewTopic) -> None:
    topic = new_topic("out", 2)
    for number in range(3_000):
        headers = [("reason", b"schema")]
        key = None if number == 0 else b"key"
        value = str(number).encode() * 20
        producer.send(Message(topic, number % 2, key, value, headers, 1_000 + number))
    producer.send(Message(topic, 0, b"key", None))
    producer.flush()
    log = KafkaLog(config)
    found = list(log.read({TopicPartition(topic, 0): 0, TopicPartition(topic, 1): 0}))
    log.close()
    even = [record for record in found if record.partition == 0]
    odd = [record for record in found if record.partition == 1]
    assert [record.value for record in odd] == [str(n).encode() * 20 for n in range(1, 3_000, 2)]
    assert [record.value for record in even[:-1]] == [
        str(n).encode() * 20 for n in range(0, 3_000, 2)
    ]
    assert [record.timestamp for record in odd] == [1_000 + n for n in range(1, 3_000, 2)]
    assert even[0].key is None
    assert even[1].key == b"key"
    assert list(even[0].headers) == [("reason", b"schema")]
    assert even[-1].value is None
    assert abs(even[-1].timestamp - time.time() * 1000) < 60_000


@pytest.mark.parametrize("client", CLIENTS)
def test_a_message_that_the_broker_refuses(producer: Producer, new_topic: NewTopic) -> None:
    topic = new_topic("small", configs={"max.message.bytes": "2000"})
    producer.send(Message(topic, 0, b"key", b"small"))
    producer.flush()
    producer.send(Message(topic, 0, b"key", os.urandom(5_000)))
    with pytest.raises(LogError, match=r"refused a message of 5000 bytes for .*\.small\[0\]"):
        producer.flush()
    with pytest.raises(LogError, match="refused"):
        producer.send(Message(topic, 0, b"key", b"small"))


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_is_written_behind_a_refused_message(
    start: StartProducer, config: KafkaConfig, new_topic: NewTopic
) -> None:
    """Else a horizon would stand behind a pane that is not there."""
    topic = new_topic("small", configs={"max.message.bytes": "2000"})
    producer = start()
    producer.send(Message(topic, 0, b"key", b"before"))
    producer.flush()

    def write() -> None:
        producer.send(Message(topic, 0, b"key", os.urandom(5_000)))
        for _ in range(200):  # so long that they come in batches of their own
            time.sleep(0.002)
            producer.send(Message(topic, 0, b"key", b"behind"))
        producer.flush()

    with pytest.raises(LogError, match=r"refused a message of 5000 bytes for .*\.small\[0\]"):
        write()
    producer.close()
    log = KafkaLog(config)
    assert [record.value for record in log.read({TopicPartition(topic, 0): 0})] == [b"before"]
    log.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_message_that_the_client_refuses(producer: Producer, new_topic: NewTopic) -> None:
    with pytest.raises(LogError, match="refused a message of 2000000 bytes"):
        producer.send(Message(new_topic("out"), 0, b"key", bytes(2_000_000)))


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_is_not_the_brokers(
    producer: Producer, new_topic: NewTopic, hours: int
) -> None:
    limits = {f"message.timestamp.{side}.max.ms": "3600000" for side in ("before", "after")}
    topic = new_topic("out", configs=limits)  # a broker's default is an hour ahead
    now = round(time.time() * 1000)
    producer.send(Message(topic, 0, b"key", b"value", (), now + hours * 3_600_000))
    with pytest.raises(LogError, match="set the clock of this host, or of the broker's"):
        producer.flush()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_topic_that_does_not_exist(start: StartProducer, prefix: str) -> None:
    message = Message(f"{prefix}.missing", 0, b"key", b"value")
    producer = start(patience=10.0)

    def write() -> None:
        producer.send(message)
        producer.flush()  # one client looks for the topic at once, the other in the background

    with pytest.raises(WorkerLost, match=f"cannot write to {prefix}.missing"):
        write()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_broker_that_stands_still(
    producer: Producer, broker: Running, config: KafkaConfig, new_topic: NewTopic
) -> None:
    if broker.pid is None:
        pytest.skip("only a broker of our own can be frozen")
    topic = new_topic("out")
    producer.send(Message(topic, 0, b"key", b"first"))
    producer.flush()
    os.kill(broker.pid, signal.SIGSTOP)
    wake = threading.Timer(1.5, os.kill, (broker.pid, signal.SIGCONT))
    wake.start()
    try:
        for number in range(500):
            producer.send(Message(topic, 0, b"key", str(number).encode()))
        producer.flush()
    finally:
        wake.join()
        os.kill(broker.pid, signal.SIGCONT)
    log = KafkaLog(config)
    assert log.end_offsets({TopicPartition(topic, 0)}) == {TopicPartition(topic, 0): 501}
    log.close()


MESSAGE = Message("out", 0, b"key", b"value")


def test_nobody_acknowledges() -> None:
    producer = KafkaProducer(SilentClient(), patience=0.0)
    producer.send(MESSAGE)
    with pytest.raises(WorkerLost, match="1 messages wait and the broker has acknowledged none"):
        producer.flush()
    producer.close()


def test_an_acknowledgement_is_a_sign_of_life() -> None:
    client = SilentClient()
    producer = KafkaProducer(client, patience=30.0)
    producer.send(MESSAGE)
    client.futures[0].success(None)
    producer.flush()
    producer.send(MESSAGE)
    acknowledge = threading.Timer(0.1, client.futures[1].success, (None,))
    acknowledge.start()
    producer.flush()
    acknowledge.join()


@pytest.mark.parametrize(("bound", "value"), [("MAX_MESSAGES", 3), ("MAX_BYTES", 20)])
def test_what_is_outstanding_is_bounded(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int
) -> None:
    monkeypatch.setattr(kafka_producer, bound, value)
    client = SilentClient()
    producer = KafkaProducer(client, patience=30.0)
    for _ in range(3):
        producer.send(MESSAGE)
    acknowledge = threading.Timer(0.2, client.futures[0].success, (None,))
    acknowledge.start()
    producer.send(MESSAGE)
    acknowledge.join()
    assert client.futures[0].is_done
    assert len(client.futures) == 4
