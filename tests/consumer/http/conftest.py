"""Two models, and workers over the in-memory log that watch them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pytest

from driftline.consumer.config import Config
from driftline.consumer.http import Health, StatusCollector
from driftline.consumer.log.memory import MemoryBroker, MemoryConsumer, MemoryLog, MemoryProducer
from driftline.consumer.log.protocol import Message, TopicPartition
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.status import Status
from driftline.consumer.service.worker import Worker
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals
from driftline.detectors import FeatureColumn, Reference, build_reference

START = 1_600_000_000_000  # ms; a multiple of a window
SECOND = 1_000
OUTPUTS = ("panes", "alerts", "verdicts", "state", "dead-letter")

Sample = tuple[str, tuple[tuple[str, str], ...]]


def make_plan(max_series: int = 200, features: int = 2) -> Plan:
    """Models `loan` (of `credit`) and `churn` on the topic `in`; their features are x0, x1, ..."""
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092", "start": "earliest"},
            "limits": {"idle_after": "1s"},
            "http": {"port": 0},
            "ui": {"url": "https://drift.example"},
            "metrics": {"max_series": max_series},
            "models": {
                name: {
                    "predictions": "in",
                    "reference": "unused.json",
                    "window": {"length": "10s", "grace": "5s", "min_events": 5},
                    "thresholds": {"ks": {"warning": 0.5, "critical": 0.9}},
                    "segments": ["tier"],
                    "ignore": ["debug"],
                    "owner": owner,
                }
                for name, owner in (("loan", "credit"), ("churn", None))
            },
        }
    )
    return Plan(config, {name: make_reference(name, features) for name in ("loan", "churn")})


def input_partition(plan: Plan, partition: TopicPartition) -> InputPartition:
    """A partition of events that nothing was read of yet."""
    state = SketchState("id", 1, 0, 0, 0, {})
    sketch = plan.sketch(partition, 1, state, START, InputTotals(), 0)
    return InputPartition(sketch, plan.opener(partition.topic), plan.config.limits.idle_after)


def make_reference(model: str, features: int) -> Reference:
    rng = np.random.default_rng(7)
    numeric = {f"x{i}": FeatureColumn("numeric", rng.normal(size=300)) for i in range(features)}
    return build_reference(
        model=model,
        features={
            **numeric,
            "plan": FeatureColumn("categorical", rng.choice(["free", "paid"], 300).tolist()),
            "prediction.score": FeatureColumn("numeric", rng.uniform(size=300)),
            "debug": FeatureColumn("numeric", rng.uniform(size=300)),
        },
        segments={"tier": rng.choice(["gold", "tin"], 300).tolist()},
    )


@dataclass
class Site:
    """A broker with the topics of a plan, and the workers started on it."""

    plan: Plan
    broker: MemoryBroker = field(default_factory=lambda: MemoryBroker(now=START))

    def __post_init__(self) -> None:
        self.broker.create("in", 1)
        for name in OUTPUTS:
            policy = "compact" if name == "state" else "delete"
            self.broker.create(f"driftline.{name}", 2, policy)

    def worker(self) -> Worker:
        """Start a worker; it joins the group with its first step."""
        topics = {"in", "driftline.panes"}
        log = MemoryLog(self.broker)
        names = frozenset({*topics, *(f"driftline.{name}" for name in OUTPUTS)})
        return Worker(
            self.plan,
            MemoryConsumer(self.broker, topics),
            MemoryProducer(self.broker),
            log,
            log.topics(names),
            lambda: self.broker.now,
        )

    def run(self, *workers: Worker) -> None:
        """Let the workers do all there is to do, with the clock going on."""
        for _ in range(20):
            self.broker.now += SECOND
            for worker in workers:
                worker.step()

    def send(self, value: bytes) -> None:
        self.broker.append(Message("in", 0, None, value))

    def events(self, seconds: range, tiers: tuple[str, ...] = ("gold",), **changes: object) -> None:
        """Send two events of `loan` a second, of its `tiers` in turn.

        `changes` are features of the events of the first of them.
        """
        rng = np.random.default_rng(3)
        for second in seconds:
            for half in (0, 500):
                at = START + second * SECOND + half
                self.broker.now = max(self.broker.now, at)
                tier = tiers[at // 500 % len(tiers)]
                features = {
                    "x0": rng.normal(),
                    "x1": rng.normal(),
                    "plan": "free",
                    "debug": 9.0,
                    **(changes if tier == tiers[0] else {}),
                }
                event = {
                    "timestamp": at,
                    "model": "loan",
                    "model_version": f"v{second}",
                    "features": features,
                    "prediction": {"score": rng.uniform()},
                    "tags": {"tier": tier},
                }
                self.send(msgspec.json.encode(event))


@pytest.fixture
def plan() -> Plan:
    return make_plan()


@pytest.fixture
def site(plan: Plan) -> Site:
    return Site(plan)


def collector(status: Status, clock: Callable[[], int] = lambda: START) -> StatusCollector:
    return StatusCollector(status.plan.config, status, Health(status, clock))


def read(status: Status) -> dict[Sample, float]:
    """Scrape: (metric, sorted labels) to value; of the whole model without `segment`."""
    return {
        (
            sample.name.removeprefix("driftline_"),
            # To Prometheus an empty label is none.
            tuple(sorted(x for x in sample.labels.items() if x != ("segment", ""))),
        ): sample.value
        for family in collector(status).collect()
        for sample in family.samples
    }


def labelled(samples: dict[Sample, float], model: str) -> Iterator[str]:
    """Yield the metrics that say anything of `model`."""
    yield from (name for name, labels in samples if ("model", model) in labels)
