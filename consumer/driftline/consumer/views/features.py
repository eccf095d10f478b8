"""A model and its features as their views show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import floor, log10
from typing import Any

import numpy as np

from driftline.consumer.judge.bin_changes import bin_names, contributions
from driftline.consumer.views.alert_book import AlertBook, KnownAlert
from driftline.consumer.views.answers import (
    Column,
    FeatureRow,
    FeatureView,
    ModelView,
    SegmentRow,
)
from driftline.consumer.views.model_rows import RECENT, current, model_row
from driftline.consumer.views.model_state import ModelState
from driftline.consumer.views.ring import INSUFFICIENT, Place, Ring
from driftline.consumer.views.spans import Span, span_of
from driftline.consumer.views.stream import Stream
from driftline.consumer.wire.records import EVENTS, Verdict

Read = Callable[[Place], Verdict | None]
"""Reads one verdict; None where it is gone."""
_MOST_ALERTS = 500  # of one view
_DIGITS = 4  # of an edge of a bin, at least


def model_view(
    state: ModelState, segment: str | None, book: AlertBook, now: str
) -> ModelView | None:
    """Return a model, or one segment of it; None where there is no such segment."""
    stream = state.whole if segment is None else state.streams.get(segment)
    if stream is None:
        return None
    ring, volume = stream.features, stream.volume
    alerts = of_stream(book.of_model(state.name), segment)
    spans = ring.spans
    nothing: Column = [None] * len(spans)
    return ModelView(
        model=model_row(state, book, now),
        segment=segment,
        axis=ring.axis(),
        volume=nothing if volume is None else volume.events_along(spans),
        normal_volume=nothing if volume is None else volume.along("normal", EVENTS, spans),
        critical=state.settings.critical_effect,
        features=feature_rows(stream, segment, alerts),
        alerts=[book.row(known, now) for known in alerts[:_MOST_ALERTS]],
        versions=stream.version_starts(),
        joint=state.whole.joint is not None,
    )


def of_stream(alerts: list[KnownAlert], segment: str | None) -> list[KnownAlert]:
    """Return the alerts of a segment; of the whole model those of all its streams."""
    return [each for each in alerts if segment is None or each.alert.segment == segment]


def feature_rows(stream: Stream, segment: str | None, alerts: list[KnownAlert]) -> list[FeatureRow]:
    """Return the features of a stream, worst first."""
    ring = stream.features
    names = current(ring)
    if not names:
        return []
    own, elsewhere = _alarmed(alerts, segment)
    states = ring.codes(names)
    newest = _newest(states)
    recents = [_thousandths(each) for each in ring.recent("effect", names, RECENT)]
    effect, missing, evidence, limit = (
        ring.picked(figure, names, newest) for figure in ("effect", "missing", "evidence", "limit")
    )
    spans = ring.spans
    rows = []
    for i, name in enumerate(names):
        span = spans[newest[i]]
        state, reason = ring.words(int(states[i, newest[i]]), span)
        alert = own.get(name)
        rows.append(
            FeatureRow(
                feature=name,
                type=stream.types[name],
                state=state,
                reason=reason,
                effect=effect[i],
                missing=missing[i],
                evidence=evidence[i],
                limit=limit[i],
                onset=stream.onset(name),
                alert_id=None if alert is None else alert.alert.alert_id,
                since=None if alert is None else alert.alert.since,
                recent=recents[i],
                states=ring.letters(states[i]),
                segments=elsewhere.get(name, []),
            )
        )
    ranks = {name: alert.severity + 1 for name, alert in own.items()}
    codes = {row.feature: states[i, newest[i]] for i, row in enumerate(rows)}

    def rank(row: FeatureRow) -> tuple[Any, ...]:
        code = int(codes[row.feature])
        judged = code if code < INSUFFICIENT else 0
        effect = -np.inf if row.effect is None else row.effect
        return -ranks.get(row.feature, 0), -judged, -effect, row.feature

    return sorted(rows, key=rank)


def feature_view(
    state: ModelState,
    name: str,
    segment: str | None,
    window: str | None,
    book: AlertBook,
    read: Read,
    now: str,
) -> FeatureView | None:
    """Return one feature of a stream; None where there is none.

    `window`: end of the window whose bins are shown; None: the newest.
    """
    stream = state.whole if segment is None else state.streams.get(segment)
    if stream is None or name not in stream.types:
        return None
    ring = stream.features
    span = asked_span(ring, name, window)
    if span is None:
        return None
    verdict = read_at(ring, name, span, read)
    alerts = [each for each in of_stream(book.of_model(state.name), segment) if each.is_about(name)]
    names, parts = bins_of(verdict)
    return FeatureView(
        model=state.name,
        segment=segment,
        feature=name,
        type=stream.types[name],
        axis=ring.axis(),
        effect=ring.figures("effect", name),
        evidence=ring.figures("evidence", name),
        limit=ring.figures("limit", name),
        missing=ring.figures("missing", name),
        states=ring.states(name),
        critical=state.settings.critical_effect,
        verdict=verdict,
        names=names,
        contributions=parts,
        segments=_segments(state, name),
        alerts=[book.row(known, now) for known in alerts[:_MOST_ALERTS]],
        versions=stream.version_starts(),
        joint=state.whole.joint is not None,
        labels=stream.newest_labels(),
    )


def read_at(ring: Ring, name: str, span: Span, read: Read) -> Verdict | None:
    """Return the verdict on a name in a window, read where it stands; None where it is gone.

    Another may stand there, in a topic that was made again.
    """
    place = ring.place(name, span)
    verdict = None if place is None else read(place)
    if verdict is None or (verdict.feature or verdict.type) != name:
        return None
    return verdict if span_of(verdict.window) == span else None


def bins_of(verdict: Verdict | None) -> tuple[list[str], Column]:
    """Return the names of a verdict's bins, and the part of each in the effect."""
    if verdict is None or not verdict.bins:
        return [], []
    bins = verdict.bins
    short = {**bins, "upper": short_edges(bins["upper"])} if "upper" in bins else bins
    return bin_names(short), contributions(bins)


