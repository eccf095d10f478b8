"""Who gets which partitions: every member its share of every topic.

The client's own sticky assignor balances all partitions together, so that one worker can get all of
the busy topic and the others those of quiet ones. Here the counts of each topic differ by at most
one between its subscribers, then the totals are as even as that allows, and then as many
partitions as possible stay where they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment

from driftline.consumer.log.protocol import TopicPartition

_NO_EDGE = 1 << 40
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


class TopicStickyAssignor(StickyPartitionAssignor):  # type: ignore[misc]  # no types there
    """The adapter for kafka-python.

    It keeps the name and the metadata of the client's `StickyPartitionAssignor`: members of both
    kinds form one group, and the leader's kind decides.
    """

    def assign(self, cluster: Any, members: Sequence[Any]) -> dict[str, Any]:
        """Return each member's assignment; called at the group's leader."""
        found = {m.member_id: self.parse_member_metadata(m.metadata) for m in members}
        subscriptions = {member: frozenset(data.subscription) for member, data in found.items()}
        topics = frozenset[str]().union(*subscriptions.values())
        # A leader knows the topics that it reads itself. Of those that others read it hears in a
        # moment, and assigns anew; until then they keep what they have.
        held: dict[str, set[int]] = {topic: set() for topic in topics}
        for topic, number in (tp for data in found.values() for tp in data.partitions):
            held.setdefault(topic, set()).add(number)
        partitions = {topic: cluster.partitions_for_topic(topic) or held[topic] for topic in topics}
        # Where two remember the same partition, the later generation is right.
        claims = sorted((data.generation, member) for member, data in found.items())
        owned = {
            TopicPartition(*tp): member for _, member in claims for tp in found[member].partitions
        }
        assigned = assign(subscriptions, partitions, owned)
        return {
            member: ConsumerProtocolAssignment(self.version, _by_topic(assigned[member]), b"")
            for member in assigned
        }


def assign(
    subscriptions: Mapping[str, Collection[str]],
    partitions: Mapping[str, Collection[int]],
    owned: Mapping[TopicPartition, str],
) -> dict[str, list[TopicPartition]]:
    """Share the partitions of each topic among its subscribers.

    Args:
        subscriptions: Member -> topics that it reads.
        partitions: Topic -> its partitions; a topic without any, or not named, does not exist.
        owned: Partition -> its member so far.

    Returns:
        Member -> its partitions, sorted. The same arguments give the same answer, in any order.

    >>> reads = {"a": {"busy", "quiet"}, "b": {"busy", "quiet"}}
    >>> assign(reads, {"busy": range(3), "quiet": range(1)}, {})["b"]
    [TopicPartition(topic='busy', partition=2), TopicPartition(topic='quiet', partition=0)]
    """
    members = sorted(subscriptions)
    topics = sorted(
        topic
        for topic, numbers in partitions.items()
        if numbers and any(topic in subscriptions[member] for member in members)
    )
    assigned: dict[str, list[TopicPartition]] = {member: [] for member in members}
    if not topics:
        return assigned
    allowed = np.array([[t in subscriptions[m] for m in members] for t in topics], bool)
    held: list[dict[str, list[int]]] = []
    for topic in topics:
        holders: dict[str, list[int]] = {m: [] for m in members if topic in subscriptions[m]}
        for number in sorted(partitions[topic]):
            owner = owned.get(TopicPartition(topic, number))
            if owner in holders:
                holders[owner].append(number)
        held.append(holders)
    counts = np.array([len(partitions[topic]) for topic in topics])
    share, left = np.divmod(counts, allowed.sum(axis=1))
    had = np.array([[len(holders.get(m, ())) for m in members] for holders in held])
    extra = _extras(allowed, share, left, allowed & (had > share[:, None]))
    for place, topic in enumerate(topics):
        quota = {m: int(share[place] + extra[place, i]) for i, m in enumerate(members)}
        kept = {m: numbers[: quota[m]] for m, numbers in held[place].items()}
        free = set(partitions[topic]).difference(*kept.values())
        spare = iter(sorted(free))
        for member, numbers in kept.items():
            numbers += [next(spare) for _ in range(quota[member] - len(numbers))]
            assigned[member] += [TopicPartition(topic, number) for number in sorted(numbers)]
    return assigned


def _extras(allowed: Bools, share: Ints, left: Ints, sticky: Bools) -> Bools:
    """Choose who gets one partition more than the topic's common share; all are topics x members.

    Args:
        allowed: who subscribes to the topic.
        share: what every subscriber gets, per topic.
        left: how many subscribers get one more, per topic.
        sticky: who has more than the share now, so that one more saves a move.
    """
    extra = np.zeros_like(allowed)
    load = share @ allowed
    for place, wanted in enumerate(left):
        candidates = np.flatnonzero(allowed[place])
        order = np.lexsort((candidates, load[candidates], ~sticky[place, candidates]))
        chosen = candidates[order[:wanted]]
        extra[place, chosen] = True
        load[chosen] += 1
    while _improve(allowed, sticky, extra, load):
        pass
    return extra


def _improve(allowed: Bools, sticky: Bools, extra: Bools, load: Ints) -> bool:
    """Hand on extras in one circle that makes loads more even, or as even with fewer moves.

    This is cycle canceling for a flow of least cost (Klein 1967): when no circle of negative cost
    is left, none better exists. The cost is the sum of the squared loads, and below it the moves.
    The node after the members stands for "one gives, another takes".

    Returns:
        Whether there was such a circle.
    """
    size = len(load)
    cost = np.full((size + 1, size + 1), _NO_EDGE, np.int64)
    free = allowed & ~extra
    for giving, taking, saved in (
        (extra & sticky, free & ~sticky, 1),
        (extra & sticky, free & sticky, 0),
        (extra & ~sticky, free & ~sticky, 0),
        (extra & ~sticky, free & sticky, -1),
    ):
        possible = giving.T.astype(np.int64) @ taking.astype(np.int64) > 0
        cost[:size, :size][possible] = saved
    weight = 2 * size + 2  # more than all moves of one circle
    cost[size, :size] = -weight * (2 * load - 1)
    cost[:size, size] = weight * (2 * load + 1)
    circle = _negative_cycle(cost)
    for giver, taker in zip(circle, circle[1:] + circle[:1], strict=True):
        if giver == size:
            load[taker] -= 1
        elif taker == size:
            load[giver] += 1
        else:
            moves = sticky[:, giver].astype(np.int64) - sticky[:, taker]
            fits = extra[:, giver] & free[:, taker] & (moves == cost[giver, taker])
            place = int(np.flatnonzero(fits)[0])
            extra[place, giver], extra[place, taker] = False, True
    return bool(circle)


def _negative_cycle(cost: Ints) -> list[int]:
    """Return the nodes of a cycle of negative cost, empty without one (Bellman and Ford)."""
    size = len(cost)
    distance = np.zeros(size, np.int64)
    before = np.zeros(size, np.int64)
    for _ in range(size):
        through = distance[:, None] + cost
        best = through.argmin(axis=0)
        shorter = through[best, np.arange(size)]
        better = shorter < distance
        if not better.any():
            return []
        before[better] = best[better]
        distance = np.where(better, shorter, distance)
    node = int(np.flatnonzero(better)[0])
    for _ in range(size):  # back into the cycle, from wherever it was left
        node = int(before[node])
    cycle = [node]
    while (node := int(before[node])) != cycle[0]:
        cycle.append(node)
    return cycle[::-1]


def _by_topic(partitions: Sequence[TopicPartition]) -> list[tuple[str, list[int]]]:
    topics: dict[str, list[int]] = defaultdict(list)
    for topic, number in partitions:
        topics[topic].append(number)
    return sorted(topics.items())
