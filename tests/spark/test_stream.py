"""A topic that Spark counts is judged as one that workers count, after each of six deaths."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import kafka
import msgspec
import numpy as np
import pytest
from tests.consumer.service.simulation import WITH_OUTCOMES
from tests.kafka.deployment import write_config
from tests.kafka.published import Published, same
from tests.kafka.reader import TopicReader, by_identity, wait_until
from tests.kafka.worker import Worker

ROOT = Path(__file__).parents[2]
PARTITIONS = 3
START = 1_600_000_000_000


def events(seed: int = 3) -> list[tuple[int, int, bytes | None]]:
    """Partition, time (ms) and value of 4,000 records of two models over an hour.

    Some events are late, some ahead of their records by too much, some values are broken. Most of
    the model a have labels, which come 100 records later.
    """
    rng = np.random.default_rng(seed)
    found: list[tuple[int, int, bytes | None]] = []
    waiting: dict[int, dict[str, Any]] = {}
    for number in range(4_000):
        now = START + number * 900
        off = {0: -1_200_000, 1: 7_200_000}.get(int(rng.integers(100)), -int(rng.integers(8_000)))
        drifted = 1_500 < number < 2_500
        event: dict[str, Any] = {
            "timestamp": max(now + off, START),
            "model": "ae"[int(rng.random() < 0.3)],
            "features": {
                "x": round(float(rng.normal(2.0 if drifted else 0.0)), 3),
                "c": str(rng.choice(list("pqrs"))),
            },
            "tags": {"tier": str(rng.choice(["gold", "tin", "wood"]))},
        }
        if event["model"] == "a":
            said, right = int(rng.random() < 0.5), rng.random() < (0.4 if drifted else 0.9)
            event |= {"event_id": str(number), "prediction": {"label": ["no", "yes"][said]}}
            if rng.random() < 0.9:
                truth = ["no", "yes"][said if right else 1 - said]
                label = {"event_id": str(number), "model": "a", "actual": truth}
                waiting[number + 100] = label
        value: bytes | None = msgspec.json.encode(event)
        if rng.random() < 0.01:
            value = None if rng.random() < 0.3 else b"oops"
        found.append((int(rng.integers(PARTITIONS)), now, value))
        if number in waiting:
            value = msgspec.json.encode({**waiting[number], "timestamp": now})
            found.append((int(rng.integers(PARTITIONS)), now, value))
    return found


class Deployment:
    """Two deployments over one topic: workers alone, and Spark with a worker that judges."""

    def __init__(self, bootstrap: str, admin: Any, prefix: str, folder: Path, jars: str) -> None:
        self.bootstrap, self.folder, self.jars = bootstrap, folder, jars
        self.topic = f"{prefix}.in"
        # The records are of 2020: a broker would soon drop them.
        kept = {"retention.ms": "-1"}
        topics = [kafka.admin.NewTopic(self.topic, PARTITIONS, 1, topic_configs=kept)]
        admin.create_topics(topics)
        models = {}
        for name in ("a", "e"):
            path = folder / f"{name}.json"
            path.write_bytes(WITH_OUTCOMES[name].to_json())
            models[name] = {
                "predictions": self.topic,
                "reference": str(path),
                "window": {"length": "10m", "every": "2m", "grace": "5s", "min_events": 20},
                "budget": "off",
                "segments": ["tier"],
                "thresholds": {"ks": {"warning": 0.3}, "psi": {"warning": 0.5, "for": "2 of 3"}},
            }
        models["a"] |= {
            "labels": {"topic": self.topic, "horizon": "10m"},
            "performance": {"accuracy": {"max_drop": 0.1, "critical_drop": 0.3}},
        }
        self.prefixes = (f"{prefix}.w", f"{prefix}.s")
        self.configs = [
            write_config(folder / f"{each}.yaml", bootstrap, each, models, kafka={"group": each})
            for each in self.prefixes
        ]

    def write(self, records: list[tuple[int, int, bytes | None]]) -> None:
        producer = kafka.KafkaProducer(bootstrap_servers=self.bootstrap)
        for partition, time_ms, value in records:
            producer.send(self.topic, value, key=b"k", partition=partition, timestamp_ms=time_ms)
        producer.flush()
        producer.close()

    def spark(self, *death: str, **environ: str) -> subprocess.Popen[str]:
        """Start the query as a program of its own."""
        own = {
            "BOOTSTRAP": self.bootstrap,
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
        }
        environment = {**os.environ, **own, **environ}
        checkpoint = str(self.folder / "checkpoint")
        command = [sys.executable, "-m", "tests.spark.streaming", str(self.configs[1]), self.topic]
        return subprocess.Popen(
            [*command, checkpoint, self.jars, *death],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    def dead_letters(self, prefix: str) -> dict[Any, bytes | None]:
        """The dead letters by their headers."""
        with TopicReader(self.bootstrap, f"{prefix}.dead-letter") as reader:
            return {tuple(sorted(r.headers.items())): r.value for r in reader.read()}


def ended(process: subprocess.Popen[str], code: int = 0) -> str:
    text, _ = process.communicate(timeout=240)
    assert process.returncode == code, text
    return text


def published(bootstrap: str, prefix: str) -> Published:
    with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
        found = by_identity(record.value for record in verdicts.read())
    with TopicReader(bootstrap, f"{prefix}.alerts") as alerts:
        return Published(found, by_identity(record.value for record in alerts.read()))


@pytest.fixture
def deployment(jars: str, bootstrap: str, admin: Any, prefix: str, tmp_path: Path) -> Deployment:
    return Deployment(bootstrap, admin, prefix, tmp_path, jars)


@pytest.fixture
def workers(deployment: Deployment, tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    """Of each deployment the worker; the topics are there."""
    plain, judge = found = (
        Worker(deployment.configs[0], tmp_path / "plain.txt"),
        Worker(deployment.configs[1], tmp_path / "judge.txt", "--stages", "join,judge"),
    )
    try:
        for each in found:
            each.start()
        owned = [partial(each.logged, "ownership") for each in found]
        wait_until(lambda: all(logged() for logged in owned), "topics are there")
        yield plain, judge
    finally:
        for each in found:
            each.close()


def test_six_deaths_change_no_byte(
    deployment: Deployment, workers: tuple[Worker, Worker], tmp_path: Path
) -> None:
    one, (plain, judge) = deployment, workers
    one.write(events())
    for death in ("panes:0", "state:1", "all:2"):
        ended(one.spark(death), -9)
    judge.kill()
    judge.start()
    first = one.spark("hold:3")
    wait_for(first, "held")
    assert "ended" in ended(one.spark("worker:4"))
    (tmp_path / "go").touch()
    # What it sent late is what the other one had sent; Spark lets one of the two commit.
    assert "CONCURRENT_STREAM_LOG_UPDATE" in ended(first, 1)
    expected = stopped(one, 0, plain)
    found = stopped(one, 1, judge, len(expected.verdicts))
    assert len(expected.verdicts) > 200
    assert {alert["kind"] for alert in expected.alert_records()} >= {"feature_drift", "performance"}
    same(found, expected)
    letters = [one.dead_letters(prefix) for prefix in one.prefixes]
    assert letters[0] == letters[1] != {}


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    for text in process.stdout:
        if text.strip() == line:
            return
    raise AssertionError(process.wait())


def stopped(one: Deployment, number: int, worker: Worker, least: int = 1) -> Published:
    """Stop a worker when nothing more comes; return what was published."""
    prefix = one.prefixes[number]
    before, quiet = -1, time.monotonic()

    def settled() -> bool:
        nonlocal before, quiet
        count = len(published(one.bootstrap, prefix).verdicts)
        if count != before or count < least:
            before, quiet = count, time.monotonic()
        return time.monotonic() - quiet > 8

    wait_until(settled, "all verdicts", 120)
    worker.stop()
    return published(one.bootstrap, prefix)
