"""Alerts on a real broker, marked and sent by the command line."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from tests.consumer.deliver.conftest import alert, resolved
from tests.consumer.deliver.test_webhook import Server
from tests.docs.shell import Shell

from driftline.consumer.config import KafkaConfig
from driftline.consumer.deliver.mark_writer import MarkWriter
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.log.broker import connect
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer
from driftline.consumer.log.protocol import Message
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Alert

Publish = Callable[..., None]


@pytest.fixture
def shell(bootstrap: str, prefix: str, tmp_path: Path) -> Shell:
    made = Shell(
        tmp_path,
        {
            "DRIFTLINE__KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "DRIFTLINE__OUTPUT__PREFIX": prefix,
            "DRIFTLINE__OUTPUT__PARTITIONS": "3",
            "no_proxy": "127.0.0.1",
        },
    )
    made.write(
        "driftline.yaml",
        "kafka: {bootstrap_servers: k:1}\nmodels: {m: {predictions: t, reference: r.json}}\n",
    )
    assert made.driftline(["topics", "create"]).returncode == 0
    return made


@pytest.fixture
def publish(config: KafkaConfig, prefix: str, shell: Shell) -> Iterator[Publish]:
    producer = KafkaProducer(start_producer(config))

    def send(*records: Alert) -> None:
        for record in records:
            key, value = record.alert_id, msgspec.json.encode(record)
            topic, place = f"{prefix}.alerts", partition_of(key, 3)
            producer.send(Message(topic, place, key.encode(), value, [("ce_id", key.encode())]))
        producer.flush()

    yield send
    producer.close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.http.shutdown()
    thread.join()
    made.http.server_close()


def test_marked_and_sent_and_not_sent_again(
    shell: Shell, publish: Publish, server: Server, config: KafkaConfig, prefix: str
) -> None:
    publish(alert("a1"), alert("b2"), alert("c3"), alert("d4"), resolved("d4"))
    for words in (["snooze", "a1", "--for", "4h"], ["false-alarm", "b", "--who", "ada"]):
        ran = shell.driftline(["alerts", *words])
        assert ran.returncode == 0, ran.stderr
    ran = shell.driftline(["alerts", "tail", "--no-follow"])
    assert "[snoozed until " in ran.stdout
    assert "[a false alarm by ada]" in ran.stdout
    json_url = server.url.replace("http", "json")
    send = [
        "alerts", "notify", "--no-follow", "--position", "p.json",
        "--to", server.url, "--to", json_url,
    ]  # fmt: skip
    ran = shell.driftline(send)
    assert (ran.returncode, ran.stderr) == (0, "sent 2, retried 0, given up 0\n")
    record, message = sorted(server.bodies, key=lambda body: "title" in body)
    assert (record["alert_id"], message["title"]) == ("c3", "car-loan: FIRING warning, 2 alerts")
    assert {headers["Ce-Id"] for headers in server.headers} == {"c3", None}
    server.bodies.clear()
    publish(alert("c3", 2, severity="critical"), alert("a1", 2, severity="critical"))
    shell.driftline(["alerts", "snooze", "a1", "--clear"])
    assert shell.driftline(send).returncode == 0
    records = [body for body in server.bodies if "title" not in body]
    assert sorted((body["alert_id"], body["revision"]) for body in records) == [
        ("a1", 2),
        ("c3", 2),
    ]
    ran = shell.driftline(send)
    assert (ran.returncode, ran.stderr) == (0, "sent 0, retried 0, given up 0\n")
    assert "b2" not in json.dumps(server.bodies)


def test_two_writers_and_a_reader(config: KafkaConfig, prefix: str, shell: Shell) -> None:
    topic = f"{prefix}.control"
    reader = MarkReader(connect(config).log, topic)
    assert reader.new() == []

    def now() -> int:
        return time.time_ns() // 1_000_000

    one, other = (MarkWriter(connect(config), topic, now) for _ in range(2))
    one.mark("a", "acknowledge", "ada")
    other.mark("a", "false_alarm", "bob", "a holiday")
    assert one.clear("a", "acknowledge").false_alarm is not None
    (marks,) = reader.new()
    assert (marks.acknowledge, marks.false_alarm and marks.false_alarm.why) == (None, "a holiday")
    one.close()
    other.close()
