"""The log of states: the newest state of every stage, in records that the broker takes.

A state is a head and parts. The head names each of its parts by their bytes' digest, and both are
under keys of the worker that owns the stage: so nothing that a head names is ever written over.
Parts are written before the head that names them, all in one partition, and deleted after the next
one: whenever reading stops, the newest head's parts are there, all as of its position.
"""

from __future__ import annotations

from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

from driftline.consumer.join.state import JoinState
from driftline.consumer.judge.comparison.judge import ComparisonState
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log, Message, TopicPartition, UnreadBatch
from driftline.consumer.service.parts import cut, join
from driftline.consumer.sketch.state import WORKER, SketchState
from driftline.consumer.wire.codec import MERGED_VERSION, STATE_VERSION, decode, encode
from driftline.consumer.wire.messages import partition_of
from driftline.errors import RecordError

_COUNT = 1 << 32  # above any generation of a group: a count that began anew begins at a multiple

State = SketchState | JoinState | JudgeState | ComparisonState  # each was one record in 0.1.0
S = TypeVar("S", bound=msgspec.Struct)


class Head(msgspec.Struct, frozen=True, tag="head"):
    """What a state record begins with.

    Attributes:
        stage: whose state it is: see `sketch_key`, `join_key`, `judge_key`.
        owner: number of the worker's ownership; the highest of a stage holds.
        group: the deployment's consumer group: no other may use these topics.
        small: the state's short fields.
        large: its long ones: digests of the parts that their value is made of, in order.
    """

    stage: str
    owner: int
    group: str
    small: dict[str, msgspec.Raw]
    large: dict[str, list[bytes]]


class Part(msgspec.Struct, frozen=True, tag="part"):
    """A part of a state; `position`: as of which it was written."""

    stage: str
    owner: int
    group: str
    position: int
    data: bytes


@dataclass
class _Written:
    """What this worker has in the log of a stage it owns.

    Attributes:
        owner: number of its ownership.
        older: keys of what former owners wrote.
        head: value of the last head.
        parts: digests of the parts that it names.
    """

    owner: int
    older: tuple[bytes, ...]
    head: bytes = b""
    parts: frozenset[bytes] = field(default_factory=frozenset)


def sketch_key(source: TopicPartition) -> str:
    """Return the name of the state of an input partition."""
    return f"sketch/{source.topic}/{source.partition}"


def join_key(partition: int, model: str) -> str:
    """Return the name of the state of a model in one partition of the log of joins."""
    return f"join/{partition}/{model}"


def judge_key(model: str) -> str:
    """Return the name of the state of a model's judge, or a comparison's."""
    return f"judge/{model}"


