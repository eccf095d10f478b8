"""One message an incident, and updates: which records of alerts are sent together, and when.

Pure: records and what people say of them in, updates out; the present is an argument. An incident's
first update is its message. What comes later is an update too: further alerts, a rise of severity,
an end. What comes within `gather` is one update, because alerts of one incident are published one
after the other.

    no mark          each alert as it begins, rises and ends
    acknowledged     a rise of its severity, and its end
    snoozed          nothing until the snooze is over; then that it still fires, or that it ended
    a false alarm    nothing, unless that is taken back

After a restart what was sent is known from the records before the kept position (`restore`): all of
them, but of the alerts that were held back (`held`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from driftline.consumer.deliver.subscriber import AlertRecord
from driftline.consumer.views.alert_index import AlertIndex, worst_first
from driftline.consumer.wire.control import Marks
from driftline.consumer.wire.kinds import SEVERITIES
from driftline.consumer.wire.records import Alert
from driftline.producer.records.timestamp import format_time

GATHER = 5_000  # ms


@dataclass(frozen=True)
class Update:
    """What is to be sent of one incident, at one time.

    Attributes:
        incident_id: of the incident, which is of one model.
        first: whether nothing was sent of it before.
        began: alerts of which nothing was sent before; rose: whose severity rose; again: that
            still fire after a snooze; ended: that are over. Worst first.
        firing: all alerts of the incident that fire now, worst first, without false alarms.
        records: what was published and not sent yet, in order.
    """

    incident_id: str
    first: bool
    began: Sequence[Alert]
    rose: Sequence[Alert]
    again: Sequence[Alert]
    ended: Sequence[Alert]
    firing: Sequence[Alert]
    records: Sequence[AlertRecord]

    @property
    def model(self) -> str:
        """The model whose incident it is."""
        return self.records[0].alert.model

    @property
    def changed(self) -> list[Alert]:
        """All alerts of which something is to be sent; without any only records are new."""
        return [*self.began, *self.rose, *self.again, *self.ended]

    @property
    def over(self) -> bool:
        """Whether the incident is over."""
        return not self.firing


@dataclass
class _Known:
    """One alert: its newest record, what was sent of it, and records that wait to be sent.

    `held`: whether it was held back when this was looked at last.
    """

    record: AlertRecord
    sent: Alert | None = None
    held: bool = False
    waiting: list[AlertRecord] = field(default_factory=list)


@dataclass
class _Incident:
    """Whether something was sent of it, and when what waits is due (ms)."""

    announced: bool = False
    due: int | None = None


class Incidents:
    """What is known, what was sent, and so what is to be sent.

    Args:
        gather: ms from the first record that waits until an incident's update.
    """

    def __init__(self, gather: int = GATHER) -> None:
        self._gather = gather
        self._incidents: dict[str, _Incident] = {}
        self._known = AlertIndex[_Known]()

    @property
    def held(self) -> dict[str, int]:
        """The alerts that are held back, with the revision that was sent last; 0: none was."""
        return {
            known.record.key: 0 if known.sent is None else known.sent.revision
            for known in self._known
            if known.held
        }

    def restore(self, records: Iterable[AlertRecord], held: Mapping[str, int]) -> None:
        """Take records that were handled before, in order; `held` is what `held` was then."""
        for record in records:
            alert = record.alert
            known = self._note(record)
            known.held = alert.alert_id in held
            if not known.held or alert.revision <= held[alert.alert_id]:
                known.sent = alert
                self._incidents[alert.incident_id].announced = True
        self._forget()

    def take(self, record: AlertRecord, now: int) -> None:
        """Take a new record, at `now` (ms)."""
        self._note(record).waiting.append(record)
        incident = self._incidents[record.alert.incident_id]
        if incident.due is None:
            incident.due = now + self._gather

    def updates(
        self, marks: Mapping[str, Marks], now: int
    ) -> tuple[list[Update], list[AlertRecord]]:
        """Return what is to be sent at `now` (ms), and records of which nothing is.

        Args:
            marks: what people say, by alert_id.
            now: not before that of the last call.
        """
        updates: list[Update] = []
        dropped: list[AlertRecord] = []
        time = format_time(now)
        for incident_id, incident in self._incidents.items():
            if incident.due is None or now >= incident.due:
                update, unsent = self._update(incident_id, incident, marks, time)
                updates += [update] if update is not None else []
                dropped += unsent
        self._forget()
        return updates, dropped

    def _update(
        self,
        incident_id: str,
        incident: _Incident,
        marks: Mapping[str, Marks],
        time: str,
    ) -> tuple[Update | None, list[AlertRecord]]:
        """Return what is to be sent of one incident, and its records of which nothing is."""
        found: dict[str, list[Alert]] = {"began": [], "rose": [], "again": [], "ended": []}
        records: list[AlertRecord] = []
        dropped: list[AlertRecord] = []
        alerts = self._known.of_incident(incident_id)
        for known in alerts:
            marked = marks.get(known.record.key)
            if marked is not None and (marked.false_alarm is not None or marked.snoozed(time)):
                dropped += known.waiting
                known.waiting, known.held = [], True
                continue
            acknowledged = marked is not None and marked.acknowledge is not None
            change = _change(known, acknowledged=acknowledged)
            if change is not None:
                found[change].append(known.record.alert)
                records += known.waiting or [known.record]
            elif acknowledged:
                dropped += known.waiting
            else:
                records += known.waiting
            known.waiting, known.sent, known.held = [], known.record.alert, False
        incident.due = None
        if not records:
            return None, dropped
        first = not incident.announced
        incident.announced = True
        update = Update(
            incident_id, first,
            **{name: sorted(changed, key=worst_first) for name, changed in found.items()},
            firing=sorted(_firing(alerts, marks), key=worst_first), records=records,
        )  # fmt: skip
        return update, dropped

    def _note(self, record: AlertRecord) -> _Known:
        """Note an alert's newest record, in the incident that it belongs to now."""
        known = self._known.get(record.key) or _Known(record)
        known.record = record
        self._known.put(record.alert, known)
        incident = self._incidents.setdefault(record.alert.incident_id, _Incident())
        incident.announced |= known.sent is not None
        return known

    def _forget(self) -> None:
        """Forget alerts of which the end was sent, and incidents that have no other."""
        for known in list(self._known):
            if known.sent is not None and known.sent.status != "firing" and not known.waiting:
                self._known.drop(known.record.key)
        for incident_id in list(self._incidents):
            if not self._known.of_incident(incident_id):
                del self._incidents[incident_id]


def _change(known: _Known, *, acknowledged: bool) -> str | None:
    """Return what is to be sent of an alert: the name of an attribute of `Update`."""
    alert, sent = known.record.alert, known.sent
    if alert.status != "firing":
        over = sent is not None and sent.status != "firing"
        return None if over else "ended"
    if sent is None:
        return None if acknowledged else "began"
    if SEVERITIES.index(alert.severity) > SEVERITIES.index(sent.severity):
        return "rose"
    return "again" if known.held and not acknowledged else None


def _firing(known: Iterable[_Known], marks: Mapping[str, Marks]) -> list[Alert]:
    """Return the alerts that fire, snoozed ones too; a false alarm is none."""
    return [
        alert
        for alert in (each.record.alert for each in known)
        if alert.status == "firing"
        and ((marked := marks.get(alert.alert_id)) is None or marked.false_alarm is None)
    ]
