"""Subscribing to alerts on a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from tests.consumer.deliver.conftest import alert, resolved

from driftline.consumer.alerts import AlertRecord, Choice, FilePosition, subscribe
from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer
from driftline.consumer.log.protocol import Message
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Alert

NewTopic = Callable[..., str]
Publish = Callable[..., None]


@pytest.fixture
def topic(new_topic: NewTopic) -> str:
    return new_topic("alerts", 3)


@pytest.fixture
def publish(config: KafkaConfig, topic: str) -> Iterator[Publish]:
    producer = KafkaProducer(start_producer(config))

    def send(*records: Alert) -> None:
        for record in records:
            key, value = record.alert_id, msgspec.json.encode(record)
            producer.send(Message(topic, partition_of(key, 3), key.encode(), value))
        producer.flush()

    yield send
    producer.close()


def names(records: list[AlertRecord]) -> list[tuple[str, int]]:
    return sorted((record.alert.alert_id, record.alert.revision) for record in records)


def test_the_present_then_what_comes_and_on_from_there(
    bootstrap: str, topic: str, publish: Publish, tmp_path: Path
) -> None:
    positions = FilePosition(tmp_path / "position.json")
    publish(alert("a"), alert("b"), resolved("b"), alert("c"), alert("c", 2), alert("c", 2))
    with subscribe(bootstrap, topic, positions=positions) as subscriber:
        first = subscriber.poll()
        assert names(first) == [("a", 1), ("c", 2)]
        for record in first:
            subscriber.done(record)
        publish(alert("d"), resolved("a"))
        assert names(subscriber.poll()) == [("a", 2), ("d", 1)]  # and a crash while in hand
    publish(resolved("d"))
    with subscribe(bootstrap, topic, positions=positions) as subscriber:
        assert names(list(subscriber.follow(lambda: False))) == [("a", 2), ("d", 1), ("d", 2)]
    with subscribe(bootstrap, topic, Choice(status="firing"), positions) as subscriber:
        assert subscriber.poll() == []
