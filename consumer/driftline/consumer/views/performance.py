"""How a model performs, as its view shows it."""

from __future__ import annotations

from collections.abc import Iterable

from driftline.consumer.judge.performance.details import CONFUSION_OF
from driftline.consumer.views.alert_book import AlertBook
from driftline.consumer.views.answers import (
    Axis,
    Column,
    ComparisonView,
    MetricSeries,
    PerformanceView,
)
from driftline.consumer.views.comparisons import Comparisons
from driftline.consumer.views.features import Read, of_stream, read_at
from driftline.consumer.views.model_state import ModelState
from driftline.consumer.views.ring import Ring
from driftline.consumer.views.stream import LABELS
from driftline.consumer.wire.subject import Subject
from driftline.detectors.outcomes.metrics import GAP, METRICS, figure_named

_CONFUSION = Subject.metric(CONFUSION_OF).field


def performance_view(
    state: ModelState,
    segment: str | None,
    comparisons: Comparisons,
    book: AlertBook,
    read: Read,
    now: str,
) -> PerformanceView | None:
    """Return how a model, or one segment of it, performs; None where there is no such segment."""
    stream = state.whole if segment is None else state.streams.get(segment)
    if stream is None:
        return None
    ring, labels = stream.performance, stream.labels
    spans = [] if ring is None else ring.spans
    nothing: Column = [None] * len(spans)
    labelled, waiting, expired = (
        nothing if labels is None else labels.along(name, "labels", spans) for name in LABELS
    )
    confusion = None
    if ring is not None and (span := ring.last(_CONFUSION)) is not None:
        confusion = read_at(ring, _CONFUSION, span, read)
    alerts = [
        each
        for each in of_stream(book.of_model(state.name), segment)
        if each.alert.subject.is_performance
    ]
    views = [] if segment is not None else _compared(comparisons, state.name, read)
    return PerformanceView(
        model=state.name,
        segment=segment,
        axis=Axis([], [], []) if ring is None else ring.axis(),
        metrics=[] if ring is None else metric_series(ring),
        labelled=labelled,
        waiting=waiting,
        expired=expired,
        confusion=confusion,
        comparisons=views,
        alerts=[book.row(known, now) for known in alerts],
        versions=stream.version_starts(),
        joint=state.whole.joint is not None,
        newest_labels=stream.newest_labels(),
    )


def metric_series(ring: Ring) -> list[MetricSeries]:
    """Return the metrics of a stream, realised before estimated, each in the table's order.

    One that this version does not know is left out.
    """
    order = [*METRICS, GAP.name]
    read = (Subject.read(field, "performance") for field in ring.names())
    subjects = [one for one in read if one.name in order]
    subjects.sort(key=lambda one: (one.estimated, order.index(one.name)))
    names = {one.name for one in subjects}
    return [_series(ring, one, regression=_is_regression(names)) for one in subjects]


def _series(ring: Ring, subject: Subject, *, regression: bool) -> MetricSeries:
    field, scale = subject.field, figure_named(subject.name).scale
    unit, worse = scale.unit, scale.worse
    if regression and subject.name == GAP.name:
        unit, worse = "prediction", 1
    normal = next(
        (value for value in reversed(ring.figures("normal", field)) if value is not None), None
    )
    return MetricSeries(
        name=subject.name,
        estimated=subject.estimated,
        unit=unit,
        higher_is_better=None if worse == 0 else worse < 0,
        value=ring.figures("value", field),
        low=ring.figures("low", field),
        high=ring.figures("high", field),
        threshold=ring.figures("threshold", field),
        normal=normal,
        states=ring.states(field),
    )


def _is_regression(names: Iterable[str]) -> bool:
    return any(name in METRICS and METRICS[name].family == "errors" for name in names)


def _compared(comparisons: Comparisons, model: str, read: Read) -> list[ComparisonView]:
    found = []
    for name, place in comparisons.about(model):
        verdict = None if place is None else read(place)
        if verdict is not None and verdict.sides is not None:
            sides = verdict.sides
            found.append(
                ComparisonView(name, sides.champion, sides.challenger, sides.decision, verdict)
            )
    return found
