"""One real broker for all tests of this folder.

`DRIFTLINE_TEST_BOOTSTRAP` names a broker to be used instead. Without it, and without Java and
Maven, the tests fail in CI (`CI` is set) and are skipped elsewhere. All run in one process: with
pytest-xdist, `--dist loadgroup` keeps them together.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import kafka
import pytest
from tests.kafka.broker import Running, lacking, running, write_certificates
from tests.kafka.members import FAST

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.confluent.consumer import ConfluentConsumer
from driftline.consumer.log.kafka_python.consumer import KafkaConsumer

HERE = Path(__file__).parent

CLIENTS = ("kafka-python", "confluent")  # of `kafka.client`

NewTopic = Callable[..., str]
Join = Callable[..., KafkaConsumer]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the broker, and nothing else in this folder."""
    for item in items:
        if HERE in item.path.parents and "broker" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)
            item.add_marker(pytest.mark.xdist_group("kafka"))


@pytest.fixture(scope="session")
def tls_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with `ca.pem`, the authority that signed the broker's certificate."""
    return write_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def broker(tls_dir: Path) -> Iterator[Running]:
    """The broker."""
    existing = os.environ.get("DRIFTLINE_TEST_BOOTSTRAP")
    if existing:
        yield Running(existing)
        return
    reason = lacking()
    if reason is not None:
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with running(tls_dir) as started:
        yield started


@pytest.fixture(scope="session")
def bootstrap(broker: Running) -> str:
    """`host:port` of the broker's plain-text listener."""
    return broker.bootstrap


@pytest.fixture(scope="session")
def admin(bootstrap: str) -> Iterator[Any]:
    """The client's admin."""
    client = kafka.KafkaAdminClient(bootstrap_servers=bootstrap)
    yield client
    client.close()


@pytest.fixture
def prefix() -> str:
    """A prefix for topics and groups that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def config(bootstrap: str, prefix: str) -> KafkaConfig:
    """The `kafka` section for the broker, with a group of its own."""
    return KafkaConfig(bootstrap_servers=(bootstrap,), group=prefix)


@pytest.fixture
def new_topic(admin: Any, prefix: str) -> NewTopic:
    """Create a topic: `new_topic(name, partitions=1, configs={})` returns its full name."""

    def create(name: str, partitions: int = 1, configs: Mapping[str, str] | None = None) -> str:
        topic = f"{prefix}.{name}"
        new = {"num_partitions": partitions, "replication_factor": 1, "configs": configs or {}}
        admin.create_topics({topic: new}, wait_for_metadata=True)
        return topic

    return create


@pytest.fixture
def client() -> str:
    """`kafka.client`; tests for both are parametrised with `CLIENTS`."""
    return CLIENTS[0]


@pytest.fixture
def join(config: KafkaConfig, client: str) -> Iterator[Join]:
    """Join the test's group: `join(topic, **options)`."""
    members: list[KafkaConsumer] = []
    body = ConfluentConsumer if client == "confluent" else KafkaConsumer

    def start(*topics: str, **options: Any) -> KafkaConsumer:
        settings = config.model_copy(update={"options": {**FAST, **options}})
        members.append(body(settings, frozenset(topics)))
        return members[-1]

    yield start
    for member in members:
        member.close()