class States:
    """Reads and writes the log of states.

    Args:
        log: the log outside the group.
        topic: the log of states; `partitions`: how many it has.
        group: the deployment's consumer group.
    """

    def __init__(self, log: Log, topic: str, partitions: int, group: str) -> None:
        self._log = log
        self._topic = topic
        self._partitions = partitions
        self._group = group
        self._next = dict.fromkeys(
            (TopicPartition(topic, number) for number in range(partitions)), 0
        )
        # By stage and key, the newest record that was not deleted.
        self._records: dict[str, dict[bytes, Head | Part | State]] = {}
        self._looked: dict[TopicPartition, int] = {}  # up to where `look` has read
        self._stages: dict[bytes, str] = {}  # by key
        self._written: dict[str, _Written] = {}  # by stage
        self._outlived: set[str] = set()  # stages owned here that a worker has written since

    def refresh(self) -> None:
        """Read what has been written since the last call.

        Raises:
            LogError: a record is damaged, from a newer version, or of another group.
        """
        ends = self._log.end_offsets(frozenset(self._next))
        for record in self._log.read(self._next):
            if isinstance(record.value, UnreadBatch):  # it has no key: it must not be passed over
                place = f"{self._topic}[{record.partition}]"
                raise LogError(f"the states in {place} cannot be read: {record.value.detail}")
            if record.key is not None:
                self._take(record.key, record.value)
        self._next.update(ends)

    def look(self, stages: Set[str]) -> None:
        """Read which heads have been written of a few stages since the last call, and no more.

        It costs less than `refresh`, by which alone states can be found. What is wrong with a
        record `refresh` says.
        """
        numbers = {partition_of(stage, self._partitions) for stage in stages}
        places = [TopicPartition(self._topic, number) for number in numbers]
        starts = {at: max(self._next[at], self._looked.get(at, 0)) for at in places}
        ends = self._log.end_offsets(frozenset(starts))
        new = {at: start for at, start in starts.items() if start < ends[at]}
        for record in self._log.read(new) if new else ():
            key = record.key or b""
            if key.decode(errors="replace").partition("/")[2] in stages:
                with suppress(LogError):
                    self._take(key, record.value)
        self._looked |= ends

    def owns(self, stage: str) -> bool:
        """Return whether nobody has claimed a stage since this worker did, as of the last look."""
        records = self._records.get(stage, {}).values()
        owners = [record.owner for record in records if isinstance(record, Head)]
        return max(owners, default=0) <= self._written[stage].owner

    def find(self, stage: str, kind: type[S]) -> S | None:
        """Return the newest state of a stage, if it is of a kind; nobody else has a hold of it.

        Raises:
            LogError: parts of it are not there.
        """
        records = self._records.get(stage, {})
        heads = [record for record in records.values() if isinstance(record, Head)]
        try:
            if heads:
                return self._joined(max(heads, key=lambda head: head.owner), kind)
            whole = next((known for known in records.values() if isinstance(known, kind)), None)
            return whole and msgspec.msgpack.decode(msgspec.msgpack.encode(whole), type=kind)
        except (KeyError, msgspec.DecodeError) as error:
            raise LogError(
                f"the state {stage} in {self._topic} is not whole, so what is known means nothing "
                "any more: were records of that topic deleted? Set output.prefix to a new name"
            ) from error

    def body(self, source: TopicPartition) -> str | None:
        """Return what reads an input partition (`sketch.state.BODIES`); None: nobody has yet."""
        return self._word(source, "body", WORKER)

    def topic_id(self, source: TopicPartition) -> str | None:
        """Return the id of the topic of which an input partition was read; None: none was yet."""
        return self._word(source, "topic_id", None)

    def _word(self, source: TopicPartition, field: str, default: str | None) -> str | None:
        """Return a text of the state of an input partition, which need not be read for it."""
        records = self._records.get(sketch_key(source), {}).values()
        heads = [record for record in records if isinstance(record, Head)]
        if heads:
            small = max(heads, key=lambda head: head.owner).small
            return msgspec.msgpack.decode(small[field], type=str) if field in small else default
        whole = (getattr(record, field) for record in records if isinstance(record, SketchState))
        return next(whole, None)

    def superseded(self, stage: str) -> bool:
        """Return whether a stage that is owned here has a later owner, as of the last refresh."""
        owners = map(_owner, self._records.get(stage, {}).values())
        return max(owners, default=-1) > self._written[stage].owner

    def written_by_workers(self, stage: str) -> bool:
        """Return whether a worker has written a stage since it is owned here: it goes on."""
        return stage in self._outlived

    def own(self, stage: str, generation: int) -> int:
        """Begin to write the states of a stage; return the number of this ownership.

        It is higher than any before, and no other ownership's, also of one that has not written
        yet. `generation`: the group's, which it is until the group has forgotten its count.
        """
        records = self._records.get(stage, {})
        last = max([0, *map(_owner, records.values())])
        owner = last // _COUNT * _COUNT + generation
        owner += _COUNT if owner <= last else 0
        self._written[stage] = _Written(owner, tuple(records))
        return owner

    def messages(self, stage: str, state: Any) -> list[Message]:
        """Return what stores a state of a stage that is owned, as far as it has changed.

        `state`: a struct with a tag and a `position`.
        """
        written = self._written[stage]
        # What does not know of kept panes would take the state, and never send them.
        kept = isinstance(state, SketchState) and state.keeps
        version = MERGED_VERSION if kept else STATE_VERSION
        found = cut(state)
        parts = {_digest(data): data for field in found.large.values() for data in field}
        large = {name: list(map(_digest, field)) for name, field in found.large.items()}
        head = encode(Head(stage, written.owner, self._group, found.small, large), version)
        if head == written.head:
            return []
        owner, gone = written.owner, written.parts - parts.keys()
        new = {
            digest: Part(stage, owner, self._group, state.position, data)
            for digest, data in parts.items()
            if digest not in written.parts
        }
        values: dict[bytes, bytes | None] = {
            _key(stage, owner, digest): encode(part, STATE_VERSION) for digest, part in new.items()
        }
        values[_key(stage, owner, None)] = head
        values |= dict.fromkeys((_key(stage, owner, digest) for digest in sorted(gone)), None)
        values |= dict.fromkeys(written.older, None)
        written.head, written.parts, written.older = head, frozenset(parts), ()
        place = partition_of(stage, self._partitions)
        return [Message(self._topic, place, key, value) for key, value in values.items()]

    def _take(self, key: bytes, value: bytes | None) -> None:
        name = key.decode(errors="replace")
        if value is None:
            self._records.get(self._stages.pop(key, ""), {}).pop(key, None)
            return
        try:
            record: Head | Part | State = decode(value, Head | Part | State)  # type: ignore[arg-type]  # a union is a type to msgspec
        except RecordError as error:
            raise LogError(f"the state {name} in {self._topic} cannot be read: {error}") from error
        stage = record.stage if isinstance(record, Head | Part) else name
        if isinstance(record, Head | Part):
            if record.group != self._group:
                raise LogError(
                    f"{self._topic} belongs to the consumer group {record.group}, and this "
                    f"deployment's is {self._group}: set kafka.group to {record.group}, or "
                    "output.prefix to a name of its own"
                )
        else:
            # One record was the whole state. A frozen worker may have written an older one.
            known = self._records.get(stage, {}).get(key)
            if isinstance(known, State) and known.position > record.position:
                return
        own = self._written.get(stage)
        of_a_worker = isinstance(record, Head) and "body" not in record.small
        if own is not None and of_a_worker and _owner(record) < own.owner:
            self._outlived.add(stage)
        self._records.setdefault(stage, {})[key] = record
        self._stages[key] = stage

    def _joined(self, head: Head, kind: type[S]) -> S | None:
        """Return the state of a head.

        Raises:
            KeyError: a part that it names is not there.
        """
        if msgspec.msgpack.decode(head.small["type"]) != kind.__struct_config__.tag:
            return None
        records = self._records[head.stage]
        large = {}
        for name, digests in head.large.items():
            keys = [_key(head.stage, head.owner, digest) for digest in digests]
            parts = [records[key] for key in keys]
            large[name] = [part.data for part in parts if isinstance(part, Part)]
        return join(head.small, large, kind)


def _key(stage: str, owner: int, digest: bytes | None) -> bytes:
    """Return the key of a part, or of a head."""
    return (
        f"{owner}/{stage}".encode()
        if digest is None
        else f"{owner}/{digest.hex()}/{stage}".encode()
    )


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=8).digest()


def _owner(record: Head | Part | State) -> int:
    """Return the number of the ownership that wrote a record; version 0.1.0 counted a few only."""
    if isinstance(record, Head | Part):
        return record.owner
    return record.generation if isinstance(record, SketchState) else -1
