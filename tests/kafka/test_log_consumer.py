"""A member of the group on a real broker: what it owns, what it reads, what it survives."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import kafka
import kafka.errors
import pytest
from tests.kafka.conftest import CLIENTS, Join, NewTopic
from tests.kafka.members import PATIENCE, Reader, partitions, until

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.kafka_python.consumer import KafkaConsumer
from driftline.consumer.log.protocol import Gap, TopicPartition


@pytest.fixture(scope="module")
def write(bootstrap: str) -> Iterator[Callable[..., None]]:
    """Write `count` records, values 0, 1, ... as text: `write(topic, partition, count)`."""
    client = kafka.KafkaProducer(bootstrap_servers=bootstrap)

    def send(topic: str, partition: int, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            client.send(topic, partition=partition, value=str(number).encode())
        client.flush(10)

    yield send
    client.close()


def test_a_new_partition_waits_until_it_is_sought(
    join: Join, new_topic: NewTopic, write: Callable[..., None]
) -> None:
    topic = new_topic("events", 3)
    write(topic, 0, 10)
    write(topic, 1, 10)
    reader = Reader(join(topic))
    until(lambda: bool(reader.owned), reader)
    first = reader.changes[-1]  # a first one may be empty: the topic's metadata were not there yet
    assert first.partitions == partitions(topic, 0, 1, 2)
    assert first.kept == frozenset()
    assert first.generation >= 1
    for _ in range(3):
        reader.poll()
    assert not reader.values
    # Partition 1 is still waiting, and keeps nobody waiting.
    one = TopicPartition(topic, 0)
    reader.consumer.seek(one, 4)
    reader.consumer.resume({one})
    until(lambda: len(reader.values[one]) == 6, reader)
    assert reader.values == {one: [4, 5, 6, 7, 8, 9]}
    assert reader.changes[-1] is first


@pytest.mark.parametrize("client", CLIENTS)
def test_pause_resume_and_lag(join: Join, new_topic: NewTopic, write: Callable[..., None]) -> None:
    topic = new_topic("events", 2)
    zero, one = sorted(partitions(topic, 0, 1))
    write(topic, 0, 5)
    reader = Reader(join(topic, max_poll_records=2))
    until(lambda: bool(reader.owned), reader)
    assert reader.consumer.lag(zero) is None
    reader.start()
    until(lambda: bool(reader.values), reader)
    assert reader.values[zero] == [0, 1]
    assert reader.consumer.lag(zero) == 3
    # Three records are in the client's hands already; paused, they stay there.
    reader.consumer.pause({zero})
    write(topic, 1, 1)
    until(lambda: bool(reader.values[one]), reader)
    assert reader.values[zero] == [0, 1]
    reader.consumer.resume({zero})
    until(lambda: len(reader.values[zero]) == 5, reader)
    assert reader.values == {zero: [0, 1, 2, 3, 4], one: [0]}
    assert reader.consumer.lag(zero) == 0
    assert reader.consumer.lag(TopicPartition(topic, 7)) is None
    # A paused partition is not fetched: only the broker knows that it is not read to its end.
    reader.consumer.pause({zero})
    write(topic, 0, 2)
    reader.poll()
    assert reader.consumer.lag(zero) == 2


@pytest.mark.parametrize("client", CLIENTS)
def test_random_pauses(join: Join, new_topic: NewTopic, write: Callable[..., None]) -> None:
    """The client parks what it has of a paused partition; nothing may be lost or come twice."""
    topic = new_topic("events", 3)
    every = partitions(topic, 0, 1, 2)
    for tp in every:
        write(topic, tp.partition, 700)
    reader = Reader(join(topic, max_poll_records=50))
    until(lambda: bool(reader.owned), reader)
    reader.start()
    dice = random.Random(7)
    for _ in range(60):
        paused = frozenset(tp for tp in every if dice.random() < 0.5)
        reader.consumer.resume(every - paused)
        reader.consumer.pause(paused)
        before = {tp: len(reader.values[tp]) for tp in every}
        reader.poll(0.01)
        assert all(len(reader.values[tp]) == before[tp] for tp in paused)
    reader.consumer.resume(every)
    until(lambda: all(len(reader.values[tp]) == 700 for tp in every), reader)
    assert all(reader.values[tp] == list(range(700)) for tp in every)


def test_two_members_share_and_what_stays_goes_on(
    join: Join, new_topic: NewTopic, write: Callable[..., None]
) -> None:
    topic = new_topic("events", 4)
    for number in range(4):
        write(topic, number, 10)
    first = Reader(join(topic))
    until(lambda: bool(first.owned), first)
    first.start()
    until(lambda: sum(map(len, first.values.values())) == 40, first)

    second = Reader(join(topic))
    until(lambda: len(second.owned) == 2 and len(first.owned) == 2, first, second)
    assert first.owned | second.owned == partitions(topic, 0, 1, 2, 3)
    assert first.changes[-1].kept == first.owned
    assert second.changes[-1].kept == frozenset()
    assert second.changes[-1].generation == first.changes[-1].generation
    for number in range(4):
        write(topic, number, 5, first=10)
    second.start(10)
    until(
        lambda: (
            all(len(first.values[tp]) == 15 for tp in first.owned)
            and all(len(second.values[tp]) == 5 for tp in second.owned)
        ),
        first,
        second,
    )
    stayed, moved = first.owned, second.owned
    assert all(first.values[tp] == list(range(15)) for tp in stayed)
    assert all(second.values[tp] == list(range(10, 15)) for tp in moved)

    second.consumer.close()
    until(lambda: len(first.owned) == 4, first)
    assert first.changes[-1].kept == stayed
    # Where the first member once was in a partition that it gave away says nothing any more.
    for _ in range(3):
        first.poll()
    assert all(len(first.values[tp]) == 10 for tp in moved)
    first.start(15)
    for number in range(4):
        write(topic, number, 1, first=15)
    until(lambda: all(first.values[tp][-1] == 15 for tp in first.owned), first)
    assert all(first.values[tp] == [*range(10), 15] for tp in moved)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_join_that_ends_between_two_polls_counts(join: Join, new_topic: NewTopic) -> None:
    topic = new_topic("events", 2)
    first = Reader(join(topic))
    until(lambda: bool(first.owned), first)
    before = first.changes[-1].generation
    second = Reader(join(topic))
    # Both are nearly always busy elsewhere, as workers are; the client goes on in its own thread.
    deadline = time.monotonic() + PATIENCE
    while len(first.owned) != 1 or len(second.owned) != 1:
        assert time.monotonic() < deadline
        first.poll(0.01)
        second.poll(0.01)
        time.sleep(0.1)
    assert first.changes[-1].generation == second.changes[-1].generation == before + 1
    assert first.changes[-1].kept == first.owned


MEMBER = """
import sys
from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.kafka_python.consumer import KafkaConsumer
bootstrap, group, topic = sys.argv[1:]
options = {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 500}
config = KafkaConfig(bootstrap_servers=(bootstrap,), group=group, options=options)
consumer = KafkaConsumer(config, frozenset({topic}))
while True:
    ownership = consumer.poll(0.1).ownership
    if ownership:
        print(len(ownership.partitions), flush=True)
