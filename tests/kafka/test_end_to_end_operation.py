"""What an operator does to a running service: stop and start it, look at it, lose its input."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import kafka
import pytest
from tests.kafka import checkout
from tests.kafka.broker import PASSWORD, USER, Running
from tests.kafka.checkout import MODEL, Sender, events
from tests.kafka.conftest import NewTopic
from tests.kafka.reader import Grown, TopicReader, by_identity, wait_until
from tests.kafka.worker import Worker

from driftline.consumer.config import KafkaConfig
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.states import States, judge_key, sketch_key
from driftline.consumer.sketch.state import SketchState

NewWorker = Callable[..., Worker]


@pytest.fixture
def new_worker(bootstrap: str, prefix: str, tmp_path: Path) -> Iterator[NewWorker]:
    """`new_worker(**more)`: a worker of the small model on the topic `<prefix>.events`."""
    workers: list[Worker] = []

    def make(server: str = bootstrap, **more: Any) -> Worker:
        config = tmp_path / "driftline.yaml"
        checkout.write_config(config, server, f"{prefix}.events", prefix, **more)
        workers.append(Worker(config, tmp_path / f"worker-{len(workers)}.log"))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


def documents(bootstrap: str, topic: str) -> list[dict[str, Any]]:
    """Return what is published in a topic."""
    with TopicReader(bootstrap, topic) as reader:
        return [json.loads(record.value or b"") for record in reader.read()]


def newest_states(bootstrap: str, prefix: str) -> States:
    """Return the log of states as it is now."""
    topic = f"{prefix}.state"
    log = connect(KafkaConfig(bootstrap_servers=(bootstrap,), group=prefix)).log
    states = States(log, topic, log.topics(frozenset([topic]))[topic].partitions, prefix)
    states.refresh()
    log.close()
    return states


def position(states: States, topic: str, partition: int) -> int:
    """Return the offset before which everything in an input partition has had its effect."""
    state = states.find(sketch_key(TopicPartition(topic, partition)), SketchState)
    assert state is not None
    return state.position


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_sigterm_stops_clean_and_a_restart_repeats_nothing(
    bootstrap: str, new_topic: NewTopic, prefix: str, new_worker: NewWorker
) -> None:
    topic = new_topic("events", 2)
    sender = Sender(bootstrap)
    port = free_port()
    worker = new_worker(http={"port": port})
    worker.start()
    worker.wait_until_ready()
    assert worker.logged("start")[0]["http"] == f"127.0.0.1:{port}"
    for partition in (0, 1):
        sender.send(topic, partition, events(0, 35))
    with TopicReader(bootstrap, topic, prefix) as reader:
        wait_until(lambda: sum(reader.committed().values()) > 0, "the first checkpoint")
        assert worker.get("/livez")[0] == 200
        assert f'driftline_features_monitored{{model="{MODEL}"}} 2.0' in worker.get("/metrics")[1]
        # Some of these have been read when the signal comes, and some not.
        for partition in (0, 1):
            sender.send(topic, partition, events(35, 55, each=200, amount=90.0))
        assert worker.stop() < 5
        states = newest_states(bootstrap, prefix)
        committed = reader.committed()
    assert states.find(judge_key(MODEL), JudgeState) is not None
    assert committed.keys() == {0, 1}
    for partition, offset in committed.items():
        assert position(states, topic, partition) == offset > 0

    for partition in (0, 1):
        sender.send(topic, partition, events(55, 75, amount=90.0))
    for _ in range(2):  # the second time there is nothing to do
        worker.start()
        worker.wait_until_ready()
        with (
            TopicReader(bootstrap, topic, prefix) as reader,
            TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts,
        ):
            wait_until(reader.all_consumed, "all events read")
            wait_until(Grown(verdicts, 7 * checkout.FEATURES), "seven windows judged")
        assert worker.stop() < 5
    with TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts:
        found = [record.value for record in verdicts.read()]
    assert len(found) == len(by_identity(found)) == 7 * checkout.FEATURES
    alerts = documents(bootstrap, f"{prefix}.alerts")
    assert {alert["feature"] for alert in alerts} == {"amount"}
    assert [alert["revision"] for alert in alerts] == list(range(1, len(alerts) + 1))
    assert "Traceback" not in worker.text()


def test_workers_share_the_busy_topic(
    bootstrap: str, new_topic: NewTopic, prefix: str, new_worker: NewWorker
) -> None:
    topic = new_topic("events", 4)
    sender = Sender(bootstrap)
    workers: list[Worker] = []
    for shares in ([4], [2, 2], [1, 1, 2]):
        workers.append(new_worker())
        workers[-1].start()
        wait_until(partial(_share, workers, shares), f"shares of {shares}")
        before = [counted(worker) for worker in workers]
        for partition in range(4):
            sender.send(topic, partition, events(0, 5))
        with TopicReader(bootstrap, topic, prefix) as reader:
            wait_until(reader.all_consumed, "all events read")
        each = [counted(worker) - b for worker, b in zip(workers, before, strict=True)]
        assert sorted(each) == [50 * share for share in shares]


def _share(workers: list[Worker], shares: list[int]) -> bool:
    """Whether the workers own as many partitions of the input, ascending, and are ready."""
    owned = sorted(len(worker.owned()["partitions"]) for worker in workers)
    return owned == shares and all(worker.get("/readyz")[0] == 200 for worker in workers)


def counted(worker: Worker) -> int:
    """Return how many events a worker has counted."""
    lines = worker.get("/metrics")[1].splitlines()
    found = [line for line in lines if line.startswith("driftline_events_counted_total{")]
    return round(sum(float(line.split()[-1]) for line in found))


def test_lost_events_are_an_alert_with_the_exact_range(
    bootstrap: str, admin: Any, new_topic: NewTopic, prefix: str, new_worker: NewWorker
) -> None:
    topic = new_topic("events", 1)
    sender = Sender(bootstrap)
    worker = new_worker()
    sender.send(topic, 0, events(0, 35))
    worker.start()
    worker.wait_until_ready()
    with TopicReader(bootstrap, topic, prefix) as reader:
        wait_until(reader.all_consumed, "all events read")
    assert worker.stop() < 5
    state = newest_states(bootstrap, prefix).find(sketch_key(TopicPartition(topic, 0)), SketchState)
    assert state is not None
    assert (state.rewind, state.position) == (300, 350)  # the events of second 30 on are open

    sender.send(topic, 0, events(35, 65))
    admin.delete_records({kafka.TopicPartition(topic, 0): 420})
    worker.start()
    worker.wait_until_ready()
    with (
        TopicReader(bootstrap, topic, prefix) as reader,
        TopicReader(bootstrap, f"{prefix}.verdicts") as verdicts,
    ):
        wait_until(reader.all_consumed, "the rest of the events read")
        wait_until(Grown(verdicts, 6 * checkout.FEATURES), "six windows judged")
        assert worker.stop() < 5
        judged = [json.loads(record.value or b"") for record in verdicts.read()]
    alerts = [a for a in documents(bootstrap, f"{prefix}.alerts") if a["kind"] == "data_loss"]
    assert [alert["status"] for alert in alerts] == ["firing", "resolved"]
    assert f"events 300 to 419 of {topic} partition 0 were deleted" in alerts[0]["summary"]
    # Seconds 30 to 41 are gone, so two of six windows cannot be judged.
    missing = "events of this time were deleted before they were read"
    states = [(v["window"]["start"][-6:-1], v["state"], v["reason"]) for v in judged]
    assert states[:: checkout.FEATURES] == [
        ("26:40", "ok", None),
        ("26:50", "ok", None),
        ("27:00", "ok", None),
        ("27:10", "insufficient", missing),
        ("27:20", "insufficient", missing),
        ("27:30", "ok", None),
    ]
    assert "Traceback" not in worker.text()


def test_a_topic_that_was_created_again_is_refused(
    bootstrap: str, admin: Any, new_topic: NewTopic, prefix: str, new_worker: NewWorker
) -> None:
    topic = new_topic("events", 1)
    sender = Sender(bootstrap)
    worker = new_worker()
    sender.send(topic, 0, events(0, 5))
    worker.start()
    worker.wait_until_ready()
    with TopicReader(bootstrap, topic, prefix) as reader:
        wait_until(reader.all_consumed, "all events read")
    assert worker.stop() < 5
    admin.delete_topics([topic])
    wait_until(lambda: topic not in admin.list_topics(), "the topic is gone")
    new_topic("events", 1)
    sender.send(topic, 0, events(0, 9))
    worker.start()
    assert worker.ends_with() == 2
    last = worker.text().splitlines()[-1]
    assert last.startswith(f"the topic {topic} was re-created since Driftline last read it")
    assert "Traceback" not in worker.text()


def test_scram_over_tls_says_no_secret(
    broker: Running,
    tls_dir: Path,
    tmp_path: Path,
    new_topic: NewTopic,
    prefix: str,
    new_worker: NewWorker,
) -> None:
    if broker.sasl is None:
        pytest.skip("DRIFTLINE_TEST_BOOTSTRAP has no TLS listener that we know of")
    topic = new_topic("events", 1)
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    login = {"mechanism": "SCRAM-SHA-512", "username": USER, "password_file": str(secret)}
    security = {"tls": {"ca_file": str(tls_dir / "ca.pem")}, "sasl": login}
    worker = new_worker(broker.sasl, kafka=security, log={"level": "debug"})
    Sender(broker.bootstrap).send(topic, 0, events(0, 25))
    worker.start()
    worker.wait_until_ready()
    with TopicReader(broker.bootstrap, f"{prefix}.verdicts") as verdicts:
        wait_until(Grown(verdicts, 2 * checkout.FEATURES), "two windows judged")
    assert worker.stop() < 5
    assert worker.logged("checkpoint")  # a line of level debug
    assert PASSWORD not in worker.text()
    assert "SaslAuthenticate" not in worker.text()
