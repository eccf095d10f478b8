"""A state of any size survives a restart: many models on one topic, many alerts that fire at once.

`make states` is the same with 20,000 models, of which 5,000 fire, and with 110 features of 22
streams.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.kafka import deployment
from tests.kafka.checkout import Sender
from tests.kafka.conftest import NewTopic
from tests.kafka.reader import Identity, TopicReader, by_identity, wait_until
from tests.kafka.worker import Worker

from driftline.detectors import FeatureColumn, build_reference

MODELS, FIRING, FEATURES, TAGS = map(
    int, os.environ.get("DRIFTLINE_STATES", "300 100 12 6").split()
)
SECONDS = 60.0 + MODELS / 10
pytestmark = pytest.mark.timeout(300 + 4 * SECONDS)
START = 1_600_000_000_000  # ms since 1970; a multiple of a window
WINDOW = 10_000  # ms
LARGEST = 800_000


class Deployment:
    """Models whose windows of 10 s a test fills one by one.

    Args:
        bootstrap: where the broker answers.
        prefix: of its topics.
        topic: of its events, with one partition.
        worker: not yet started.
    """

    def __init__(self, bootstrap: str, prefix: str, topic: str, worker: Worker) -> None:
        self._topic, self._worker, self._sender = topic, worker, Sender(bootstrap)
        self._bootstrap, self._prefix = bootstrap, prefix
        self._readers: dict[str, TopicReader] = {}
        self._found: dict[str, dict[Identity, bytes]] = {}

    def start(self) -> None:
        """Start the worker; its topics are there."""
        self._worker.start()
        wait_until(lambda: bool(self._worker.logged("start")), "the worker starts", SECONDS)

    def crash(self, *, recorded: bool) -> None:
        """`kill -9`, when what was read is `recorded` or as it is, and start again."""
        if recorded:
            for topic in (self._topic, f"{self._prefix}.panes"):
                with TopicReader(self._bootstrap, topic, self._prefix) as reader:
                    wait_until(reader.all_consumed, f"{topic} recorded as read", SECONDS)
        self._worker.kill()
        self.start()

    def send(self, window: int, events: Iterator[dict[str, Any]]) -> None:
        """Send events of a window."""
        values = (
            json.dumps({"timestamp": START + window * WINDOW, **event}).encode() for event in events
        )
        self._sender.send(self._topic, 0, values)

    def _output(self, name: str) -> TopicReader:
        return TopicReader(self._bootstrap, f"{self._prefix}.{name}")

    def wait_for_alerts(self, **statuses: int) -> None:
        """Wait until so many alerts are firing or resolved, and no other is there."""

        def statuses_now() -> Counter[str]:
            newest = {alert: value for (alert, _), value in sorted(self._records("alerts").items())}
            return Counter(json.loads(value)["status"] for value in newest.values())

        wait_until(lambda: statuses_now() == statuses, f"alerts: {statuses}", SECONDS)

    def wait_for_verdicts(self, many: int) -> None:
        """Wait until there are so many verdicts."""
        wait_until(lambda: len(self._records("verdicts")) == many, f"{many} verdicts", SECONDS)

    def _records(self, name: str) -> dict[Identity, bytes]:
        """Return what is published by now; a repeat has the same bytes."""
        if name not in self._readers:
            self._readers[name] = self._output(name)
        reader = self._readers[name]
        known, found = len(reader.records), len(reader.read())
        if found > known or name not in self._found:
            self._found[name] = by_identity(record.value for record in reader.records)
        return self._found[name]

    def close(self) -> None:
        """Close the readers."""
        for reader in self._readers.values():
            reader.close()

    def state(self) -> str:
        """Return what is in the log of states; no record of it is too large."""
        with self._output("state") as reader:
            sizes = [len(record.value or b"") for record in reader.read()]
        assert max(sizes) <= LARGEST
        return f"{len(sizes):,} state records, {sum(sizes):,} bytes, the largest {max(sizes):,}"


Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(bootstrap: str, prefix: str, new_topic: NewTopic, tmp_path: Path) -> Iterator[Deploy]:
    """`deploy(reference, models)`: a deployment of models that share a reference."""
    worker = Worker(tmp_path / "driftline.yaml", tmp_path / "worker.log")

    def make(reference: Any, models: dict[str, Any]) -> Deployment:
        topic = new_topic("events")
        (tmp_path / "reference.json").write_bytes(reference.to_json())
        defaults = {
            "predictions": topic,
            "reference": "reference.json",
            "window": {"length": "10s", "grace": "0s", "min_events": 3},
            "thresholds": {"ks": {"warning": 0.9}},
            "budget": "off",
        }
        limits = {"idle_after": "10m"}  # else each model says so every second
        more: dict[str, Any] = {"defaults": defaults, "limits": limits}
        if MODELS > 1_000:  # a step takes seconds then
            more["kafka"] = {"options": {"session_timeout_ms": 30_000}}
        config = tmp_path / "driftline.yaml"
        deployment.write_config(config, bootstrap, prefix, models, **more)
        deployed.append(Deployment(bootstrap, prefix, topic, worker))
        return deployed[-1]

    deployed: list[Deployment] = []
    yield make
    worker.close()
    for one in deployed:
        one.close()


def test_many_models_on_one_topic(deploy: Deploy) -> None:
    values = np.random.default_rng(1).random(2_000)
    reference = build_reference("m", {"x": FeatureColumn("numeric", values)}, grid=128)
    names = [f"model-{number:05}" for number in range(MODELS)]
    deployed = deploy(reference, {name: {} for name in names})

    def send(window: int, firing: int) -> None:
        deployed.send(
            window,
            (
                {"model": name, "features": {"x": 100 if number < firing else x}}
                for number, name in enumerate(names)
                for x in (0.2, 0.5, 0.8)
            ),
        )

    send(0, FIRING)
    send(1, FIRING)  # each window is judged when the next one begins
    deployed.start()
    deployed.wait_for_alerts(firing=FIRING)
    deployed.crash(recorded=True)
    send(2, 0)
    send(3, 0)
    deployed.wait_for_verdicts(3 * MODELS)
    deployed.crash(recorded=False)
    send(4, 0)
    send(5, 0)
    deployed.wait_for_alerts(resolved=FIRING)
    deployed.wait_for_verdicts(5 * MODELS)
    deployed.crash(recorded=True)
    deployed.wait_for_alerts(resolved=FIRING)
    print(f"\n{MODELS:,} models, {FIRING:,} alerts: {deployed.state()}")


def test_many_features_of_one_model_that_fire(deploy: Deploy) -> None:
    rng = np.random.default_rng(1)
    tags = [f"t{number:02}" for number in range(TAGS - 2)]  # beside them: the rest, and all
    features = [f"feature_{number:03}" for number in range(FEATURES)]
    reference = build_reference(
        "wide",
        {name: FeatureColumn("numeric", rng.random(2_000)) for name in features},
        segments={"tag": rng.choice(tags, 2_000).tolist()},
        grid=128,
    )
    deployed = deploy(reference, {"wide": {"segments": ["tag"]}})
    values = (0.2, 0.5, 0.8)

    def send(window: int, shift: int) -> None:
        deployed.send(
            window,
            (
                {
                    "model": "wide",
                    "tags": {"tag": tag},
                    "features": dict.fromkeys(features, shift + x),
                }
                for tag in tags
                for x in values
            ),
        )

    firing = 1  # of all of them; the state holds each
    send(0, 100)
    send(1, 100)
    deployed.start()
    deployed.wait_for_alerts(firing=firing)
    deployed.crash(recorded=True)
    send(2, 0)
    send(3, 0)
    deployed.wait_for_verdicts(3 * FEATURES * TAGS)
    deployed.crash(recorded=False)
    send(4, 0)
    send(5, 0)
    deployed.wait_for_alerts(resolved=firing)
    deployed.crash(recorded=True)
    deployed.wait_for_alerts(resolved=firing)
    print(f"\n{FEATURES} features, {TAGS} streams, 1 alert: {deployed.state()}")
