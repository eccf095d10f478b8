"""Mistakes of an operator: `driftline run` says the cause in one sentence and ends with 2."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.kafka import checkout
from tests.kafka.broker import USER, Running
from tests.kafka.conftest import NewTopic
from tests.kafka.worker import Worker, driftline

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.service.bodies import take_over
from driftline.consumer.service.states import States
from driftline.consumer.sketch.state import SPARK
from driftline.consumer.wire.codec import MERGED_VERSION, encode
from driftline.consumer.wire.messages import Horizon

Refused = Callable[..., str]


@pytest.fixture
def refused(bootstrap: str, prefix: str, tmp_path: Path) -> Refused:
    """`refused(server, edit, **more)`: the one sentence that `driftline run` ends with."""

    def run(
        server: str = bootstrap, edit: Callable[[dict[str, Any]], object] | None = None, **more: Any
    ) -> str:
        config = tmp_path / "driftline.yaml"
        checkout.write_config(config, server, f"{prefix}.events", prefix, **more)
        document = json.loads(config.read_text())
        if edit is not None:
            edit(document["models"][checkout.MODEL])
        config.write_text(json.dumps(document, indent=1))
        begin = time.monotonic()
        code, printed, said = driftline("run", "--config", config)
        assert time.monotonic() - begin < 15
        assert (code, printed) == (2, ""), said
        # What is no log line is the one sentence, and it stands last.
        *logged, sentence = said.splitlines()
        assert all(isinstance(json.loads(line), dict) for line in logged), said
        return sentence.removeprefix(f"{tmp_path}/")

    return run


def test_a_missing_input_topic(refused: Refused, prefix: str) -> None:
    said = refused()
    assert said.endswith(
        f"the topic {prefix}.events does not exist: correct the name, or create it"
    )
    assert said.startswith("driftline.yaml:")


def test_missing_output_topics(refused: Refused, new_topic: NewTopic, prefix: str) -> None:
    new_topic("events")
    for name in ("alerts", "verdicts", "joins", "dead-letter"):
        new_topic(name)
    new_topic("state", configs={"cleanup.policy": "compact"})
    said = refused(output={"create_topics": False})
    assert said == f"{prefix}.panes is missing: run  driftline topics create"


def test_a_state_topic_that_is_not_compacted(
    refused: Refused, new_topic: NewTopic, prefix: str
) -> None:
    new_topic("events")
    new_topic("state", configs={"cleanup.policy": "delete"})
    said = refused()
    assert said.startswith(f"{prefix}.state has cleanup.policy=delete, it must be compact: run  ")
    assert "--add-config cleanup.policy=compact" in said


def test_another_group_on_the_same_prefix(
    refused: Refused, bootstrap: str, new_topic: NewTopic, prefix: str, tmp_path: Path
) -> None:
    topic = new_topic("events")
    first = checkout.write_config(tmp_path / "first.yaml", bootstrap, topic, prefix)
    worker = Worker(first, tmp_path / "first.log")
    worker.start()
    try:
        worker.wait_until_ready()
        # Also while the first one runs.
        assert refused(kafka={"group": "second"}) == (
            f"{prefix}.state belongs to the consumer group {prefix}, and this deployment's is "
            f"second: set kafka.group to {prefix}, or output.prefix to a name of its own"
        )
        worker.stop()
    finally:
        worker.close()


def test_a_topic_that_another_body_reads(
    refused: Refused, bootstrap: str, new_topic: NewTopic, prefix: str, tmp_path: Path
) -> None:
    topic = new_topic("events")
    config = checkout.write_config(tmp_path / "first.yaml", bootstrap, topic, prefix)
    worker = Worker(config, tmp_path / "first.log")
    worker.start()
    try:
        worker.wait_until_ready()
        worker.stop()
        kafka = KafkaConfig(bootstrap_servers=(bootstrap,))
        with closing(connect(kafka).log) as log, closing(connect(kafka).producer()) as producer:
            info = log.topics({topic, f"{prefix}.state"})
            states = States(log, f"{prefix}.state", info[f"{prefix}.state"].partitions, prefix)
            states.refresh()
            for message in take_over(states, info[topic], SPARK):
                producer.send(message)
            producer.flush()
        sentence = refused()
        assert sentence.startswith(f"{topic} is read by Spark (sketch_stream): stop its query, ")
        code, printed, _ = driftline("check", "--config", config)
        assert code == 2
        assert sentence in printed
        code, printed, _ = driftline("check", "--config", config, "--stages", "join,judge")
        assert (code, sentence in printed) == (0, False), printed
        taking = Worker(config, tmp_path / "taking.log", "--take-over", topic)
        try:
            taking.start()
            taking.wait_until_ready()
            assert [line["topic"] for line in taking.logged("taken over")] == [topic]
            taking.stop()
        finally:
            taking.close()
    finally:
        worker.close()


def test_a_state_of_a_newer_version(
    refused: Refused, bootstrap: str, new_topic: NewTopic, prefix: str
) -> None:
    new_topic("events")
    state = new_topic("state", configs={"cleanup.policy": "compact"})
    newer = encode(Horizon("t", 0, 1, "m", None, None, 0, 0), version=MERGED_VERSION + 1)
    checkout.Sender(bootstrap).send(state, 0, [newer])
    assert refused() == (
        f"the state key in {state} cannot be read: this record has version 6, newer than 5: "
        "upgrade Driftline"
    )


def test_a_wrong_password(refused: Refused, broker: Running, tls_dir: Path, tmp_path: Path) -> None:
    if broker.sasl is None:
        pytest.skip("DRIFTLINE_TEST_BOOTSTRAP has no TLS listener that we know of")
    secret = tmp_path / "password"
    secret.write_text("open-sesame")
    secret.chmod(0o600)
    login = {"mechanism": "SCRAM-SHA-512", "username": USER, "password_file": str(secret)}
    security = {"tls": {"ca_file": str(tls_dir / "ca.pem")}, "sasl": login}
    said = refused(broker.sasl, kafka=security)
    assert said == (
        f"{broker.sasl}: the broker refused the login of {USER}: "
        "check kafka.sasl.username and the password"
    )


def test_a_feature_that_the_reference_does_not_have(refused: Refused) -> None:
    said = refused(edit=lambda model: model.update(features={"amout": {"weight": 2}}))
    assert "features.amout: not in the reference; did you mean amount?" in said
    assert said.startswith("driftline.yaml:")


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("none.json", None, " does not exist: build it with driftline reference build"),
        ("half.json", b'{"schema": "driftline.ref', ": the reference is not valid JSON: build it"),
        ("other.json", b"{}", ": the reference has schema None, this version reads"),
        (
            "packed.json.gz",
            b"\x1f\x8b\x08\0\0\0\0\0\0\3no",
            " cannot be read: Error -3 while decompress",
        ),
    ],
)
def test_a_reference_that_cannot_be_read(
    refused: Refused, tmp_path: Path, name: str, content: bytes | None, cause: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    said = refused(edit=lambda model: model.update(reference=name))
    assert f"{name}{cause}" in said
    assert said.startswith("driftline.yaml:")
