"""What the Kafka client writes to the log: without secrets and without floods.

At level DEBUG kafka-python prints every request, the passwords of a login included, and in an
outage several lines a second. So its logger never goes below INFO, and a line comes once a minute.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

import kafka.errors

EVERY = 60.0  # seconds between two lines from the same place of the client


class ClientLog(logging.Handler):
    """Hands on the client's lines to the root logger, each place of its code once in `EVERY`."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[object, ...], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on the record, or count it when the same place spoke less than `EVERY` ago."""
        place = self.place(record)
        last, silent = self._last.get(place, (-EVERY, 0))
        if record.created - last < EVERY:
            self._last[place] = (last, silent + 1)
            return
        self._last[place] = (record.created, 0)
        text = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, OSError | kafka.errors.KafkaError) or _is_closed(error):
            # A broker that is away is no fault of the code: its traceback helps nobody.
            text, record.exc_info = f"{text} ({type(error).__name__}: {error})", None
        if silent:
            text = f"{text} ({silent} more like this before)"
        record.msg, record.args = text, ()
        logging.getLogger().handle(record)

    def place(self, record: logging.LogRecord) -> tuple[object, ...]:
        """Return where the client speaks from."""
        return record.name, record.lineno


def _is_closed(error: BaseException | None) -> bool:
    """Return whether the client used a socket that it had just closed, or let go of."""
    let_go = isinstance(error, AttributeError) and error.name in {"recv", "send"}
    # The selector asks a closed socket for its descriptor, which is -1 (kafka/net/selector.py).
    closed = isinstance(error, ValueError) and str(error) == "Invalid file descriptor: -1"
    return let_go or closed


@contextlib.contextmanager
def quiet_client() -> Iterator[None]:
    """Silence the client: while it connects, its many lines only hide our one sentence."""
    client = logging.getLogger("kafka")
    level = client.level
    client.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        client.setLevel(level)


def cap_client_log() -> None:
    """Let the Kafka client log warnings only, or INFO when the root logger is at DEBUG."""
    client = logging.getLogger("kafka")
    debug = logging.getLogger().getEffectiveLevel() <= logging.DEBUG
    client.setLevel(logging.INFO if debug else logging.WARNING)
    client.propagate = False
    # Its warnings tell of a task that took a tenth of a second, which is nobody's business.
    logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)
    if not any(isinstance(handler, ClientLog) for handler in client.handlers):
        client.addHandler(ClientLog())
