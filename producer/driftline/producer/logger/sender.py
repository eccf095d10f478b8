"""The logger's Kafka body: connects when there is something to send, and again after a fork.

The client's own time limit is off: when a batch that was already sent expires, its idempotent
producer sends nothing ever again (kafka-python 3.0.12). So records never expire inside the client;
what is outstanding is bounded by the logger's queue, of which the client holds one batch at a time.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
from collections.abc import Sequence
from typing import Any

import kafka
import kafka.codec
import kafka.errors

from driftline.producer.errors import InputError
from driftline.producer.logger.outbox import Delivered, Outgoing
from driftline.producer.records.names import nearest

logger = logging.getLogger(__name__)

_RETRY = 1.0  # seconds between two attempts to reach the broker
_SLICE = 0.2  # seconds after which a wait looks at `stop`
_CLOSE = 1.0  # seconds


class KafkaSender:
    """Sends events to one topic and labels to another.

    Nothing is sent by the constructor: a model server starts without a broker.

    Args:
        topic: where events go; it must exist.
        bootstrap_servers: `host:port`, several separated by commas.
        labels: where labels go; None: to `topic`.
        options: further options of `kafka.KafkaProducer`, such as `security_protocol`. Records are
            packed with lz4 where that library is installed, else with gzip.

    Raises:
        InputError: the client has no such option, or the option is not free.
    """

    def __init__(
        self, topic: str, bootstrap_servers: str, labels: str | None = None, **options: Any
    ) -> None:
        self._topics = {"event": topic, "label": labels or topic}
        fixed = {
            "bootstrap_servers": bootstrap_servers.split(","),
            "acks": "all",
            "enable_idempotence": True,
            "delivery_timeout_ms": 2**31 - 1,
            "max_block_ms": 2_000,
            "allow_auto_create_topics": False,
        }
        _check(options, fixed)
        free = {
            "client_id": "driftline-logger",
            "compression_type": _compression(),
            "reconnect_backoff_max_ms": 1_000,
            "bootstrap_timeout_ms": 8_000,
            "metrics_enabled": False,
        }
        self._options = {**free, **options, **fixed}
        self._client: Any = None
        self._process = os.getpid()
        self._told: set[str] = set()

    def send(self, records: Sequence[Outgoing], stop: threading.Event) -> Delivered:
        """Send and wait for the acknowledgements, however long the broker is away."""
        client = self._connected(stop)
        if client is None:
            return Delivered(0)
        futures = []
        refused = 0
        for record in records:
            try:
                futures.append(self._queue(client, record, stop))
            except (kafka.errors.KafkaError, ValueError) as error:
                refused += 1
                self._tell("refused", error)
        sent = 0
        for future in futures:
            while future is not None and not future.is_done and not stop.is_set():
                with contextlib.suppress(kafka.errors.KafkaError):
                    future.get(timeout=_SLICE)
            if future is None or not future.is_done:
                continue  # stopped; it may or may not be written
            if future.exception is None:
                sent += 1
            else:
                refused += 1
                self._tell("refused", future.exception)
        return Delivered(sent, refused)

    def close(self) -> None:
        """Give up the connection."""
        client, self._client = self._client, None
        if client is None or self._process != os.getpid():
            return
        try:
            client.close(timeout=_CLOSE)
        except kafka.errors.KafkaError:
            # It cannot be closed with records outstanding; its destructor would try once more.
            client.close = lambda *args, **kwargs: None

    def _connected(self, stop: threading.Event) -> Any:
        """Return the client; None when stopped before the broker answered."""
        if self._process != os.getpid():
            # The parent's client has no thread here and its sockets are the parent's.
            if self._client is not None:
                self._client.close = lambda *args, **kwargs: None
            self._client, self._process = None, os.getpid()
        while self._client is None and not stop.is_set():
            try:
                client = kafka.KafkaProducer(**self._options)
            except kafka.errors.KafkaConfigurationError:
                raise  # no retry helps
            except (kafka.errors.KafkaError, OSError) as error:
                self._tell("waiting", error)
                stop.wait(_RETRY)
            else:
                # At exit the client's hook would run before the logger's and close what it needs.
                atexit.unregister(client._cleanup)  # noqa: SLF001
                self._client = client
        return self._client

    def _queue(self, client: Any, record: Outgoing, stop: threading.Event) -> Any:
        """Hand one record to the client; None when stopped while the topic is unknown."""
        while not stop.is_set():
            try:
                return client.send(self._topics[record.kind], value=record.value, key=record.key)
            except kafka.errors.KafkaTimeoutError as error:  # an outage, or there is no such topic
                self._tell("waiting", error)
        return None

    def _tell(self, what: str, error: Exception) -> None:
        """Log each kind of trouble once: an outage under load would fill the disk."""
        kind = f"{what} {type(error).__name__}"
        if kind not in self._told:
            self._told.add(kind)
            logger.warning("predictions are %s: %s: %s", what, type(error).__name__, error)


def _compression() -> str:
    return "lz4" if kafka.codec.has_lz4() else "gzip"


def _check(options: dict[str, Any], fixed: dict[str, Any]) -> None:
    known = sorted(kafka.KafkaProducer.DEFAULT_CONFIG)
    for name in options:
        if name in fixed:
            raise InputError(f"{name} cannot be changed: that nothing is lost rests on it")
        if name not in known:
            hint = nearest(name, known) or "see kafka.KafkaProducer"
            raise InputError(f"{name}: the Kafka client has no such option, {hint}")
