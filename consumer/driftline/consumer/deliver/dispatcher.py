"""Hand on alert records, each at least once: several alerts side by side, one alert in order.

A record waits until the one before it of the same alert is handed on or given up. An attempt that
fails is repeated after a pause, which grows, and during which nobody waits: other alerts go on.
After the last attempt the record is given up: it is counted, reported by `on_failure` (a line on
the log, which goes to stderr, by default) and not tried again.
"""

from __future__ import annotations

import heapq
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass

from driftline.consumer.deliver.errors import DeliveryError
from driftline.consumer.deliver.subscriber import AlertRecord, AlertSubscriber

logger = logging.getLogger(__name__)

MOST_WAITING = 1_000  # records; then the subscriber is not asked for more
POLL = 1.0  # seconds between two looks at the topic

Deliver = Callable[[AlertRecord], None]
"""One attempt to hand on one record; raises `DeliveryError` when it fails."""


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
class Failure:
    """A record that was given up: after how many attempts, and why the last one failed."""

    record: AlertRecord
    attempts: int
    error: str


@dataclass
class Counts:
    """Records handed on, attempts that failed and were repeated, records given up."""

    delivered: int = 0
    retried: int = 0
    failed: int = 0


def log_failure(failure: Failure) -> None:
    """Write a failure to the log."""
    alert = failure.record.alert
    logger.error(
        "alert %s, revision %d (%s) is given up after %d attempts: %s",
        alert.alert_id, alert.revision, alert.stream, failure.attempts, failure.error,
    )  # fmt: skip


class Dispatcher:
    """Hands on records; used by one thread, which calls `step` often.

    Args:
        deliver: one attempt; runs in `executor`.
        executor: runs attempts; `parallel` of them at most.
        parallel: attempts at once.
        attempts: how often to try.
        clock: returns seconds, monotonic.
        on_done: called with every record handed on or given up.
        on_failure: called with every record given up, before `on_done`.
    """

    def __init__(
        self,
        deliver: Deliver,
        executor: Executor,
        parallel: int,
        attempts: Attempts,
        clock: Callable[[], float],
        on_done: Callable[[AlertRecord], object],
        on_failure: Callable[[Failure], object] = log_failure,
    ) -> None:
        self.counts = Counts()
        self._deliver, self._executor, self._parallel = deliver, executor, parallel
        self._attempts, self._clock = attempts, clock
        self._on_done, self._on_failure = on_done, on_failure
        self._queues: dict[str, deque[AlertRecord]] = {}  # the first of each is in hand
        self._failed: dict[str, int] = {}  # attempts of the first of each queue
        self._ready: deque[str] = deque()
        self._pausing: list[tuple[float, str]] = []  # heap
        self._running: dict[Future[None], str] = {}

    @property
    def waiting(self) -> int:
        """Records that are neither handed on nor given up yet."""
        return sum(len(queue) for queue in self._queues.values())

    def offer(self, record: AlertRecord) -> None:
        """Take a record, to be handed on after the earlier ones of its alert."""
        alert_id = record.alert.alert_id
        queue = self._queues.setdefault(alert_id, deque())
        queue.append(record)
        if len(queue) == 1:
            self._ready.append(alert_id)

    def step(self) -> None:
        """Take note of what has ended, and start what is due."""
        while True:
            now = self._clock()
            while self._pausing and self._pausing[0][0] <= now:
                self._ready.append(heapq.heappop(self._pausing)[1])
            while self._ready and len(self._running) < self._parallel:
                alert_id = self._ready.popleft()
                future = self._executor.submit(self._deliver, self._queues[alert_id][0])
                self._running[future] = alert_id
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

    def _ended(self, alert_id: str, error: BaseException | None) -> None:
        queue = self._queues[alert_id]
        record = queue[0]
        if error is None:
            self.counts.delivered += 1
        else:
            failed = self._failed[alert_id] = self._failed.get(alert_id, 0) + 1
            again = error.again if isinstance(error, DeliveryError) else True
            if again and failed < self._attempts.limit:
                self.counts.retried += 1
                due = self._clock() + self._attempts.pause(failed)
                heapq.heappush(self._pausing, (due, alert_id))
                return
            self.counts.failed += 1
            self._on_failure(Failure(record, failed, str(error) or type(error).__name__))
        queue.popleft()
        self._failed.pop(alert_id, None)
        if queue:
            self._ready.append(alert_id)
        else:
            del self._queues[alert_id]
        self._on_done(record)


def forward(
    subscriber: AlertSubscriber,
    dispatcher: Dispatcher,
    sleep: Callable[[float], object],
    stopped: Callable[[], bool],
    follow: bool = True,
) -> None:
    """Hand on what a subscriber brings, until stopped.

    Args:
        subscriber: brings the records; `dispatcher` has its `done` as `on_done`.
        dispatcher: hands them on.
        sleep: waits for a number of seconds, or less.
        stopped: whether to end.
        follow: go on when all that is there has been handed on.

    Raises:
        LogError, WorkerLost: the topic cannot be read.
    """
    while not stopped():
        if dispatcher.waiting < MOST_WAITING:
            for record in subscriber.poll():
                dispatcher.offer(record)
        dispatcher.step()
        if not follow and not dispatcher.waiting:
            return
        dispatcher.rest(POLL, sleep)
