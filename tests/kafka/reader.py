"""Reads topics with confluent-kafka, which shares no code with the client that Driftline uses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

import confluent_kafka
import msgspec

Identity = tuple[str, int]
"""Of a published record: verdict id and 0, or alert id and revision."""


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Return as soon as `holds()` is true; fail, naming `what`, when it is not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


@dataclass(frozen=True)
class Read:
    """A record as it is in the topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    @classmethod
    def of(cls, message: Any) -> Self:
        """Take what is asked for out of the client's message."""
        headers = dict(message.headers() or [])
        return cls(message.partition(), message.offset(), message.key(), message.value(), headers)


class TopicReader:
    """Reads one topic from its beginning, further with each call of `read`.

    Args:
        bootstrap: where the broker answers.
        topic: must exist.
        group: only its offsets are looked at; the reader never joins it.
    """

    def __init__(self, bootstrap: str, topic: str, group: str = "reader") -> None:
        self._client = confluent_kafka.Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "enable.auto.commit": False,
                # The question where a partition ends waits behind a fetch that waits for records.
                "fetch.wait.max.ms": 10,
            }
        )
        found = self._client.list_topics(topic, timeout=10).topics[topic].partitions
        self._partitions = [
            confluent_kafka.TopicPartition(topic, number, confluent_kafka.OFFSET_BEGINNING)
            for number in sorted(found)
        ]
        self._next = dict.fromkeys(sorted(found), 0)
        self._client.assign(self._partitions)
        self.records: list[Read] = []

    def ends(self) -> dict[int, int]:
        """Return each partition's end."""
        return {
            tp.partition: self._client.get_watermark_offsets(tp, timeout=10)[1]
            for tp in self._partitions
        }

    def read(self) -> list[Read]:
        """Return all records from the beginning to the end as it is at the call."""
        ends = self.ends()
        deadline = time.monotonic() + 30
        while any(self._next[number] < end for number, end in ends.items()):
            assert time.monotonic() < deadline, f"read to {self._next} of {ends}"
            for message in self._client.consume(10_000, timeout=0.1):
                assert message.error() is None, message.error()
                self.records.append(Read.of(message))
                self._next[self.records[-1].partition] = self.records[-1].offset + 1
        return self.records

    def committed(self) -> dict[int, int]:
        """Return the offsets that the group has stored, -1001 where it has not."""
        return {
            tp.partition: tp.offset for tp in self._client.committed(self._partitions, timeout=10)
        }

    def all_consumed(self) -> bool:
        """Tell whether the group has stored the end of every partition."""
        committed = self.committed()
        return all(end == 0 or committed[number] == end for number, end in self.ends().items())

    def close(self) -> None:
        """Give up the connections."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


@dataclass(frozen=True)
class Grown:
    """Whether a topic holds so many different verdicts or alerts."""

    topic: TopicReader
    many: int

    def __call__(self) -> bool:
        return len(by_identity(record.value for record in self.topic.read())) >= self.many


class _Identity(msgspec.Struct):
    verdict_id: str = ""
    alert_id: str = ""
    revision: int = 0


def by_identity(values: Iterable[bytes | None]) -> dict[Identity, bytes]:
    """Return published records by what identifies them; a repeat must have the same bytes."""
    found: dict[Identity, bytes] = {}
    for value in values:
        assert value is not None
        one = msgspec.json.decode(value, type=_Identity)
        identity = (one.verdict_id or one.alert_id, one.revision)
        assert found.setdefault(identity, value) == value, "one id, two contents"
    return found
