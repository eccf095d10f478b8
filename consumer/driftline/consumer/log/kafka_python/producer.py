"""`protocol.Producer` on a real Kafka: one idempotent producer that never skips a message.

No time limit of the client's own: when a batch that was already sent expires, its idempotent
producer sends nothing ever again (kafka-python 3.0.12). So messages never expire, what is
outstanding is bounded here, and a worker whose messages nobody acknowledges ends and is started
again. What the broker refuses once it would refuse after another start too: an operator must act.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import kafka
import kafka.errors

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.kafka_python.clients import start_client
from driftline.consumer.log.kafka_python.options import client_options
from driftline.consumer.log.protocol import Message

# What would come again after another start. All else may pass, with a new producer at the latest.
_REFUSALS = (
    kafka.errors.AuthorizationError,
    kafka.errors.InvalidRecordError,
    kafka.errors.InvalidTopicError,
    kafka.errors.MessageSizeTooLargeError,
    kafka.errors.PolicyViolationError,
    kafka.errors.RecordListTooLargeError,
    kafka.errors.UnsupportedCompressionTypeError,
    kafka.errors.UnsupportedForMessageFormatError,
    kafka.errors.UnsupportedVersionError,
)
MAX_MESSAGES = 20_000
MAX_BYTES = 32 * 1024 * 1024
CLOSE = 1.0  # seconds


def start_producer(config: KafkaConfig) -> Any:
    """Start the client's idempotent producer.

    Raises:
        LogError: The broker gives no answer.
    """
    options = client_options(
        config,
        kafka.KafkaProducer,
        {"compression_type": "lz4", "batch_size": 128 * 1024, "metrics_enabled": False},
        acks="all",
        enable_idempotence=True,
        delivery_timeout_ms=2**31 - 1,
        max_block_ms=5_000,
        allow_auto_create_topics=False,
    )
    return start_client(config, lambda: kafka.KafkaProducer(**options))


class KafkaProducer:
    """Writes in order, per partition without gaps: a refused message ends the worker.

    Args:
        client: From `start_producer`.
        patience: Seconds without any acknowledgement after which the worker is lost.
    """

    def __init__(self, client: Any, patience: float = 60.0) -> None:
        self._client = client
        self._patience = patience
        self._change = threading.Condition()  # guards all below: acks come on the client's thread
        self._messages = 0
        self._bytes = 0
        self._last_progress = time.monotonic()
        self._failure: LogError | WorkerLost | None = None

    def send(self, message: Message) -> None:
        """Queue one message; blocks while too much is outstanding.

        Raises:
            LogError: The broker or the client refused a message.
            WorkerLost: Nothing was acknowledged for a minute.
        """
        size = len(message.value or b"") + len(message.key or b"")
        with self._change:
            self._wait_for(lambda: self._messages < MAX_MESSAGES and self._bytes < MAX_BYTES)
            if self._messages == 0:
                self._last_progress = time.monotonic()
            self._messages += 1
            self._bytes += size
        future = self._queue(message)
        future.add_callback(self._acknowledged, size)
        future.add_errback(self._refused, message)

    def flush(self) -> None:
        """Return when everything sent so far is acknowledged.

        Raises:
            LogError, WorkerLost: As `send`.
        """
        with self._change:
            self._wait_for(lambda: self._messages == 0)

    def close(self) -> None:
        """Give up the connection. What is not acknowledged may or may not be written."""
        try:
            self._client.close(timeout=CLOSE)
        except kafka.errors.KafkaError:
            # It cannot be closed with messages outstanding; its destructor would try once more.
            self._client.close = lambda *args, **kwargs: None

    def _queue(self, message: Message) -> Any:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._client.send(
                    message.topic,
                    value=message.value,
                    key=message.key,
                    headers=list(message.headers),
                    partition=message.partition,
                    timestamp_ms=message.timestamp,
                )
            except kafka.errors.KafkaTimeoutError as error:
                # The topic's metadata is not there, nor after max_block_ms: an outage, or no topic.
                if time.monotonic() > deadline:
                    raise WorkerLost(f"cannot write to {message.topic}: {error}") from error
            except kafka.errors.KafkaError as error:
                raise _refusal(message, error) from error

    def _wait_for(self, condition: Any) -> None:
        """Wait, holding the lock, until `condition` is true; in slices, to see what goes wrong."""
        while self._failure is None and not condition():
            self._change.wait(1.0)
            silent = time.monotonic() - self._last_progress
            if silent > self._patience and not condition():
                self._failure = WorkerLost(
                    f"{self._messages} messages wait and the broker has acknowledged none for"
                    f" {silent:.0f} s"
                )
        if self._failure is not None:
            raise self._failure

    def _acknowledged(self, size: int, metadata: Any) -> None:
        with self._change:
            self._messages -= 1
            self._bytes -= size
            self._last_progress = time.monotonic()
            if self._messages == 0 or self._messages == MAX_MESSAGES - 1:
                self._change.notify()

    def _refused(self, message: Message, error: Exception) -> None:
        with self._change:
            # The first refusal is the cause, those behind it follow from it.
            self._failure = self._failure or _refusal(message, error)
            self._change.notify()


def _refusal(message: Message, error: Exception) -> LogError | WorkerLost:
    size = len(message.value or b"")
    where = f"{message.topic}[{message.partition}]"
    text = (
        f"the broker refused a message of {size} bytes for {where}: {type(error).__name__}: {error}"
    )
    if isinstance(error, kafka.errors.InvalidTimestampError):
        return refused_time(where)
    if isinstance(error, kafka.errors.AuthorizationError):
        return LogError(f"{text}: grant Write on {message.topic}")
    return LogError(text) if isinstance(error, _REFUSALS) else WorkerLost(text)


def refused_time(where: str) -> LogError:
    """Say why a broker refuses a message because of its timestamp.

    Args:
        where: The topic and, in brackets, the partition.
    """
    return LogError(
        f"the broker refused a message for {where} because of its time: set the clock of this"
        " host, or of the broker's; they are further apart than the topic's"
        " message.timestamp.before.max.ms and message.timestamp.after.max.ms (an hour ahead by"
        " default) let pass"
    )
