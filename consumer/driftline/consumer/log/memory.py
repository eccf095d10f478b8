"""The log in memory: a broker, a group and workers' connections, all in one process.

Used by the backtest, the demo and the tests. Messages are written when the producer flushes, one by
one and in order, so a test can end a worker between any two of them: `crash_after` writes a prefix
of what waits, and `abandoned` has the rest, as a frozen worker may still write it later.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain, islice

from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.protocol import (
    Gap,
    Headers,
    Message,
    Ownership,
    Polled,
    TopicInfo,
    TopicPartition,
    TopicSpec,
)


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """One record in memory; see `protocol.Record`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass
class MemoryBroker:
    """Topics with their partitions, and one group whose members share them; a `protocol.Broker`.

    Attributes:
        now: the present in ms, for records sent without a timestamp; tests move it.
        open: where the first record of an open transaction stands.
        hidden: offsets of the records of aborted transactions, and of control records.
    """

    now: int = 0
    logs: dict[TopicPartition, list[MemoryRecord]] = field(default_factory=dict)
    infos: dict[str, TopicInfo] = field(default_factory=dict)
    begins: dict[TopicPartition, int] = field(default_factory=lambda: defaultdict(int))
    members: list[MemoryConsumer] = field(default_factory=list)
    generation: int = 0
    open: dict[TopicPartition, list[int]] = field(default_factory=lambda: defaultdict(list))
    hidden: dict[TopicPartition, set[int]] = field(default_factory=lambda: defaultdict(set))

    def create(self, topic: str, partitions: int, cleanup_policy: str = "delete") -> None:
        """Create a topic."""
        self.infos[topic] = TopicInfo(topic, f"id-{topic}", partitions, cleanup_policy)
        for number in range(partitions):
            self.logs[TopicPartition(topic, number)] = []

    @property
    def log(self) -> MemoryLog:
        """The log outside the group."""
        return MemoryLog(self)

    def producer(self) -> MemoryProducer:
        """Return a new producer."""
        return MemoryProducer(self)

    def consumer(self, topics: Set[str]) -> MemoryConsumer:
        """Return a new member of the group."""
        return MemoryConsumer(self, topics)

    def append(self, message: Message) -> MemoryRecord:
        """Write one record and return it."""
        log = self.logs[TopicPartition(message.topic, message.partition)]
        timestamp = self.now if message.timestamp is None else message.timestamp
        record = MemoryRecord(
            message.topic, message.partition, len(log), timestamp, message.key, message.value,
            message.headers,
        )  # fmt: skip
        log.append(record)
        return record

    def stable_end(self, partition: TopicPartition) -> int:
        """Return the offset up to which all can be read."""
        return min(self.open[partition], default=len(self.logs[partition]))

    def readable(self, partition: TopicPartition, start: int, stop: int) -> list[MemoryRecord]:
        """Return the records from `start` to before `stop` that are read at all."""
        records = self.logs[partition][start : min(stop, self.stable_end(partition))]
        hidden = self.hidden.get(partition)
        return [r for r in records if r.offset not in hidden] if hidden else records

    def delete_before(self, partition: TopicPartition, offset: int) -> None:
        """Forget the records before `offset`, as retention does."""
        self.begins[partition] = offset

    def records(self, topic: str) -> Iterator[MemoryRecord]:
        """Yield all records of a topic, partition by partition."""
        for partition, log in sorted(self.logs.items()):
            if partition.topic == topic:
                yield from islice(log, self.begins[partition], None)

    def rebalance(self) -> None:
        """Deal the partitions anew to the members that read them, in the order they joined."""
        self.generation += 1
        for member in self.members:
            member.assigned = set()
        if not self.members:
            return
        topics = sorted({topic for member in self.members for topic in member.topics})
        partitions = [tp for tp in sorted(self.logs) if tp.topic in topics]
        for number, partition in enumerate(partitions):
            readers = [member for member in self.members if partition.topic in member.topics]
            readers[number % len(readers)].assigned.add(partition)


