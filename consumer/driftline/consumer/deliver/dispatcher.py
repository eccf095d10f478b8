"""Hand on what has a key, each at least once: several keys side by side, one key in order.

The key of an alert's record is the alert's id. What has the same key as something else waits until
that is handed on or given up. An attempt that fails is repeated after a pause, which grows and is
as long as the receiver asks for, and during which nobody waits: other keys go on. After the last
attempt it is given up: it is counted, reported by `on_failure` (a line on the log, which goes to
stderr, by default) and not tried again.
"""

from __future__ import annotations

import heapq
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from driftline.consumer.deliver.errors import DeliveryError

logger = logging.getLogger(__name__)

MOST_WAITING = 1_000  # items; then nobody is asked for more
POLL = 1.0  # seconds between two looks at the topic


class Item(Protocol):
    """What is handed on, such as an `AlertRecord`."""

    @property
    def key(self) -> str:
        """Of one key one at a time is handed on, in order."""

    @property
    def name(self) -> str:
        """What it is, for messages."""


T = TypeVar("T", bound=Item)


@dataclass(frozen=True)
class Attempts:
    """How often to try, and how long to wait in between.

    Attributes:
        limit: attempts before a record is given up.
        backoff: seconds after the first that failed; doubled after each further one,
        longest: the longest pause, seconds.
    """

    limit: int = 5
    backoff: float = 1.0
    longest: float = 60.0

    def pause(self, failed: int) -> float:
        """Return the seconds to wait after a number of failed attempts.

        >>> [Attempts().pause(failed) for failed in (1, 2, 3, 9)]
        [1.0, 2.0, 4.0, 60.0]
        """
        return float(min(self.longest, self.backoff * 2.0 ** min(failed - 1, 60)))


@dataclass(frozen=True)
class Failure(Generic[T]):
    """What was given up: after how many attempts, and why the last one failed."""

    item: T
    attempts: int
    error: str


@dataclass
class Counts:
    """Items handed on, attempts that failed and were repeated, items given up."""

    delivered: int = 0
    retried: int = 0
    failed: int = 0


def log_failure(failure: Failure[T]) -> None:
    """Write a failure to the log."""
    logger.error(
        "%s is given up after %d attempts: %s", failure.item.name, failure.attempts, failure.error
    )


class Dispatcher(Generic[T]):
    """Hands on items; used by one thread, which calls `step` often.

    Args:
        deliver: one attempt to hand on one item; raises `DeliveryError`; runs in `executor`.
        executor: runs attempts; `parallel` of them at most.
        parallel: attempts at once.
        attempts: how often to try.
        clock: returns seconds, monotonic.
        on_done: called with every item handed on or given up.
        on_failure: called with every item given up, before `on_done`.
    """

    def __init__(
        self,
        deliver: Callable[[T], object],
        executor: Executor,
        parallel: int,
        attempts: Attempts,
        clock: Callable[[], float],
        on_done: Callable[[T], object],
        on_failure: Callable[[Failure[T]], object] = log_failure,
    ) -> None:
        self.counts = Counts()
        self._deliver, self._executor, self._parallel = deliver, executor, parallel
        self._attempts, self._clock = attempts, clock
        self._on_done, self._on_failure = on_done, on_failure
        self._queues: dict[str, deque[T]] = {}  # the first of each is in hand
        self._failed: dict[str, int] = {}  # attempts of the first of each queue
        self._ready: deque[str] = deque()
        self._pausing: list[tuple[float, str]] = []  # heap
        self._running: dict[Future[object], str] = {}

    @property
    def waiting(self) -> int:
        """Items that are neither handed on nor given up yet."""
        return sum(len(queue) for queue in self._queues.values())

    def offer(self, item: T) -> None:
        """Take an item, to be handed on after the earlier ones of its key."""
        queue = self._queues.setdefault(item.key, deque())
        queue.append(item)
        if len(queue) == 1:
            self._ready.append(item.key)

    def step(self) -> None:
        """Take note of what has ended, and start what is due."""
        while True:
            now = self._clock()
            while self._pausing and self._pausing[0][0] <= now:
                self._ready.append(heapq.heappop(self._pausing)[1])
            while self._ready and len(self._running) < self._parallel:
                key = self._ready.popleft()
                future = self._executor.submit(self._deliver, self._queues[key][0])
                self._running[future] = key
            ended = [future for future in self._running if future.done()]
            for future in ended:
                self._ended(self._running.pop(future), future.exception())
            if not ended:
                return

    def rest(self, longest: float, sleep: Callable[[float], object]) -> None:
        """Wait until there may be something to do, at most `longest` seconds."""
        if self._pausing:
            longest = max(0.0, min(longest, self._pausing[0][0] - self._clock()))
        if self._running:
            wait(self._running, longest, FIRST_COMPLETED)
        elif longest > 0:
            sleep(longest)

    def _ended(self, key: str, error: BaseException | None) -> None:
        queue = self._queues[key]
        item = queue[0]
        if error is None:
            self.counts.delivered += 1
        else:
            failed = self._failed[key] = self._failed.get(key, 0) + 1
            again = error.again if isinstance(error, DeliveryError) else True
            if again and failed < self._attempts.limit:
                self.counts.retried += 1
                after = error.after if isinstance(error, DeliveryError) else 0.0
                due = self._clock() + max(after, self._attempts.pause(failed))
                heapq.heappush(self._pausing, (due, key))
                return
            self.counts.failed += 1
            self._on_failure(Failure(item, failed, str(error) or type(error).__name__))
        queue.popleft()
        self._failed.pop(key, None)
        if queue:
            self._ready.append(key)
        else:
            del self._queues[key]
        self._on_done(item)


def forward(
    poll: Callable[[], Iterable[T]],
    dispatcher: Dispatcher[T],
    sleep: Callable[[float], object],
    stopped: Callable[[], bool],
    follow: bool = True,
) -> None:
    """Hand on what comes, until stopped.

    Args:
        poll: brings what is new, such as a subscriber's; its `done` is the dispatcher's `on_done`.
        dispatcher: hands it on.
        sleep: waits for a number of seconds, or less.
        stopped: whether to end.
        follow: go on when all that is there has been handed on.

    Raises:
        LogError, WorkerLost: the topic cannot be read.
    """
    while not stopped():
        if dispatcher.waiting < MOST_WAITING:
            for item in poll():
                dispatcher.offer(item)
        dispatcher.step()
        if not follow and not dispatcher.waiting:
            return
        dispatcher.rest(POLL, sleep)
