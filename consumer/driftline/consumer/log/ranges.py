"""Parts of a topic: the same number of records of each partition."""

from __future__ import annotations

from collections.abc import Mapping

from driftline.consumer.log.protocol import Log, TopicInfo, TopicPartition

Offsets = Mapping[TopicPartition, int]


def partitions_of(topic: TopicInfo) -> frozenset[TopicPartition]:
    """Return all partitions of a topic."""
    return frozenset(TopicPartition(topic.name, number) for number in range(topic.partitions))


def shares(sizes: Mapping[TopicPartition, int], wanted: int) -> dict[TopicPartition, int]:
    """Return how many records to take of each partition: the same of all, as far as they have them.

    >>> a, b = TopicPartition("t", 0), TopicPartition("t", 1)
    >>> shares({a: 10, b: 2}, 8)[a], shares({a: 10, b: 2}, 8)[b]
    (6, 2)
    """
    taken = {}
    left = wanted
    for place, (partition, size) in enumerate(sorted(sizes.items(), key=lambda entry: entry[1])):
        taken[partition] = min(size, left // (len(sizes) - place))
        left -= taken[partition]
    return taken


def first_records(log: Log, topic: TopicInfo, wanted: int) -> tuple[Offsets, Offsets]:
    """Return the offsets of the first `wanted` records of a topic: from, and before which."""
    partitions = partitions_of(topic)
    begins, ends = log.begin_offsets(partitions), log.end_offsets(partitions)
    taken = shares({p: ends[p] - begins[p] for p in partitions}, wanted)
    return begins, {partition: begins[partition] + taken[partition] for partition in partitions}


def newest_records(log: Log, topic: TopicInfo, wanted: int) -> tuple[Offsets, Offsets]:
    """Return the offsets of the newest `wanted` records of a topic: from, and before which."""
    partitions = partitions_of(topic)
    begins, ends = log.begin_offsets(partitions), log.end_offsets(partitions)
    taken = shares({p: ends[p] - begins[p] for p in partitions}, wanted)
    return {partition: ends[partition] - taken[partition] for partition in partitions}, ends