class MemoryConsumer:
    """A member of the memory broker's group; see `protocol.Consumer`."""

    def __init__(self, broker: MemoryBroker, topics: Set[str], batch: int = 10_000) -> None:
        self._broker = broker
        self._batch = batch
        self.topics = frozenset(topics)
        self.assigned: set[TopicPartition] = set()
        self._owned: set[TopicPartition] = set()
        self._generation = -1
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._turn: deque[TopicPartition] = deque()
        self.committed: dict[TopicPartition, int] = {}
        broker.members.append(self)
        broker.rebalance()

    def poll(self, timeout: float) -> Polled:
        """Return up to a batch of records of the next partition that has some; never wait."""
        if self._generation != self._broker.generation:
            # Where a generation was missed, others may have read on and given a partition back.
            unbroken = self._broker.generation == self._generation + 1
            self._generation = self._broker.generation
            kept = self._owned & self.assigned if unbroken else set[TopicPartition]()
            self._owned = set(self.assigned)
            self._paused = (self._paused & kept) | (self._owned - kept)
            self._turn = deque(sorted(self._owned))
            return Polled(
                ownership=Ownership(self._generation, frozenset(self._owned), frozenset(kept))
            )
        gaps = []
        for _ in range(len(self._turn)):
            partition = self._turn[0]
            self._turn.rotate(-1)
            if partition in self._paused:
                continue
            position, begin = self._positions[partition], self._broker.begins[partition]
            if position < begin:
                gaps.append(Gap(partition, position, begin))
                position = self._positions[partition] = begin
            stop = min(position + self._batch, self._broker.stable_end(partition))
            if position < stop:
                self._positions[partition] = stop
                records = self._broker.readable(partition, position, stop)
                if records:
                    return Polled(records={partition: records}, gaps=gaps)
        return Polled(gaps=gaps)

    def subscribe(self, topics: Set[str]) -> None:
        """Share the partitions of other topics from now on."""
        self.topics = frozenset(topics)
        self._broker.rebalance()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read `partition` from `offset` on."""
        self._positions[partition] = offset

    def pause(self, partitions: Set[TopicPartition]) -> None:
        """Bring no records of `partitions` until they are resumed."""
        self._paused |= partitions

    def resume(self, partitions: Set[TopicPartition]) -> None:
        """Undo `pause`."""
        self._paused -= partitions

    def lag(self, partition: TopicPartition) -> int | None:
        """Offsets between the position and the last record, None before it was sought."""
        if partition not in self._positions:
            return None
        return len(self._broker.logs[partition]) - self._positions[partition]

    def held(self, partition: TopicPartition) -> int | None:
        """Offset at which an open transaction keeps the rest from being read."""
        stable = self._broker.stable_end(partition)
        return stable if self.lag(partition) and self._positions[partition] >= stable else None

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Remember the offsets."""
        self.committed.update(offsets)

    def close(self) -> None:
        """Leave the group."""
        if self in self._broker.members:
            self._broker.members.remove(self)
            self._broker.rebalance()


class MemoryProducer:
    """Writes into the memory broker; see `protocol.Producer`."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker
        self._waiting: list[Message] = []
        self._closed = False
        self.crash_after: int | None = None  # tests: be lost after this number of writes

    def send(self, message: Message) -> None:
        """Queue one message."""
        self._waiting.append(message)

    def flush(self) -> None:
        """Write what waits."""
        if self._closed:
            raise WorkerLost("this producer is closed")
        while self._waiting:
            if self.crash_after == 0:
                raise WorkerLost("killed by a test")
            self._broker.append(self._waiting.pop(0))
            if self.crash_after is not None:
                self.crash_after -= 1

    def close(self) -> None:
        """Drop what waits."""
        self._closed = True

    def abandoned(self) -> Sequence[Message]:
        """Return what was sent but never written: a frozen worker may write it when it wakes."""
        return tuple(self._waiting)


class MemoryLog:
    """Questions to the memory broker; see `protocol.Log`."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def topics(self, names: Set[str], patience: float | None = None) -> dict[str, TopicInfo]:
        """Return what is known of each of `names` that exists."""
        return {name: self._broker.infos[name] for name in names if name in self._broker.infos}

    def create_topics(self, specs: Sequence[TopicSpec], replication_factor: int | None) -> None:
        """Create `specs`; one that exists is left as it is."""
        for spec in specs:
            if spec.name not in self._broker.infos:
                self._broker.create(spec.name, spec.partitions, spec.cleanup_policy)

    def begin_offsets(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """First offset still held, per partition."""
        return {partition: self._broker.begins[partition] for partition in partitions}

    def end_offsets(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset up to which all can be read, per partition."""
        return {partition: self._broker.stable_end(partition) for partition in partitions}

    def high_watermarks(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset after the last record written, per partition."""
        return {partition: len(self._broker.logs[partition]) for partition in partitions}

    def offsets_at(
        self, partitions: Set[TopicPartition], timestamp: int
    ) -> dict[TopicPartition, int]:
        """First offset with a record timestamp >= `timestamp`, the end where there is none."""
        broker = self._broker
        ends = self.end_offsets(partitions)
        return {
            tp: next(
                (
                    r.offset
                    for r in broker.readable(tp, broker.begins[tp], ends[tp])
                    if r.timestamp >= timestamp
                ),
                ends[tp],
            )
            for tp in partitions
        }

    def read(
        self,
        start: Mapping[TopicPartition, int],
        stop: Mapping[TopicPartition, int] | None = None,
    ) -> Iterator[MemoryRecord]:
        """Read each partition from its offset to the end as it is at the call, or to `stop`."""
        broker, ends = self._broker, self.end_offsets(frozenset(start))
        if stop is not None:
            ends = {tp: min(end, stop[tp]) for tp, end in ends.items()}
        return chain.from_iterable(
            broker.readable(tp, max(offset, broker.begins[tp]), ends[tp])
            for tp, offset in sorted(start.items())
        )

    def close(self) -> None:
        """Nothing to give up."""
