"""The prediction logger on a real broker, through an outage, and without any."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.kafka.broker import Running
from tests.producer.alone import run_alone

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import TopicPartition
from driftline.producer import KafkaSender, PredictionLogger, QueueLimits

NewTopic = Callable[..., str]


def written(config: KafkaConfig, topic: str) -> list[dict[str, Any]]:
    log = connect(config).log
    records = list(log.read({TopicPartition(topic, 0): 0}))
    log.close()
    return [json.loads(record.value or b"") for record in records]


def test_predictions_and_labels_arrive(
    bootstrap: str, config: KafkaConfig, new_topic: NewTopic
) -> None:
    events, labels = new_topic("events"), new_topic("labels")
    with PredictionLogger("m", KafkaSender(events, bootstrap, labels=labels)) as predictions:
        ids = predictions.log_batch([{"n": n} for n in range(3_000)], [0.5] * 3_000)
        predictions.label(ids[0], True)
        assert predictions.flush(timeout=30)
    found = written(config, events)
    assert [event["features"]["n"] for event in found] == list(range(3_000))
    assert [event["event_id"] for event in found] == ids
    assert [label["event_id"] for label in written(config, labels)] == [ids[0]]
    assert predictions.counts.sent == 3_001


def test_predictions_arrive_with_kafka_python_and_msgspec_alone(
    bootstrap: str, config: KafkaConfig, new_topic: NewTopic, tmp_path: Path
) -> None:
    topic = new_topic("events")
    program = f"""
from driftline.producer import KafkaSender, PredictionLogger

with PredictionLogger("m", KafkaSender({topic!r}, {bootstrap!r})) as predictions:
    predictions.log_batch([{{"n": n}} for n in range(3)])
    assert predictions.flush(timeout=30)
print(predictions.counts.sent)
"""
    assert run_alone(program, tmp_path) == "3\n"
    assert [event["features"]["n"] for event in written(config, topic)] == [0, 1, 2]


def test_an_outage_fills_the_queue_and_no_more(
    broker: Running, bootstrap: str, config: KafkaConfig, new_topic: NewTopic
) -> None:
    if broker.pid is None:
        pytest.skip("only a broker of our own can be frozen")
    topic = new_topic("events")
    predictions = PredictionLogger(
        "m", KafkaSender(topic, bootstrap), limits=QueueLimits(records=2_000)
    )
    predictions.log({"n": -1}, None)
    assert predictions.flush(timeout=30)
    os.kill(broker.pid, signal.SIGSTOP)
    wake = threading.Timer(1.5, os.kill, (broker.pid, signal.SIGCONT))
    wake.start()
    try:
        began = time.monotonic()
        for number in range(5_000):
            predictions.log({"n": number}, None)
        took = time.monotonic() - began
        counts = predictions.counts
        assert predictions.flush(timeout=30)
    finally:
        wake.join()
        os.kill(broker.pid, signal.SIGCONT)
    assert took < 1.4  # the calls did not wait for the broker
    assert counts.dropped == {"queue_full": 3_000}
    predictions.close()
    assert predictions.counts.sent == 2_001
    found = [event["features"]["n"] for event in written(config, topic)]
    assert found == list(range(-1, 2_000))


def test_closing_without_a_broker_or_topic_ends(bootstrap: str, prefix: str) -> None:
    missing = KafkaSender(f"{prefix}.missing", bootstrap)
    with PredictionLogger("m", missing, close_timeout=0.1) as predictions:
        predictions.log({"n": 1}, None)
    assert predictions.counts.sent == 0