"""


def test_a_killed_member(join: Join, new_topic: NewTopic, config: KafkaConfig) -> None:
    topic = new_topic("events", 2)
    reader = Reader(join(topic))
    until(lambda: bool(reader.owned), reader)
    command = [sys.executable, "-c", MEMBER, config.bootstrap_servers[0], config.group, topic]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            until(lambda: len(reader.owned) == 1, reader)
            stayed = reader.owned
            assert other.stdout is not None
            assert other.stdout.readline() == "1\n"
        finally:
            os.kill(other.pid, signal.SIGKILL)
    begin = time.monotonic()
    until(lambda: len(reader.owned) == 2, reader)
    assert time.monotonic() - begin < 15
    assert reader.changes[-1].kept == stayed


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_is_kept_when_the_group_has_thrown_the_member_out(
    join: Join, new_topic: NewTopic, write: Callable[..., None], admin: Any, config: KafkaConfig
) -> None:
    topic = new_topic("events", 2)
    write(topic, 0, 3)
    reader = Reader(join(topic, group_instance_id="one"))
    until(lambda: bool(reader.owned), reader)
    reader.start()
    until(lambda: len(reader.values[TopicPartition(topic, 0)]) == 3, reader)
    admin.remove_group_members(config.group, [kafka.admin.MemberToRemove(group_instance_id="one")])
    before = reader.changes[-1]
    until(lambda: reader.changes[-1] is not before and bool(reader.owned), reader)
    assert reader.changes[-1].kept == frozenset()
    assert reader.changes[-1].generation > before.generation


def test_records_that_retention_took(
    join: Join, new_topic: NewTopic, write: Callable[..., None], admin: Any
) -> None:
    topic = new_topic("events", 2)
    zero, one = sorted(partitions(topic, 0, 1))
    write(topic, 0, 8)
    write(topic, 1, 2)
    admin.delete_records({kafka.TopicPartition(topic, 0): 5})
    reader = Reader(join(topic))
    until(lambda: bool(reader.owned), reader)
    reader.consumer.seek(zero, 2)
    reader.consumer.seek(one, 0)
    reader.consumer.resume(reader.owned)
    until(lambda: len(reader.values[zero]) == 3 and len(reader.values[one]) == 2, reader)
    assert reader.gaps == [Gap(zero, wanted=2, begin=5)]
    assert reader.values == {zero: [5, 6, 7], one: [0, 1]}


@pytest.mark.parametrize("client", CLIENTS)
def test_what_retention_took_is_asked_again_where_the_broker_did_not_say(
    join: Join, new_topic: NewTopic, write: Callable[..., None], admin: Any
) -> None:
    topic = new_topic("events")
    (zero,) = partitions(topic, 0)
    write(topic, 0, 8)
    admin.delete_records({kafka.TopicPartition(topic, 0): 5})
    reader = Reader(join(topic))
    until(lambda: bool(reader.owned), reader)
    client: Any = reader.consumer._client
    ask, away = client.beginning_offsets, [kafka.errors.KafkaTimeoutError(), KeyError(zero)]

    def beginning_offsets(*args: Any, **kwargs: Any) -> Any:
        if away:
            raise away.pop()
        return ask(*args, **kwargs)

    client.beginning_offsets = beginning_offsets
    reader.start(2)
    until(lambda: len(reader.values[zero]) == 3, reader)
    assert away == []
    assert reader.gaps == [Gap(zero, wanted=2, begin=5)]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_position_beyond_the_end_is_another_topic(
    join: Join, new_topic: NewTopic, write: Callable[..., None]
) -> None:
    topic = new_topic("events")
    write(topic, 0, 3)
    reader = Reader(join(topic))
    until(lambda: bool(reader.owned), reader)
    reader.start(1000)
    with pytest.raises(LogError, match=r"events\[0\] ends before what was already read"):
        until(lambda: False, reader)


def test_commit_is_for_lag_tools(
    join: Join, new_topic: NewTopic, admin: Any, config: KafkaConfig
) -> None:
    topic = new_topic("events", 2)
    other = new_topic("others")
    reader = Reader(join(topic))
    until(lambda: bool(reader.owned), reader)
    reader.consumer.commit({TopicPartition(topic, 0): 17, TopicPartition(other, 0): 3})
    stored = admin.list_group_offsets([config.group])[config.group]
    assert {tuple(tp): found.offset for tp, found in stored.items()} == {(topic, 0): 17}
    reader.consumer.close()
    reader.consumer.commit({TopicPartition(topic, 0): 18})


def test_two_workers_with_one_name(join: Join, new_topic: NewTopic) -> None:
    topic = new_topic("events")
    first = Reader(join(topic, group_instance_id="one"))
    until(lambda: bool(first.owned), first)
    second = Reader(join(topic, group_instance_id="one"))
    until(lambda: bool(second.owned), second)
    with pytest.raises(WorkerLost, match="group_instance_id"):
        first.consumer.commit({TopicPartition(topic, 0): 1})


@pytest.mark.parametrize("client", CLIENTS)
def test_outages_are_waited_out_and_all_else_is_not(
    join: Join, new_topic: NewTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = new_topic("events")
    consumer = join(topic)
    errors: list[Exception] = [
        kafka.errors.KafkaConnectionError("socket disconnected"),
        ConnectionResetError(),
        kafka.errors.UnsupportedCodecError("zstd"),
    ]

    def poll(timeout_ms: int) -> Any:
        raise errors.pop(0)

    monkeypatch.setattr(consumer._client, "poll", poll)
    assert consumer.poll(0.01).records == {}
    assert consumer.poll(0.01).records == {}
    with pytest.raises(LogError, match="cannot read the log: UnsupportedCodecError"):
        consumer.poll(0.01)


def test_a_group_that_is_not_accepted(config: KafkaConfig, new_topic: NewTopic) -> None:
    options = {"session_timeout_ms": 5_000_000, "max_poll_interval_ms": 5_000_000}
    settings = config.model_copy(update={"options": options})
    consumer = KafkaConsumer(settings, frozenset({new_topic("events")}))
    try:
        with pytest.raises(LogError, match="InvalidSessionTimeout"):
            consumer.poll(PATIENCE)
    finally:
        consumer.close()


def test_a_group_that_another_program_uses(
    join: Join, new_topic: NewTopic, config: KafkaConfig
) -> None:
    topic = new_topic("events")
    other = kafka.KafkaConsumer(
        topic, bootstrap_servers=list(config.bootstrap_servers), group_id=config.group
    )
    try:
        until(lambda: other.poll(100) == {} and bool(other.assignment()))
        with pytest.raises(
            LogError, match=f"another program is in the consumer group {config.group}"
        ):
            join(topic).poll(PATIENCE)
    finally:
        other.close()
