"""The stream that tells open pages what changed: server-sent events."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import msgspec
from sse_starlette.event import ServerSentEvent
from sse_starlette.sse import EventSourceResponse, SendTimeoutError

from driftline.consumer.ui.listeners import PAUSE, Listener, Listeners

HEARTBEAT = 15
"""Seconds between two signs of life, which also find out who has gone."""
PATIENCE = 10.0
"""Seconds that a browser may take to take a message; then it is dropped, and comes again."""
_END = "\n"
logger = logging.getLogger(__name__)


def stream(listeners: Listeners, listener: Listener, pause: float = PAUSE) -> EventSourceResponse:
    """Return the answer that goes on until the page is closed, or the server ends.

    Each message has the event `changed`; its data is `Changed` as JSON.
    """

    async def messages() -> AsyncIterator[ServerSentEvent]:
        try:
            yield ServerSentEvent(comment="open", sep=_END)
            async for changed in listener.changes(pause):
                data = msgspec.json.encode(changed).decode()
                yield ServerSentEvent(data, event="changed", sep=_END)
        finally:
            listeners.leave(listener)

    return EventSourceResponse(messages(), ping=HEARTBEAT, sep=_END, send_timeout=PATIENCE)


class QuietAboutSlowBrowsers(logging.Filter):
    """Makes a line of the traceback that uvicorn logs of a browser that was dropped."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is logged as it is."""
        error = record.exc_info[1] if record.exc_info else None
        if error is None or not _is_slow(error):
            return True
        logger.info("a browser that took nothing for %g s was dropped", PATIENCE)
        return False


def _is_slow(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(map(_is_slow, error.exceptions))
    return isinstance(error, SendTimeoutError)