def short_edges(edges: Sequence[float]) -> list[float]:
    """Return edges with four digits, and more where these do not tell them apart.

    Whole numbers stay as they are.

    >>> short_edges([0.3085142914, 0.4076004649, 39811.6]), short_edges([18, 0.100001, 0.100002])
    ([0.3085, 0.4076, 39812.0], [18, 0.100001, 0.100002])
    """
    for digits in range(_DIGITS, 10):
        short = [_rounded(each, digits) for each in edges]
        if len(set(short)) == len(set(edges)):
            return short
    return list(edges)


def _rounded(edge: float, digits: int) -> float:
    if edge == round(edge):
        return edge
    return round(edge, max(0, digits - 1 - floor(log10(abs(edge)))))


def asked_span(ring: Ring, name: str, window: str | None) -> Span | None:
    """Return the window that ends at a time, else the newest in which a name has a verdict."""
    if window is not None:
        for span in reversed(ring.spans):
            if ring.text(span)[1] == window:
                return span
    return ring.last(name)


def _segments(state: ModelState, name: str) -> list[SegmentRow]:
    found = []
    for segment in state.segments:
        ring = state.streams[segment].features
        span = ring.last(name)
        if span is None:
            continue
        found.append(
            SegmentRow(
                segment=segment,
                state=ring.state(name, span)[0],
                effect=ring.figure("effect", name, span),
                events=ring.events(span),
                missing=ring.figure("missing", name, span),
                recent=_thousandths(ring.recent("effect", [name], RECENT)[0]),
            )
        )
    return found


def _alarmed(
    alerts: list[KnownAlert], segment: str | None
) -> tuple[Mapping[str, KnownAlert], Mapping[str, list[str]]]:
    """Return of each feature its worst open alert in a stream, and where else it has one."""
    own: dict[str, KnownAlert] = {}
    elsewhere: dict[str, list[str]] = {}
    for known in alerts:
        if not known.fires:
            continue
        for name in known.alert.names:
            if known.alert.segment == segment:
                worst = own.get(name)
                if worst is None or known.severity > worst.severity:
                    own[name] = known
            elif known.alert.segment is not None:
                places = elsewhere.setdefault(name, [])
                if known.alert.segment not in places:
                    places.append(known.alert.segment)
    return own, {name: sorted(places) for name, places in elsewhere.items()}


def _newest(states: Any) -> list[int]:
    """Return of each row the last window that has a state, shape (rows, windows)."""
    found: list[int] = (states.shape[1] - 1 - np.argmax(states[:, ::-1] > 0, axis=1)).tolist()
    return found


def _thousandths(effects: Any) -> list[int | None]:
    whole = np.rint(1_000.0 * effects.astype(float))
    return [None if value != value else int(value) for value in whole.tolist()]
