"""Writing what people say of alerts on the page: it connects when somebody first does."""

from __future__ import annotations

import threading
from collections.abc import Callable

from driftline.consumer.deliver.mark_writer import MarkWriter
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.protocol import Broker
from driftline.consumer.ui.source import MarkRequest
from driftline.consumer.wire.control import Marks


class Marking:
    """Writes marks, from any thread.

    Args:
        connect: reaches the broker; called again after it was away.
        topic: `<prefix>.control`.
        now: returns ms since 1970.
    """

    def __init__(self, connect: Callable[[], Broker], topic: str, now: Callable[[], int]) -> None:
        self._connect, self._topic, self._now = connect, topic, now
        self._lock = threading.Lock()
        self._writer: MarkWriter | None = None

    def write(self, alert_id: str, request: MarkRequest) -> Marks:
        """Mark an alert, or take a mark back; return all its marks.

        Raises:
            AlertsError: the mark is not as it must be, or the topic does not exist.
            LogError, WorkerLost: the broker does not take it.
        """
        with self._lock:
            if self._writer is None:
                self._writer = MarkWriter(self._connect(), self._topic, self._now)
            try:
                if request.clear:
                    return self._writer.clear(alert_id, request.action)
                return self._writer.mark(
                    alert_id, request.action, request.who, request.why, request.until
                )
            except (LogError, WorkerLost):
                self._drop()
                raise

    def close(self) -> None:
        """Give up the connections."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
