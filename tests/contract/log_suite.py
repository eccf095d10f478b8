"""What every log must do, whatever its body: memory or Kafka.

A body's tests subclass `LogSuite` and give the fixture `body`. Waiting is part of a real log, so
nothing here counts polls: a `Member` is polled until what must come has come.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Set
from typing import Protocol

from driftline.consumer.log.protocol import (
    Consumer,
    Gap,
    Log,
    Message,
    Ownership,
    Producer,
    TopicPartition,
)

PATIENCE = 30.0  # seconds; only a failing test waits so long


class Transaction(Protocol):
    """A producer's transaction on one partition."""

    def send(self, value: bytes) -> None:
        """Write one record; return when it is in the log."""
        ...

    def commit(self) -> None: ...

    def abort(self) -> None: ...


class Body(Protocol):
    """A log under test. Everything it hands out is closed by its fixture."""

    def topic(self, name: str, partitions: int = 1, cleanup_policy: str = "delete") -> str:
        """Create a topic and return its full name."""
        ...

    def consumer(self, *topics: str) -> Consumer:
        """Join the group."""
        ...

    def producer(self) -> Producer: ...

    def log(self) -> Log: ...

    def transaction(self, partition: TopicPartition) -> Transaction:
        """Begin a transaction of a producer of its own."""
        ...

    def delete_before(self, partition: TopicPartition, offset: int) -> None:
        """Delete the records before `offset`, as retention does."""
        ...


class Member:
    """Polls a consumer and remembers what came."""

    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer
        self.values: dict[TopicPartition, list[int]] = defaultdict(list)
        self.changes: list[Ownership] = []
        self.gaps: list[Gap] = []

    @property
    def owned(self) -> frozenset[TopicPartition]:
        return self.changes[-1].partitions if self.changes else frozenset()

    def poll(self) -> None:
        polled = self.consumer.poll(0.05)
        if polled.ownership is not None:
            self.changes.append(polled.ownership)
            assert polled.records.keys() <= polled.ownership.kept
        self.gaps += polled.gaps
        for partition, records in polled.records.items():
            assert partition in self.owned
            offsets = [record.offset for record in records]
            assert offsets == sorted(offsets)
            self.values[partition] += [int(record.value or b"") for record in records]

    def start(self, offset: int = 0) -> None:
        """Read everything that is new from `offset` on."""
        for partition in self.changes[-1].partitions - self.changes[-1].kept:
            self.consumer.seek(partition, offset)
        self.consumer.resume(self.owned)


def until(condition: Callable[[], bool], *members: Member) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, [member.values for member in members]
        for member in members:
            member.poll()


def write(
    producer: Producer, topic: str, partition: int, values: range, timestamp: int | None = None
) -> None:
    for value in values:
        producer.send(Message(topic, partition, b"key", str(value).encode(), (), timestamp))
    producer.flush()


