"""The service over the log in memory, fed at a steady rate: what its topics hold then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from tests.consumer.service.small import LABELS, MODEL, TOPIC

from driftline.consumer.config import Config
from driftline.consumer.log.memory import (
    MemoryBroker,
    MemoryConsumer,
    MemoryLog,
    MemoryProducer,
)
from driftline.consumer.log.protocol import Message, TopicPartition
from driftline.consumer.service.opening import topics_read
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.worker import POLL_S, Worker
from driftline.detectors import FeatureColumn, Reference, build_reference

START = 1_767_225_600_000
SECOND = 1_000
NUMBERS, CATEGORIES = 12, 4
OUTPUTS = ("panes", "joins", "alerts", "verdicts", "state", "dead-letter")


class Written(NamedTuple):
    """Records and bytes of their values in an output topic."""

    records: int
    bytes: int


def reference(model: str) -> Reference:
    """Return the reference of what `events` draws."""
    rng = np.random.default_rng(3)
    n = 3_000
    features = {f"x{i}": FeatureColumn("numeric", rng.normal(size=n)) for i in range(NUMBERS)}
    features |= {
        f"c{i}": FeatureColumn("categorical", rng.choice(["p", "q", "r"], n).tolist())
        for i in range(CATEGORIES)
    }
    return build_reference(model, features, segments={"tier": rng.choice(["a", "b"], n).tolist()})


def plan_of(models: int, **settings: Any) -> Plan:
    """Return the plan of some models in one topic; `settings`: of each."""
    names = [f"m{i}" for i in range(models)]
    model = {"predictions": TOPIC, "reference": "unused.json", **settings}
    kafka = {"bootstrap_servers": "localhost:9092", "start": "earliest"}
    config = Config.model_validate({"kafka": kafka, "models": dict.fromkeys(names, model)})
    return Plan(config, {name: reference(name) for name in names})


def event(model: str, time: int, rng: np.random.Generator) -> bytes:
    """Draw an event."""
    features: dict[str, Any] = {f"x{i}": float(rng.normal()) for i in range(NUMBERS)}
    features |= {f"c{i}": str(rng.choice(["p", "q", "r"])) for i in range(CATEGORIES)}
    tags = {"tier": str(rng.choice(["a", "b"]))}
    return msgspec.json.encode(
        {"timestamp": time, "model": model, "features": features, "tags": tags}
    )


def run(plan: Plan, partitions: int, rate: int, minutes: int, *, keyed: bool) -> dict[str, Written]:
    """Run one worker at a steady rate; return what it wrote, by topic.

    Args:
        plan: what is watched.
        partitions: of the input topic.
        rate: events a second, of the models in turn.
        minutes: of the stream's time and of the clock's.
        keyed: whether a model's events are in one partition.
    """
    rng, broker, names = np.random.default_rng(7), MemoryBroker(), sorted(plan.models)
    broker.create(TOPIC, partitions)
    for name in OUTPUTS:
        broker.create(f"driftline.{name}", 6, "compact" if name == "state" else "delete")
    topics, log = topics_read(plan), MemoryLog(broker)
    known = log.topics(frozenset({*topics, *(f"driftline.{name}" for name in OUTPUTS)}))
    broker.now = START
    consumer, producer = MemoryConsumer(broker, topics), MemoryProducer(broker)
    worker = Worker(plan, consumer, producer, log, known, lambda: broker.now)
    step, number = 2, 0  # seconds: states are recorded every 2
    for _ in range(minutes * 60 // step):
        for i in range(rate * step):
            model = number % len(names)
            place = model % partitions if keyed else int(rng.integers(partitions))
            time = broker.now + i * step * SECOND // (rate * step)
            broker.append(
                Message(TOPIC, place, None, event(names[model], time, rng), timestamp=time)
            )
            number += 1
        broker.now += (step - 1) * SECOND
        while worker.step():
            pass
        broker.now += SECOND  # marks are sent where all is read
        worker.step()
    return {name: written(broker, name) for name in OUTPUTS}


def run_joined(plan: Plan, partitions: int, rate: int, seconds: int) -> dict[str, Written]:
    """Run one worker on predictions and their labels; return what it wrote, by topic.

    It polls as often as one that keeps up; events come at random.

    Args:
        plan: of one model.
        partitions: of either topic.
        rate: events a second, each with its label.
        seconds: of the stream's time and of the clock's.
    """
    rng, broker = np.random.default_rng(7), MemoryBroker()
    for name in plan.inputs:
        broker.create(name, partitions)
    for name in OUTPUTS:
        broker.create(f"driftline.{name}", 6, "compact" if name == "state" else "delete")
    topics, log = topics_read(plan), MemoryLog(broker)
    known = log.topics(frozenset({*topics, *(f"driftline.{name}" for name in OUTPUTS)}))
    broker.now, poll, number = START, int(POLL_S * SECOND), 0
    consumer, producer = MemoryConsumer(broker, topics), MemoryProducer(broker)
    worker = Worker(plan, consumer, producer, log, known, lambda: broker.now)
    for _ in range(seconds * SECOND // poll):
        for _ in range(rng.poisson(rate * POLL_S)):
            own = {"event_id": f"{number:08}", "timestamp": broker.now, "model": MODEL}
            answer = "yes" if number % 2 else "no"
            prediction = {"label": answer, "score": number % 10 / 10}
            features = {"x": float(rng.normal()), "c": "p", "b": True}
            event = {**own, "features": features, "prediction": prediction}
            for topic, value in ((TOPIC, event), (LABELS, {**own, "actual": answer})):
                place, record = int(rng.integers(partitions)), msgspec.json.encode(value)
                broker.append(Message(topic, place, None, record, timestamp=broker.now))
            number += 1
        broker.now += poll
        while worker.step():
            pass
    return {name: written(broker, name) for name in OUTPUTS}


def written(broker: MemoryBroker, name: str) -> Written:
    """Return what an output topic holds."""
    values = [
        record.value
        for place, log in broker.logs.items()
        if place.topic == f"driftline.{name}"
        for record in log
    ]
    return Written(len(values), sum(len(value) for value in values if value is not None))


def newest_states(broker: MemoryBroker) -> Mapping[bytes, bytes]:
    """Return the newest record of each key in the log of states."""
    found: dict[bytes, bytes] = {}
    for number in range(6):
        for record in broker.logs[TopicPartition("driftline.state", number)]:
            if record.key is not None:
                found[record.key] = record.value or b""
    return found
