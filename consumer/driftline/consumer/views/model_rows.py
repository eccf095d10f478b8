"""A model as the home view shows it, and which of two is worse."""

from __future__ import annotations

from collections.abc import Iterable

from driftline.consumer.views.alert_book import AlertBook, KnownAlert
from driftline.consumer.views.answers import AlertRow, Budget, Home, ModelRow, Worst
from driftline.consumer.views.model_state import ModelState
from driftline.consumer.views.ring import CODES, Ring
from driftline.consumer.views.spans import Span
from driftline.consumer.wire.kinds import KINDS
from driftline.consumer.wire.records import EVENTS, Number

RECENT = 40
"""Windows of a strip or a sparkline."""
_STATES: tuple[Worst, ...] = ("unknown", "insufficient", "ok", "warning", "critical")
_OF_LETTERS: dict[str, Worst] = {
    ".": "unknown", "i": "insufficient", "o": "ok", "w": "warning", "c": "critical",
}  # fmt: skip


def home(models: Iterable[ModelState], book: AlertBook, now: str) -> Home:
    """Return all models, worst first; `now`: RFC 3339 in UTC, of the wall."""
    states = list(models)
    rows = sorted((model_row(state, book, now) for state in states), key=_rank)
    ends = [(end, state.whole.features) for state in states if (end := state.through) is not None]
    if not ends:
        return Home(None, rows)
    newest, ring = max(ends, key=lambda each: each[0])
    return Home(ring.text(newest)[1], rows)


def model_row(state: ModelState, book: AlertBook, now: str) -> ModelRow:
    """Return one model; `now` as in `home`."""
    whole, alerts = state.whole, book.of_model(state.name)
    ring, newest = whole.features, whole.features.newest
    start, end = (None, None) if newest is None else ring.text(newest)
    strip, firing = ring.worst(RECENT), book.open(alerts, now)
    return ModelRow(
        model=state.name,
        owner=state.settings.owner or next((one.alert.owner for one in alerts), None),
        state=_state(firing, strip),
        open=firing,
        budget=budget_of(state, book, alerts),
        strip=strip,
        window_start=start,
        window_end=end,
        events=0 if newest is None else ring.events(newest),
        normal_events=_normal_events(whole.volume, newest),
        labels=whole.newest_labels(),
        features=len(current(ring)),
        drifting=len(drifting(alerts)),
        segments=state.segments,
        reference=whole.reference,
        versions=whole.versions,
    )


def budget_of(state: ModelState, book: AlertBook, alerts: list[KnownAlert]) -> Budget:
    """Return a model's budget, and what was spent of it."""
    ids = (one.alert.alert_id for one in alerts)
    return state.budget(alerts, {each for each in ids if book.is_false(each)})


def current(ring: Ring) -> list[str]:
    """Return the features that have a verdict in one of the two newest windows."""
    return ring.names(2)


def drifting(alerts: Iterable[KnownAlert]) -> set[str]:
    """Return the features of which an alert speaks that fires."""
    return {
        name
        for known in alerts
        if known.fires and KINDS[known.alert.kind].about in ("distribution", "quality")
        for name in known.alert.names
    }


def _state(firing: list[AlertRow], strip: str) -> Worst:
    if firing:
        return max((_OF_ALERT[row.severity] for row in firing), key=_STATES.index)
    return _OF_LETTERS[strip[-1]] if strip else "unknown"


_OF_ALERT: dict[str, Worst] = {"warning": "warning", "critical": "critical"}


def _normal_events(volume: Ring | None, newest: Span | None) -> Number:
    """Return how many events a window normally has: the newest, else the last that is known."""
    if volume is None or newest is None:
        return None
    normal = volume.figures("normal", EVENTS)
    known = dict(zip(volume.spans, normal, strict=True))
    if known.get(newest) is not None:
        return known[newest]
    return next((value for value in reversed(normal) if value is not None), None)


def _rank(row: ModelRow) -> tuple[object, ...]:
    awake = [alert for alert in row.open if not alert.snoozed]
    worst = max((CODES[alert.severity] for alert in awake), default=0)
    most = max((alert.effect or 0.0 for alert in awake), default=0.0)
    return -worst, -_STATES.index(row.state), -len(awake), -most, row.model
