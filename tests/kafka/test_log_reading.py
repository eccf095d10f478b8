"""The log outside the group: topics, offsets, and reading to the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import kafka
import pytest
from tests.kafka.conftest import CLIENTS

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.confluent.log import ConfluentLog
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.kafka_python import log as kafka_log
from driftline.consumer.log.kafka_python.log import KafkaLog
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer
from driftline.consumer.log.protocol import Message, TopicInfo, TopicPartition
from driftline.consumer.log.topics import DAY, check_topics, missing_topics, output_topics

NewTopic = Callable[..., str]
Write = Callable[..., None]


@pytest.fixture
def log(config: KafkaConfig, client: str) -> Iterator[KafkaLog]:
    opened = ConfluentLog(config) if client == "confluent" else KafkaLog(config)
    yield opened
    opened.close()


@pytest.fixture
def write(config: KafkaConfig) -> Iterator[Write]:
    """Write one record: `write(partition, value, key, timestamp)`."""
    producer = KafkaProducer(start_producer(config))

    def send(
        partition: TopicPartition,
        value: bytes | None,
        key: bytes | None = None,
        timestamp: int | None = None,
    ) -> None:
        producer.send(Message(*partition, key, value, (), timestamp))
        producer.flush()

    yield send
    producer.close()


def test_topics(log: KafkaLog, new_topic: NewTopic, admin: Any) -> None:
    one = new_topic("one", 3)
    limits = {"cleanup.policy": "compact", "retention.ms": "-1", "retention.bytes": "1000"}
    two = new_topic("two", 1, limits)
    found = log.topics({one, two, "missing"})
    assert found.keys() == {one, two}
    assert found[one] == TopicInfo(one, found[one].topic_id, 3, "delete", 604_800_000)
    assert found[two] == TopicInfo(two, found[two].topic_id, 1, "compact", None, 1_000)
    assert log.topics(set()) == log.topics({"missing"}) == {}
    admin.delete_topics([one])
    new_topic("one", 3)
    assert log.topics({one})[one].topic_id != found[one].topic_id


def test_offsets(log: KafkaLog, new_topic: NewTopic, write: Write, admin: Any) -> None:
    topic = new_topic("events", 2)
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
    for number in range(5):
        write(zero, b"x", timestamp=1_000 * (number + 1))
    admin.delete_records({kafka.TopicPartition(topic, 0): 2})
    both = {zero, one}
    assert log.begin_offsets(both) == {zero: 2, one: 0}
    assert log.end_offsets(both) == {zero: 5, one: 0}
    assert log.offsets_at(both, 3_500) == {zero: 3, one: 0}
    assert log.offsets_at(both, 5_000) == {zero: 4, one: 0}
    assert log.offsets_at(both, 5_001) == {zero: 5, one: 0}
    assert log.offsets_at(both, -1) == {zero: 2, one: 0}
    assert log.end_offsets(set()) == {}


def test_a_partition_that_does_not_exist(
    log: KafkaLog, new_topic: NewTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_log, "NEW_TOPIC", 0.0)
    topic = new_topic("events", 1)
    with pytest.raises(LogError, match="does not exist"):
        log.begin_offsets({TopicPartition(topic, 1)})
    with pytest.raises(LogError, match="does not exist"):
        log.read({TopicPartition("missing", 0): 0})


def test_read_ends_where_the_log_ended_at_the_call(
    log: KafkaLog, new_topic: NewTopic, write: Write, admin: Any
) -> None:
    topic = new_topic("events", 3)
    zero, one, empty = (TopicPartition(topic, number) for number in range(3))
    for number in range(6):
        write(zero, str(number).encode())
    for number in range(4):
        write(one, str(number).encode())
    admin.delete_records({kafka.TopicPartition(topic, 1): 4})
    reading = log.read({zero: 2, one: 0, empty: 0})
    write(zero, b"too late")
    assert [(record.partition, record.offset, record.value) for record in reading] == [
        (0, 2, b"2"),
        (0, 3, b"3"),
        (0, 4, b"4"),
        (0, 5, b"5"),
    ]
    assert list(log.read({zero: 7})) == []
    assert list(log.read({zero: 700})) == []
    assert list(log.read({})) == []


@pytest.mark.parametrize("client", CLIENTS)
def test_reading_may_be_given_up(log: KafkaLog, new_topic: NewTopic, write: Write) -> None:
    partition = TopicPartition(new_topic("events"), 0)
    write(partition, b"one")
    write(partition, b"two")
    assert next(log.read({partition: 0})).value == b"one"


@pytest.mark.parametrize("client", CLIENTS)
def test_read_a_compacted_topic(log: KafkaLog, new_topic: NewTopic, write: Write) -> None:
    configs = {"cleanup.policy": "compact", "segment.ms": "1000"}
    partition = TopicPartition(new_topic("state", 1, configs), 0)
    write(partition, b"kept", b"other")
    now = time.time_ns() // 1_000_000
    for number in range(20):
        write(partition, str(number).encode(), b"key", now)
    # A segment is closed by a record that is so much younger than its first, by their timestamps.
    write(partition, b"last", b"key", now + 2_000)
    deadline = time.monotonic() + 20
    while len(found := list(log.read({partition: 0}))) > 3:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [record.value for record in found] == [b"kept", b"19", b"last"]
    assert log.begin_offsets({partition}) == {partition: 0}
    # After the last compaction nothing is left between the tombstone and the end.
    assert log.end_offsets({partition}) == {partition: 22}


def test_output_topics_are_created_and_checked(
    log: KafkaLog, prefix: str, admin: Any, new_topic: NewTopic
) -> None:
    wrong = new_topic("state", 2, {"cleanup.policy": "delete"})
    specs = output_topics(prefix, 2, longest=14 * DAY)
    names = {spec.name for spec in specs}
    found = log.topics(names)
    missing = missing_topics(specs, found)
    assert {spec.name for spec in missing} == names - {wrong}
    problems = check_topics(specs, found)
    assert problems[0] == f"{prefix}.alerts is missing: run  driftline topics create"
    assert problems[4] == (
        f"{prefix}.state has cleanup.policy=delete, it must be compact: run"
        f"  kafka-configs.sh --alter --entity-type topics --entity-name {prefix}.state"
        " --add-config cleanup.policy=compact"
    )
    admin.delete_topics([wrong])
    log.create_topics(specs, None)
    log.create_topics(specs[:1], 1)
    found = log.topics(names)
    assert check_topics(specs, found) == []
    partitions = {name: info.partitions for name, info in found.items()}
    assert partitions == {name: 1 if name == f"{prefix}.models" else 2 for name in names}
    with pytest.raises(LogError, match=rf"{prefix}x.alerts cannot be created: .*Replication"):
        log.create_topics(output_topics(f"{prefix}x", 1, 0)[:1], 3)
