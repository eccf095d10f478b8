"""Alerts by their records: the newest of each, what came before, and what was said of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from driftline.consumer.views.alert_index import AlertIndex, worst_first
from driftline.consumer.views.answers import AlertRow, Revision
from driftline.consumer.views.spans import Span, place_of, since_until, span_of, window_texts
from driftline.consumer.wire.control import ACTIONS, Marks
from driftline.consumer.wire.kinds import SEVERITIES
from driftline.consumer.wire.records import Alert
from driftline.producer.records.timestamp import format_time

_REVISIONS = 50  # of one alert, beside its first
_GONE = 20  # times as many alerts as are kept, of which is known that they were let go


@dataclass(slots=True)
class KnownAlert:
    """One alert.

    Attributes:
        alert: its newest record.
        span: of the window of that record.
        first: of the window in which it fired; where that record is gone, from when it is.
        history: its records, by their revision.
    """

    alert: Alert
    span: Span
    first: Span
    history: dict[int, Revision] = field(default_factory=dict)

    @property
    def fires(self) -> bool:
        """Whether it is open."""
        return self.alert.status == "firing"

    @property
    def fired(self) -> str:
        """The end of the window in which it fired; where that record is gone, since when it is."""
        first = min(self.history)
        since = None if first == 1 else since_until(self.alert)[0]
        return since or self.history[first].window_end

    @property
    def severity(self) -> int:
        """0 warning, 1 critical."""
        return SEVERITIES.index(self.alert.severity)

    @property
    def newest_first(self) -> tuple[int, float, str]:
        """A key by which alerts are sorted, the last that began first."""
        return -self.first.end, -(self.alert.effect or 0.0), self.alert.alert_id

    def was_open(self, since: int | None, until: int | None) -> bool:
        """Return whether it was open between two places, ms or rows; None: without bound."""
        begun = until is None or self.first.end <= until
        return begun and (since is None or self.fires or self.span.end > since)

    def is_about(self, feature: str) -> bool:
        """Return whether it speaks of a feature, or of a metric by its field."""
        return feature in self.alert.names or feature in self.alert.together


class AlertBook:
    """The alerts of a deployment.

    Where there are too many, some are let go at once: what is over before what fires, and of these
    the ones with the oldest windows.

    Args:
        most: how many are kept.
        in_topics: whether they stand in topics, where who knows an id finds its alert.
    """

    def __init__(self, most: int, *, in_topics: bool = True) -> None:
        self.in_topics = in_topics
        self._most = most
        self._known = AlertIndex[KnownAlert]()
        self._of_model: dict[str, dict[str, None]] = {}
        self._marks: dict[str, tuple[int, Marks]] = {}
        self._gone: dict[str, int] = {}  # the newest revision of those that were let go

    def take(self, alert: Alert, published: int | None) -> bool:
        """Take in a record; `published`: ms since 1970. Return whether it changes anything."""
        if alert.revision <= self._gone.get(alert.alert_id, 0):
            return False
        known, span = self._known.get(alert.alert_id), span_of(alert.window)
        revision = Revision(
            alert.revision,
            alert.status,
            alert.severity,
            alert.summary,
            window_texts(alert.window)[1],
            None if published is None else format_time(published),
        )
        if known is None:
            known = KnownAlert(alert, span, _begun(alert, span))
            self._hold(known)
        elif alert.revision in known.history:
            return False
        elif alert.revision > known.alert.revision:
            known.alert, known.span = alert, span
            self._known.put(alert, known)
        if alert.revision < min(known.history, default=alert.revision):
            known.first = _begun(alert, span)
        known.history[alert.revision] = revision
        if len(known.history) > _REVISIONS + 1:
            del known.history[sorted(known.history)[1]]
        if len(self._known) > self._most:
            self._let_go(1 + self._most // 10)
        return True

    def between(
        self, since: int | None, until: int | None, models: Collection[str] = ()
    ) -> AlertBook:
        """Return the alerts that were open between two places, ms or rows.

        `models`: only theirs; of all where it is empty.
        """
        part = AlertBook(self._most, in_topics=self.in_topics)
        for known in self._known:
            if known.was_open(since, until) and (not models or known.alert.model in models):
                part._hold(known)
        part._marks = self._marks
        return part

    def mark(self, marks: Marks, offset: int) -> bool:
        """Take in the marks of an alert; the record with the largest offset holds."""
        known = self._marks.get(marks.alert_id)
        if known is not None and known[0] > offset:
            return False
        self._marks[marks.alert_id] = offset, marks
        if len(self._marks) > 2 * self._most:
            gone = next((each for each in self._marks if each not in self._known), marks.alert_id)
            del self._marks[gone]
        return True

    def model_of(self, alert_id: str) -> str | None:
        """Return whose alert it is; None where there is no such alert."""
        known = self._known.get(alert_id)
        return None if known is None else known.alert.model

    def get(self, alert_id: str) -> KnownAlert | None:
        """Return one alert."""
        return self._known.get(alert_id)

    def __iter__(self) -> Iterator[KnownAlert]:
        """Yield all alerts."""
        return iter(self._known)

    def of_model(self, model: str) -> list[KnownAlert]:
        """Return a model's alerts, the newest first."""
        found = (self._known.get(each) for each in self._of_model.get(model, ()))
        return sorted((one for one in found if one), key=lambda one: one.newest_first)

    def of_incident(self, incident_id: str) -> list[KnownAlert]:
        """Return the alerts of an incident, the newest first."""
        return sorted(self._known.of_incident(incident_id), key=lambda one: one.newest_first)

    def marks(self, alert_id: str) -> Marks | None:
        """Return what was said of an alert; None where nothing was, or it was all taken back."""
        known = self._marks.get(alert_id)
        if known is None or not any(getattr(known[1], action) for action in ACTIONS):
            return None
        return known[1]

    def is_false(self, alert_id: str) -> bool:
        """Return whether somebody marked an alert as a false alarm."""
        marks = self.marks(alert_id)
        return marks is not None and marks.false_alarm is not None

    def row(self, known: KnownAlert, now: str) -> AlertRow:
        """Return an alert as lists show it; `now`: RFC 3339 in UTC, of the wall."""
        alert, marks = known.alert, self.marks(known.alert.alert_id)
        since, until = since_until(alert)
        return AlertRow(
            alert_id=alert.alert_id,
            incident_id=alert.incident_id,
            revision=alert.revision,
            status=alert.status,
            severity=alert.severity,
            kind=alert.kind,
            model=alert.model,
            segment=alert.segment,
            feature=alert.feature,
            features=list(alert.names),
            summary=alert.summary,
            effect=alert.effect,
            since=since,
            until=until,
            fired=known.fired,
            updated=window_texts(alert.window)[1],
            budgeted=alert.budgeted,
            snoozed=marks is not None and marks.snoozed(now),
            marks=marks,
            owner=alert.owner,
        )

    def open(self, alerts: Iterable[KnownAlert], now: str) -> list[AlertRow]:
        """Return the alerts that fire, worst first, the snoozed ones last."""
        firing = [(known, self.row(known, now)) for known in alerts if known.fires]
        firing.sort(key=lambda each: (each[1].snoozed, *worst_first(each[0].alert)))
        return [row for _, row in firing]

    def _hold(self, known: KnownAlert) -> None:
        alert = known.alert
        self._known.put(alert, known)
        self._of_model.setdefault(alert.model, {})[alert.alert_id] = None

    def _let_go(self, count: int) -> None:
        order = sorted(self._known, key=lambda one: (one.fires, one.span, one.alert.alert_id))
        for known in order[:count]:
            self._forget(known)
        while len(self._gone) > _GONE * self._most:
            del self._gone[next(iter(self._gone))]

    def _forget(self, known: KnownAlert) -> None:
        alert = known.alert
        self._known.drop(alert.alert_id)
        # An older record of it, which may come later, must not bring it back as one that fires.
        self._gone[alert.alert_id] = alert.revision
        del self._of_model[alert.model][alert.alert_id]
        if not self._of_model[alert.model]:
            del self._of_model[alert.model]


def _begun(alert: Alert, span: Span) -> Span:
    """Return where an alert began, by its first record that is known.

    Topics keep 30 days: what fires for longer has later records only, and did not begin in them.
    """
    since = None if alert.revision == 1 else since_until(alert)[0]
    if since is None:
        return span
    place = place_of(since)
    return Span(min(place, span.end), min(place, span.start))
