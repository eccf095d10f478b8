"""Batches as producers write them, through a real Kafka: too large ones, and transactions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
from tests.kafka import checkout
from tests.kafka.bomb import write_bomb
from tests.kafka.checkout import Sender, events
from tests.kafka.conftest import CLIENTS, NewTopic
from tests.kafka.reader import Grown, TopicReader, wait_until
from tests.kafka.worker import Worker, driftline

LIMIT = 2 << 20


@pytest.fixture(params=CLIENTS)
def config(bootstrap: str, prefix: str, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The small model on the topic `<prefix>.events`, for each client."""
    more: dict[str, Any] = {"kafka": {"max_batch_bytes": LIMIT, "client": request.param}}
    return checkout.write_config(tmp_path / "d.yaml", bootstrap, f"{prefix}.events", prefix, **more)


@pytest.fixture
def worker(config: Path, tmp_path: Path) -> Iterator[Worker]:
    worker = Worker(config, tmp_path / "worker.log")
    yield worker
    worker.close()


def wait_for_windows(bootstrap: str, prefix: str, windows: int) -> None:
    with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
        wait_until(Grown(verdicts, windows * checkout.FEATURES), "the windows are judged")


def documents(bootstrap: str, topic: str) -> list[dict[str, Any]]:
    with TopicReader(bootstrap, topic) as reader:
        return [json.loads(record.value or b"") for record in reader.read()]


def test_a_batch_that_unpacks_to_too_much(
    bootstrap: str, new_topic: NewTopic, prefix: str, config: Path, worker: Worker, tmp_path: Path
) -> None:
    topic = new_topic("events")
    sender = Sender(bootstrap)
    sender.send(topic, 0, events(0, 25))
    # One client refuses it by our limit, the other by a bound of its own, about 100 MB.
    megabytes = 25 if '"client": "confluent"' in config.read_text(encoding="utf-8") else 3
    assert write_bomb(bootstrap, topic, megabytes, records=5) < 50_000
    sender.send(topic, 0, events(25, 45))

    _, out, _ = driftline("check", "--config", config)
    assert "too_large, the batch of offsets 250 to 254 unpacks to more than 2,097,152 bytes" in out
    options = ("--model", checkout.MODEL, "--from-topic", topic, "--first", 500, "--config", config)
    code, out, err = driftline("reference", "build", *options, "--output", tmp_path / "r.json")
    assert code == 0, err
    assert f"note  {topic}[0]: the batch of offsets 250 to 254 unpacks to more than" in err
    assert "450 events" in out + err

    for seconds in (range(45, 46), range(60, 61)):  # this start, and the next
        worker.start()
        worker.wait_until_ready()
        sender.send(topic, 0, events(seconds.start, seconds.stop))
        with TopicReader(bootstrap, topic, prefix) as reader:
            wait_until(reader.all_consumed, "all records read")
        assert worker.stop() < 5
    assert "Traceback" not in worker.text()
    with TopicReader(bootstrap, f"{prefix}.dead-letter") as reader:
        (letter,) = reader.read()
    said = {name.removeprefix("driftline.error."): text for name, text in letter.headers.items()}
    assert (said["reason"], said["offset"], said["last_offset"]) == (b"too_large", b"250", b"254")
    (alert,) = (
        a
        for a in documents(bootstrap, f"{prefix}.alerts")
        if (a["kind"], a["status"]) == ("data_loss", "firing")
    )
    assert f"events 250 to 254 of {topic} partition 0 were not read, because" in alert["summary"]
    _, out, _ = driftline("dead-letter", "show", "--config", config)
    assert f"{topic}[0]@250-254" in out


def test_transactions(
    bootstrap: str, new_topic: NewTopic, prefix: str, config: Path, worker: Worker
) -> None:
    """Half of what is written is aborted, by a producer of its own; then one stays open."""
    topic = new_topic("events", 2)
    good, bad, hung = (producer(bootstrap, f"{prefix}-{name}") for name in ("good", "bad", "hung"))
    for second in range(35):
        for number in range(2):
            good.begin_transaction()
            bad.begin_transaction()
            for place, value in enumerate(events(second, second + 1)):
                bad.produce(topic, value.replace(b'"checkout"', b'"wrong"'), partition=number)
                good.produce(topic, value, partition=number)
                if place == 5:
                    bad.flush()
            good.commit_transaction()
            bad.abort_transaction()
    hung.begin_transaction()
    hung.produce(topic, events(35, 36)[0], partition=1)
    assert hung.flush(10) == 0
    Sender(bootstrap).send(topic, 0, events(35, 65))
    Sender(bootstrap).send(topic, 1, events(35, 65))
    worker.start()
    worker.wait_until_ready()
    wait_for_windows(bootstrap, prefix, 3)
    wait_until(
        lambda: f"{topic}[1] waits at offset " in worker.get("/readyz")[1],
        "the open transaction is named",
    )
    _, out, _ = driftline("check", "--config", config)
    assert f"{topic}[1]: an open transaction holds what was written from offset " in out
    assert worker.get("/readyz")[0] == 200
    # `idle_after` is a second, and yet no window was judged without what is held.
    judged = documents(bootstrap, f"{prefix}.verdicts")
    assert {v["window"]["end"][14:19] for v in judged} == {"26:50", "27:00", "27:10"}
    assert {v["window"]["events"] for v in judged} == {200}
    hung.abort_transaction()
    wait_for_windows(bootstrap, prefix, 6)
    judged = documents(bootstrap, f"{prefix}.verdicts")
    assert {v["window"]["events"] for v in judged} == {200}
    consumed = f'driftline_events_consumed_total{{source="{topic}"}} 1300.0'
    assert consumed in worker.get("/metrics")[1]
    assert worker.stop() < 5


def producer(bootstrap: str, name: str) -> confluent_kafka.Producer:
    settings = {"bootstrap.servers": bootstrap, "transactional.id": name, "log_level": 2}
    made = confluent_kafka.Producer({**settings, "compression.type": "lz4", "linger.ms": 0})
    made.init_transactions(30)
    return made
