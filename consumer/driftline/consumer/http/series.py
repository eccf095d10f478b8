"""The series of a model on what its detectors said, and of a comparison.

The streams of a model are the whole of it, whose segment is empty, and its segments.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from driftline.consumer.judge.comparison.judge import ComparisonJudge
from driftline.consumer.judge.records import AlertIdentity
from driftline.consumer.wire.kinds import ON_THE_WHOLE_MODEL, SEVERITIES, Kind, Severity
from driftline.consumer.wire.records import Verdict, Window, missing_share
from driftline.consumer.wire.subject import Subject

_DECISIONS = {"worse": -1.0, "undecided": 0.0, "better": 1.0}
_WHOLE_MODEL: tuple[Kind, ...] = (*sorted(ON_THE_WHOLE_MODEL, reverse=True), "data_quality")
_JOINT: tuple[Kind, ...] = ("joint_drift",)

Verdicts = Mapping[tuple[str, str], Verdict]
"""By segment and feature, both may be empty, the newest verdict."""


class Series(NamedTuple):
    """One series: metric, without its prefix, label values without the model, and value."""

    metric: str
    labels: tuple[str, ...]
    value: float


class FiringAlert(NamedTuple):
    """An alert that fires, by names that may be labels.

    Attributes:
        segment: empty for the whole model.
        feature: empty for alerts on the whole model, or on many features.
        kind, severity: as in its newest record.
        alert_id, incident_id: as in its records; empty where another alert speaks of it too.
        url: where the page shows it; empty where there is no page.
    """

    segment: str
    feature: str
    kind: Kind
    severity: Severity
    alert_id: str = ""
    incident_id: str = ""
    url: str = ""


def firing_alerts(active: Iterable[AlertIdentity], known: Set[str]) -> set[FiringAlert]:
    """Return the alerts that fire, with no name that an event brought.

    Args:
        active: as the model's judge has them.
        known: names of features and metrics; an alert on any other field, or on a partition that
            holds the model up, is one on the whole model.
    """
    return {
        FiringAlert(
            one.segment,
            one.subject.field if one.subject.sort != "model" and one.subject.field in known else "",
            one.kind,
            one.severity,
            one.alert_id if one.recorded else "",
            one.incident_id if one.recorded else "",
            (one.links or {}).get("page", ""),
        )
        for one in active
    }


def model_series(firing: Set[FiringAlert], *, joint: bool = False) -> list[Series]:
    """Return the series of the alerts on a whole model: their feature is empty.

    Of several of one kind the worst severity. Such an alert about data quality is on the number of
    events, on features that are missing together, or on a field that the reference does not list.

    Args:
        firing: alerts of any stream.
        joint: whether features that belong together are watched.
    """
    kinds = (*_WHOLE_MODEL, *_JOINT) if joint else _WHOLE_MODEL
    severities: dict[Kind, Severity] = {}
    for alert in firing:
        if not alert.feature and severities.get(alert.kind) != "critical":
            severities[alert.kind] = alert.severity
    return [one for kind in kinds for one in _active("", "", kind, severities.get(kind))]


def capped_series(
    features: Set[str], metrics: Set[str], verdicts: Verdicts, firing: Set[FiringAlert]
) -> list[Series]:
    """Return the series that `metrics.max_series` caps, the first of them the most important ones.

    First come the alerts that fire, critical ones before the others; then the figures of each
    feature: those with an alert, those of the whole model, those of its segments, of all the worst
    effect first. Every name in a label is one of the configuration, the reference or a closed set.

    Args:
        features: names of the features that are monitored.
        metrics: those that a rule looks at, as the feature of their verdicts; others of segments
            are left out.
        verdicts: the newest ones; of the whole model's metrics they do not count.
        firing: alerts of any stream.

    Example:
        >>> alert = FiringAlert("tier=gold", "age", "feature_drift", "critical")
        >>> capped_series({"age"}, set(), {}, {alert})[0].labels
        ('tier=gold', 'age', 'feature_drift', 'critical')
    """
    alarmed = {(alert.segment, alert.feature) for alert in firing}
    severities = {(alert.segment, alert.feature, alert.kind): alert.severity for alert in firing}

    def rank(stream: tuple[str, str]) -> tuple[bool, bool, int, float, tuple[str, str]]:
        segment, feature = stream
        verdict = verdicts.get(stream)
        effect = -math.inf if verdict is None or verdict.effect is None else verdict.effect
        order = 2 if feature in features else 1 if feature else 0
        return stream not in alarmed, segment != "", order, -effect, stream

    def worst(alert: FiringAlert) -> tuple[object, ...]:
        stream = rank((alert.segment, alert.feature))
        # Of fields that the reference does not list there may be any number.
        named = alert.feature != "" or alert.kind != "data_quality"
        return alert.severity != "critical", not named, *stream, alert

    blocks: dict[tuple[str, str], list[Series]] = {
        ("", feature): [
            *_closed(feature, severities),
            *_feature_figures(("", feature), verdicts.get(("", feature))),
        ]
        for feature in features
    }
    for at, verdict in verdicts.items():
        if at[0] and at[1] in metrics and verdict.subject.is_performance:
            blocks[at] = [*_metric_figures(at[0], verdict)]
        elif at[0] and at[1] in features:
            blocks[at] = [*_feature_figures(at, verdict)]
    blocks |= {
        (segment, ""): [Series("window_events", (segment,), window.events)]
        for segment, window in newest_windows(features, verdicts).items()
        if segment
    }
    shown = [one for alert in sorted(firing, key=worst) for one in _alert(alert, features)]
    return shown + [one for at in sorted(blocks, key=rank) for one in blocks[at]]


def newest_windows(features: Set[str], verdicts: Verdicts) -> dict[str, Window]:
    """Return by segment the newest window in which a feature was looked at."""
    newest: dict[str, Window] = {}
    for (segment, feature), verdict in verdicts.items():
        known = newest.get(segment)
        if feature in features and (known is None or verdict.window.times[1] > known.times[1]):
            newest[segment] = verdict.window
    return newest


def performance_series(
    watched: Set[Subject], verdicts: Verdicts, firing: Set[FiringAlert]
) -> Iterator[Series]:
    """Yield the series of the whole model's metrics, in the order of their names.

    An alert's series are there for every metric that a rule looks at, from its first window on.

    Args:
        watched: metrics that a rule looks at.
        verdicts: the newest ones; those of the whole model's metrics count.
        firing: alerts of any stream.

    Example:
        >>> alert = FiringAlert("", "performance.f1", "performance", "warning")
        >>> [one.value for one in performance_series({Subject.metric("f1")}, {}, {alert})]
        [1.0, 0.0]
    """
    whole = {feature: verdict for (segment, feature), verdict in verdicts.items() if not segment}
    metrics = {name for name, verdict in whole.items() if verdict.subject.is_performance}
    fires = {alert.feature: alert.severity for alert in firing if not alert.segment}
    for name in sorted({*metrics, *fires} & {subject.field for subject in watched}):
        yield from _active("", name, "performance", fires.get(name))
    for name in sorted(metrics):
        yield from _metric_figures("", whole[name])


def comparison_series(judge: ComparisonJudge) -> Iterator[Series]:
    """Yield the series of a comparison; all their labels are in them."""
    standing = judge.standing
    figures = standing.figures(judge.config.traffic)
    for side, figure in zip(("champion", "challenger"), figures, strict=True):
        if not math.isnan(figure.value):
            yield Series("comparison", (judge.name, side, judge.metric), figure.value)
    yield Series("comparison_decision", (judge.name,), _DECISIONS[standing.decision])


def _active(segment: str, feature: str, kind: Kind, fires: Severity | None) -> Iterator[Series]:
    """Yield whether such an alert fires, of each severity."""
    for severity in SEVERITIES:
        labels = (segment, feature, kind, severity)
        yield Series("drift_active", labels, float(severity == fires))


def _alert(alert: FiringAlert, features: Set[str]) -> Iterator[Series]:
    """Yield the series of an alert that fires, beside the 0 or 1 that every feature has."""
    labels = (alert.segment, alert.feature, alert.kind, alert.severity)
    if alert.feature in features or (alert.feature and alert.segment):
        yield Series("drift_active", labels, 1.0)
    if alert.alert_id:
        yield Series("alert_info", (*labels, alert.alert_id, alert.incident_id, alert.url), 1.0)


def _closed(feature: str, severities: Mapping[tuple[str, str, Kind], Severity]) -> Iterator[Series]:
    """Yield the severities in which no alert on a feature of the whole model fires."""
    for kind in (Subject.feature(feature).drift, "data_quality"):
        for one in _active("", feature, kind, severities.get(("", feature, kind))):
            if not one.value:
                yield one


def _feature_figures(at: tuple[str, str], verdict: Verdict | None) -> Iterator[Series]:
    if verdict is None:
        return
    for detector, figure in verdict.detectors.items():
        if figure.value is not None:
            yield Series("drift_score", (*at, detector), figure.value)
        if figure.threshold is not None:
            yield Series("drift_threshold", (*at, detector), figure.threshold)
    missing = missing_share(verdict.counts, verdict.window.events)
    if missing is not None:
        yield Series("feature_missing_ratio", at, missing)


def _metric_figures(segment: str, verdict: Verdict) -> Iterator[Series]:
    subject = verdict.subject
    for detector, figure in verdict.detectors.items():
        # Beside its own figure the verdict on bias has quantiles, such as residual_q05.
        metric = subject.label if detector == subject.name else detector
        low, high = figure.interval or (None, None)
        for ending, value in (
            ("", figure.value),
            ("_low", low),
            ("_high", high),
            ("_normal", figure.reference),
            ("_threshold", figure.threshold),
        ):
            if value is not None:
                yield Series(f"performance{ending}", (segment, metric), value)
