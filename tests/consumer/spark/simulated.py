"""A query of Spark over the in-memory log: its offsets, its tasks, its checkpoint, its deaths.

The engine plans batches as Spark does: the offsets of a batch are in the checkpoint before it is
begun, and it is done again, with the same offsets, until it is committed there.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.consumer.service.simulation import OUTPUTS, Run

from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.memory import (
    MemoryBroker,
    MemoryConsumer,
    MemoryLog,
    MemoryProducer,
    MemoryRecord,
)
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.worker import Worker
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.spark.counted import Counted, CountTask, together
from driftline.consumer.spark.driver import SketchDriver
from driftline.consumer.wire.messages import Pane


@dataclass
class Checkpoint:
    """What a query keeps: where each batch ends, and how many were committed."""

    begin: dict[int, int]
    ends: list[dict[int, int]] = field(default_factory=list)
    committed: int = 0


class Engine:
    """Runs the query of one topic.

    Args:
        plan: what is watched.
        topic: the input.
        broker: where it is.
        rng: the source of all randomness.
        most: records of a batch and partition.
        take_over: as the user gave it.
    """

    def __init__(
        self,
        plan: Plan,
        topic: str,
        broker: MemoryBroker,
        rng: random.Random,
        most: int = 40,
        *,
        take_over: bool = False,
    ) -> None:
        self.plan, self.topic, self.broker, self.rng, self.most = plan, topic, broker, rng, most
        self.take_over = take_over
        count = broker.infos[topic].partitions
        self.checkpoint = Checkpoint(dict.fromkeys(range(count), 0))
        self.totals = InputTotals()
        self.driver: SketchDriver | None = None
        self.producer: MemoryProducer | None = None
        self.crash_after: int | None = None

    def start(self) -> SketchDriver:
        """Start the query, or go on with it."""
        if self.driver is None:
            made = self
            broker = self.broker

            class Reached:
                log = MemoryLog(broker)

                def producer(self) -> MemoryProducer:
                    made.producer = MemoryProducer(broker)
                    made.producer.crash_after = made.crash_after
                    return made.producer

                def consumer(self, topics: Any) -> MemoryConsumer:
                    raise NotImplementedError

            self.driver = SketchDriver(
                self.plan, self.topic, Reached(), lambda: broker.now, self.totals,
                take_over=self.take_over,
            )  # fmt: skip
        return self.driver

    def step(self) -> bool:
        """Do one batch, if there is one; return whether there was. Whoever dies is started anew."""
        try:
            return self._batch()
        except WorkerLost:
            self.driver = None
            return True

    def tick(self, *, over: bool = False) -> None:
        """Let the wall clock be looked at."""
        try:
            self.start().tick(over=over)
        except WorkerLost:
            self.driver = None

    def _batch(self) -> bool:
        known, driver = self.checkpoint, self.start()
        if self.producer is not None:
            self.producer.crash_after = self.crash_after
        number = known.committed
        if len(known.ends) == number and not self._plan_batch():
            return False
        task = driver.task(number)
        driver.done(number, self._counted(task, self.rows(number)))
        known.committed += 1
        return True

    def _plan_batch(self) -> bool:
        """Plan the next batch, if anything is there to be read."""
        before = self._begin(len(self.checkpoint.ends))
        ends = {
            n: min(at + self.rng.randrange(self.most + 1), self._end(n)) for n, at in before.items()
        }
        if ends == before:
            ends = {n: min(at + 1, self._end(n)) for n, at in before.items()}
        if ends == before:
            return False
        self.checkpoint.ends.append(ends)
        return True

    def _begin(self, number: int) -> dict[int, int]:
        return self.checkpoint.ends[number - 1] if number else self.checkpoint.begin

    def _end(self, partition: int) -> int:
        return self.broker.stable_end(TopicPartition(self.topic, partition))

    def rows(self, number: int) -> dict[int, list[MemoryRecord]]:
        """Return the records of a batch."""
        begin, end = self._begin(number), self.checkpoint.ends[number]
        return {
            n: self.broker.readable(TopicPartition(self.topic, n), begin[n], end[n]) for n in end
        }

    def _counted(self, task: CountTask, rows: dict[int, list[MemoryRecord]]) -> Counted:
        """Let tasks count, of which each has some partitions; one is tried twice now and then."""
        partitions = [number for number, records in rows.items() if records]
        self.rng.shuffle(partitions)
        found = []
        while partitions:
            own = [
                partitions.pop() for _ in range(min(self.rng.choice([1, 1, 2]), len(partitions)))
            ]
            for _ in range(self.rng.choice([1, 1, 2])):
                counted = task.count(self._runs(own, rows))
            found.append(counted)
        return merged(task, together(found), self.rng)

    def _runs(
        self, own: Sequence[int], rows: dict[int, list[MemoryRecord]]
    ) -> Iterator[tuple[int, list[MemoryRecord]]]:
        for number in own:
            records = rows[number]
            while records:
                size = self.rng.choice([1, 5, 100])
                yield number, records[:size]
                records = records[size:]


def merged(task: CountTask, counted: Counted, rng: random.Random) -> Counted:
    """Add up the panes of a batch by model and start, in the order in which a shuffle has them."""
    groups: dict[tuple[str, int], list[Pane]] = defaultdict(list)
    for pane in rng.sample(counted.panes, len(counted.panes)):
        groups[pane.model, pane.start].append(pane)
    panes = [pane for group in groups.values() for pane in task.merged(group)]
    return Counted(panes, counted.messages, counted.states)


class SparkRun(Run):
    """A run in which queries of Spark read the inputs, and a worker joins and judges.

    `deaths`: chance that a query dies in a step. `take_over`: as its user gave it.
    `by_workers`: whether workers read the inputs.
    """

    deaths: float = 0.0
    take_over: bool = False
    by_workers: bool = False

    def start_worker(self) -> None:
        """Start a worker that joins and judges, or with `by_workers` one that does everything."""
        if self.by_workers:
            super().start_worker()
            return
        again = {self.plan.output("joins"), self.plan.output("panes")}
        topics = again if self.plan.labelled else again - {self.plan.output("joins")}
        consumer = MemoryConsumer(self.broker, topics, self.schedule.batch)
        producer = MemoryProducer(self.broker)
        log = MemoryLog(self.broker)
        names = frozenset({*topics, *self.plan.inputs, *(f"driftline.{name}" for name in OUTPUTS)})
        worker = Worker(
            self.plan, consumer, producer, log, log.topics(names), lambda: self.broker.now
        )
        self.workers.append((worker, consumer, producer))

    def engines(self) -> list[Engine]:
        """The queries, one for each input."""
        return [
            Engine(self.plan, topic, self.broker, self.rng, take_over=self.take_over)
            for topic in sorted(self.plan.inputs)
        ]

    def go(self) -> SparkRun:
        """Run until nothing more happens."""
        self.start_worker()
        self.read(self.engines())
        return self

    def read(self, engines: Sequence[Engine], *, to_the_end: bool = True) -> None:
        """Let queries run; with `to_the_end` until nothing more happens, else for some batches."""
        self.arrive()
        steps = quiet = 0
        ticked = self.broker.now
        while quiet < 45 if to_the_end else steps < 25:
            steps += 1
            assert steps < 20_000, "the run does not come to rest"
            if self.rng.random() < 0.5:
                self.broker.now += self.rng.choice([200, 1_100, 2_100])
            self.arrive()
            before = self.published_records()
            engine = self.rng.choice(engines)
            engine.crash_after = None
            if steps < 400 and self.rng.random() < self.deaths:
                engine.crash_after = self.rng.randrange(25)
            moved = engine.step()
            engine.crash_after = None
            if self.broker.now - ticked >= 5_000:
                ticked = self.broker.now
                for each in engines:
                    each.tick()
            worker, consumer, _ = self.workers[0]
            worker.step()
            if moved or self.waiting() or self.published_records() != before:
                quiet = 0
            elif not self.lag(consumer):
                quiet += 1
                self.broker.now += 1_100
        if to_the_end:
            for engine in engines:
                assert engine.checkpoint.committed == len(engine.checkpoint.ends)
