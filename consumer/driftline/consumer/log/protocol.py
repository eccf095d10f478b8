"""What the monitor needs of a log: one protocol, two bodies (memory and Kafka).

A `Broker` gives a worker one `Consumer`, one `Producer` and one `Log`. The consumer gives the
records of the partitions that the group lets this worker own; the producer writes in order and
waits until all is acknowledged; the log answers questions about topics and reads ranges outside the
group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, Self

from driftline.producer.errors import FormatError, FormatReason

Headers = Sequence[tuple[str, bytes]]


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Record(Protocol):
    """One record as read. Kafka's own record class fits, so that nothing is copied per record."""

    @property
    def topic(self) -> str: ...  # noqa: D102
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970."""

    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None:
        """What was written; `UnreadBatch` for a whole batch that cannot be unpacked."""

    @property
    def headers(self) -> Headers: ...  # noqa: D102


class Unread(bytes):
    """Stands, as the value of a record, for what cannot be read; as bytes it is that.

    Attributes:
        reason: why it cannot be read, of the reasons of dead letters.
        detail: the same as a sentence.
    """

    reason: FormatReason
    detail: str

    @classmethod
    def of(cls, value: bytes, error: FormatError) -> Self:
        """Keep a value with what is wrong with it."""
        made = cls(value)
        made.reason, made.detail = error.reason, error.detail
        return made


class UnreadBatch(Unread):
    """Stands, as the value of one record, for the records of a batch that cannot be unpacked.

    The record is at the offset of the last of them. As bytes it is the batch as it was written.

    Attributes:
        first, last: offsets of the records that it stands for.
    """

    first: int
    last: int

    def __new__(
        cls, packed: bytes, *, first: int, last: int, reason: FormatReason, detail: str
    ) -> Self:
        """Keep the batch with what is known of it."""
        made = super().__new__(cls, packed)
        made.first, made.last, made.reason, made.detail = first, last, reason, detail
        return made


class Message(NamedTuple):
    """One record to be written. `timestamp` is the present unless given (ms since 1970)."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int | None = None


@dataclass(frozen=True)
class TopicSpec:
    """A topic as Driftline needs it.

    Attributes:
        name: of the topic.
        partitions: how many.
        configs: Kafka's own names and values.
        needed: whether a worker needs it; all else works without one that it does not.
    """

    name: str
    partitions: int
    configs: Mapping[str, str]
    needed: bool = True

    @property
    def cleanup_policy(self) -> str:
        """`delete` or `compact`."""
        return self.configs["cleanup.policy"]


@dataclass(frozen=True)
class TopicInfo:
    """A topic on the broker: its id (changes when re-created) and its settings.

    Attributes:
        name: of the topic.
        topic_id: another one after the topic was made again.
        partitions: how many.
        cleanup_policy: Kafka's word; empty where it may not be seen.
        retention: for how long records are kept, ms; None: for ever, or it may not be seen.
        retention_bytes: at which size of a partition older ones go; None: at none, or it may not
            be seen.
    """

    name: str
    topic_id: str
    partitions: int
    cleanup_policy: str
    retention: int | None = None
    retention_bytes: int | None = None


@dataclass(frozen=True)
class Ownership:
    """The partitions a worker owns from now on.

    `kept` were held without a break since the last ownership: reading goes on where it was. All
    others of `partitions` are new and paused until the worker has called `seek` and `resume`.
    `generation` is the group's; it never falls while the group lives.
    """

    generation: int
    partitions: frozenset[TopicPartition]
    kept: frozenset[TopicPartition]


@dataclass(frozen=True)
class Gap:
    """Records that retention has deleted before they were read: offsets `wanted` to `begin` - 1.

    The consumer has already gone on at `begin`.
    """

    partition: TopicPartition
    wanted: int
    begin: int


@dataclass(frozen=True)
class Polled:
    """What one poll brought: records in offset order per partition, and changes of ownership.

    When `ownership` is set, `records` holds only partitions that were kept.
    """

    records: Mapping[TopicPartition, Sequence[Record]] = field(default_factory=dict)
    ownership: Ownership | None = None
    gaps: Sequence[Gap] = ()


class Consumer(Protocol):
    """A member of the group. Records of open and of aborted transactions do not come."""

    def poll(self, timeout: float) -> Polled:
        """Wait up to `timeout` seconds for records or a change of ownership."""

    def subscribe(self, topics: Set[str]) -> None:
        """Share the partitions of other topics from now on: a change of ownership follows."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read `partition` from `offset` on."""

    def pause(self, partitions: Set[TopicPartition]) -> None:
        """Bring no records of `partitions` until they are resumed."""

    def resume(self, partitions: Set[TopicPartition]) -> None:
        """Undo `pause`."""

    def lag(self, partition: TopicPartition) -> int | None:
        """Offsets between the position and the last record written; None when not known yet.

        Records of open transactions count: they may become events.
        """

    def held(self, partition: TopicPartition) -> int | None:
        """Offset at which an open transaction keeps the rest from being read; None if none does."""

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the group's offsets, for lag tools only. A refusal is not an error."""

    def close(self) -> None:
        """Leave the group."""


class Producer(Protocol):
    """Writes in order, per partition without gaps: a refused message ends the worker."""

    def send(self, message: Message) -> None:
        """Queue one message. May block while too much is outstanding."""

    def flush(self) -> None:
        """Return when everything sent so far is acknowledged.

        Raises:
            WorkerLost: a message was refused, or nothing was acknowledged for a minute.
        """

    def close(self) -> None:
        """Give up the connection. What is not acknowledged may or may not be written."""


class Log(Protocol):
    """The log outside the group. Records of open and of aborted transactions are not in it."""

    def topics(self, names: Set[str], patience: float | None = None) -> dict[str, TopicInfo]:
        """Return what is known of each of `names` that exists.

        Args:
            names: Topics.
            patience: Seconds to ask while the broker is away; None: as long as for all else.
        """

    def create_topics(self, specs: Sequence[TopicSpec], replication_factor: int | None) -> None:
        """Create `specs`, without a factor by the broker's own; one that exists is left as it is.

        Raises:
            LogError: the broker refuses; the sentence says why.
        """

    def begin_offsets(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """First offset still held, per partition."""

    def end_offsets(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset up to which all can be read, per partition.

        The one that the next record will get or, before it, the first of an open transaction.
        """

    def high_watermarks(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset after the last record written, per partition, of open transactions too."""

    def offsets_at(
        self, partitions: Set[TopicPartition], timestamp: int
    ) -> dict[TopicPartition, int]:
        """First offset with a record timestamp >= `timestamp` (ms), the end where there is none."""

    def read(
        self,
        start: Mapping[TopicPartition, int],
        stop: Mapping[TopicPartition, int] | None = None,
    ) -> Iterator[Record]:
        """Read each partition from its offset to the end as it is at the call.

        Args:
            start: Offsets; one before the beginning reads from the beginning.
            stop: Offsets before which to end, of the same partitions; None: none.
        """

    def close(self) -> None:
        """Give up the connections."""


class Broker(Protocol):
    """A broker that was reached, or one in memory."""

    @property
    def log(self) -> Log:
        """The log outside the group."""

    def producer(self) -> Producer:
        """Return a new producer.

        Raises:
            LogError: the broker refuses.
            WorkerLost: it gives no answer.
        """

    def consumer(self, topics: Set[str]) -> Consumer:
        """Return a new member of the group that shares the partitions of `topics`.

        Raises:
            LogError, WorkerLost: as above.
        """
