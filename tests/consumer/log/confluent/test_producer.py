"""What is outstanding is bounded, waited for, and never silently short of a message."""

from __future__ import annotations

from collections import deque
from typing import Any

import confluent_kafka
import pytest
from confluent_kafka import KafkaError

from driftline.consumer.log.confluent.producer import ConfluentProducer
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.protocol import Message

MESSAGE = Message("out", 0, b"key", b"value")


class Client:
    """Stands for librdkafka's producer: acknowledges so many messages with each wait."""

    def __init__(self, acknowledged: int = 0, room: int = 100) -> None:
        self.acknowledged = acknowledged
        self.room = room
        self.waiting: deque[tuple[Any, ...]] = deque()
        self.refusals: dict[int, int] = {}  # number of a message -> the error's code
        self.sent: list[tuple[Any, ...]] = []
        self.purged = self.closed = False
        self.ended: Exception | None = None  # raised once, with the first refusal

    def __len__(self) -> int:
        return len(self.waiting)

    def produce(
        self, topic: str, value: Any, key: Any, partition: int, *,
        headers: Any, timestamp: int, on_delivery: Any,
    ) -> None:  # fmt: skip
        if value == b"behind":
            error = KafkaError(KafkaError._FATAL, "Local: Fatal error")
            raise confluent_kafka.KafkaException(error)
        if len(self.waiting) == self.room:
            raise BufferError("Local: Queue full")
        if value == b"large":
            error = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "too large for us")
            raise confluent_kafka.KafkaException(error)
        message = confluent_kafka.Message(topic=topic, partition=partition, value=value)
        self.waiting.append((len(self.sent), message, on_delivery))
        self.sent.append((topic, partition, key, value, headers, timestamp))

    def poll(self, timeout: float) -> int:
        return self._take(0)

    def flush(self, timeout: float) -> int:
        self._take(self.acknowledged)
        return len(self.waiting)

    def _take(self, most: int) -> int:
        while self.waiting and (most or self.waiting[0][0] in self.refusals):
            number, message, report = self.waiting.popleft()
            if (code := self.refusals.get(number)) is not None:
                report(KafkaError(code, "no"), message)
                if self.ended is not None:
                    ended, self.ended = self.ended, None
                    raise ended
            most = max(0, most - 1)
        return 0

    def purge(self) -> None:
        self.purged = True

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("Producer has been closed")
        self.closed = True


def several(producer: ConfluentProducer, count: int) -> None:
    for _ in range(count):
        producer.send(MESSAGE)


def test_fields() -> None:
    client = Client(acknowledged=10)
    producer = ConfluentProducer(client)
    producer.send(Message("out", 1, None, b"", [("a", b"x")], 17))
    producer.send(MESSAGE)
    producer.send(MESSAGE._replace(timestamp=0))
    assert client.sent == [
        ("out", 1, None, b"", [("a", b"x")], 17),
        ("out", 0, b"key", b"value", None, 0),  # which is the present
        ("out", 0, b"key", b"value", None, 1),
    ]
    producer.flush()
    assert len(client) == 0
    producer.close()
    assert (client.purged, client.closed) == (False, True)
    producer.close()  # again, where something went wrong while a worker closed it


def test_nobody_acknowledges() -> None:
    client = Client()
    producer = ConfluentProducer(client, patience=0.0)
    producer.send(MESSAGE)
    with pytest.raises(WorkerLost, match="1 messages wait and the broker has acknowledged none"):
        producer.flush()
    producer.close()
    assert (client.purged, client.closed) == (True, True)


def test_an_acknowledgement_is_a_sign_of_life() -> None:
    producer = ConfluentProducer(Client(acknowledged=1), patience=0.0)
    several(producer, 5)
    producer.flush()  # one with each wait, none of which is without


