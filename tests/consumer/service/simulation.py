"""Random runs of real workers over the in-memory log: kills between any two sends, frozen workers.

A run draws an input (partitions, two models, disorder, late events, silent partitions) and a
schedule (workers, batch sizes, kills, workers that wake up and write what they had in hand), and
returns what was published. The published set must be that of a calm run of one worker.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from driftline.consumer.config import Config
from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.memory import (
    MemoryBroker,
    MemoryConsumer,
    MemoryLog,
    MemoryProducer,
)
from driftline.consumer.log.protocol import Message
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.worker import Worker
from driftline.detectors import FeatureColumn, Reference, build_reference

SECOND = 1_000
START = 1_600_000_000_000  # ms; a multiple of a pane
MODELS = ("a", "e")  # their panes lie in different partitions
INPUT = "in"
OUTPUTS = ("panes", "alerts", "verdicts", "state", "dead-letter")


@dataclass(frozen=True)
class Event:
    """One input record, and when it arrives (ms since 1970)."""

    value: bytes
    arrives: int


def reference(model: str) -> Reference:
    """A small reference: one numeric feature, one categorical."""
    rng = np.random.default_rng(5)
    return build_reference(
        model=model,
        features={
            "x": FeatureColumn("numeric", rng.normal(size=400)),
            "c": FeatureColumn("categorical", rng.choice(["p", "q", "r"], 400).tolist()),
        },
        segments={"tier": rng.choice(["gold", "tin"], 400).tolist()},
    )


REFERENCES = {name: reference(name) for name in MODELS}


def plan(stale_after: str) -> Plan:
    """Two models on one topic; thresholds low enough that alerts come and go."""
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092", "start": "earliest"},
            "limits": {"idle_after": "5s"},
            "models": {
                name: {
                    "predictions": INPUT,
                    "reference": "unused.json",
                    "window": {"length": "30s", "every": "10s", "grace": "5s", "min_events": 6},
                    "budget": "off",
                    "stale_after": stale_after,
                    "segments": ["tier"] if name == MODELS[0] else [],
                    "thresholds": {
                        "ks": {"warning": 0.3, "critical": 0.5},
                        "psi": {"warning": 0.5, "for": "2 of 3"},
                        "missing": {"warning": 0.2},
                    },
                }
                for name in MODELS
            },
        }
    )
    return Plan(config, REFERENCES)


def draw_input(
    rng: random.Random, partitions: int, disorder: float, gradual: bool
) -> list[list[Event]]:
    """Draw one log of events per partition; some are silent for a model, or from a time on."""
    logs = []
    for _ in range(partitions):
        only = rng.choice([None, None, None, *MODELS, "none"])
        end = rng.choice([300, 300, 300, 100, 170])
        now, log = rng.uniform(0, 15), []
        while now < end and only != "none":
            model = only or rng.choice((MODELS[0], *MODELS))
            behind = rng.uniform(0, disorder)
            if rng.random() < 0.05 and not gradual:
                behind = rng.uniform(0, 40)
            ahead = rng.uniform(0, 12) if rng.random() < 0.1 and not gradual else 0.0
            time = START + int(SECOND * max(0.0, now - behind + ahead))
            shift = 2.0 if 100 < now < 200 else 0.0
            event: dict[str, object] = {
                "timestamp": time,
                "model": model,
                "model_version": "1" if now < 150 else "2",
                "features": {
                    "x": None if rng.random() < 0.1 else rng.gauss(shift, 1),
                    "c": rng.choice("pqrs"),
                },
                "tags": {"tier": rng.choice(["gold", "tin", "wood"])},
            }
            value = b"oops" if rng.random() < 0.02 else msgspec.json.encode(event)
            log.append(Event(value, START + int(SECOND * now)))
            now += rng.expovariate(1 / 3)
        logs.append(log)
    return logs


@dataclass
class Schedule:
    """How a run goes: workers, records a poll, chance of a kill per step, gradual arrival."""

    stale_after: str = "20s"

    workers: int = 1
    batch: int = 1_000
    kill: float = 0.0
    gradual: bool = False


@dataclass
class Run:
    """One run over a memory broker."""

    events: Sequence[Sequence[Event]]
    schedule: Schedule
    rng: random.Random
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    kills: int = 0

    def __post_init__(self) -> None:
        self.plan = plan(self.schedule.stale_after)
        self.broker.create(INPUT, len(self.events))
        for name in OUTPUTS:
            policy = "compact" if name == "state" else "delete"
            self.broker.create(f"driftline.{name}", 2, policy)
        self.broker.now = START if self.schedule.gradual else START + 400 * SECOND
        self.arrived = [0] * len(self.events)
        self.workers: list[tuple[Worker, MemoryConsumer, MemoryProducer]] = []
        self.frozen: list[list[Message]] = []

    def start_worker(self) -> None:
        """Start one more worker."""
        topics = {INPUT, "driftline.panes"}
        consumer = MemoryConsumer(self.broker, topics, self.schedule.batch)
        producer = MemoryProducer(self.broker)
        log = MemoryLog(self.broker)
        names = frozenset({*topics, *(f"driftline.{name}" for name in OUTPUTS)})
        worker = Worker(
            self.plan, consumer, producer, log, log.topics(names), lambda: self.broker.now
        )
        self.workers.append((worker, consumer, producer))

    def go(self) -> Run:
        """Run until nothing more happens."""
        for _ in range(self.schedule.workers):
            self.start_worker()
        self.arrive()
        steps = quiet = 0
        while quiet < 45:
            steps += 1
            assert steps < 20_000, "the run does not come to rest"
            kill = self.schedule.kill if steps < 400 else 0.0
            if self.frozen and self.rng.random() < (0.05 if kill else 1.0):
                for message in self.frozen.pop(self.rng.randrange(len(self.frozen))):
                    self.broker.append(message)
            if self.rng.random() < 0.5:
                hurry = kill or self.waiting()
                self.broker.now += self.rng.choice([200, 1_100, 2_100]) if hurry else 100
            self.arrive()
            before = self.published_records()
            number = self.rng.randrange(len(self.workers))
            worker, consumer, producer = self.workers[number]
            if self.rng.random() < kill:
                producer.crash_after = self.rng.randrange(6)
            try:
                worker.step()
            except WorkerLost:
                self.kill(number, consumer, producer)
            if self.waiting() or self.frozen or self.published_records() != before:
                quiet = 0
            elif not any(self.lag(consumer) for _, consumer, _ in self.workers):
                quiet += 1  # let time pass, so that marks are sent and heard
                self.broker.now += 1_100
        return self

    def published_records(self) -> int:
        """Return how many verdicts and alerts have been written, repeats too."""
        return sum(
            len(log)
            for partition, log in self.broker.logs.items()
            if partition.topic in ("driftline.verdicts", "driftline.alerts")
        )

    def waiting(self) -> bool:
        """Return whether events are still to arrive."""
        return any(n < len(log) for n, log in zip(self.arrived, self.events, strict=True))

    def lag(self, consumer: MemoryConsumer) -> int:
        """Return how many records a consumer has yet to read."""
        if consumer._generation != self.broker.generation:
            return 1
        return sum(len(self.broker.logs[p]) - consumer._positions[p] for p in consumer._owned)

    def arrive(self) -> bool:
        """Append the events that have arrived by now; return whether there were any."""
        more = False
        for partition, log in enumerate(self.events):
            while self.arrived[partition] < len(log) and (
                log[self.arrived[partition]].arrives <= self.broker.now
            ):
                event = log[self.arrived[partition]]
                self.broker.append(Message(INPUT, partition, None, event.value))
                self.arrived[partition] += 1
                more = True
        return more

    def kill(self, number: int, consumer: MemoryConsumer, producer: MemoryProducer) -> None:
        """Forget a worker; what it had not written is lost, or written when it wakes up."""
        self.kills += 1
        del self.workers[number]
        self.broker.members.remove(consumer)
        if self.rng.random() < 0.5 and producer.abandoned():
            self.frozen.append(list(producer.abandoned()))
        self.start_worker()

    def published(self, topic: str) -> dict[bytes, set[bytes]]:
        """Return the values published on an output topic, by identity."""
        identity = {"alerts": ("alert_id", "revision"), "verdicts": ("verdict_id",)}[topic]
        found: dict[bytes, set[bytes]] = {}
        for record in self.broker.records(f"driftline.{topic}"):
            assert record.value is not None
            body = msgspec.json.decode(record.value)
            if body.get("kind") in ("stale", "data_loss"):
                continue  # they speak of the run
            key = msgspec.json.encode([body[name] for name in identity])
            found.setdefault(key, set()).add(record.value)
        return found

    def dead_letters(self) -> set[tuple[bytes, bytes]]:
        """Return (partition, offset) of the dead letters."""
        found = set()
        for record in self.broker.records("driftline.dead-letter"):
            headers = dict(record.headers)
            found.add((headers["driftline.error.partition"], headers["driftline.error.offset"]))
        return found
