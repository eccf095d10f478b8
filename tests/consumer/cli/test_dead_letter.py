"""`driftline dead-letter`: what is told of them, and their way back."""

from __future__ import annotations

import json

import pytest
from tests.consumer.cli.conftest import Driftline

from driftline.consumer.cli.dead_letters import LetterChoice, choose, overview, resend, row
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.log import kafka_python
from driftline.consumer.log.memory import MemoryBroker, MemoryLog, MemoryProducer, MemoryRecord
from driftline.consumer.log.protocol import Headers, Message
from driftline.consumer.service.messages import dead_letter_message
from driftline.consumer.sketch.totals import DeadLetter

TOPIC = "driftline.dead-letter"
BROKER = ("--bootstrap-servers", "kafka:9092")


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    made = MemoryBroker(now=1_554_000_000_000)
    made.create("ml.predictions", 2)
    made.create(TOPIC, 3)
    monkeypatch.setattr(kafka_python, "connect", lambda config: made)
    return made


def refuse(
    broker: MemoryBroker,
    offset: int,
    value: bytes = b"oops",
    reason: str = "malformed",
    topic: str = "ml.predictions",
    headers: Headers = (("trace", b"1"),),
) -> None:
    """Write a dead letter as the service does, a minute after the last."""
    broker.now += 60_000
    original = MemoryRecord(topic, 1, offset, broker.now, b"key", value, headers)
    letter = DeadLetter(original, reason, f"detail {offset}")
    broker.append(dead_letter_message(letter, TOPIC, 3))


def letters(broker: MemoryBroker, choice: LetterChoice | None = None) -> list[int]:
    found = choose(broker.records(TOPIC), choice or LetterChoice())
    return [letter.offset for letter in found]


def test_each_is_told_once_oldest_first(broker: MemoryBroker) -> None:
    for offset in (7, 5, 7, 9):
        refuse(broker, offset)
    broker.append(Message(TOPIC, 0, b"x", b"no letter of ours"))
    assert letters(broker) == [7, 5, 9]


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (LetterChoice(reason="schema"), [2]),
        (LetterChoice(topic="other"), [3]),
        (LetterChoice(since=1_554_000_120_000), [2, 3]),
        (LetterChoice(until=1_554_000_120_000), [1]),
        (LetterChoice(reason="schema", topic="other"), []),
    ],
)
def test_they_can_be_chosen(broker: MemoryBroker, choice: LetterChoice, chosen: list[int]) -> None:
    refuse(broker, 1)
    refuse(broker, 2, reason="schema")
    refuse(broker, 3, topic="other")
    assert letters(broker, choice) == chosen


def test_an_original_that_was_a_dead_letter_itself_keeps_its_own_place(
    broker: MemoryBroker,
) -> None:
    refuse(broker, 4, headers=(("driftline.error.offset", b"99"),))
    assert letters(broker) == [4]


def test_on_their_way_back_they_are_what_they_were(broker: MemoryBroker) -> None:
    refuse(broker, 3, b'{"features": {}}')
    producer = MemoryProducer(broker)
    resend(choose(broker.records(TOPIC), LetterChoice()), MemoryLog(broker), producer)
    (record,) = broker.records("ml.predictions")
    assert (record.partition, record.key, record.value) == (1, b"key", b'{"features": {}}')
    assert list(record.headers) == [("trace", b"1")]


def test_nothing_is_sent_if_a_topic_is_gone(broker: MemoryBroker) -> None:
    refuse(broker, 1)
    refuse(broker, 2, topic="gone")
    found = choose(broker.records(TOPIC), LetterChoice())
    with pytest.raises(CommandError, match=r"^gone: no such topic any more"):
        resend(found, MemoryLog(broker), MemoryProducer(broker))
    assert list(broker.records("ml.predictions")) == []


def test_text(broker: MemoryBroker) -> None:
    refuse(broker, 1, b"\xff\x1b[31m\n{}")
    refuse(broker, 2, reason="schema")
    refuse(broker, 3, reason="schema")
    found = choose(broker.records(TOPIC), LetterChoice())
    assert overview(found) == "3 dead letters: schema 2, malformed 1"
    assert row(found[0], values=False) == (
        "2019-03-31 02:41  malformed      ml.predictions[1]@1  detail 1"
    )
    assert row(found[0], values=True).endswith("\n    \\xff\x1b[31m\\n{}")


def test_show(driftline: Driftline, broker: MemoryBroker) -> None:
    assert driftline("dead-letter", "show", *BROKER).out == "no dead letters\n"
    refuse(broker, 1, b"\x1b[31m")
    refuse(broker, 2, b"\xff", reason="schema")
    ran = driftline("dead-letter", "show", "--values", *BROKER)
    assert ran.out.startswith("2 dead letters: malformed 1, schema 1\n2019-03-31 02:41  malformed")
    assert "\\x1b[31m" in ran.out
    assert "\x1b" not in ran.out
    only = driftline("dead-letter", "show", "--limit", 1, "--json", "--values", *BROKER)
    assert json.loads(only.out) == {
        "topic": "ml.predictions",
        "partition": 1,
        "offset": 2,
        "reason": "schema",
        "detail": "detail 2",
        "time": "2019-03-31T02:42:00Z",
        "value_base64": "/w==",
    }
    assert "value" not in driftline("dead-letter", "show", "--json", *BROKER).out


def test_replay(
    driftline: Driftline, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(broker, 1)
    refuse(broker, 2, reason="schema")
    refuse(broker, 3, b"{" * 10_000, reason="too_large")
    ran = driftline("dead-letter", "replay", "--dry-run", *BROKER)
    assert (ran.code, ran.out) == (0, "would send  2 dead letters: malformed 1, schema 1\n")
    assert ran.err == "1 that were too large are left out: only their beginning is kept\n"
    assert list(broker.records("ml.predictions")) == []
    ran = driftline("dead-letter", "replay", "--reason", "schema", *BROKER)
    assert (ran.code, ran.out) == (0, "sent  1 dead letter: schema 1\n")
    assert len(list(broker.records("ml.predictions"))) == 1
    ran = driftline("dead-letter", "replay", "--since", "tomorrow", *BROKER)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("--since tomorrow: write a time such as ")
