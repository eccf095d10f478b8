"""Members of a group on a real broker: what each gets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from typing import Any

import kafka
import pytest
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from tests.kafka.conftest import Join, NewTopic
from tests.kafka.members import FAST, PATIENCE, Reader, until

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.errors import WorkerLost


def test_every_member_gets_its_share_of_every_topic(join: Join, new_topic: NewTopic) -> None:
    topics = {new_topic("events", 4): 4, new_topic("joins", 6): 6, new_topic("panes", 6): 6}
    readers: list[Reader] = []
    for size in (1, 2, 3):
        readers.append(Reader(join(*topics)))
        until(partial(_shared, readers, topics), *readers)
        assert max(len(reader.owned) for reader in readers) <= -(-16 // size)


def test_members_that_read_different_topics_form_one_group(join: Join, new_topic: NewTopic) -> None:
    """Whoever leads knows only its own topics at first."""
    events, panes = new_topic("events", 4), new_topic("panes", 6)
    first, second = Reader(join(panes)), Reader(join(events))
    until(lambda: len(first.owned) == 6 and len(second.owned) == 4, first, second)
    third = Reader(join(events))
    until(
        lambda: [len(each.owned) for each in (first, second, third)] == [6, 2, 2],
        *(first, second, third),
    )
    assert {tp.topic for tp in second.owned | third.owned} == {events}


def _shared(readers: list[Reader], topics: dict[str, int]) -> bool:
    """Whether each topic is read whole, in shares that differ by one at most."""
    for topic, count in topics.items():
        shares = [sum(tp.topic == topic for tp in reader.owned) for reader in readers]
        if sum(shares) != count or max(shares) - min(shares) > 1:
            return False
    return True


def test_members_with_the_assignor_of_the_client_and_with_ours_form_one_group(
    join: Join, new_topic: NewTopic, config: KafkaConfig
) -> None:
    topic = new_topic("events", 4)
    old = kafka.KafkaConsumer(
        bootstrap_servers=list(config.bootstrap_servers),
        group_id=config.group,
        partition_assignment_strategy=[StickyPartitionAssignor],
        auto_offset_reset="earliest",
        enable_auto_commit=False,  # a commit that a busy broker answers late costs the membership
        **FAST,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        # A leader of the client's that does not know its topic yet joins again, and gets lost.
        while not old.partitions_for_topic(topic):
            assert time.monotonic() < deadline
        old.subscribe([topic])  # what runs today: it comes first, so it leads
        while len(old.assignment()) != 4:
            assert time.monotonic() < deadline
            old.poll(100)
        reader = Reader(join(topic))
        while len(old.assignment()) != 2 or len(reader.owned) != 2:
            assert time.monotonic() < deadline
            old.poll(100)
            reader.poll()
        assert not {tuple(tp) for tp in old.assignment()} & reader.owned
    finally:
        old.close()
    until(lambda: len(reader.owned) == 4, reader)  # and when the old one is gone, ours leads


STATIC = """
import sys
from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.kafka_python.consumer import KafkaConsumer
bootstrap, group, topic = sys.argv[1:]
options = {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 500, "group_instance_id": "b"}
config = KafkaConfig(bootstrap_servers=(bootstrap,), group=group, options=options)
consumer = KafkaConsumer(config, frozenset({topic}))
while True:
    ownership = consumer.poll(0.1).ownership
    if ownership and ownership.partitions:
        numbers = sorted(tp.partition for tp in ownership.partitions)
        print(ownership.generation, *numbers, flush=True)
"""


def test_a_member_that_the_group_knows_comes_back_without_a_rebalance(
    join: Join, new_topic: NewTopic, config: KafkaConfig
) -> None:
    topic = new_topic("events", 4)
    first = Reader(join(topic, group_instance_id="a"))
    until(lambda: len(first.owned) == 4, first)
    command = [sys.executable, "-c", STATIC, config.bootstrap_servers[0], config.group, topic]
    said: list[str] = []
    for start in (1, 2, 3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            try:
                if start == 1:
                    until(lambda: len(first.owned) == 2, first)
                    before = first.changes[-1]
                assert other.stdout is not None
                said.append(other.stdout.readline())
            finally:
                os.kill(other.pid, signal.SIGKILL)
    for _ in range(5):
        first.poll()
    assert first.changes[-1] is before
    mine = {tp.partition for tp in first.owned}
    rest = " ".join(str(number) for number in range(4) if number not in mine)
    assert said == [f"{before.generation} {rest}\n"] * 3


def test_a_leader_that_the_group_knows_sees_new_partitions_after_it_came_back(
    join: Join, new_topic: NewTopic, admin: Any
) -> None:
    """The broker does not tell it that it leads, because nothing was to be assigned."""
    topic = new_topic("events", 2)
    leader = Reader(join(topic, group_instance_id="a"))
    until(lambda: len(leader.owned) == 2, leader)
    follower = Reader(join(topic, group_instance_id="b"))
    until(lambda: len(leader.owned) == len(follower.owned) == 1, leader, follower)
    leader.consumer.close()
    again = Reader(join(topic, group_instance_id="a", metadata_max_age_ms=500))
    until(lambda: bool(again.owned), again, follower)
    assert again.changes[-1].generation == leader.changes[-1].generation
    assert again.owned == leader.owned
    admin.create_partitions({topic: kafka.admin.NewPartitions(4)})
    until(lambda: len(again.owned) == len(follower.owned) == 2, again, follower)


def test_a_member_that_was_replaced_ends(join: Join, new_topic: NewTopic) -> None:
    """Also one that owns nothing and so never commits."""
    topic = new_topic("events")
    readers = [Reader(join(topic, group_instance_id=name)) for name in "ab"]
    until(lambda: sum(len(reader.owned) for reader in readers) == 1, *readers)
    until(lambda: all(reader.changes for reader in readers), *readers)
    (spare,) = (reader for reader in readers if not reader.owned)
    name = "ab"[readers.index(spare)]
    others = [reader for reader in readers if reader is not spare]
    others.append(Reader(join(topic, group_instance_id=name)))
    until(lambda: bool(others[-1].changes), *others)
    with pytest.raises(WorkerLost, match="give each its own"):
        until(lambda: False, spare)
