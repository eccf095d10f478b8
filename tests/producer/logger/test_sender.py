"""The logger's Kafka body, with a client that the test plays; the real one is in tests/kafka."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import kafka
import kafka.errors
import pytest
from kafka.future import Future

from driftline.producer.errors import InputError
from driftline.producer.logger.outbox import Delivered, Outgoing
from driftline.producer.logger.sender import KafkaSender


class Client:
    """A kafka-python producer as far as the sender uses it."""

    def __init__(self, errors: Sequence[Exception | None] = ()) -> None:
        self.errors = list(errors)
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.closed = False

    def _cleanup(self) -> None: ...

    def send(self, topic: str, value: bytes, key: bytes) -> Any:
        error = self.errors.pop(0) if self.errors else None
        if isinstance(error, kafka.errors.KafkaTimeoutError):
            raise error
        if error is not None:
            return Done().failure(error)
        self.sent.append((topic, key, value))
        return Done().success(None)

    def close(self, timeout: float) -> None:
        self.closed = True


class Done(Future):  # type: ignore[misc]  # the client ships no types
    def get(self, timeout: float) -> None: ...


def event(number: int) -> Outgoing:
    return Outgoing("event", str(number).encode(), b"{}")


def starts(monkeypatch: pytest.MonkeyPatch, *outcomes: Client | Exception) -> list[dict[str, Any]]:
    """Let the client's next starts end so; return the options that they are given."""
    asked: list[dict[str, Any]] = []
    waiting = list(outcomes)

    class KafkaProducer:
        DEFAULT_CONFIG = kafka.KafkaProducer.DEFAULT_CONFIG

        def __new__(cls, **options: Any) -> Any:
            asked.append(options)
            outcome = waiting.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

    monkeypatch.setattr(kafka, "KafkaProducer", KafkaProducer)
    monkeypatch.setattr("driftline.producer.logger.sender._RETRY", 0.0)
    return asked


def test_events_and_labels_go_to_their_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    asked = starts(monkeypatch, client)
    sender = KafkaSender("events", "a:1,b:2", labels="truth", linger_ms=5)
    assert asked == []  # nothing is asked of the broker before there is something to send
    label = Outgoing("label", b"7", b"[]")
    assert sender.send([event(7), label], threading.Event()) == Delivered(2)
    assert client.sent == [("events", b"7", b"{}"), ("truth", b"7", b"[]")]
    assert asked[0]["bootstrap_servers"] == ["a:1", "b:2"]
    assert asked[0]["delivery_timeout_ms"] == 2**31 - 1
    assert asked[0]["linger_ms"] == 5
    sender.close()
    assert client.closed


def test_labels_go_to_the_topic_of_events_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    starts(monkeypatch, client)
    KafkaSender("events", "a:1").send([Outgoing("label", b"7", b"[]")], threading.Event())
    assert client.sent[0][0] == "events"


def test_it_tries_until_the_broker_answers_and_the_topic_is_there(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = kafka.errors.KafkaTimeoutError("Unable to bootstrap")
    client = Client([away, away])
    asked = starts(monkeypatch, away, away, OSError("no route"), client)
    sender = KafkaSender("events", "a:1")
    assert sender.send([event(1)], threading.Event()) == Delivered(1)
    assert len(asked) == 4
    assert caplog.text.count("predictions are waiting: KafkaTimeoutError") == 1


def test_what_the_broker_refuses_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = kafka.errors.TopicAuthorizationFailedError("events")
    starts(monkeypatch, Client([None, refusal, refusal]))
    sender = KafkaSender("events", "a:1")
    batch = [event(number) for number in range(5)]
    assert sender.send(batch, threading.Event()) == Delivered(3, 2)
    assert caplog.text.count("predictions are refused: TopicAuthorizationFailedError") == 1


def test_it_comes_back_when_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()

    class Deaf(Client):
        def send(self, topic: str, value: bytes, key: bytes) -> Any:
            stop.set()
            return Done()  # never acknowledged

        def close(self, timeout: float) -> None:
            raise kafka.errors.KafkaTimeoutError("records are outstanding")

    starts(monkeypatch, Deaf())
    sender = KafkaSender("events", "a:1")
    assert sender.send([event(1), event(2)], stop) == Delivered(0)
    sender.close()
    starts(monkeypatch)
    assert KafkaSender("events", "a:1").send([event(1)], stop) == Delivered(0)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"acks": 1}, "acks cannot be changed"),
        ({"delivery_timeout_ms": 1}, "delivery_timeout_ms cannot be changed"),
        ({"linger": 1}, "no such option, did you mean linger_ms"),
        ({"zzz": 1}, "no such option, see kafka.KafkaProducer"),
    ],
)
def test_an_option_that_cannot_be_is_refused_at_once(option: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        KafkaSender("events", "a:1", **option)


def test_a_configuration_that_no_retry_helps_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    starts(monkeypatch, kafka.errors.KafkaConfigurationError("sasl_mechanism"))
    with pytest.raises(kafka.errors.KafkaConfigurationError):
        KafkaSender("events", "a:1").send([event(1)], threading.Event())
