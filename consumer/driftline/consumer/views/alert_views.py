"""Alerts as their views show them: a list, and one in full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from driftline.consumer.views.alert_book import AlertBook, KnownAlert
from driftline.consumer.views.answers import AlertList, AlertView
from driftline.consumer.views.features import Read, bins_of, read_at
from driftline.consumer.views.model_rows import budget_of
from driftline.consumer.views.model_state import ModelState
from driftline.consumer.views.ring import Ring
from driftline.consumer.views.spans import Span
from driftline.consumer.views.stream import Stream
from driftline.consumer.wire.kinds import SEVERITIES
from driftline.consumer.wire.records import EVENTS, Alert, Verdict


@dataclass(frozen=True)
class Wanted:
    """Which alerts are asked for; what is None asks for all.

    Attributes:
        model, kind, status: of these.
        severity: this one or worse.
        since, until: that were open in between, ms since 1970, or rows.
    """

    model: str | None = None
    severity: str | None = None
    kind: str | None = None
    status: str | None = None
    since: int | None = None
    until: int | None = None

    def holds(self, known: KnownAlert) -> bool:
        """Return whether an alert is asked for."""
        alert = known.alert
        least = 0 if self.severity is None else SEVERITIES.index(self.severity)
        return (
            self.model in (None, alert.model)
            and known.severity >= least
            and self.kind in (None, alert.kind)
            and self.status in (None, alert.status)
            and known.was_open(self.since, self.until)
        )


def alert_list(book: AlertBook, wanted: Wanted, limit: int, now: str) -> AlertList:
    """Return alerts, the newest first; `limit`: how many at most."""
    alerts: Iterable[KnownAlert] = book if wanted.model is None else book.of_model(wanted.model)
    found = sorted(filter(wanted.holds, alerts), key=lambda known: known.newest_first)
    return AlertList([book.row(known, now) for known in found[:limit]], len(found))


def alert_view(
    known: KnownAlert, state: ModelState, book: AlertBook, read: Read, now: str, *, writable: bool
) -> AlertView:
    """Return one alert in full; `writable`: whether marks can be set."""
    alert = known.alert
    stream = state.streams.get(alert.segment)
    verdict = None if stream is None else _verdict(known, stream, read)
    names, parts = bins_of(verdict)
    alerts = book.of_model(state.name)
    return AlertView(
        row=book.row(known, now),
        record=alert,
        history=[known.history[number] for number in sorted(known.history)],
        verdict=verdict,
        names=names,
        contributions=parts,
        incident=[
            book.row(other, now)
            for other in book.of_incident(alert.incident_id)
            if other is not known
        ],
        budget=budget_of(state, book, alerts),
        labels=state.whole.newest_labels(),
        versions=[] if stream is None else stream.version_starts(),
        writable=writable,
        in_topics=book.in_topics,
    )


def _verdict(known: KnownAlert, stream: Stream, read: Read) -> Verdict | None:
    """Return the verdict of an alert's window, or of the window that holds its end."""
    ring, name = _ring(known.alert, stream)
    if ring is None or name is None:
        return None
    span = known.span if ring.place(name, known.span) is not None else _holding(ring, known.span)
    return None if span is None else read_at(ring, name, span, read)


def _ring(alert: Alert, stream: Stream) -> tuple[Ring | None, str | None]:
    subject = alert.subject
    if subject.is_performance:
        return stream.performance, alert.feature
    if alert.kind == "data_quality" and not alert.names:
        return stream.volume, EVENTS
    return stream.features, alert.feature


def _holding(ring: Ring, span: Span) -> Span | None:
    return next((each for each in ring.spans if each.start < span.end <= each.end), None)
