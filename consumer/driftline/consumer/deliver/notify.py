"""Send what a subscriber brings to targets: a message for each incident, and updates.

At least once: a record counts as handled when every target has got, or was given up for, what is
sent of it; what is held back by a mark counts at once. So a kept position, with the topics, is all
that a restart needs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from driftline.consumer.deliver.dispatcher import Attempts, Counts, Dispatcher, forward
from driftline.consumer.deliver.incidents import GATHER, Incidents, Update
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.deliver.subscriber import AlertSubscriber, newest
from driftline.consumer.deliver.target import Delivery, Target

_PARALLEL = 4  # deliveries at once for each target


class Sender:
    """Turns records into deliveries, and deliveries that are done into handled records.

    Args:
        subscriber: which alerts, and where to begin.
        marks: what people say of them.
        targets: what is sent to.
        now: returns ms since 1970.
        gather: ms from the first record of an incident's update to the update.
    """

    def __init__(
        self,
        subscriber: AlertSubscriber,
        marks: MarkReader,
        targets: Sequence[Target],
        now: Callable[[], int],
        gather: int = GATHER,
    ) -> None:
        self._subscriber = subscriber
        self._marks = marks
        self._targets = targets
        self._now = now
        self._incidents = Incidents(gather)
        self._begun = False
        self._left: dict[int, int] = {}  # by id of an update: its deliveries that are not done

    def poll(self) -> list[Delivery]:
        """Return what is to be sent now.

        Raises:
            LogError, WorkerLost: the topic cannot be read.
        """
        now = self._now()
        records = self._subscriber.poll()
        self._marks.look()
        if not self._begun:
            self._begun = True
            self._restore(now)
        for record in records:
            self._incidents.take(record, now)
            for target in self._targets:
                target.take(record.alert, now / 1000)
        for target in self._targets:
            target.step(now / 1000)
        updates, dropped = self._incidents.updates(self._marks.newest, now)
        deliveries = []
        for update in updates:
            found = [each for target in self._targets for each in target.deliveries(update)]
            self._left[id(update)] = len(found)
            deliveries += found
            if not found:
                self._handled(update)
        self._keep()
        for record in dropped:  # what is kept names its alert by now
            self._subscriber.done(record)
        return deliveries

    def done(self, delivery: Delivery) -> None:
        """Take note that a delivery was made, or given up."""
        update = delivery.update
        self._left[id(update)] -= 1
        if not self._left[id(update)]:
            self._handled(update)
            self._keep()

    def _handled(self, update: Update) -> None:
        del self._left[id(update)]
        for record in update.records:
            self._subscriber.done(record)

    def _keep(self) -> None:
        """Keep what is held back; what is about to be sent of it is so until it has been sent."""
        held = self._incidents.held
        before = self._subscriber.held if self._left else {}
        if {**held, **before} != self._subscriber.held:
            self._subscriber.keep({**held, **before})

    def _restore(self, now: int) -> None:
        """Take what was handled before the kept position."""
        handled = self._subscriber.handled
        self._incidents.restore(handled, self._subscriber.held)
        for record in newest(handled):
            if record.alert.status == "firing":
                for target in self._targets:
                    target.take(record.alert, now / 1000)


def notify(
    subscriber: AlertSubscriber,
    marks: MarkReader,
    targets: Sequence[Target],
    stop: threading.Event,
    attempts: Attempts | None = None,
    follow: bool = True,
    now: Callable[[], int] | None = None,
) -> Counts:
    """Send alerts to targets until stopped.

    Args:
        subscriber: which alerts, and where to begin.
        marks: what people say of them.
        targets: what is sent to.
        stop: set to end.
        attempts: how often to try.
        follow: go on when all that is there has been sent.
        now: returns ms since 1970; the wall clock unless given.

    Returns:
        Deliveries that succeeded, attempts that failed and were repeated, deliveries given up.

    Raises:
        LogError, WorkerLost: the topic cannot be read.
    """
    sender = Sender(subscriber, marks, targets, now or _wall, GATHER if follow else 0)
    parallel = _PARALLEL * len(targets)
    with ThreadPoolExecutor(parallel, "driftline-notify") as executor:
        dispatcher = Dispatcher[Delivery](
            lambda delivery: delivery.attempt(), executor, parallel, attempts or Attempts(),
            time.monotonic, sender.done,
        )  # fmt: skip
        forward(sender.poll, dispatcher, stop.wait, stop.is_set, follow)
    counts = [dispatcher.counts, *(target.counts for target in targets)]
    return Counts(
        sum(each.delivered for each in counts),
        sum(each.retried for each in counts),
        sum(each.failed for each in counts),
    )


def _wall() -> int:
    return time.time_ns() // 1_000_000
