"""Members of a group on a real broker: what each gets."""

from __future__ import annotations

import time
from functools import partial

import kafka
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from tests.kafka.conftest import Join, NewTopic
from tests.kafka.members import FAST, PATIENCE, Reader, until

from driftline.consumer.config import KafkaConfig


def test_every_member_gets_its_share_of_every_topic(join: Join, new_topic: NewTopic) -> None:
    topics = {new_topic("events", 4): 4, new_topic("joins", 6): 6, new_topic("panes", 6): 6}
    readers: list[Reader] = []
    for size in (1, 2, 3):
        readers.append(Reader(join(*topics)))
        until(partial(_shared, readers, topics), *readers)
        assert max(len(reader.owned) for reader in readers) <= -(-16 // size)


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
        **FAST,
    )
    try:
        old.subscribe([topic])  # what runs today: it comes first, so it leads
        deadline = time.monotonic() + PATIENCE
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
