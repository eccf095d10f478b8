"""`protocol.Producer` on librdkafka: one idempotent producer that never skips a message.

Messages never expire; what is outstanding is bounded by librdkafka itself. Only refusals are
reported. The first one ends librdkafka's producer, which would write what stands behind it in the
same partition all the same, and with it the worker.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any, NoReturn

import confluent_kafka

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.confluent.options import client_options, reason, start_client
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.kafka_python.producer import refused_time
from driftline.consumer.log.protocol import Message

# What would come again after another start, by librdkafka's names.
_REFUSALS = frozenset(
    {
        "CLUSTER_AUTHORIZATION_FAILED",
        "INVALID_RECORD",
        "MSG_SIZE_TOO_LARGE",
        "POLICY_VIOLATION",
        "RECORD_LIST_TOO_LARGE",
        "TOPIC_AUTHORIZATION_FAILED",
        "TOPIC_EXCEPTION",
        "UNSUPPORTED_COMPRESSION_TYPE",
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        "UNSUPPORTED_VERSION",
    }
)
_PURGED = frozenset({"_PURGE_QUEUE", "_PURGE_INFLIGHT"})  # of what stood behind
_UNKNOWN = frozenset({"UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION"})
MAX_MESSAGES = 20_000
MAX_KBYTES = 32 * 1024
CLOSE = 1.0  # seconds
_SLICE, _FULL = 1.0, 0.02  # seconds of one wait: for all that is outstanding, for some room
_LAST_LOOKS = 50  # for what was refused, of _FULL each, when the producer has ended
_LOOK = 64  # messages after which we see whether one was refused


def start_producer(config: KafkaConfig) -> Any:
    """Start librdkafka's idempotent producer.

    Raises:
        LogError: The options do not fit together.
    """
    options = client_options(
        config,
        "producer",
        {
            "compression.type": "lz4",
            "batch.size": 128 * 1024,
            "message.max.bytes": 1024 * 1024,
        },
        **{
            "acks": "all",
            "enable.idempotence": True,
            "enable.gapless.guarantee": True,
            "message.timeout.ms": 0,
            "topic.metadata.propagation.max.ms": 5_000,
            "queue.buffering.max.messages": MAX_MESSAGES,
            "queue.buffering.max.kbytes": MAX_KBYTES,
            "allow.auto.create.topics": False,
            "delivery.report.only.error": True,
        },
    )
    return start_client(lambda: confluent_kafka.Producer(options))


class ConfluentProducer:
    """Writes in order, per partition without gaps: a refused message ends the worker.

    Args:
        client: From `start_producer`.
        patience: Seconds without any acknowledgement after which the worker is lost.
    """

    def __init__(self, client: Any, patience: float = 60.0) -> None:
        self._client = client
        self._patience = patience
        self._sent = 0
        self._acknowledged = 0
        self._last_progress = time.monotonic()
        self._refused: tuple[Any, Any] | None = None  # the error and the message it is about

    def send(self, message: Message) -> None:
        """Queue one message; blocks while too much is outstanding.

        Raises:
            LogError: The broker or the client refused a message.
            WorkerLost: Nothing was acknowledged for a minute.
        """
        if not len(self._client):
            self._last_progress = time.monotonic()
        while not self._queue(message):
            self._wait(_FULL)
        self._sent += 1
        if self._sent % _LOOK == 0:
            self._serve(self._client.poll, 0)
        self._raise()

    def flush(self) -> None:
        """Return when everything sent so far is acknowledged.

        Raises:
            LogError, WorkerLost: As `send`.
        """
        self._raise()
        while self._wait(_SLICE):
            pass

    def close(self) -> None:
        """Give up the connection. What is not acknowledged may or may not be written."""
        # The binding raises it where the producer has ended, or was closed before.
        with contextlib.suppress(confluent_kafka.KafkaException, SystemError, RuntimeError):
            if self._client.flush(CLOSE):
                self._client.purge()
        with contextlib.suppress(confluent_kafka.KafkaException, SystemError, RuntimeError):
            self._client.close()

    def _queue(self, message: Message) -> bool:
        """Hand a message to the client; return whether it took it."""
        topic, partition, key, value, headers, at = message
        try:
            self._client.produce(
                topic,
                value,
                key,
                partition,
                headers=list(headers) or None,
                timestamp=0 if at is None else max(at, 1),  # 0 is the present
                on_delivery=self._report,
            )
        except BufferError:
            return False
        except confluent_kafka.KafkaException as error:
            if error.args[0].name() == "_FATAL":
                self._end(error)
            raise _refusal(error.args[0], topic, partition, len(value or b"")) from error
        return True

    def _wait(self, seconds: float) -> int:
        """Wait for acknowledgements; return how many messages wait for theirs.

        Raises:
            LogError, WorkerLost: As `send`.
        """
        waiting = self._serve(self._client.flush, seconds)
        self._raise()
        now = time.monotonic()
        if self._sent - waiting != self._acknowledged:
            self._acknowledged, self._last_progress = self._sent - waiting, now
        elif waiting and now - self._last_progress > self._patience:
            raise WorkerLost(
                f"{waiting} messages wait and the broker has acknowledged none for"
                f" {now - self._last_progress:.0f} s"
            )
        return waiting

    def _serve(self, serve: Callable[[float], int], seconds: float) -> int:
        """Let librdkafka report for some seconds; return what `serve` returns.

        Raises:
            LogError, WorkerLost: As `send`.
        """
        try:
            return int(serve(seconds))
        except (confluent_kafka.KafkaException, SystemError) as error:
            # That the producer has ended is raised from within: amid a report it is the other one.
            self._end(error)

    def _end(self, error: Exception) -> NoReturn:
        """Say why the producer has ended: what was refused is reported behind that it has."""
        for _ in range(_LAST_LOOKS):
            found = self._refused
            with contextlib.suppress(confluent_kafka.KafkaException, SystemError):
                self._client.flush(_FULL)
            if found is not None:
                break
        self._raise()
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        raise WorkerLost(f"librdkafka writes no more: {reason(cause)}") from error

    def _report(self, error: Any, message: Any) -> None:
        """Note what was refused. Of a refused batch, its largest message may be the cause."""
        if error is None:
            return
        # This first: the first report may come with an exception set, where every call fails.
        if self._refused is None:
            self._refused = (error, message)
            return
        known, largest = self._refused
        if error.name() in _PURGED:
            return
        if known.name() in _PURGED or len(message) > len(largest):
            self._refused = (error, message)

    def _raise(self) -> None:
        if self._refused is not None:
            error, message = self._refused
            raise _refusal(error, message.topic(), message.partition(), len(message))


def _refusal(error: Any, topic: str, partition: int, size: int) -> LogError | WorkerLost:
    where = f"{topic}[{partition}]"
    name = error.name()
    if name == "INVALID_TIMESTAMP":
        return refused_time(where)
    if name in _UNKNOWN:
        return WorkerLost(f"cannot write to {topic}: {error.str()}")
    text = f"the broker refused a message of {size} bytes for {where}: {error.str()}"
    if name == "TOPIC_AUTHORIZATION_FAILED":
        return LogError(f"{text}: grant Write on {topic}")
    return LogError(text) if name in _REFUSALS else WorkerLost(text)
