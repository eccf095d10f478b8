"""What a scrape says of performance and labels, of workers that ran over the in-memory log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pytest

from driftline.consumer.config import Config
from driftline.consumer.http.series import FiringAlert, capped_series, performance_series
from driftline.consumer.log.memory import MemoryBroker, MemoryConsumer, MemoryLog, MemoryProducer
from driftline.consumer.log.protocol import Message
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.worker import Worker
from driftline.consumer.wire.subject import Subject
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_rows

from .conftest import Sample, read

START = 1_600_000_000_000
SECOND = 1_000
LOAN = ("model", "loan")


def event(rng: np.random.Generator, number: int, right: float) -> dict[str, object]:
    """A prediction, and its label: right with this probability."""
    score = float(rng.uniform())
    label = "yes" if score > 0.5 else "no"
    truth = label if rng.uniform() < right else {"yes": "no", "no": "yes"}[label]
    return {
        "event_id": f"e{number}",
        "timestamp": START + number * 100,
        "features": {"x": float(rng.normal())},
        "prediction": {"label": label, "score": score},
        "actual": truth,
    }


@pytest.fixture(scope="module")
def plan() -> Plan:
    rng = np.random.default_rng(1)
    rows = [event(rng, number, 0.9) for number in range(2_000)]
    settings = ReferenceSettings("loan", positive_label="yes")
    reference = reference_from_rows([rows], Mapping.native(), settings).reference
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092", "start": "earliest"},
            "limits": {"idle_after": "5s"},
            "models": {
                "loan": {
                    "predictions": "in",
                    "labels": {"topic": "truth", "horizon": "60s"},
                    "reference": "unused.json",
                    "window": {"length": "30s", "every": "10s", "grace": "2s", "min_events": 10},
                    "performance": {"accuracy": {"max_drop": 0.05}},
                }
            },
        }
    )
    return Plan(config, {"loan": reference})


@dataclass
class Run:
    """What was sent, and what the worker made of it."""

    plan: Plan
    broker: MemoryBroker = field(default_factory=lambda: MemoryBroker(now=START + 400 * SECOND))

    def __post_init__(self) -> None:
        self.broker.create("in", 3)
        self.broker.create("truth", 2)
        for name in ("panes", "joins", "alerts", "verdicts", "state", "dead-letter"):
            policy = "compact" if name == "state" else "delete"
            self.broker.create(f"driftline.{name}", 2, policy)

    def send(self, topic: str, partition: int, record: dict[str, object]) -> None:
        self.broker.append(Message(topic, partition, None, msgspec.json.encode(record)))

    def worker(self) -> Worker:
        topics = {"in", "truth", "driftline.panes", "driftline.joins"}
        log = MemoryLog(self.broker)
        others = {"driftline.alerts", "driftline.verdicts", "driftline.state"}
        names = frozenset({*topics, *others, "driftline.dead-letter"})
        consumer = MemoryConsumer(self.broker, topics, 100)
        return Worker(
            self.plan, consumer, MemoryProducer(self.broker), log, log.topics(names),
            lambda: self.broker.now,
        )  # fmt: skip

    def verdicts(self) -> Iterator[dict[str, Any]]:
        for record in self.broker.records("driftline.verdicts"):
            yield json.loads(record.value or b"")


@pytest.fixture(scope="module")
def ran(plan: Plan) -> tuple[Run, Worker]:
    """3,000 predictions in 300 s, wrong more often from the middle on; labels 20 s later.

    Every tenth has no label, every hundredth no id; 7 labels come twice, 3 are corrected, 5 are of
    nobody.
    """
    run, rng = Run(plan), np.random.default_rng(2)
    for number in range(3_000):
        record = event(rng, number, 0.9 if number < 1_500 else 0.6)
        truth = record.pop("actual")
        label = {"event_id": record["event_id"], "timestamp": START + number * 100 + 20_000}
        if number % 100 == 99:
            del record["event_id"]
        run.send("in", number % 3, record)
        if number % 10 == 0 or number % 100 == 99:
            continue
        run.send("truth", number % 2, {**label, "actual": truth})
        if number in range(801, 806):
            run.send("truth", number % 2, {**label, "event_id": f"nobody{number}", "actual": truth})
        if number in range(501, 508):
            run.send("truth", number % 2, {**label, "actual": truth})
        if number in range(601, 604):
            other = {"yes": "no", "no": "yes"}[str(truth)]
            run.send("truth", number % 2, {**label, "actual": other})
    worker = run.worker()
    for _ in range(600):
        if not worker.step():
            run.broker.now += 1_100
    return run, worker


@pytest.fixture(scope="module")
def samples(ran: tuple[Run, Worker]) -> dict[Sample, float]:
    return read(ran[1].status)


def one(samples: dict[Sample, float], name: str, **labels: str) -> float:
    return samples[name, tuple(sorted([LOAN, *labels.items()]))]


def test_labels_are_counted_by_what_became_of_them(samples: dict[Sample, float]) -> None:
    labelled = 3_000 - 300 - 30
    assert one(samples, "labels_total") == labelled + 7 + 3 + 5
    assert one(samples, "predictions_without_id_total") == 30
    # The newest label is of 319.8 s, and time is `grace` behind it: labels from 317.8 s on wait.
    joined = labelled - sum(bool(n % 10) and n % 100 != 99 for n in range(2_978, 3_000))
    assert one(samples, "labels_joined_total") == joined
    rows = {
        outcome: one(samples, "join_rows_total", outcome=outcome)
        for outcome in (
            "corrected",
            "repeated",
            "late",
            "duplicate",
            "unmatched",
            "crowded_out",
            "hurried",
        )
    }
    assert rows == {
        "corrected": 3, "repeated": 7, "late": 0, "duplicate": 0, "unmatched": 5, "crowded_out": 0,
        "hurried": 0,
    }  # fmt: skip
    expired = one(samples, "join_rows_total", outcome="expired")
    # What was predicted 60 s before 317.8 s has expired, at the latest when its pane ended.
    assert 250 <= expired <= 258
    assert expired + one(samples, "predictions_waiting") == 2_970 - joined


def test_coverage_is_that_of_the_newest_window(samples: dict[Sample, float]) -> None:
    labelled = one(samples, "window_predictions", state="labelled")
    expired = one(samples, "window_predictions", state="expired")
    assert labelled > 200
    assert one(samples, "window_predictions", state="waiting") > 0
    assert one(samples, "label_coverage_ratio") == labelled / (labelled + expired)


def test_metrics_have_their_interval_limit_and_normal_value(samples: dict[Sample, float]) -> None:
    accuracy = {
        ending: one(samples, f"performance{ending}", metric="accuracy")
        for ending in ("", "_low", "_high", "_normal", "_threshold")
    }
    assert accuracy["_low"] < accuracy[""] < accuracy["_high"] < accuracy["_threshold"]
    assert accuracy["_threshold"] == pytest.approx(accuracy["_normal"] - 0.05)
    assert 0.5 < accuracy[""] < 0.7
    assert 0.87 < accuracy["_normal"] < 0.93
    metrics = {dict(labels)["metric"] for name, labels in samples if name == "performance"}
    assert {"accuracy", "f1", "roc_auc", "log_loss", "estimate_gap"} <= metrics
    assert {"estimated_accuracy", "estimated_roc_auc"} <= metrics
    # Nothing in the input tells that labels turned out otherwise.
    assert one(samples, "performance", metric="estimated_accuracy") > 0.85


def test_an_alert_on_performance_is_active(samples: dict[Sample, float]) -> None:
    alert = {"feature": "performance.accuracy", "kind": "performance"}
    assert one(samples, "drift_active", **alert, severity="warning") == 1
    assert one(samples, "drift_active", **alert, severity="critical") == 0
    quiet = {**alert, "feature": "performance.estimated_accuracy"}
    assert one(samples, "drift_active", **quiet, severity="warning") == 0
    assert one(samples, "features_drifting") == 0
    named = {dict(labels)["feature"] for name, labels in samples if name == "drift_active"}
    assert "performance.f1" not in named  # no rule looks at it


def test_windows_of_events_are_counted_not_those_of_labels(
    ran: tuple[Run, Worker], samples: dict[Sample, float]
) -> None:
    windows = [verdict["window"] for verdict in ran[0].verdicts() if verdict["feature"] == "x"]
    assert one(samples, "windows_closed_total") == len(windows) > 25
    assert one(samples, "window_events") == windows[-1]["events"]


def test_each_stream_shows_whether_a_metric_fires() -> None:
    watched = {Subject.metric("f1"), Subject.metric("brier")}
    alert = FiringAlert("", "performance.f1", "performance", "critical")
    found = list(performance_series(watched, {}, {alert}))
    assert [(series.labels, series.value) for series in found] == [
        (("", "performance.f1", "performance", "warning"), 0.0),
        (("", "performance.f1", "performance", "critical"), 1.0),
    ]
    of_a_segment = alert._replace(segment="tier=gold")
    assert list(performance_series(watched, {}, {of_a_segment})) == []
    (series,) = capped_series(set(), set(), {}, {of_a_segment})
    assert series == ("drift_active", ("tier=gold", "performance.f1", "performance", "critical"), 1)
