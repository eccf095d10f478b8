"""What answers must hold, worked out from the records in the plainest way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from driftline.consumer.views.answers import FeatureView, MetricSeries, ModelView, PerformanceView
from driftline.consumer.views.fold import Views
from driftline.consumer.views.ring import Place
from driftline.consumer.views.stream import LABELS
from driftline.consumer.wire.records import Alert, Number, Verdict, number

LETTERS = {"ok": "o", "warning": "w", "critical": "c", "insufficient": "i"}
_RECENT = 40


def folded(verdicts: Iterable[tuple[int, Verdict]], alerts: Sequence[Alert], views: Views) -> Views:
    """The views of records in their order, verdicts with their offsets."""
    for offset, verdict in verdicts:
        views.judged(verdict, Place(0, offset))
    for published, alert in enumerate(alerts):
        views.alerted(alert, published)
    return views


def of_features(verdicts: Sequence[Verdict], model: str, segment: str | None) -> list[Verdict]:
    """The verdicts on features of one stream."""
    return [
        each
        for each in verdicts
        if (each.model, each.segment) == (model, segment)
        and each.type not in ("performance", "events")
    ]


def ends(verdicts: Sequence[Verdict]) -> list[str]:
    """The ends of the windows, in order."""
    return sorted({each.window.times[1] for each in verdicts})


def check_model(view: ModelView, verdicts: Sequence[Verdict], alerts: Sequence[Alert]) -> None:
    """Compare a model, or a segment of it, with the records."""
    model, segment = view.model.model, view.segment
    mine = of_features(verdicts, model, segment)
    assert view.axis.ends == ends(mine)
    by_end = {each.window.end: each for each in mine}
    assert view.axis.events == [by_end[end].window.events for end in view.axis.ends]
    assert view.axis.starts == [by_end[end].window.start for end in view.axis.ends]
    volume = {
        each.window.end: each
        for each in verdicts
        if (each.model, each.segment, each.type) == (model, segment, "events")
    }
    events = [volume[end].window.events if end in volume else None for end in view.axis.ends]
    assert view.volume == events
    assert view.normal_volume == [
        volume[end].detectors["events"].reference
        if end in volume and volume[end].detectors
        else None
        for end in view.axis.ends
    ]
    for row in view.features:
        own = {each.window.end: each for each in mine if each.feature == row.feature}
        newest = own[max(end for end in own if end)]
        assert (row.type, row.state, row.reason) == (newest.type, newest.state, newest.reason)
        assert row.effect == newest.effect
        assert row.missing == missing(newest)
        known = newest.sequential
        assert (row.evidence, row.limit, row.onset) == (
            (None, None, None) if known is None else (known.evidence, known.limit, known.onset)
        )
        assert row.states == states(own, view.axis.ends)
        assert row.recent == [thousandths(own.get(end)) for end in view.axis.ends[-_RECENT:]]
    current = {each.feature for each in mine if each.window.end in view.axis.ends[-2:]}
    assert {row.feature for row in view.features} == current
    check_open(view, alerts)


def check_open(view: ModelView, alerts: Sequence[Alert]) -> None:
    """Compare a model's open alerts, and what its budget was spent on, with the records."""
    newest: dict[str, Alert] = {}
    first: dict[str, Alert] = {}
    for alert in alerts:
        if alert.model == view.model.model:
            newest[alert.alert_id] = alert
            first.setdefault(alert.alert_id, alert)
    firing = {name for name, alert in newest.items() if alert.status == "firing"}
    assert {row.alert_id for row in view.model.open} == firing
    since = view.model.budget.since or ""
    own = [name for name in first if newest[name].budgeted]
    spent = [name for name in own if first[name].window.times[1] > since]
    assert view.model.budget.fired == len(spent)
    for feature in view.features:
        known = newest.get(feature.alert_id or "")
        assert feature.since == (None if known is None else known.since)
    shown = {row.alert_id: row for row in view.alerts}
    assert set(shown) == {
        name
        for name, alert in newest.items()
        if view.segment is None or alert.segment == view.segment
    }
    for name, row in shown.items():
        alert = newest[name]
        for field in ("revision", "status", "severity", "summary", "effect", "since", "until"):
            assert getattr(row, field) == getattr(alert, field)
        assert row.fired == first[name].window.end
        assert row.updated == alert.window.end


def check_feature(view: FeatureView, verdicts: Sequence[Verdict]) -> None:
    """Compare a feature with its verdicts."""
    mine = of_features(verdicts, view.model, view.segment)
    own = {each.window.end: each for each in mine if each.feature == view.feature}
    known = [own.get(end) for end in view.axis.ends]
    assert view.effect == [None if each is None else each.effect for each in known]
    evidence = [None if each is None else each.sequential for each in known]
    assert view.evidence == [None if each is None else each.evidence for each in evidence]
    assert view.limit == [None if each is None else each.limit for each in evidence]
    assert view.missing == [None if each is None else missing(each) for each in known]
    assert view.states == states(own, view.axis.ends)
    assert view.verdict == own[max(end for end in own if end)]
    if view.verdict is not None and view.verdict.bins:
        count = len(view.verdict.bins["window"])
        assert len(view.names) == len(view.contributions) == count


def check_performance(view: PerformanceView, verdicts: Sequence[Verdict]) -> None:
    """Compare metrics with their verdicts."""
    mine = [
        each
        for each in verdicts
        if (each.model, each.segment, each.type) == (view.model, view.segment, "performance")
    ]
    assert view.axis.ends == ends(mine)
    for metric in view.metrics:
        own = {each.window.end: each for each in mine if _is_of(each, metric)}
        assert metric.states == states(own, view.axis.ends)
        for end, *found in zip(
            view.axis.ends, metric.value, metric.low, metric.high, metric.threshold, strict=True
        ):
            each = own.get(end)
            figure = None if each is None else each.detectors.get(metric.name)
            if figure is None:
                assert found == [None] * 4
                continue
            low, high = figure.interval or (None, None)
            assert found == [figure.value, low, high, figure.threshold]
    realised = {each.window.end: each.counts for each in mine if each.counts is not None}
    for name in LABELS:
        counts = [realised[end][name] if end in realised else None for end in view.axis.ends]
        assert getattr(view, name) == counts


def states(own: dict[str | None, Verdict], axis: Sequence[str]) -> str:
    return "".join(LETTERS[own[end].state] if end in own else "." for end in axis)


def missing(verdict: Verdict) -> Number:
    if verdict.counts is None or not verdict.window.events:
        return None
    return number((verdict.counts["missing"] + verdict.counts["absent"]) / verdict.window.events)


def thousandths(verdict: Verdict | None) -> int | None:
    return None if verdict is None or verdict.effect is None else round(1_000 * verdict.effect)


def _is_of(verdict: Verdict, metric: MetricSeries) -> bool:
    subject = verdict.subject
    return (subject.name, subject.estimated) == (metric.name, metric.estimated)
