"""The log in memory: what every log does, and what tests may do to it."""

from __future__ import annotations

import pytest
from tests.consumer.log.transactions import MemoryTransaction
from tests.contract.log_suite import LogSuite

from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.memory import (
    MemoryBroker,
    MemoryConsumer,
    MemoryLog,
    MemoryProducer,
)
from driftline.consumer.log.protocol import Message, TopicPartition


class MemoryBody:
    """See `log_suite.Body`."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()

    def topic(self, name: str, partitions: int = 1, cleanup_policy: str = "delete") -> str:
        self.broker.create(name, partitions, cleanup_policy)
        return name

    def consumer(self, *topics: str) -> MemoryConsumer:
        return MemoryConsumer(self.broker, frozenset(topics), batch=7)

    def producer(self) -> MemoryProducer:
        return MemoryProducer(self.broker)

    def log(self) -> MemoryLog:
        return MemoryLog(self.broker)

    def transaction(self, partition: TopicPartition) -> MemoryTransaction:
        return MemoryTransaction(self.broker, partition)

    def delete_before(self, partition: TopicPartition, offset: int) -> None:
        self.broker.delete_before(partition, offset)


class TestMemoryLog(LogSuite):
    @pytest.fixture
    def body(self) -> MemoryBody:
        return MemoryBody()


@pytest.fixture
def broker() -> MemoryBroker:
    made = MemoryBroker(now=77)
    made.create("out", 1)
    return made


def test_members_share_the_topics_that_they_read() -> None:
    broker = MemoryBroker()
    broker.create("events", 3)
    broker.create("panes", 2)
    sketch, judge, both = (
        MemoryConsumer(broker, frozenset(topics))
        for topics in (["events"], ["panes"], ["events", "panes"])
    )
    owned = [member.poll(0).ownership for member in (sketch, judge, both)]
    places = [{tuple(at) for at in each.partitions} for each in owned if each is not None]
    assert places[0] | places[1] | places[2] == {
        *(("events", number) for number in range(3)),
        *(("panes", number) for number in range(2)),
    }
    assert sum(map(len, places)) == 5
    assert {topic for topic, _ in places[0]} == {"events"}
    assert {topic for topic, _ in places[1]} == {"panes"}


def values(broker: MemoryBroker) -> list[bytes | None]:
    return [record.value for record in broker.records("out")]


def message(value: bytes) -> Message:
    return Message("out", 0, None, value)


def test_nothing_is_written_before_the_flush(broker: MemoryBroker) -> None:
    producer = MemoryProducer(broker)
    producer.send(message(b"one"))
    assert values(broker) == []
    producer.flush()
    assert values(broker) == [b"one"]
    (record,) = broker.records("out")
    assert record.timestamp == 77  # the present, unless given


def test_a_worker_can_be_lost_between_any_two_writes(broker: MemoryBroker) -> None:
    producer = MemoryProducer(broker)
    for value in (b"one", b"two", b"three"):
        producer.send(message(value))
    producer.crash_after = 1
    with pytest.raises(WorkerLost):
        producer.flush()
    assert values(broker) == [b"one"]
    # What it had in hand may still be written, when it wakes up.
    for waiting in producer.abandoned():
        broker.append(waiting)
    assert values(broker) == [b"one", b"two", b"three"]


def test_a_closed_producer_writes_no_more(broker: MemoryBroker) -> None:
    producer = MemoryProducer(broker)
    producer.send(message(b"one"))
    producer.close()
    with pytest.raises(WorkerLost):
        producer.flush()
    assert values(broker) == []


def test_a_poll_brings_one_batch_of_one_partition_in_turn() -> None:
    broker = MemoryBroker()
    broker.create("in", 2)
    for number in range(10):
        broker.append(Message("in", number % 2, None, str(number).encode()))
    consumer = MemoryConsumer(broker, frozenset({"in"}), batch=3)
    ownership = consumer.poll(0).ownership
    assert ownership is not None
    for partition in ownership.partitions:
        consumer.seek(partition, 0)
    consumer.resume(ownership.partitions)
    sizes = [[len(r) for r in consumer.poll(0).records.values()] for _ in range(5)]
    assert sizes == [[3], [3], [2], [2], []]
