"""One place that alerts are sent to: the base of what `sinks.py` opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from driftline.consumer.deliver.dispatcher import Counts
from driftline.consumer.deliver.incidents import Update
from driftline.consumer.wire.records import Alert


@dataclass(frozen=True)
class Access:
    """How a URL of ours is posted to: headers, one of which may hold a token."""

    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """Something to be sent.

    Attributes:
        key: of one key only one is sent at a time, in order.
        name: what is sent to whom, for messages; no secret.
        attempt: tries to send it; raises `DeliveryError`.
        update: the update that it is of, or part of.
    """

    key: str
    name: str
    attempt: Callable[[], None]
    update: Update


class Target:
    """Gets updates as deliveries, or keeps something informed step by step.

    Attributes:
        name: who it is, for messages; no secret.
        counts: of what `step` has sent.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts = Counts()

    def deliveries(self, update: Update) -> list[Delivery]:
        """Return what is to be sent of an update."""
        return []

    def take(self, alert: Alert, now: float) -> None:
        """Take note of an alert's newest record, at `now` (seconds since 1970)."""

    def step(self, now: float) -> None:
        """Send what is due at `now`."""


class MessageTarget(Target):
    """Gets one message for each update that says something.

    Args:
        name: who it is.
        send: sends it; raises `DeliveryError`.
    """

    def __init__(self, name: str, send: Callable[[Update], None]) -> None:
        super().__init__(name)
        self._send = send

    def deliveries(self, update: Update) -> list[Delivery]:
        """Return the one message."""
        if not update.changed:
            return []
        incident = update.incident_id
        name = f"{self.name}: incident {incident} ({update.model})"
        return [Delivery(f"{id(self)}/{incident}", name, lambda: self._send(update), update)]
