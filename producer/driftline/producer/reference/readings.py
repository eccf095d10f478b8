"""How the events of a reference are read: each reading adds up what does not depend on their order.

So the events may come in any parts, be it to one process in turn or to many at once, whose parts
are then merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from driftline.producer.reference.events import Events


class Reading(Protocol):
    """What one reading adds up. It pickles, so that other processes may add to a copy."""

    def add(self, events: Events) -> None:
        """Take in some events."""
        ...

    def merge(self, other: Self) -> None:
        """Take in what another one has, which was the same before either took in any event."""
        ...


R = TypeVar("R", bound=Reading)


class Reader(Protocol):
    """Reads all events."""

    def read(self, reading: R) -> R:
        """Return the reading, or one like it, with all events taken in."""
        ...


@dataclass(frozen=True)
class InTurn:
    """Reads events in this process, in their order.

    Attributes:
        scan: gives all of them, from the first on; each time the same.
    """

    scan: Callable[[], Iterable[Events]]

    def read(self, reading: R) -> R:
        """Return the reading with all events taken in."""
        for events in self.scan():
            reading.add(events)
        return reading
