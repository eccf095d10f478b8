"""Random runs of real workers over the in-memory log: kills between any two sends, frozen workers.

A run draws an input (partitions, two models, disorder, late events, silent partitions) and a
schedule (workers, batch sizes, kills, workers that wake up and write what they had in hand), and
returns what was published. The published set must be that of a calm run of one worker.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from zlib import crc32

import msgspec
import numpy as np
from tests.consumer.service.drawing import INPUT, MODELS, SECOND, START, Inputs, Labelling
from tests.consumer.service.small import labelled_reference

from driftline.consumer.config import Config
from driftline.consumer.config.names import STAGES
from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.memory import (
    MemoryBroker,
    MemoryConsumer,
    MemoryLog,
    MemoryProducer,
)
from driftline.consumer.log.protocol import Message, Record, TopicPartition
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.opening import topics_joined
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.worker import Worker
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.totals import Output
from driftline.consumer.wire.codec import CONTROL_VERSION, encode
from driftline.consumer.wire.messages import Acceptance, Pane, decode_panes, partition_of
from driftline.detectors import FeatureColumn, Reference, build_reference
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.versions import with_versions

OUTPUTS = ("panes", "joins", "alerts", "verdicts", "state", "dead-letter")


def reference(model: str, seed: int = 5) -> Reference:
    """A small reference: one numeric feature, one categorical."""
    rng = np.random.default_rng(seed)
    return build_reference(
        model=model,
        features={
            "x": FeatureColumn("numeric", rng.normal(size=400)),
            "c": FeatureColumn("categorical", rng.choice(["p", "q", "r"], 400).tolist()),
        },
        segments={"tier": rng.choice(["gold", "tin"], 400).tolist()},
    )


def dispersed(found: Reference) -> Reference:
    """Return a reference whose panes of two seconds vary as those of independent events.

    Then evidence is added up from the first pane on, over panes that are joined.
    """
    features = len(found.layout.features)
    phi = np.ones((len(JOINS), len(DIRECTIONS), features))
    return replace(found, dispersion=Dispersion(2 * SECOND, 600, np.full(features, 10.0), phi))


def other_version(found: Reference) -> Reference:
    """Return a reference of the same layout, in which all is as in one segment of it."""
    order = [1, 0, *range(2, len(found.streams))]
    counted = found.counted
    counts, events = found.counts[order], counted.events[order]
    return replace(found, counted=replace(counted, counts=counts, events=events))


REFERENCES = {name: reference(name) for name in MODELS}
WITH_OUTCOMES = {**REFERENCES, MODELS[0]: labelled_reference(MODELS[0])}


def comparison(traffic: str) -> dict[str, Any]:
    """The two versions of the first model; events change from one to the other, or have either."""
    sides = {"champion": f"{MODELS[0]}@1", "challenger": f"{MODELS[0]}@2"}
    return {**sides, "traffic": traffic, "alpha": 0.5}


def plan(
    stale_after: str, labelling: Labelling | None = None, settings: dict[str, Any] | None = None
) -> Plan:
    """Two models on one topic; thresholds low enough that alerts come and go.

    `settings`: other keys of both, of which those of `window` are beside its own; `output`.
    """
    window = {"length": "30s", "every": "10s", "grace": "5s", "min_events": 6}
    others = dict(settings or {})
    window |= others.pop("window", {})
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092", "start": "earliest"},
            "output": others.pop("output", {}),
            "limits": {"idle_after": "5s", "max_waiting": labelling.most if labelling else 1},
            "models": {
                name: {
                    "predictions": INPUT,
                    "reference": "unused.json",
                    "window": window,
                    "budget": "off",
                    "stale_after": stale_after,
                    "segments": ["tier"] if name == MODELS[0] else [],
                    "thresholds": {
                        "ks": {"warning": 0.3, "critical": 0.5},
                        "psi": {"warning": 0.5, "for": "2 of 3"},
                        "missing": {"warning": 0.2},
                    },
                    **others,
                    **(labelling.settings if labelling and name == MODELS[0] else {}),
                }
                for name in MODELS
            },
            "comparisons": {"versions": comparison(labelling.compared)}
            if labelling is not None and labelling.compared is not None
            else {},
        }
    )
    references = REFERENCES if labelling is None else WITH_OUTCOMES
    if "pane" in window and others.get("budget"):
        references = {name: dispersed(found) for name, found in references.items()}
    if others.get("references"):
        references = {
            name: with_versions(found, dict.fromkeys(others["references"], other_version(found)))
            for name, found in references.items()
        }
    return Plan(config, references)


CUT_AFTER_A_POLL = False
"""Cut where a poll ended instead: what must not be done."""


def cut_before(place: TopicPartition, offset: int, cut: float) -> bool:
    """Return whether panes are cut before an offset: the same after every restart."""
    return crc32(f"{place.topic}/{place.partition}/{offset}".encode()) < cut * (1 << 32)


def as_they_stand(sketch: PartitionSketch) -> list[Pane]:
    """Return the open panes, which stay open: what comes later with the same `first` replaces."""
    return [
        message
        for model in sketch._models.values()
        for pane in model._panes()
        for message in model._messages(pane, sketch.position)
    ]


def feed_in_parts(
    sketch: PartitionSketch,
    feed: Callable[[Sequence[Record], int], list[Output]],
    cut: float,
    records: Sequence[Record],
    now: int,
) -> list[Output]:
    """Feed a sketch, and cut it before some offsets."""
    out: list[Output] = []
    while records:
        ends = (i for i, r in enumerate(records) if i and cut_before(sketch.source, r.offset, cut))
        if cut_before(sketch.source, records[0].offset, cut):
            out += sketch.cut()
        end = next(ends, len(records))
        out += feed(records[:end], now)
        if len(records) % 3 == 0 and sketch.next == sketch.position:
            out += as_they_stand(sketch)
        records = records[end:]
    return [*out, *sketch.cut()] if CUT_AFTER_A_POLL else out


class MixingProducer(MemoryProducer):
    """Writes the panes between two other messages in any order, and some of them again later."""

    def __init__(self, broker: MemoryBroker, rng: random.Random) -> None:
        super().__init__(broker)
        self._rng = rng
        self._sent: list[Message] = []

    def flush(self) -> None:
        """Write what waits."""
        self._waiting = list(self._mixed(self._waiting))
        super().flush()

    def _mixed(self, messages: Iterable[Message]) -> Iterator[Message]:
        panes: list[Message] = []
        for message in messages:
            if message.topic == "driftline.panes" and isinstance(
                decode_panes(message.value or b""), Pane
            ):
                panes.append(message)
                continue
            yield from self._in_any_order(panes)
            yield message
        yield from self._in_any_order(panes)

    def _in_any_order(self, panes: list[Message]) -> Iterator[Message]:
        """Yield panes in any order, and some that were sent before; forget them."""
        for message in self._rng.sample(panes, len(panes)):
            self._sent.append(message)
            yield message
            if self._rng.random() < 0.3:
                yield self._rng.choice(self._sent[-10:])
        panes.clear()


@dataclass
class Schedule:
    """How a run goes: workers, records a poll, chance of a kill per step, gradual arrival.

    `settings`: of both models, see `plan`. `accepted`: lies in the log of panes before all else.
    `cut`: share of the offsets before which panes are cut; then the parts come in any order.
    `stages`: of each worker in turn.
    """

    stale_after: str = "20s"

    workers: int = 1
    batch: int = 1_000
    kill: float = 0.0
    gradual: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    accepted: Sequence[Acceptance] = ()
    cut: float = 0.0
    stages: Sequence[tuple[str, ...]] = (STAGES,)


@dataclass
class Run:
    """One run over a memory broker."""

    inputs: Inputs
    schedule: Schedule
    rng: random.Random
    labelling: Labelling | None = None
    broker: MemoryBroker = field(default_factory=MemoryBroker)
    kills: int = 0
    timed: bool = False  # whether records say when they arrived; else it is when they are written

    def __post_init__(self) -> None:
        self.plan = plan(self.schedule.stale_after, self.labelling, self.schedule.settings)
        for topic in sorted(self.plan.inputs):
            self.broker.create(topic, sum(place.topic == topic for place in self.inputs))
        for name in OUTPUTS:
            policy = "compact" if name == "state" else "delete"
            self.broker.create(f"driftline.{name}", 2, policy)
        self.broker.now = START if self.schedule.gradual else START + 400 * SECOND
        for one in self.schedule.accepted:
            record = encode(one, CONTROL_VERSION)
            place = partition_of(one.model, 2)
            self.broker.append(Message("driftline.panes", place, one.model.encode(), record))
        self.arrived = dict.fromkeys(self.inputs, 0)
        self.stages: tuple[str, ...] = STAGES
        self.workers: list[tuple[Worker, MemoryConsumer, MemoryProducer]] = []
        self.frozen: list[list[Message]] = []
        self.chance = random.Random(0)  # of what the log of states is rid of

    def start_worker(self) -> None:
        """Start one more worker, of `stages`."""
        config = self.plan.config.model_copy(update={"stages": self.stages})
        plan = replace(self.plan, config=config)
        topics = topics_joined(plan)
        batch = self.rng.choice([1, 3, 7, 20]) if CUT_AFTER_A_POLL else self.schedule.batch
        consumer = MemoryConsumer(self.broker, topics, batch)
        cut = self.schedule.cut
        producer = MixingProducer(self.broker, self.rng) if cut else MemoryProducer(self.broker)
        log = MemoryLog(self.broker)
        names = frozenset({*topics, *(f"driftline.{name}" for name in OUTPUTS)})
        worker = Worker(plan, consumer, producer, log, log.topics(names), lambda: self.broker.now)
        if cut:
            opened = worker._opening.input

            def in_parts(*given: Any) -> InputPartition:
                stage = opened(*given)
                fed = partial(feed_in_parts, stage.sketch, stage.sketch.feed, cut)
                setattr(stage.sketch, "feed", fed)  # noqa: B010 (a method, in this run alone)
                return stage

            setattr(worker._opening, "input", in_parts)  # noqa: B010
        self.workers.append((worker, consumer, producer))

    def go(self) -> Run:
        """Run until nothing more happens."""
        for number in range(self.schedule.workers):
            self.stages = self.schedule.stages[number % len(self.schedule.stages)]
            self.start_worker()
        self.arrive()
        steps = quiet = 0
        while quiet < 45:
            steps += 1
            assert steps < 20_000, "the run does not come to rest"
            kill = self.schedule.kill if steps < 400 else 0.0
            if self.frozen and self.rng.random() < (0.05 if kill else 1.0):
                self.wake()
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
        """Return whether records are still to arrive."""
        return any(self.arrived[place] < len(log) for place, log in self.inputs.items())

    def lag(self, consumer: MemoryConsumer) -> int:
        """Return how many records a consumer has yet to read."""
        if consumer._generation != self.broker.generation:
            return 1
        return sum(len(self.broker.logs[p]) - consumer._positions[p] for p in consumer._owned)

    def arrive(self) -> None:
        """Append the records that have arrived by now."""
        for place, log in self.inputs.items():
            while self.arrived[place] < len(log) and (
                log[self.arrived[place]].arrives <= self.broker.now
            ):
                record = log[self.arrived[place]]
                time = record.arrives if self.timed else None
                self.broker.append(Message(*place, None, record.value, (), time))
                self.arrived[place] += 1

    def wake(self) -> None:
        """Let a frozen worker write what it had in hand."""
        for message in self.frozen.pop(self.rng.randrange(len(self.frozen))):
            self.broker.append(message)

    def kill(self, number: int, consumer: MemoryConsumer, producer: MemoryProducer) -> None:
        """Forget a worker; what it had not written is lost, or written when it wakes up."""
        self.kills += 1
        self.compact()
        if self.frozen and self.rng.random() < 0.5:
            self.wake()  # now that others are about to read the log of states
        self.stages = self.workers[number][0].status.plan.config.stages
        del self.workers[number]
        self.broker.members.remove(consumer)
        if self.rng.random() < 0.5 and producer.abandoned():
            self.frozen.append(list(producer.abandoned()))
        self.start_worker()

    def compact(self) -> None:
        """Forget those older states that have a newer one of their key, and deletions, up to some.

        The broker does so whenever it likes.
        """
        for number in range(2):
            log = self.broker.logs[TopicPartition("driftline.state", number)]
            end = self.chance.choice([0, self.chance.randrange(len(log) + 1), len(log)])
            newest = {record.key: record.offset for record in log[:end]}
            for record in (each for each in log[:end] if each.key is not None):
                if record.value is None or newest[record.key] > record.offset:
                    log[record.offset] = replace(record, key=None, value=None)

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

    def dead_letters(self) -> set[tuple[bytes, ...]]:
        """Return (topic, partition, offset, index) of the dead letters."""
        parts = ("topic", "partition", "offset", "index")
        names = [f"driftline.error.{name}" for name in parts]
        return {
            tuple(dict(record.headers).get(name, b"") for name in names)
            for record in self.broker.records("driftline.dead-letter")
        }
