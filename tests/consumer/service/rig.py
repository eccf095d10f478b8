"""Workers over the in-memory log, step by step: for tests that say what happens when."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from tests.consumer.service.small import DAY, START, TOPIC

from driftline.consumer.log.memory import (
    MemoryBroker,
    MemoryConsumer,
    MemoryLog,
    MemoryProducer,
    MemoryRecord,
)
from driftline.consumer.log.protocol import Headers, Message, TopicPartition
from driftline.consumer.service.opening import topics_joined
from driftline.consumer.service.parts import join
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.states import Head
from driftline.consumer.service.worker import Worker
from driftline.consumer.wire.codec import MERGED_VERSION, STATE_VERSION, decode

S = TypeVar("S", bound=msgspec.Struct)
OUTPUTS = ("panes", "joins", "alerts", "verdicts", "state", "dead-letter")


class Rig:
    """A broker with the topics of a plan, and its workers.

    Args:
        plan: what is watched.
        partitions: of each input topic.
        others: input topics that have another number of partitions.

    Attributes:
        workers: those that run, with what connects them.
    """

    def __init__(
        self, plan: Plan, partitions: int = 1, others: Mapping[str, int] | None = None
    ) -> None:
        self.plan = plan
        self.broker = MemoryBroker(now=START + DAY)
        for topic in sorted(plan.inputs):
            self.broker.create(topic, (others or {}).get(topic, partitions))
        for name in OUTPUTS:
            policy = "compact" if name == "state" else "delete"
            self.broker.create(plan.output(name), 2, policy)
        self.workers: list[tuple[Worker, MemoryConsumer, MemoryProducer]] = []

    def write(
        self,
        values: Iterable[dict[str, Any] | bytes | None],
        partition: int = 0,
        key: bytes | None = None,
        headers: Headers = (),
        timestamp: int | None = None,
        topic: str = TOPIC,
    ) -> None:
        """Append input records."""
        for value in values:
            body = msgspec.json.encode(value) if isinstance(value, dict) else value
            self.broker.append(Message(topic, partition, key, body, headers, timestamp))

    def start(
        self,
        plan: Plan | None = None,
        batch: int = 1_000,
        timer: Callable[[], float] = time.perf_counter,
        clock: Callable[[], int] | None = None,
    ) -> Worker:
        """Start one more worker; `clock`: None is that of the broker."""
        topics = topics_joined(plan or self.plan)
        consumer = MemoryConsumer(self.broker, topics, batch)
        producer = MemoryProducer(self.broker)
        log = MemoryLog(self.broker)
        names = frozenset({*topics, *map(self.plan.output, OUTPUTS)})
        worker = Worker(
            plan or self.plan,
            consumer,
            producer,
            log,
            log.topics(names),
            clock or (lambda: self.broker.now),
            timer,
        )
        self.workers.append((worker, consumer, producer))
        return worker

    def kill(self, number: int = 0) -> Sequence[Message]:
        """End a worker as kill -9 does; return what it had not written."""
        _, consumer, producer = self.workers.pop(number)
        self.broker.members.remove(consumer)
        self.broker.rebalance()
        return producer.abandoned()

    def stop(self, number: int = 0) -> None:
        """End a worker clean."""
        worker, _, _ = self.workers.pop(number)
        worker.close()

    def settle(self) -> None:
        """Let the workers run until nothing more comes of it."""
        quiet = steps = 0
        while quiet < 16:
            steps += 1
            assert steps < 5_000, "the workers do not come to rest"
            before = self.published()
            for worker, _, _ in self.workers:
                worker.step()
            if self.published() != before:
                quiet = 0
            elif not self._lag():
                quiet += 1  # let time pass, so that marks are sent and heard
                self.broker.now += 1_100

    def _lag(self) -> int:
        """Records that a worker has yet to read, or a change of ownership that it has to see."""
        return sum(
            1 if (lag := consumer.lag(partition)) is None else lag
            for _, consumer, _ in self.workers
            for partition in consumer.assigned
        )

    def published(self) -> int:
        """How many verdicts, alerts and dead letters have been written."""
        return sum(
            len(self.broker.logs[TopicPartition(self.plan.output(name), number)])
            for name in ("verdicts", "alerts", "dead-letter")
            for number in range(2)
        )

    def records(self, output: str) -> list[MemoryRecord]:
        """The records of an output topic."""
        return list(self.broker.records(self.plan.output(output)))

    def bodies(self, output: str) -> list[dict[str, Any]]:
        """The JSON documents of an output topic."""
        return [msgspec.json.decode(record.value or b"") for record in self.records(output)]

    def states(self, stage: str, kind: type[S]) -> list[S]:
        """The states recorded of a stage, in order; they are small."""
        heads = [
            decode(record.value, Head)
            for record in self.records("state")
            if record.value is not None and record.value[2] in (STATE_VERSION, MERGED_VERSION)
        ]
        return [join(head.small, {}, kind) for head in heads if head.stage == stage]

    def verdicts(self) -> dict[str, dict[str, Any]]:
        """Verdicts by id; repeats must have the same bytes."""
        return self._by_identity("verdicts", "verdict_id")

    def alerts(self, *kinds: str) -> list[dict[str, Any]]:
        """Alerts of some kinds (none given: all) in order of time; repeats dropped."""
        found = self._by_identity("alerts", "alert_id", "revision").values()
        chosen = [alert for alert in found if not kinds or alert["kind"] in kinds]
        return sorted(chosen, key=lambda a: (a["window"]["end"], a["alert_id"], a["revision"]))

    def _by_identity(self, output: str, *names: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for body in self.bodies(output):
            identity = ".".join(str(body[name]) for name in names)
            assert found.setdefault(identity, body) == body
        return found
