"""A worker goes on, on a real broker, from the log that version 0.1.0 left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import confluent_kafka
import msgspec
import pytest
from tests.consumer.service import frozen
from tests.consumer.service.rig import OUTPUTS, Rig
from tests.kafka.reader import TopicReader, by_identity, wait_until
from tests.kafka.worker import Worker

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Message
from driftline.consumer.service.states import State
from driftline.consumer.wire.codec import decode, encode

TOPICS = {
    frozen.EVENTS: frozen.PARTITIONS,
    frozen.TRUTH: 1,
    **{f"{frozen.PREFIX}.{name}": 2 for name in OUTPUTS},
}


@pytest.fixture
def topic_ids(admin: Any, bootstrap: str) -> Iterator[dict[str, str]]:
    """Create the topics of the frozen log; return their ids by those that they had there."""
    compacted = f"{frozen.PREFIX}.state"
    admin.create_topics(
        {
            name: {
                "num_partitions": partitions,
                "replication_factor": 1,
                # What is written has old timestamps.
                "configs": {"cleanup.policy": "compact"}
                if name == compacted
                else {"retention.ms": "-1"},
            }
            for name, partitions in TOPICS.items()
        },
        wait_for_metadata=True,
    )
    log = connect(KafkaConfig(bootstrap_servers=(bootstrap,), group=frozen.PREFIX)).log
    yield {f"id-{name}": info.topic_id for name, info in log.topics(frozenset(TOPICS)).items()}
    log.close()
    admin.delete_topics(list(TOPICS))


def on_this_broker(value: bytes, topic_ids: dict[str, str]) -> bytes:
    """Return a state of version 0.1.0 that names a topic as this broker does."""
    state: State = decode(value, State)  # type: ignore[arg-type]  # a union is a type to msgspec
    assert value[2] == 1
    return encode(msgspec.structs.replace(state, topic_id=topic_ids[state.topic_id]))


def write(bootstrap: str, messages: list[Message]) -> None:
    """Write records as they are, in order."""
    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap})
    for message in messages:
        producer.produce(
            message.topic, message.value, message.key, message.partition,
            timestamp=message.timestamp or 0, headers=list(message.headers),
        )  # fmt: skip
    assert producer.flush(30) == 0


def documents(bootstrap: str, name: str) -> list[dict[str, Any]]:
    """Return what is published; repeats have the same bytes."""
    with TopicReader(bootstrap, f"{frozen.PREFIX}.{name}") as reader:
        values = by_identity(record.value for record in reader.read()).values()
    return [json.loads(value) for value in values]


def undisturbed() -> Rig:
    """All of the input, read by one worker over the log in memory."""
    rig = frozen.rig_for(frozen.thaw()[0].plan)
    rig.start(batch=50)
    frozen.feed(rig, 0, frozen.END + 30)
    rig.settle()
    return rig


def test_a_worker_goes_on_from_the_log_of_an_older_version(
    bootstrap: str, topic_ids: dict[str, str], tmp_path: Path
) -> None:
    _, kept = frozen.thaw()
    state = f"{frozen.PREFIX}.state"
    records = [
        Message(t, p, key, value, headers, at) for t, p, at, key, value, headers in kept.records
    ]
    write(
        bootstrap,
        [
            one._replace(value=on_this_broker(one.value or b"", topic_ids))
            if one.topic == state
            else one
            for one in records
        ],
    )
    rest = frozen.seconds(frozen.HALF, frozen.END + 30)
    write(bootstrap, [m._replace(timestamp=kept.now) for second in rest for m in second])
    for model, reference in kept.references.items():
        (tmp_path / f"{model}.json").write_bytes(reference)
    document = frozen.document()
    document["kafka"]["bootstrap_servers"] = bootstrap
    document |= {"http": {"port": 0}, "log": {"format": "json"}}
    (tmp_path / "driftline.yaml").write_text(json.dumps(document))
    expected = undisturbed()
    worker = Worker(tmp_path / "driftline.yaml", tmp_path / "worker.log")
    worker.start()
    try:
        wait_until(
            lambda: len(documents(bootstrap, "verdicts")) >= len(expected.verdicts()),
            "all windows judged",
        )
        assert worker.stop() < 5
    finally:
        worker.close()
    found = {body["verdict_id"] for body in documents(bootstrap, "verdicts")}
    assert found == expected.verdicts().keys()
    whole = [alert for alert in documents(bootstrap, "alerts") if alert["segment"] is None]
    assert frozen.lives(whole) == frozen.lives(expected.alerts())
