"""What the monitor itself does, as its workers' metrics and its own alerts tell."""

from __future__ import annotations

import msgspec

from driftline.consumer.views.answers import AlertRow
from driftline.consumer.wire.records import Number


class WorkerRow(msgspec.Struct, frozen=True):
    """One worker, as its own metrics tell; `error` where they cannot be read."""

    address: str
    ready: bool | None
    version: str | None
    memory_bytes: Number
    cpu_seconds: Number
    error: str | None


class PartitionRow(msgspec.Struct, frozen=True):
    """One input partition: events that wait."""

    topic: str
    partition: int
    lag: int
    worker: str


class ModelFlow(msgspec.Struct, frozen=True):
    """What became of a model's events and labels, counted since its workers started.

    Attributes:
        watermark: up to which time all events are counted.
        last_event: newest event time; far ahead of `watermark` where one partition holds it back.
        late, passed_over: events that came too late to count.
        joined: outcomes of the join, by name.
        failed: whether a stage of this model has ended with an error.
    """

    model: str
    watermark: str | None
    last_event: str | None
    counted: int
    late: int
    passed_over: int
    labels: int
    waiting: int
    joined: dict[str, int]
    reference: str | None
    failed: bool


class PipelineView(msgspec.Struct, frozen=True):
    """The monitor itself.

    Attributes:
        available: whether anything is known; else `hint` says what to configure.
        rejected: dead letters by reason; `skipped`: by reason.
        held_back: who holds the clock back, as sentences: the open `stale` and `data_loss` alerts.
    """

    available: bool
    hint: str | None
    workers: list[WorkerRow]
    partitions: list[PartitionRow]
    models: list[ModelFlow]
    rejected: dict[str, int]
    skipped: dict[str, int]
    held_back: list[AlertRow]


class Status(msgspec.Struct, frozen=True):
    """What the page itself is: connected or cut off, how far back it holds, whether it may write.

    Attributes:
        connected: whether the log could be read just now; `problem` says why not.
        loading: whether history is still being read.
        windows: of each stream that are held at most.
        writable: whether marks can be set here (with a token).
        title: what is watched: a prefix of topics, a file, or the demo.
    """

    connected: bool
    problem: str | None
    loading: bool
    windows: int
    writable: bool
    title: str
    version: str