def test_a_full_queue_is_waited_for() -> None:
    client = Client(acknowledged=2, room=3)
    producer = ConfluentProducer(client, patience=0.0)
    several(producer, 10)
    assert len(client.sent) == 10
    client.acknowledged = 0
    with pytest.raises(WorkerLost, match="3 messages wait"):
        several(producer, 10)


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        (KafkaError.MSG_SIZE_TOO_LARGE, LogError, r"refused a message of 9 bytes for out\[0\]: no"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, LogError, "no: grant Write on out"),
        (KafkaError.INVALID_TIMESTAMP, LogError, "set the clock of this host, or of the broker's"),
        (KafkaError._UNKNOWN_TOPIC, WorkerLost, "cannot write to out: no"),
        (KafkaError._TRANSPORT, WorkerLost, "refused a message of 9 bytes"),
    ],
)
def test_a_refusal_ends_the_worker(code: int, error: type[Exception], said: str) -> None:
    """Of a batch that is refused as a whole, the largest message is named."""
    client = Client(acknowledged=10)
    client.refusals = dict.fromkeys(range(3), code)
    producer = ConfluentProducer(client)
    for value in (b"first", b"the large", b"last"):
        producer.send(MESSAGE._replace(value=value))
    with pytest.raises(error, match=said):
        producer.flush()
    with pytest.raises(error, match=said):
        producer.send(MESSAGE)
    with pytest.raises(error, match=said):
        producer.flush()


def test_a_refusal_is_seen_without_a_flush() -> None:
    client = Client()
    client.refusals = {0: KafkaError.POLICY_VIOLATION}
    producer = ConfluentProducer(client)
    with pytest.raises(LogError, match="refused a message of 5 bytes"):
        several(producer, 80)
    assert len(client.sent) < 80


def test_what_the_client_refuses_itself() -> None:
    with pytest.raises(LogError, match=r"refused a message of 5 bytes for out\[0\]: too large"):
        ConfluentProducer(Client()).send(MESSAGE._replace(value=b"large"))


FATAL = confluent_kafka.KafkaException(
    KafkaError(KafkaError._GAPLESS_GUARANTEE, "ProduceRequest for out [0] failed: no", fatal=True)
)


def amid_a_report() -> SystemError:
    error = SystemError("returned a result with an exception set")
    error.__cause__ = FATAL
    return error


@pytest.mark.parametrize("ended", [FATAL, amid_a_report()])
def test_of_a_producer_that_has_ended_what_was_refused_is_said(ended: Exception) -> None:
    """What stood behind it was purged, be it larger or reported first."""
    client = Client(acknowledged=1)
    client.ended = ended
    client.refusals = {
        0: KafkaError._PURGE_QUEUE, 1: KafkaError.MSG_SIZE_TOO_LARGE, 2: KafkaError._PURGE_QUEUE,
    }  # fmt: skip
    producer = ConfluentProducer(client)
    for value in (b"before it", b"it", b"far behind it"):
        producer.send(MESSAGE._replace(value=value))
    with pytest.raises(LogError, match=r"refused a message of 2 bytes for out\[0\]: no"):
        producer.flush()


def test_a_producer_that_ends_while_it_is_closed() -> None:
    client = Client(acknowledged=1)
    client.ended, client.refusals = amid_a_report(), {0: KafkaError.POLICY_VIOLATION}
    producer = ConfluentProducer(client)
    producer.send(MESSAGE)
    producer.close()
    assert client.closed


def test_a_producer_that_has_ended_takes_no_message() -> None:
    client = Client(acknowledged=10)
    producer = ConfluentProducer(client)
    with pytest.raises(WorkerLost, match="librdkafka writes no more: Local: Fatal error"):
        producer.send(MESSAGE._replace(value=b"behind"))
    producer.send(MESSAGE._replace(value=b"refused"))
    client.refusals = {0: KafkaError.POLICY_VIOLATION}
    with pytest.raises(LogError, match="refused a message of 7 bytes"):
        producer.send(MESSAGE._replace(value=b"behind"))
