"""Writing single records that people wait for: each is returned from once the broker has it."""

from __future__ import annotations

import threading

from driftline.consumer.log.protocol import Broker, Message, Producer
from driftline.errors import DriftlineError


class ConfirmedWriter:
    """Writes records one at a time; threads may share it.

    It connects for writing when something is first written, and again after an error.

    Args:
        broker: a connection that nobody else uses; `close` gives it up.
        topic: where to write.
    """

    def __init__(self, broker: Broker, topic: str) -> None:
        self._broker, self._topic = broker, topic
        self._producer: Producer | None = None
        self._lock = threading.Lock()  # guards all above; who sends holds it

    def close(self) -> None:
        """Give up the connections."""
        with self._lock:
            self._give_up()
            self._broker.log.close()

    def _send(self, partition: int, key: str, value: bytes) -> None:
        """Write a record, and wait until the broker has it.

        Raises:
            LogError: the broker refuses.
            WorkerLost: the broker has given no answer for a minute.
        """
        try:
            self._producer = self._producer or self._broker.producer()
            self._producer.send(Message(self._topic, partition, key.encode(), value))
            self._producer.flush()
        except DriftlineError:
            self._give_up()
            raise

    def _give_up(self) -> None:
        if self._producer is not None:
            self._producer.close()
        self._producer = None
