"""Alerts on a real broker, marked and sent by the command line."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from tests.consumer.deliver.conftest import alert, resolved
from tests.consumer.deliver.test_webhook import Server, answering
from typer.testing import CliRunner, Result

from driftline.consumer.cli import app
from driftline.consumer.config import KafkaConfig
from driftline.consumer.deliver.mark_writer import MarkWriter
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.log.broker import connect
from driftline.consumer.log.kafka_python.producer import KafkaProducer, start_producer
from driftline.consumer.log.protocol import Message
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Alert

Publish = Callable[..., None]


class Caller:
    """Calls `driftline alerts` in this process."""

    def __call__(self, *words: str) -> Result:
        ran = CliRunner().invoke(app, ["alerts", *words])
        assert ran.exit_code == 0, (words, ran.output, ran.exception)
        return ran


@pytest.fixture
def alerts(bootstrap: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """In a folder with a configuration whose topics exist."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "driftline.yaml").write_text(
        f"kafka: {{bootstrap_servers: '{bootstrap}'}}\n"
        f"output: {{prefix: {prefix}, partitions: 3}}\n"
        "models: {m: {predictions: t, reference: r.json}}\n"
    )
    assert CliRunner().invoke(app, ["topics", "create"]).exit_code == 0
    return Caller()


@pytest.fixture
def publish(config: KafkaConfig, prefix: str, alerts: Caller) -> Iterator[Publish]:
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
    with answering() as made:
        yield made


def test_marked_and_sent_and_not_sent_again(
    alerts: Caller, publish: Publish, server: Server
) -> None:
    publish(alert("a1"), alert("b2"), alert("c3"), alert("d4"), resolved("d4"))
    alerts("snooze", "a1", "--for", "4h", "--who", "ada")
    alerts("false-alarm", "b", "--who", "ada")
    shown = alerts("tail", "--no-follow").stdout
    assert "[snoozed until " in shown
    assert "[a false alarm by ada]" in shown
    urls = (server.url, server.url.replace("http", "json"))
    send = ["notify", "--no-follow", "--position", "p.json", *(f"--to={url}" for url in urls)]
    assert alerts(*send).stderr == "sent 2, retried 0, given up 0\n"
    record, message = sorted(server.bodies, key=lambda body: "title" in body)
    assert (record["alert_id"], message["title"]) == ("c3", "car-loan: FIRING warning, 2 alerts")
    assert {headers["Ce-Id"] for headers in server.headers} == {"c3", None}
    server.bodies.clear()
    publish(alert("c3", 2, severity="critical"), alert("a1", 2, severity="critical"))
    alerts("snooze", "a1", "--clear")
    alerts(*send)
    records = [body for body in server.bodies if "title" not in body]
    sent = sorted((body["alert_id"], body["revision"]) for body in records)
    assert sent == [("a1", 2), ("c3", 2)]
    assert alerts(*send).stderr == "sent 0, retried 0, given up 0\n"
    assert "b2" not in json.dumps(server.bodies)


def test_two_writers_and_a_reader(config: KafkaConfig, prefix: str, alerts: Caller) -> None:
    topic = f"{prefix}.control"
    log = connect(config).log
    reader = MarkReader(log, topic)
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
    log.close()
