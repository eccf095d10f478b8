"""Rows to records of one topic, in the form that the topic's readers expect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.file_rows import Rows
from driftline.consumer.config import Config
from driftline.consumer.log.protocol import Log, Message, Producer
from driftline.consumer.wire.messages import partition_of
from driftline.producer.records.mapping import Mapping
from driftline.producer.replay.replay import Pace, encode_event

# Reads a row as it is; only what JSON cannot hold is written as text, as in a native event.
_AS_IT_IS = Mapping({"features": "*"})


@dataclass
class Target:
    """Where the rows go.

    Attributes:
        topic: its name.
        partitions: how many it has.
        mapping: how a row becomes an event.
        mapped: whether the readers of the topic apply `mapping` themselves, so that rows are sent
            as they are; else events are sent.
    """

    topic: str
    partitions: int
    mapping: Mapping
    mapped: bool

    @classmethod
    def of(cls, topic: str, log: Log, config: Config | None) -> Self:
        """Return the topic as the configuration knows it.

        Raises:
            CommandError: it does not exist.
        """
        info = log.topics(frozenset([topic])).get(topic)
        if info is None:
            raise CommandError(f"--topic {topic}: there is no such topic; create it first")
        source = config.sources.get(topic) if config is not None else None
        mapped = source is not None and not source.mapping.is_native
        mapping = source.mapping if source is not None else Mapping.native()
        return cls(topic, info.partitions, mapping, mapped)

    def record(self, row: dict[str, Any], model: str | None) -> tuple[bytes | None, bytes, Any]:
        """Return key, value and the event's own time of one row."""
        event = self.mapping.to_event(row)
        if model is not None:
            event.setdefault("model", model)
        key, value = encode_event(event)
        if self.mapped:
            value = encode_event(_AS_IT_IS.to_event(row)["features"])[1]
        return key, value, event.get("timestamp")


def send_rows(
    chunks: Iterable[Rows],
    target: Target,
    model: str | None,
    producer: Producer,
    pace: Pace,
    show: Callable[[int], None],
) -> int:
    """Send every row; return how many, when all are acknowledged.

    A row without an event id has no key, and goes to the partitions in turn.

    Raises:
        InputError: a row cannot be read.
        WorkerLost: the broker refuses, or gives no answer any more.
    """
    turn = count()
    sent = 0
    for chunk in chunks:
        for row in chunk:
            key, value, timestamp = target.record(row, model)
            if pace.wait(timestamp):
                show(sent)
            number = (
                partition_of(key.decode(), target.partitions)
                if key is not None
                else next(turn) % target.partitions
            )
            producer.send(Message(target.topic, number, key, value))
            sent += 1
        show(sent)
    producer.flush()
    return sent
