"""Records that cannot be used, through a real Kafka: none is lost and none stops the service."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.kafka import checkout
from tests.kafka.checkout import Sender, event, events
from tests.kafka.conftest import CLIENTS, NewTopic
from tests.kafka.reader import TopicReader, wait_until
from tests.kafka.worker import Worker

HOUR = 3_600
HUGE = b'{"features": {"amount": 1}, "padding": "' + b"x" * 5_000_000 + b'"}'
LARGE = b'{"features": {"amount": 2}, "padding": "' + b"y" * 262_144 + b'"}'
LETTERS: list[tuple[str, bytes]] = [
    ("malformed", b"no json"),
    ("malformed", b'{"features": {"amount": 1'),
    ("malformed", "Zürich".encode("latin-1")),
    ("malformed", b"\x00\x01\x02\xff"),
    ("malformed", b""),
    ("malformed", b"[" * 10_000 + b"]" * 10_000),
    ("malformed", b"[1, 2]"),
    ("malformed", b'"text"'),
    ("schema", b'{"model": "checkout", "features": 3}'),
    ("schema", b'{"model": {"name": "checkout"}, "features": {"amount": 1}}'),
    ("timestamp", event(0, timestamp=0)),
    ("timestamp", event(0, timestamp=-5)),
    ("timestamp", event(0, timestamp="yesterday")),
    ("too_far_ahead", event(10 * 365 * 24 * HOUR)),
    ("too_large", LARGE),
    ("too_large", HUGE),
]
# They are events: what is wrong with a value is counted with its feature.
ODD = [
    event(1, amount=float("nan")),
    event(2, amount=float("inf")),
    event(3, amount="not a number"),
    event(4).replace(b'"amount": ', b'"amount": ' + b"9" * 4_000),
    event(5, surprise={"deep": [[[1]]]}, pi=3.14),
]
UNKNOWN = [event(6, model=f"model-{number}") for number in range(50)]
LATE = events(0, 3)


@pytest.fixture
def worker(bootstrap: str, prefix: str, tmp_path: Path, client: str) -> Iterator[Worker]:
    """A worker of the small model on the topic `<prefix>.events`."""
    section = {"client": client}
    config = checkout.write_config(
        tmp_path / "d.yaml", bootstrap, f"{prefix}.events", prefix, kafka=section
    )
    worker = Worker(config, tmp_path / "worker.log")
    yield worker
    worker.close()


def totals(text: str) -> dict[str, float]:
    """Return the sum of each counter over its labels, rejections also by reason."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
            if sample.name == "driftline_events_rejected_total":
                found[sample.labels["reason"]] = sample.value
    return found


@pytest.mark.parametrize("client", CLIENTS)
def test_every_record_has_one_fate(
    bootstrap: str, new_topic: NewTopic, prefix: str, worker: Worker
) -> None:
    topic = new_topic("events", 1, {"max.message.bytes": "8000000"})
    good = events(0, 30)
    # The bad ones lie in the middle; what comes late does so after the panes are final.
    values: list[bytes | None] = [*good[:100], *(value for _, value in LETTERS), *ODD, None]
    values += [*UNKNOWN, *good[100:], *LATE, None]
    Sender(bootstrap).send(topic, 0, values)
    worker.start()
    worker.wait_until_ready()
    with TopicReader(bootstrap, topic, prefix) as reader:
        wait_until(reader.all_consumed, "all records read")
        sent = reader.read()
    metrics = totals(worker.get("/metrics")[1])
    assert worker.stop() < 5
    assert metrics["driftline_events_consumed_total"] == len(values)
    assert metrics["driftline_events_counted_total"] == len(good) + len(ODD)
    assert metrics["driftline_late_events_total"] == len(LATE)
    assert metrics["driftline_events_skipped_total"] == len(UNKNOWN) + 2
    assert metrics["driftline_events_rejected_total"] == len(LETTERS)
    assert metrics["driftline_dead_letters_total"] == len(LETTERS)
    reasons = Counter(reason for reason, _ in LETTERS)
    assert {reason: metrics[reason] for reason in reasons} == reasons
    assert "model-7" not in worker.text()

    with TopicReader(bootstrap, f"{prefix}.dead-letter") as reader:
        letters = {
            int(letter.headers["driftline.error.offset"]): letter for letter in reader.read()
        }
    bad = {value for _, value in LETTERS}
    originals = [record for record in sent if record.value in bad]
    assert letters.keys() == {record.offset for record in originals}
    for (reason, value), original in zip(LETTERS, originals, strict=True):
        letter = letters[original.offset]
        said = letter.headers
        assert said["driftline.error.reason"] == reason.encode()
        assert said["driftline.error.topic"] == topic.encode()
        assert said["driftline.error.partition"] == b"0"
        assert int(said["driftline.error.timestamp"]) > checkout.START
        assert 0 < len(said["driftline.error.detail"]) <= 256
        assert (letter.key, said["trace"]) == (b"key", b"\x00\xff")
        if reason == "too_large":
            assert letter.value == value[:4096]
            assert int(said["driftline.error.length"]) == len(value)
            assert said["driftline.error.sha256"].decode() == hashlib.sha256(value).hexdigest()
        else:
            assert letter.value == value

    with TopicReader(bootstrap, f"{prefix}.verdicts") as reader:
        verdicts = [json.loads(record.value or b"") for record in reader.read()]
    first = {v["feature"]: v for v in verdicts if v["window"]["start"] == "2020-09-13T12:26:40Z"}
    assert first["amount"]["window"]["events"] == 100 + len(ODD)
    assert first["amount"]["counts"]["invalid"] == 4
    assert first["channel"]["counts"]["invalid"] == 0
    assert {v["window"]["start"] for v in verdicts} == {
        "2020-09-13T12:26:40Z", "2020-09-13T12:26:50Z",
    }  # fmt: skip
