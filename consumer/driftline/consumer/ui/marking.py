"""Writing what people say on the page: it connects when somebody first does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest, AcceptanceWriter
from driftline.consumer.deliver.mark_writer import MarkWriter
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.protocol import Broker
from driftline.consumer.ui.source import MarkRequest
from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.messages import Acceptance

W = TypeVar("W", bound=MarkWriter | AcceptanceWriter)
T = TypeVar("T")


class _Connected(Generic[W]):
    """A writer, for any thread; connected when it is first needed, and again after an error.

    Args:
        connect: returns one that reaches the broker.
    """

    def __init__(self, connect: Callable[[], W]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._writer: W | None = None

    def write(self, what: Callable[[W], T]) -> T:
        """Write something.

        Raises:
            LogError, WorkerLost: the broker does not take it.
        """
        with self._lock:
            if self._writer is None:
                self._writer = self._connect()
            try:
                return what(self._writer)
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


class Marking:
    """Writes marks of alerts, and acceptances of what models show, from any thread.

    Args:
        connect: reaches the broker; called again after it was away.
        control: `<prefix>.control`.
        panes: `<prefix>.panes`.
        now: returns ms since 1970.
    """

    def __init__(
        self, connect: Callable[[], Broker], control: str, panes: str, now: Callable[[], int]
    ) -> None:
        self._marks = _Connected(lambda: MarkWriter(connect(), control, now))
        self._acceptances = _Connected(lambda: AcceptanceWriter(connect(), panes, now))

    def write(self, alert_id: str, request: MarkRequest) -> Marks:
        """Mark an alert, or take a mark back; return all its marks.

        Raises:
            AlertsError: the mark is not as it must be, or the topic does not exist.
            LogError, WorkerLost: the broker does not take it.
        """
        if request.clear:
            return self._marks.write(lambda writer: writer.clear(alert_id, request.action))
        return self._marks.write(
            lambda writer: writer.mark(
                alert_id, request.action, request.who, request.why, request.until
            )
        )

    def accept(self, model: str, request: AcceptanceRequest) -> Acceptance:
        """Accept what a model shows as normal.

        Raises:
            AlertsError: the request is not as it must be, or the topic does not exist.
            LogError, WorkerLost: the broker does not take it.
        """
        return self._acceptances.write(lambda writer: writer.accept(model, request))

    def close(self) -> None:
        """Give up the connections."""
        self._marks.close()
        self._acceptances.close()
