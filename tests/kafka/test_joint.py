"""Features that belong together on a real broker: one alert names those that no longer do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from tests.consumer.judge.joint import world
from tests.consumer.judge.joint.test_judge import APART
from tests.consumer.service.small import MODEL, alerts, backtest
from tests.kafka import deployment
from tests.kafka.checkout import Sender
from tests.kafka.conftest import NewTopic
from tests.kafka.reader import TopicReader, wait_until
from tests.kafka.worker import Worker


def test_a_pair_that_comes_apart_is_found_as_in_a_backtest(
    bootstrap: str, new_topic: NewTopic, prefix: str, tmp_path: Path
) -> None:
    topic, sender = new_topic("events", 2), Sender(bootstrap)
    (tmp_path / "m.json").write_bytes(world.reference().to_json())
    model = {
        "predictions": topic,
        "reference": "m.json",
        "window": world.HOURLY,
        "budget": "1 per 30d",
        "joint": {"top": 4},
    }
    config = deployment.write_config(tmp_path / "driftline.yaml", bootstrap, prefix, {MODEL: model})
    stream = world.stream(3, APART)
    wanted = alerts(backtest(world.joint_plan(), stream))
    values = [json.dumps(event).encode() for event in stream]
    middle = 4_500  # within the alert

    def send(begin: int, end: int) -> None:
        for partition in (0, 1):
            sender.send(topic, partition, values[begin + partition : end : 2])

    worker = Worker(config, tmp_path / "worker.log")
    try:
        worker.start()
        worker.wait_until_ready()
        with TopicReader(bootstrap, f"{prefix}.alerts") as reader:

            def found() -> list[dict[str, Any]]:
                return [json.loads(record.value or b"") for record in reader.read()]

            send(0, middle)
            wait_until(lambda: bool(found()), "the alert")
            worker.kill()
            worker.start()
            send(middle, len(values))
            # The backtest ends with a window that is still open here.
            wait_until(lambda: len(found()) >= len(wanted) - 1, "what follows of it")
            published = found()
        first = msgspec.json.decode(msgspec.json.encode(wanted[0]))
        assert {alert["kind"] for alert in published} == {"joint_drift"}
        assert {alert["alert_id"] for alert in published} == {first["alert_id"]}
        for key in ("since", "window", "pairs", "extremes", "summary", "severity"):
            assert published[0].get(key) == first.get(key), key
    finally:
        worker.close()