class LogSuite:
    """The behaviours; a subclass gives the fixture `body`."""

    def test_topics(self, body: Body) -> None:
        one, two = body.topic("one", 3), body.topic("two", 1, "compact")
        found = body.log().topics({one, two, "missing"})
        assert found.keys() == {one, two}
        assert (found[one].name, found[one].partitions) == (one, 3)
        assert (found[one].cleanup_policy, found[two].cleanup_policy) == ("delete", "compact")
        assert found[one].topic_id != found[two].topic_id
        assert body.log().topics({one})[one] == found[one]
        assert body.log().topics(frozenset()) == {}

    def test_what_is_written_is_read(self, body: Body) -> None:
        topic = body.topic("out", 2)
        producer = body.producer()
        headers = [("reason", b"schema"), ("reason", b"twice"), ("empty", b"")]
        producer.send(Message(topic, 0, None, b"no key", headers, 1_700_000_000_000))
        producer.send(Message(topic, 0, b"key", None))
        producer.send(Message(topic, 1, b"", b""))
        producer.flush()
        zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
        found = sorted(body.log().read({zero: 0, one: 0}), key=lambda r: (r.partition, r.offset))
        first, second, third = found
        assert (first.topic, first.partition, first.offset) == (topic, 0, 0)
        assert (first.key, first.value, list(first.headers)) == (None, b"no key", headers)
        assert first.timestamp == 1_700_000_000_000
        assert (second.offset, second.key, second.value) == (1, b"key", None)
        assert (third.partition, third.offset, third.key, third.value) == (1, 0, b"", b"")

    def test_messages_stay_in_order(self, body: Body) -> None:
        topic = body.topic("out", 2)
        producer = body.producer()
        for value in range(500):
            producer.send(Message(topic, value % 2, None, str(value).encode()))
        producer.flush()
        producer.flush()  # nothing waits: nothing happens
        for number in range(2):
            records = body.log().read({TopicPartition(topic, number): 0})
            assert [int(r.value or b"") for r in records] == list(range(number, 500, 2))

    def test_offsets(self, body: Body) -> None:
        topic = body.topic("events", 2)
        zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
        producer, log = body.producer(), body.log()
        for value in range(5):
            write(producer, topic, 0, range(value, value + 1), 1_000 * (value + 1))
        both = frozenset({zero, one})
        assert log.begin_offsets(both) == {zero: 0, one: 0}
        assert log.end_offsets(both) == {zero: 5, one: 0}
        assert log.offsets_at(both, 3_500) == {zero: 3, one: 0}
        assert log.offsets_at(both, 5_000) == {zero: 4, one: 0}
        assert log.offsets_at(both, 5_001) == {zero: 5, one: 0}
        body.delete_before(zero, 2)
        assert log.begin_offsets(both) == {zero: 2, one: 0}
        assert log.end_offsets(both) == {zero: 5, one: 0}
        assert log.offsets_at(both, 0) == {zero: 2, one: 0}
        assert log.end_offsets(frozenset()) == {}

    def test_offsets_of_unordered_timestamps(self, body: Body) -> None:
        topic = body.topic("events")
        partition = TopicPartition(topic, 0)
        for timestamp in (1_000, 3_000, 2_000):
            write(body.producer(), topic, 0, range(1), timestamp)
        # The first in the order of the log.
        assert body.log().offsets_at(frozenset({partition}), 1_001) == {partition: 1}

    def test_reading_ends_where_the_log_ended_at_the_call(self, body: Body) -> None:
        topic = body.topic("events", 3)
        zero, one, empty = (TopicPartition(topic, number) for number in range(3))
        producer, log = body.producer(), body.log()
        write(producer, topic, 0, range(6))
        write(producer, topic, 1, range(4))
        body.delete_before(one, 4)
        reading = log.read({zero: 2, one: 0, empty: 0})
        write(producer, topic, 0, range(6, 8))
        found = [(record.partition, record.offset, record.value) for record in reading]
        assert found == [(0, n, str(n).encode()) for n in range(2, 6)]
        assert list(log.read({zero: 8})) == []
        assert list(log.read({zero: 800})) == []
        assert list(log.read({})) == []

    def test_reading_ends_before_the_offsets_that_are_given(self, body: Body) -> None:
        topic = body.topic("events", 2)
        zero, one = (TopicPartition(topic, number) for number in range(2))
        producer, log = body.producer(), body.log()
        write(producer, topic, 0, range(9))
        write(producer, topic, 1, range(4))
        reading = log.read({zero: 2, one: 0}, {zero: 5, one: 800})
        found = sorted((record.partition, record.offset) for record in reading)
        assert found == [(0, 2), (0, 3), (0, 4), (1, 0), (1, 1), (1, 2), (1, 3)]
        assert list(log.read({zero: 3}, {zero: 3})) == []

    def test_reading_begins_at_what_is_held(self, body: Body) -> None:
        topic = body.topic("events")
        partition = TopicPartition(topic, 0)
        write(body.producer(), topic, 0, range(6))
        body.delete_before(partition, 4)
        assert [record.offset for record in body.log().read({partition: 1})] == [4, 5]

    def test_a_new_partition_waits_until_it_is_sought(self, body: Body) -> None:
        topic = body.topic("events", 3)
        write(body.producer(), topic, 0, range(10))
        write(body.producer(), topic, 1, range(10))
        member = Member(body.consumer(topic))
        until(lambda: bool(member.owned), member)
        first = member.changes[-1]
        assert first.partitions == {TopicPartition(topic, n) for n in range(3)}
        assert first.kept == frozenset()
        assert first.generation >= 0
        for _ in range(3):
            member.poll()
        assert not member.values
        zero = TopicPartition(topic, 0)
        member.consumer.seek(zero, 4)
        member.consumer.resume(frozenset({zero}))
        until(lambda: len(member.values[zero]) == 6, member)
        assert member.values == {zero: [4, 5, 6, 7, 8, 9]}
        assert member.changes[-1] is first

    def test_pause_resume_and_lag(self, body: Body) -> None:
        topic = body.topic("events", 2)
        zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
        write(body.producer(), topic, 0, range(3))
        member = Member(body.consumer(topic))
        until(lambda: bool(member.owned), member)
        assert member.consumer.lag(zero) is None
        member.start()
        until(lambda: len(member.values[zero]) == 3, member)
        member.consumer.pause(frozenset({zero}))
        write(body.producer(), topic, 0, range(3, 5))
        write(body.producer(), topic, 1, range(2))
        until(lambda: len(member.values[one]) == 2, member)
        assert len(member.values[zero]) == 3
        member.consumer.resume(frozenset({zero}))
        until(lambda: len(member.values[zero]) == 5, member)
        assert member.values == {zero: [0, 1, 2, 3, 4], one: [0, 1]}
        assert member.consumer.lag(zero) == member.consumer.lag(one) == 0

    def test_seek_again(self, body: Body) -> None:
        topic = body.topic("events")
        partition = TopicPartition(topic, 0)
        write(body.producer(), topic, 0, range(4))
        member = Member(body.consumer(topic))
        until(lambda: bool(member.owned), member)
        member.start(2)
        until(lambda: len(member.values[partition]) == 2, member)
        member.consumer.seek(partition, 1)
        until(lambda: len(member.values[partition]) == 5, member)
        assert member.values[partition] == [2, 3, 1, 2, 3]

    def test_two_members_share_and_what_stays_goes_on(self, body: Body) -> None:
        topic = body.topic("events", 4)
        everything = frozenset(TopicPartition(topic, number) for number in range(4))
        for number in range(4):
            write(body.producer(), topic, number, range(10))
        first = Member(body.consumer(topic))
        until(lambda: bool(first.owned), first)
        first.start()
        until(lambda: sum(map(len, first.values.values())) == 40, first)
        second = Member(body.consumer(topic))
        until(lambda: len(second.owned) == 2 and len(first.owned) == 2, first, second)
        assert first.owned | second.owned == everything
        assert first.changes[-1].kept == first.owned
        assert second.changes[-1].kept == frozenset()
        assert second.changes[-1].generation == first.changes[-1].generation
        assert second.changes[-1].generation > first.changes[0].generation
        stayed, moved = first.owned, second.owned
        for number in range(4):
            write(body.producer(), topic, number, range(10, 15))
        second.start(10)
        until(lambda: _complete(first, stayed, 15) and _complete(second, moved, 5), first, second)
        assert all(first.values[tp] == list(range(15)) for tp in stayed)
        assert all(second.values[tp] == list(range(10, 15)) for tp in moved)
        # The one that leaves gives its partitions back, as new ones.
        second.consumer.close()
        until(lambda: len(first.owned) == 4, first)
        assert first.changes[-1].kept == stayed
        first.start(14)
        until(lambda: all(first.values[tp][-1] == 14 for tp in everything), first)
        assert all(first.values[tp] == [*range(10), 14] for tp in moved)

    def test_records_that_retention_took(self, body: Body) -> None:
        topic = body.topic("events", 2)
        zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
        write(body.producer(), topic, 0, range(8))
        write(body.producer(), topic, 1, range(2))
        body.delete_before(zero, 5)
        member = Member(body.consumer(topic))
        until(lambda: bool(member.owned), member)
        member.consumer.seek(zero, 2)
        member.consumer.seek(one, 0)
        member.consumer.resume(member.owned)
        until(lambda: len(member.values[zero]) == 3 and len(member.values[one]) == 2, member)
        assert member.gaps == [Gap(zero, wanted=2, begin=5)]
        assert member.values == {zero: [5, 6, 7], one: [0, 1]}

    def test_an_open_transaction_holds_what_comes_after_it(self, body: Body) -> None:
        topic = body.topic("events", 2)
        held, free = TopicPartition(topic, 0), TopicPartition(topic, 1)
        both = frozenset({held, free})
        producer, log = body.producer(), body.log()
        write(producer, topic, 0, range(2), 1_000)
        transaction = body.transaction(held)
        transaction.send(b"2")
        write(producer, topic, 0, range(3, 5), 2_000)
        write(producer, topic, 1, range(1), 2_000)
        assert log.end_offsets(both) == {held: 2, free: 1}
        assert log.high_watermarks(both) == {held: 5, free: 1}
        assert log.offsets_at(both, 2_000) == {held: 2, free: 0}
        assert [r.offset for r in log.read({held: 0})] == [0, 1]
        member = Member(body.consumer(topic))
        until(lambda: bool(member.owned), member)
        member.start()
        until(lambda: member.consumer.lag(held) == 3 and member.consumer.lag(free) == 0, member)
        assert member.values == {held: [0, 1], free: [0]}
        assert (member.consumer.held(held), member.consumer.held(free)) == (2, None)
        transaction.commit()
        until(lambda: member.consumer.lag(held) == 0, member)
        assert member.values == {held: [0, 1, 2, 3, 4], free: [0]}
        assert member.consumer.held(held) is None
        assert log.end_offsets(both) == log.high_watermarks(both) == {held: 6, free: 1}

    def test_aborted_transactions_are_never_read(self, body: Body) -> None:
        topic = body.topic("events", 1)
        partition = TopicPartition(topic, 0)
        producer, log = body.producer(), body.log()
        good, bad = body.transaction(partition), body.transaction(partition)
        good.send(b"0")
        bad.send(b"901")
        good.send(b"1")
        bad.send(b"902")
        bad.abort()
        good.commit()
        write(producer, topic, 0, range(2, 3))
        last = body.transaction(partition)
        last.send(b"903")
        last.abort()
        member = Member(body.consumer(topic))
        until(lambda: bool(member.owned), member)
        member.start()
        # The end is made of aborted records and of control records: they are no lag.
        until(lambda: member.consumer.lag(partition) == 0, member)
        assert member.values == {partition: [0, 1, 2]}
        assert member.consumer.held(partition) is None
        assert [r.value for r in log.read({partition: 0})] == [b"0", b"1", b"2"]
        (end,) = log.end_offsets(frozenset({partition})).values()
        assert list(log.read({partition: end - 2})) == []

    def test_everything_was_deleted(self, body: Body) -> None:
        topic = body.topic("events")
        partition = TopicPartition(topic, 0)
        write(body.producer(), topic, 0, range(3))
        body.delete_before(partition, 3)
        member = Member(body.consumer(topic))
        until(lambda: bool(member.owned), member)
        member.start(1)
        until(lambda: bool(member.gaps), member)
        assert member.gaps == [Gap(partition, wanted=1, begin=3)]
        write(body.producer(), topic, 0, range(3, 4))
        until(lambda: bool(member.values), member)
        assert member.values == {partition: [3]}

    def test_commit_is_not_where_reading_goes_on(self, body: Body) -> None:
        topic = body.topic("events")
        partition = TopicPartition(topic, 0)
        write(body.producer(), topic, 0, range(3))
        member = Member(body.consumer(topic))
        until(lambda: bool(member.owned), member)
        member.start()
        until(lambda: len(member.values[partition]) == 3, member)
        member.consumer.commit({partition: 3})
        member.consumer.close()
        again = Member(body.consumer(topic))
        until(lambda: bool(again.owned), again)
        again.start()
        until(lambda: len(again.values[partition]) == 3, again)
        assert again.values[partition] == [0, 1, 2]


def _complete(member: Member, partitions: Set[TopicPartition], count: int) -> bool:
    return all(len(member.values[partition]) == count for partition in partitions)
