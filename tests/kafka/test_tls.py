"""SCRAM over TLS against the real broker, and what an operator reads when it does not work."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.kafka.broker import PASSWORD, USER, Running, write_certificates
from tests.kafka.conftest import CLIENTS

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import connect as reach
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.kafka_python import connect
from driftline.consumer.log.kafka_python.client_log import ClientLog
from driftline.consumer.log.protocol import Message, TopicPartition, TopicSpec

SASL = {"mechanism": "SCRAM-SHA-512", "username": USER, "password": PASSWORD}


@pytest.fixture
def secure(broker: Running, tls_dir: Path, prefix: str) -> dict[str, Any]:
    """The `kafka` section for the SASL_SSL listener."""
    if broker.sasl is None:
        pytest.skip("DRIFTLINE_TEST_BOOTSTRAP has no TLS listener that we know of")
    return {
        "bootstrap_servers": [broker.sasl],
        "group": prefix,
        "tls": {"ca_file": tls_dir / "ca.pem"},
        "sasl": SASL,
    }


@pytest.fixture
def debug_log() -> Iterator[io.StringIO]:
    """All that a run at log level debug writes."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.setLevel(level)
    root.removeHandler(handler)


def sentence(section: dict[str, Any]) -> str:
    section = {key: value for key, value in section.items() if value is not None}
    begin = time.monotonic()
    with pytest.raises(LogError) as caught:
        connect(KafkaConfig.model_validate(section))
    assert time.monotonic() - begin < 15
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("client", CLIENTS)
def test_scram_over_tls(
    secure: dict[str, Any], prefix: str, debug_log: io.StringIO, client: str
) -> None:
    broker = reach(KafkaConfig.model_validate({**secure, "client": client}))
    topic = f"{prefix}.events"
    broker.log.create_topics([TopicSpec(topic, 1, {})], 1)
    partition = TopicPartition(topic, 0)
    producer = broker.producer()
    producer.send(Message(topic, 0, b"key", b"value"))
    producer.flush()
    producer.close()
    assert [record.value for record in broker.log.read({partition: 0})] == [b"value"]
    broker.log.close()
    consumer = broker.consumer({topic})
    records: list[Any] = []
    deadline = time.monotonic() + 30
    while not records:
        assert time.monotonic() < deadline
        polled = consumer.poll(0.2)
        if polled.ownership is not None:
            consumer.seek(partition, 0)
            consumer.resume({partition})
        records += polled.records.get(partition, [])
    consumer.close()
    assert [record.value for record in records] == [b"value"]
    written = debug_log.getvalue()
    if client == CLIENTS[0]:  # the other one has no log of Python's
        assert "kafka" in written or "group" in written  # the client does speak
    assert PASSWORD not in written
    assert "SaslAuthenticate" not in written
    assert logging.getLogger("kafka.net.connection").getEffectiveLevel() == logging.INFO


def test_wrong_password(secure: dict[str, Any], debug_log: io.StringIO) -> None:
    said = sentence({**secure, "sasl": {**SASL, "password": "open-sesame"}})
    assert said == (
        f"{secure['bootstrap_servers'][0]}: the broker refused the login of alice:"
        " check kafka.sasl.username and the password"
    )
    assert "open-sesame" not in debug_log.getvalue()


def test_no_login(secure: dict[str, Any]) -> None:
    assert "the broker wants a login: set kafka.sasl (mechanism: SCRAM-SHA-512)" in sentence(
        {**secure, "sasl": None}
    )


def test_another_mechanism(secure: dict[str, Any]) -> None:
    assert "does not offer kafka.sasl.mechanism PLAIN, but SCRAM-SHA-512" in sentence(
        {**secure, "sasl": {**SASL, "mechanism": "PLAIN"}}
    )


def test_a_login_where_none_is_wanted(secure: dict[str, Any], bootstrap: str) -> None:
    said = sentence({**secure, "bootstrap_servers": [bootstrap], "tls": None})
    assert "this listener takes no login" in said


def test_plain_text_to_the_tls_port(secure: dict[str, Any]) -> None:
    assert "this listener speaks TLS" in sentence({**secure, "tls": None, "sasl": None})


def test_tls_to_the_plain_text_port(secure: dict[str, Any], bootstrap: str) -> None:
    section = {**secure, "bootstrap_servers": [bootstrap], "sasl": None}
    assert "this listener does not speak TLS" in sentence(section)


def test_another_authority(secure: dict[str, Any], tmp_path: Path) -> None:
    ca_file = write_certificates(tmp_path / "other") / "ca.pem"
    assert "not signed by an authority that kafka.tls.ca_file names" in sentence(
        {**secure, "tls": {"ca_file": ca_file}}
    )


def test_the_client_repeats_itself_once_a_minute(debug_log: io.StringIO) -> None:
    handler = ClientLog()
    for second in range(130):
        record = logging.LogRecord("kafka.x", logging.ERROR, "x.py", 7, "lost %d", (second,), None)
        record.created = 1e9 + second
        handler.emit(record)
    assert debug_log.getvalue().splitlines() == [
        "lost 0",
        "lost 60 (59 more like this before)",
        "lost 120 (59 more like this before)",
    ]
