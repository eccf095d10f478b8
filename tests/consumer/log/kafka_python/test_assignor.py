"""Laws of the assignor, and groups of old and new members."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.protocol.consumer.metadata import (
    ConsumerProtocolAssignment,
    ConsumerProtocolSubscription,
)

from driftline.consumer.log.kafka_python.assignor import TopicStickyAssignor, assign
from driftline.consumer.log.protocol import TopicPartition

Group = tuple[dict[str, set[str]], dict[str, range], dict[TopicPartition, str]]


@st.composite
def groups(draw: st.DrawFn, members: int = 6, topics: int = 5, partitions: int = 12) -> Group:
    """Members with any subscriptions; owners may be gone, or own what they do not read any more."""
    names = [f"t{number}" for number in range(draw(st.integers(1, topics)))]
    counts = {name: range(draw(st.integers(0, partitions))) for name in names}
    ids = [f"m{number}" for number in range(draw(st.integers(1, members)))]
    alike = draw(st.booleans())
    reads = {
        member: set(names) if alike else draw(st.sets(st.sampled_from(names))) for member in ids
    }
    owners = st.sampled_from([*ids, "gone", None])
    owned = {
        TopicPartition(name, number): owner
        for name, numbers in counts.items()
        for number in numbers
        if (owner := draw(owners)) is not None
    }
    return reads, counts, owned


def count(partitions: list[TopicPartition], topic: str) -> int:
    return sum(partition.topic == topic for partition in partitions)


@given(groups())
def test_each_topic_is_shared_evenly(group: Group) -> None:
    reads, partitions, owned = group
    assigned = assign(reads, partitions, owned)
    assert assigned.keys() == reads.keys()
    everything = Counter(itertools.chain(*assigned.values()))
    assert set(everything.values()) <= {1}
    for topic, numbers in partitions.items():
        subscribers = [member for member in reads if topic in reads[member]]
        counts = [count(assigned[member], topic) for member in subscribers]
        assert sum(counts) == (len(numbers) if subscribers else 0)
        assert not counts or max(counts) - min(counts) <= 1
        assert sum(tp.topic == topic for tp in everything) == sum(counts)
    if all(topics == reads["m0"] for topics in reads.values()):
        totals = [len(found) for found in assigned.values()]
        assert max(totals) - min(totals) <= 1


@given(groups())
def test_nothing_moves_twice_and_order_says_nothing(group: Group) -> None:
    reads, partitions, owned = group
    first = assign(reads, partitions, owned)
    now = {tp: member for member, found in first.items() for tp in found}
    assert assign(reads, partitions, now) == first
    turned = {member: reads[member] for member in reversed(reads)}
    topics = {topic: list(reversed(partitions[topic])) for topic in reversed(partitions)}
    assert assign(turned, topics, dict(reversed(owned.items()))) == first


@settings(max_examples=50)
@given(groups(members=3, topics=2, partitions=3))
def test_no_fairer_assignment_leaves_more_in_place(group: Group) -> None:
    reads, partitions, owned = group
    assigned = assign(reads, partitions, owned)
    every = [tp for found in assigned.values() for tp in found]
    best: tuple[int, int] | None = None
    for choice in itertools.product(reads, repeat=len(every)):
        members = dict(zip(every, choice, strict=True))
        if cost := _cost(reads, members, owned):
            best = min(best or cost, cost)
    mine = {tp: member for member, found in assigned.items() for tp in found}
    assert _cost(reads, mine, owned) == best


def _cost(
    reads: dict[str, set[str]],
    members: dict[TopicPartition, str],
    owned: dict[TopicPartition, str],
) -> tuple[int, int] | None:
    """Unevenness of the totals and moves; None where a topic is not shared evenly."""
    for topic in {tp.topic for tp in members}:
        counts = Counter(member for tp, member in members.items() if tp.topic == topic)
        subscribers = [member for member, topics in reads.items() if topic in topics]
        shares = [counts[member] for member in subscribers]
        if sum(shares) != counts.total() or max(shares) - min(shares) > 1:
            return None
    totals = Counter(members.values())
    return sum(n * n for n in totals.values()), sum(owned.get(tp) != m for tp, m in members.items())


def test_a_worker_that_comes_gets_its_share_of_each_topic_and_nothing_else_moves() -> None:
    topics = {"events": range(4), "panes": range(6), "joins": range(6)}
    reads = {"a": set(topics)}
    owned = dict.fromkeys(assign(reads, topics, {})["a"], "a")
    assert len(owned) == 16
    for member, events in (("b", [2, 2]), ("c", [1, 1, 2]), ("d", [1, 1, 1, 1])):
        reads[member] = set(topics)
        before = owned
        assigned = assign(reads, topics, owned)
        owned = {tp: name for name, found in assigned.items() for tp in found}
        assert sorted(count(found, "events") for found in assigned.values()) == events
        moved = {name for tp, name in owned.items() if before[tp] != name}
        assert moved == {member}
        assert len(assigned[member]) == 16 // len(reads)


def test_topics_of_one_partition_are_spread() -> None:
    topics = {f"t{number}": range(1) for number in range(9)}
    reads = {"a": set(topics), "b": set(topics), "c": set(topics)}
    owned = {TopicPartition(topic, 0): "a" for topic in topics}
    assigned = assign(reads, topics, owned)
    assert [len(found) for found in assigned.values()] == [3, 3, 3]


class Member:
    """One member of a group, which remembers what it got."""

    def __init__(
        self, name: str, assignor: StickyPartitionAssignor, reads: Sequence[str] = ()
    ) -> None:
        self.member_id = name
        self.reads = list(reads)
        self.assignor = assignor
        self.metadata: Any = None

    def join(self, topics: list[str]) -> None:
        sent = self.assignor.metadata(topics).encode()
        self.metadata = ConsumerProtocolSubscription.decode(sent)


def rebalance(
    topics: dict[str, int],
    members: list[Member],
    generation: int,
    known: Collection[str] | None = None,
) -> dict[str, Any]:
    """Let the first member assign, as the group's leader; return the counts of each topic.

    `known`: the topics that the leader knows; None: all.
    """
    cluster = Mock()
    cluster.topics.return_value = set(topics)
    cluster.partitions_for_topic.side_effect = lambda topic: (
        set(range(topics[topic])) if known is None or topic in known else None
    )
    for member in members:
        member.join(member.reads or list(topics))
    answers = members[0].assignor.assign(cluster, members)
    counts = {}
    for member in members:
        answer = ConsumerProtocolAssignment.decode(answers[member.member_id].encode())
        member.assignor.on_assignment(answer, generation)
        assert len(set(answer.partitions())) == len(answer.partitions())
        counts[member.member_id] = Counter(topic for topic, _ in answer.partitions())
    if known is None:
        assert sum((Counter(found) for found in counts.values()), Counter()) == Counter(topics)
    return counts


@pytest.mark.parametrize("leader", [StickyPartitionAssignor, TopicStickyAssignor])
def test_members_of_the_old_version_and_the_new_form_one_group(
    leader: type[StickyPartitionAssignor],
) -> None:
    assert TopicStickyAssignor.name == StickyPartitionAssignor.name == "sticky"
    topics = {"events": 4, "joins": 6, "panes": 6}
    other = TopicStickyAssignor if leader is StickyPartitionAssignor else StickyPartitionAssignor
    old, new, third = Member("a", leader()), Member("b", other()), Member("c", other())
    rebalance(topics, [old], 1)
    rebalance(topics, [old, new], 2)
    rebalance(topics, [old, new, third], 3)
    counts = rebalance(topics, [new, third], 4)
    if isinstance(new.assignor, TopicStickyAssignor):  # the new version leads now
        assert counts == {"b": topics_of(2, 3, 3), "c": topics_of(2, 3, 3)}


def test_members_that_read_other_topics_than_the_leader_keep_what_they_have() -> None:
    topics = {"events": 4, "panes": 6}
    judge = Member("b", TopicStickyAssignor(), ["panes"])
    sketch = Member("a", TopicStickyAssignor(), ["events"])
    late = Member("c", TopicStickyAssignor(), ["events"])
    # The leader knows no topic but its own when it joins: what others had stays with them.
    assert rebalance(topics, [judge, sketch], 1, known=["panes"]) == {"a": {}, "b": {"panes": 6}}
    assert rebalance(topics, [judge, sketch], 2)["a"] == {"events": 4}
    assert rebalance(topics, [judge, sketch], 3, known=["panes"])["a"] == {"events": 4}
    # Also where it leads anew, and of those that share them.
    found = rebalance(topics, [judge, sketch, late], 4, known=["panes"])
    assert found == {"a": {"events": 2}, "b": {"panes": 6}, "c": {"events": 2}}


def topics_of(events: int, joins: int, panes: int) -> Counter[str]:
    return Counter(events=events, joins=joins, panes=panes)


def test_the_later_of_two_claims_holds() -> None:
    asleep, awake = Member("a", TopicStickyAssignor()), Member("b", TopicStickyAssignor())
    rebalance({"events": 2}, [asleep], 1)
    rebalance({"events": 2}, [awake], 2)  # the first one was thrown out and does not know it
    third = Member("c", TopicStickyAssignor())
    counts = rebalance({"events": 2}, [asleep, third, awake], 3)
    assert counts["b"]["events"] == 1
    assert TopicPartition(*awake.assignor.member_assignment[0]).topic == "events"
