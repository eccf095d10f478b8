"""Which record of an alert holds, and which alerts belong together: one rule for all readers.

Of an alert the highest revision holds, in whatever order records come. It belongs to the incident
that this one names: an alert may join the incident of another one. Pure, and without what holds
verdicts: the page and its reports go by it, and so do `driftline alerts` and who is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from driftline.consumer.wire.kinds import SEVERITIES
from driftline.consumer.wire.records import Alert

Held = TypeVar("Held")


class Revisions:
    """The highest revision of each alert that was seen.

    >>> seen = Revisions()
    >>> seen.rises("a", 2), seen.rises("a", 1), seen.rises("a", 2), seen.rises("a", 3)
    (True, False, False, True)
    """

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}

    def rises(self, alert_id: str, revision: int) -> bool:
        """Take note of a revision; return whether it is higher than all before."""
        if revision <= self._highest.get(alert_id, 0):
            return False
        self._highest[alert_id] = revision
        return True


class AlertIndex(Generic[Held]):
    """What is held of each alert, and the alerts of each incident."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}
        self._incident_of: dict[str, str] = {}
        self._of_incident: dict[str, dict[str, None]] = {}

    def put(self, alert: Alert, held: Held) -> None:
        """Hold something of an alert, behind the others of the incident that `alert` names.

        `alert`: its newest record.
        """
        self.drop(alert.alert_id)
        self._held[alert.alert_id] = held
        self._incident_of[alert.alert_id] = alert.incident_id
        self._of_incident.setdefault(alert.incident_id, {})[alert.alert_id] = None

    def drop(self, alert_id: str) -> Held | None:
        """Forget an alert; return what was held of it."""
        incident = self._incident_of.pop(alert_id, None)
        if incident is not None:
            del self._of_incident[incident][alert_id]
            if not self._of_incident[incident]:
                del self._of_incident[incident]
        return self._held.pop(alert_id, None)

    def get(self, alert_id: str) -> Held | None:
        """Return what is held of an alert."""
        return self._held.get(alert_id)

    def of_incident(self, incident_id: str) -> list[Held]:
        """Return what is held of the alerts of an incident, the last that was put last."""
        return [self._held[each] for each in self._of_incident.get(incident_id, ())]

    def __contains__(self, alert_id: str) -> bool:
        return alert_id in self._held

    def __iter__(self) -> Iterator[Held]:
        return iter(self._held.values())

    def __len__(self) -> int:
        return len(self._held)


def newest(items: Iterable[Held], alert_of: Callable[[Held], Alert]) -> list[Held]:
    """Return of each alert the item whose record holds, in the order of their first items."""
    found: dict[str, Held] = {}
    seen = Revisions()
    for item in items:
        alert = alert_of(item)
        if seen.rises(alert.alert_id, alert.revision):
            found[alert.alert_id] = item
    return list(found.values())


def worst_first(alert: Alert) -> tuple[int, float, str, str]:
    """Return a key by which alerts are sorted: by severity, then by effect."""
    return (
        -SEVERITIES.index(alert.severity),
        -(alert.effect or 0.0),
        alert.stream,
        alert.alert_id,
    )
