"""Fetching partitions with librdkafka, outside any group.

`pause` of librdkafka throws away what it has fetched, and `seek` refuses a partition that it has
only begun to fetch. So both are done by giving partitions up and taking them up again at an offset:
what was on its way for the time before is outdated, and never comes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import confluent_kafka
from confluent_kafka import Message

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.confluent.options import client_options, start_client
from driftline.consumer.log.confluent.records import FetchedRecord, records
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import TopicPartition

logger = logging.getLogger(__name__)

_PIECE = 1_000  # messages that are asked for at once: their size is seen in between

# By librdkafka's names.
_GONE = frozenset({"_AUTO_OFFSET_RESET", "_LOG_TRUNCATION", "OFFSET_OUT_OF_RANGE"})
_UNREADABLE = frozenset(
    {"_BAD_COMPRESSION", "_BAD_MSG", "_NOT_IMPLEMENTED", "INVALID_MSG", "MSG_SIZE_TOO_LARGE"}
)


@dataclass
class Fetched:
    """What came.

    Attributes:
        records: By partition, in the order of offsets.
        gone: Partitions whose log does not hold the offset to be read.
        unreadable: Partitions where librdkafka cannot read the batch at the offset to be read.
            Both kinds bring nothing until they are sought.
    """

    records: dict[TopicPartition, list[FetchedRecord]] = field(default_factory=dict)
    gone: set[TopicPartition] = field(default_factory=set)
    unreadable: set[TopicPartition] = field(default_factory=set)


class Fetcher:
    """Brings the records of partitions that were sought and resumed.

    Args:
        config: Where to connect and as whom.
        tunable: Driftline's choice of options, by librdkafka's names; `kafka.options` may replace
            them.
        most: Records of one `fetch`.

    Attributes:
        next: Offset to be read next, of partitions that were sought.
        met: Partitions of which something has come since they were sought, be it that they end.

    Raises:
        LogError: The options do not fit together.
    """

    def __init__(self, config: KafkaConfig, tunable: Mapping[str, Any], most: int) -> None:
        options = client_options(
            config,
            "consumer",
            tunable,
            **{
                "group.id": config.group,  # the class wants one; nothing joins it
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                "allow.auto.create.topics": False,
                "isolation.level": "read_committed",
                # The position passes what nobody may read only where the partition ends.
                "enable.partition.eof": True,
                "check.crcs": True,
            },
        )
        self._client = start_client(lambda: confluent_kafka.Consumer(options))
        self._most = most
        self._limit = config.max_batch_bytes
        self.next: dict[TopicPartition, int] = {}
        self.met: set[TopicPartition] = set()
        self._resumed: set[TopicPartition] = set()
        self._stopped: set[TopicPartition] = set()  # until they are sought
        self._assigned: set[TopicPartition] = set()
        self._outdated: set[TopicPartition] = set()  # assigned at another offset
        self._changed = False

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read from `offset` on once it is resumed."""
        self.next[partition] = offset
        self.met.discard(partition)
        self._stopped.discard(partition)
        self._outdated.add(partition)
        self._changed = True

    def pause(self, partitions: Set[TopicPartition]) -> None:
        """Bring nothing of `partitions` until they are resumed."""
        self._resumed -= partitions
        self._changed = True

    def resume(self, partitions: Set[TopicPartition]) -> None:
        """Undo `pause`; all are paused at first."""
        self._resumed |= partitions
        self._changed = True

    def keep(self, partitions: Set[TopicPartition]) -> None:
        """Forget all other partitions."""
        self.next = {tp: offset for tp, offset in self.next.items() if tp in partitions}
        self.met &= partitions
        self._resumed &= partitions
        self._stopped &= partitions
        self._changed = True

    def fetch(self, timeout: float) -> Fetched:
        """Wait up to `timeout` seconds until something comes, and bring what is there.

        Raises:
            LogError: A topic may not be read.
        """
        if self._changed:
            self._assign()
        messages = self._client.consume(1, timeout)
        size = sum(map(len, messages))
        while messages and len(messages) < self._most and size < self._limit:
            more = self._client.consume(min(_PIECE, self._most - len(messages)), 0)
            messages += more
            size += sum(map(len, more))
            if len(more) < _PIECE:
                break
        return self._sort(messages)

    def close(self) -> None:
        """Give up the connection."""
        self._client.close()

    def _assign(self) -> None:
        wanted = {tp for tp in self._resumed - self._stopped if tp in self.next}
        given_up = (self._assigned - wanted) | (self._assigned & self._outdated)
        if given_up:
            self._client.incremental_unassign(_places(given_up))
        taken_up = wanted - (self._assigned - given_up)
        if taken_up:
            self._client.incremental_assign(
                [confluent_kafka.TopicPartition(*tp, self.next[tp]) for tp in taken_up]
            )
        self._assigned = wanted
        self._outdated.clear()
        self._changed = False

    def _sort(self, messages: list[Any]) -> Fetched:
        fetched = Fetched()
        errors = list(map(Message.error, messages))
        ends: dict[TopicPartition, int] = {}
        if any(errors):  # an error is true; it cannot be compared with None
            messages = self._heed(messages, errors, ends, fetched)
        try:
            runs = list(records(messages))
        except UnicodeError:  # the name of a header: which one, kafka-python finds out
            fetched.unreadable |= {TopicPartition(m.topic(), m.partition()) for m in messages}
            self._stop(fetched.unreadable)
            return fetched
        for partition, run in runs:
            if partition not in self._assigned:
                continue
            at = self.next[partition]
            if run[0].offset < at:
                run = [record for record in run if record.offset >= at]
            if run:
                fetched.records.setdefault(partition, []).extend(run)
                self.next[partition] = run[-1].offset + 1
                self.met.add(partition)
        for partition in ends.keys() & self._assigned:
            self.next[partition] = max(self.next[partition], ends[partition])
            self.met.add(partition)
        return fetched

    def _heed(
        self,
        messages: list[Any],
        errors: list[Any],
        ends: dict[TopicPartition, int],
        fetched: Fetched,
    ) -> list[Any]:
        """Note what the errors among the messages say; return the others, up to where one stops."""
        good = []
        stopped: set[TopicPartition] = set()
        for message, error in zip(messages, errors, strict=True):
            partition = TopicPartition(message.topic() or "", message.partition())
            if error is None:
                if partition not in stopped:
                    good.append(message)
                continue
            name = error.name()
            if name == "_PARTITION_EOF":
                if partition not in stopped:
                    ends[partition] = message.offset()
            elif name in _GONE or name in _UNREADABLE:
                if partition in self._assigned - stopped:
                    (fetched.gone if name in _GONE else fetched.unreadable).add(partition)
                    stopped.add(partition)
            elif name == "TOPIC_AUTHORIZATION_FAILED":
                raise LogError(f"not allowed to read {partition.topic}: grant Read on the topic")
            elif error.fatal():
                raise LogError(f"cannot read the log: {error.str()}")
            else:  # what is away comes back; what is gone, the group's member is told
                logger.debug("%s: %s", message.topic(), error.str())
        self._stop(stopped)
        return good

    def _stop(self, partitions: Set[TopicPartition]) -> None:
        self._stopped |= partitions
        self._changed = True


def _places(partitions: Iterable[TopicPartition]) -> list[Any]:
    return [confluent_kafka.TopicPartition(*tp) for tp in partitions]
