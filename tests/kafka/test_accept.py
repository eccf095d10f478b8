"""`driftline accept` on a real broker: an alert ends, what follows is normal, until it changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.kafka import checkout
from tests.kafka.checkout import MODEL, Sender, events
from tests.kafka.conftest import NewTopic
from tests.kafka.reader import TopicReader, wait_until
from tests.kafka.worker import Worker, driftline


def test_the_present_becomes_normal(
    bootstrap: str, new_topic: NewTopic, prefix: str, tmp_path: Path
) -> None:
    topic, sender = new_topic("events"), Sender(bootstrap)
    config = checkout.write_config(tmp_path / "driftline.yaml", bootstrap, topic, prefix)
    worker = Worker(config, tmp_path / "worker.log")
    try:
        worker.start()
        worker.wait_until_ready()
        with TopicReader(bootstrap, f"{prefix}.alerts") as reader:

            def alerts() -> list[dict[str, Any]]:
                found = [json.loads(record.value or b"") for record in reader.read()]
                return [alert for alert in found if alert["feature"] == "amount"]

            sender.send(topic, 0, events(0, 30) + events(30, 60, amount=90.0))
            wait_until(lambda: [each["status"] for each in alerts()] == ["firing"], "the alert")
            code, said, error = driftline(
                "accept", MODEL, "amount", "--why", "new prices", "--who", "ada",
                "--config", config,
            )  # fmt: skip
            assert (code, error) == (0, "")
            assert said.endswith("amount of checkout is accepted as it is by ada: the next records"
                                 " of its alerts say so\n")  # fmt: skip
            sender.send(topic, 0, events(60, 90, amount=90.0))
            wait_until(lambda: alerts()[-1]["status"] == "resolved", "the end of the alert")
            ended = alerts()[-1]
            assert (ended["accepted"]["who"], ended["accepted"]["why"]) == ("ada", "new prices")
            worker.kill()
            worker.start()
            worker.wait_until_ready()
            sender.send(topic, 0, events(90, 120, amount=90.0) + events(120, 160, amount=20.0))
            wait_until(lambda: alerts()[-1]["status"] == "firing", "the next alert")
            again = alerts()[-1]
            assert again["since"] >= "2020-09-13T12:28:40Z"  # 120 s, when it is another again
            assert len({alert["alert_id"] for alert in alerts()}) == 2
        with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
            found = [json.loads(record.value or b"") for record in verdicts.read()]
        assert {each["accepted"]["who"] for each in found if "accepted" in each} == {"ada"}
        assert {each["feature"] for each in found if "accepted" in each} == {"amount"}
    finally:
        worker.close()
