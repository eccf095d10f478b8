"""Topics that are deleted, or made again, under a running service: exit code 2 and the sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kafka import checkout
from tests.kafka.checkout import Sender, events
from tests.kafka.conftest import NewTopic
from tests.kafka.reader import wait_until
from tests.kafka.worker import Worker


@pytest.fixture
def workers(bootstrap: str, prefix: str, tmp_path: Path) -> Iterator[list[Worker]]:
    """Two workers of the small model on the topic `<prefix>.events`."""
    config = tmp_path / "driftline.yaml"
    checkout.write_config(config, bootstrap, f"{prefix}.events", prefix, output={"partitions": 2})
    made = [Worker(config, tmp_path / f"worker-{number}.log") for number in range(2)]
    yield made
    for worker in made:
        worker.close()


@pytest.mark.parametrize(
    ("name", "again"),
    # Of what it writes to the producer waits a minute first: tests/consumer/service has those.
    [("events", True), ("events", False), ("alerts", False)],
)
def test_a_topic_that_is_deleted(
    bootstrap: str,
    admin: Any,
    new_topic: NewTopic,
    prefix: str,
    workers: list[Worker],
    name: str,
    again: bool,
) -> None:
    topic = new_topic("events", 4)
    sender = Sender(bootstrap)
    for worker in workers:
        worker.start()
    wait_until(lambda: all(len(w.owned()["partitions"]) == 2 for w in workers), "both own two")
    for worker in workers:
        worker.wait_until_ready()
    for partition in range(4):
        sender.send(topic, partition, events(0, 35))
    gone = f"{prefix}.{name}"
    admin.delete_topics([gone])
    if again:
        wait_until(lambda: gone not in admin.list_topics(), "the topic is gone")
        new_topic(name, 4, {"cleanup.policy": "compact"} if name == "state" else None)
    if name != "events":
        for partition in range(4):
            sender.send(topic, partition, events(35, 65))
    codes = [worker.ends_with(60) for worker in workers]
    for worker in workers:
        last = worker.text().splitlines()[-1]
        assert "Traceback" not in worker.text()
        assert f"the topic {gone} was {'re-created' if again else 'deleted'}" in last
        assert "set output.prefix to a new name" in last
    assert codes == [2, 2]
