"""A bounded queue that a background thread empties: putting something in never waits.

What does not fit is dropped and counted, newest first to go, so what is sent keeps its order.
"Outstanding" is what waits and what the sender has in hand but nobody has acknowledged yet: an
outage fills the queue and no more than the queue.

The thread starts with the first record. A process that forks (gunicorn with `--preload`) begins
with an empty queue and a thread of its own in the child; what waited in the parent is the parent's.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import weakref
from collections import Counter, deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple, Protocol

logger = logging.getLogger(__name__)

Reason = Literal["queue_full", "too_large", "unencodable", "refused", "closed"]
"""Why a record was dropped: no room; larger than one record may be; holds what JSON cannot; the
sender refused it; logged after, or still waiting at, the close."""

_BATCH = 1_000  # records handed to the sender at once
_LINGER = 0.05  # seconds that records gather before they are sent: fewer, larger wake-ups
_LAST_WORD = 1.0  # seconds for the sender to return after `stop`


class Outgoing(NamedTuple):
    """One record to be sent: an event or a label, its key and its JSON."""

    kind: Literal["event", "label"]
    key: bytes | None
    value: bytes

    @property
    def size(self) -> int:
        """Bytes of key and value."""
        return len(self.value) + len(self.key or b"")


class Delivered(NamedTuple):
    """What became of a batch: records acknowledged, and records refused."""

    sent: int
    refused: int = 0


class Sender(Protocol):
    """Delivers records; used by one thread at a time."""

    def send(self, records: Sequence[Outgoing], stop: threading.Event) -> Delivered:
        """Return when all records are acknowledged or refused, or when `stop` is set.

        It may take as long as an outage does. An exception means that all were refused.
        """

    def close(self) -> None:
        """Give up the connection."""


class MemorySender:
    """Keeps what is sent, for tests.

    >>> MemorySender().send([Outgoing("event", b"7", b"{}")], threading.Event())
    Delivered(sent=1, refused=0)
    """

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.closed = False

    def send(self, records: Sequence[Outgoing], stop: threading.Event) -> Delivered:
        """Keep the records."""
        self.records += records
        return Delivered(len(records))

    def close(self) -> None:
        """Remember it."""
        self.closed = True


@dataclass(frozen=True)
class QueueLimits:
    """How much may be outstanding.

    Attributes:
        records: the most records,
        bytes: and the most bytes of keys and values; Python adds about 100 bytes a record.
        record_bytes: a larger record is dropped; the monitor refuses such events unread.
    """

    records: int = 20_000
    bytes: int = 32 * 1024 * 1024
    record_bytes: int = 256 * 1024


@dataclass(frozen=True)
class OutboxCounts:
    """Records sent and acknowledged, outstanding, and dropped by reason."""

    sent: int
    outstanding: int
    dropped: dict[Reason, int]


class Outbox:
    """The queue and its thread.

    Args:
        sender: delivers the records.
        limits: how much may be outstanding.
    """

    def __init__(self, sender: Sender, limits: QueueLimits) -> None:
        self._sender = sender
        self._limits = limits
        self._closed = False
        self._begin()
        _outboxes.add(self)

    def _begin(self) -> None:
        self._change = threading.Condition()  # guards all below
        self._stop = threading.Event()
        self._waiting: deque[Outgoing] = deque()
        self._thread: threading.Thread | None = None
        self._urgent = False
        self._accepted = self._finished = self._bytes = self._sent = 0
        self._dropped: Counter[Reason] = Counter()

    def put(self, records: Sequence[Outgoing]) -> None:
        """Queue the records that fit; the others are counted. Never waits."""
        limits = self._limits
        with self._change:
            was_empty = not self._waiting
            for record in records:
                size = record.size
                if self._closed:
                    self._dropped["closed"] += 1
                elif size > limits.record_bytes:
                    self._dropped["too_large"] += 1
                elif (
                    self._accepted - self._finished >= limits.records
                    or self._bytes + size > limits.bytes
                ):
                    self._dropped["queue_full"] += 1
                else:
                    self._waiting.append(record)
                    self._accepted += 1
                    self._bytes += size
            if self._waiting:
                if self._thread is None:
                    self._start()
                elif was_empty:
                    self._change.notify_all()

    def drop(self, reason: Reason) -> None:
        """Count a record that could not become one."""
        with self._change:
            self._dropped[reason] += 1

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all put so far is acknowledged or dropped; False after `timeout` seconds."""
        with self._change:
            goal = self._accepted
            self._urgent = True
            self._change.notify_all()
            return self._change.wait_for(lambda: self._finished >= goal, timeout)

    def close(self, timeout: float) -> None:
        """Flush for up to `timeout` seconds; what still waits then is dropped as `closed`."""
        with self._change:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        self.flush(timeout)
        self._stop.set()
        with self._change:
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join(_LAST_WORD)
        with contextlib.suppress(Exception):  # the process goes on, or ends, without it
            self._sender.close()

    def counts(self) -> OutboxCounts:
        """Return how many records were sent and dropped so far."""
        with self._change:
            outstanding = self._accepted - self._finished
            return OutboxCounts(self._sent, outstanding, dict(+self._dropped))

    def forked(self) -> None:
        """Begin anew in a child process: its locks may be held by threads that it does not have."""
        self._begin()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="driftline-outbox", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the interpreter is ending, or there are too many threads
            self._abandon()
            return
        self._thread = thread
        atexit.register(self.close, _LAST_WORD * 5)

    def _run(self) -> None:
        while batch := self._next():
            delivered = Delivered(0)
            try:
                delivered = self._sender.send(batch, self._stop)
            except Exception as error:
                delivered = Delivered(0, len(batch))
                logger.warning("%d predictions were not logged: %s", len(batch), error)
            with self._change:
                self._sent += delivered.sent
                self._dropped["refused"] += delivered.refused
                self._dropped["closed"] += len(batch) - delivered.sent - delivered.refused
                self._finish(batch)

    def _next(self) -> list[Outgoing]:
        """Wait for records and return the first of them; none when it is time to end."""
        with self._change:
            self._change.wait_for(lambda: self._waiting or self._stop.is_set())
            if len(self._waiting) < _BATCH and not self._urgent:
                self._change.wait_for(lambda: self._urgent or self._stop.is_set(), _LINGER)
            if self._stop.is_set():
                self._abandon()
                return []
            batch = list(islice(self._waiting, _BATCH))
            for _ in batch:
                self._waiting.popleft()
            self._urgent = self._urgent and bool(self._waiting)
            return batch

    def _abandon(self) -> None:
        self._dropped["closed"] += len(self._waiting)
        self._finish(self._waiting)
        self._waiting.clear()

    def _finish(self, records: Collection[Outgoing]) -> None:
        self._finished += len(records)
        self._bytes -= sum(record.size for record in records)
        self._change.notify_all()


_outboxes: weakref.WeakSet[Outbox] = weakref.WeakSet()


def _after_fork() -> None:
    for outbox in list(_outboxes):
        outbox.forked()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork)
