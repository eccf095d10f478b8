"""The series of a model: features in the order of their worth, metrics, labels; of a comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.judge.comparison.judge import ComparisonJudge
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.joining import JoinsPartition
from driftline.consumer.service.status import Status
from driftline.consumer.wire.kinds import ON_THE_WHOLE_MODEL, SEVERITIES
from driftline.consumer.wire.records import Verdict
from driftline.consumer.wire.subject import Subject

OUTCOMES = {
    "corrected": "corrected",
    "repeated": "repeated",
    "late": "late",
    "duplicate": "duplicates",
    "expired": "expired",
    "unmatched": "unmatched",
    "crowded_out": "crowded_out",
    "hurried": "hurried",
}
_DECISIONS = {"worse": -1.0, "undecided": 0.0, "better": 1.0}


class Series(NamedTuple):
    """One series: metric, without its prefix, label values without the model, and value."""

    metric: str
    labels: tuple[str, ...]
    value: float


class FiringAlert(NamedTuple):
    """An alert that fires in some stream of the model."""

    feature: str
    kind: str
    severity: str


def feature_series(
    features: Sequence[str], verdicts: Mapping[str, Verdict], firing: Set[FiringAlert]
) -> list[Series]:
    """Return the series of `features`, the first of them the most important ones.

    First come the alerts that fire, then all of one feature after the other; the features with a
    firing alert before the others, then the worst effect first. Every name in a label is one of
    `features` or of a closed set.

    Args:
        features: names of the features that are monitored.
        verdicts: by feature, the newest verdict of the whole model.
        firing: alerts of any stream.

    Example:
        >>> alert = FiringAlert("age", "feature_drift", "critical")
        >>> feature_series(["age"], {}, {alert})[0]
        Series(metric='drift_active', labels=('age', 'feature_drift', 'critical'), value=1.0)
    """
    alarmed = {alert.feature for alert in firing}

    def rank(feature: str) -> tuple[bool, float, str]:
        verdict = verdicts.get(feature)
        effect = None if verdict is None else verdict.effect
        return feature not in alarmed, -(-math.inf if effect is None else effect), feature

    series = [
        one
        for feature in sorted(features, key=rank)
        for one in (*_active(feature, firing), *_figures(feature, verdicts.get(feature)))
    ]
    return sorted(series, key=lambda one: not (one.metric == "drift_active" and one.value))


def model_series(firing: Set[FiringAlert]) -> list[Series]:
    """Return the series of the alerts on a whole model: their feature is empty.

    Such an alert about data quality is on the number of events.
    """
    fires = {(alert.kind, alert.severity) for alert in firing if not alert.feature}
    return [
        Series("drift_active", ("", kind, severity), float((kind, severity) in fires))
        for kind in (*sorted(ON_THE_WHOLE_MODEL, reverse=True), "data_quality")
        for severity in SEVERITIES
    ]


def _active(feature: str, firing: Set[FiringAlert]) -> Iterator[Series]:
    for kind in (Subject.feature(feature).drift, "data_quality"):
        for severity in SEVERITIES:
            fires = FiringAlert(feature, kind, severity) in firing
            yield Series("drift_active", (feature, kind, severity), float(fires))


def _figures(feature: str, verdict: Verdict | None) -> Iterator[Series]:
    if verdict is None:
        return
    for detector, figure in verdict.detectors.items():
        if figure.value is not None:
            yield Series("drift_score", (feature, detector), figure.value)
        if figure.threshold is not None:
            yield Series("drift_threshold", (feature, detector), figure.threshold)
    if verdict.counts is not None and verdict.window.events:
        # As the detector `missing` counts: null, or no such key.
        missing = verdict.counts["missing"] + verdict.counts["absent"]
        yield Series("feature_missing_ratio", (feature,), missing / verdict.window.events)


def comparison_series(judge: ComparisonJudge) -> Iterator[Series]:
    """Yield the series of a comparison; all their labels are in them."""
    standing = judge.standing
    figures = standing.figures(judge.config.traffic)
    for side, figure in zip(("champion", "challenger"), figures, strict=True):
        if not math.isnan(figure.value):
            yield Series("comparison", (judge.name, side, judge.metric), figure.value)
    yield Series("comparison_decision", (judge.name,), _DECISIONS[standing.decision])


"""Value of the label `outcome` to the field of the tally."""


def performance_series(
    watched: Set[Subject], verdicts: Mapping[str, Verdict], firing: Set[FiringAlert]
) -> Iterator[Series]:
    """Yield the series of the metrics, in the order of their names.

    An alert's series are there for every metric that a rule looks at, from its first window on.

    Args:
        watched: metrics that a rule looks at.
        verdicts: by feature, the newest verdict of the whole model; those of metrics count.
        firing: alerts of any stream.

    Example:
        >>> alert = FiringAlert("performance.f1", "performance", "warning")
        >>> [one.value for one in performance_series({Subject.metric("f1")}, {}, {alert})]
        [1.0, 0.0]
    """
    metrics = {name for name, verdict in verdicts.items() if verdict.subject.is_performance}
    known = {*metrics, *(alert.feature for alert in firing)}
    for name in sorted(known & {subject.field for subject in watched}):
        for severity in SEVERITIES:
            fires = FiringAlert(name, "performance", severity) in firing
            yield Series("drift_active", (name, "performance", severity), float(fires))
    for name in sorted(metrics):
        subject = verdicts[name].subject
        for detector, figure in verdicts[name].detectors.items():
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
                    yield Series(f"performance{ending}", (metric,), value)


def outcome_series(judge: ModelJudge) -> Iterator[Series]:
    """Yield the predictions in the newest window of labels, by whether a label came."""
    newest = None if judge.performance is None else judge.performance.newest
    if newest is None:
        return
    for state, predictions in newest.record().items():
        yield Series("window_predictions", (state,), predictions)
    known = newest.labelled + newest.expired
    if known:
        yield Series("label_coverage_ratio", (), newest.labelled / known)


def label_series(status: Status) -> Iterator[tuple[str, Series]]:
    """Yield (model, series) of the labels that this worker reads and joins."""
    plan = status.plan
    topics = {partition.topic for partition in status.of(InputPartition)}
    totals = list(status.totals.values())
    for name, labels in plan.labelled.items():
        if labels.topic in topics:
            yield name, Series("labels", (), sum(counts.labels[name] for counts in totals))
            refused = sum(counts.refused[name] for counts in totals)
            yield name, Series("labels_refused", (), refused)
        if topics & set(plan.config.models[name].predictions):
            without = sum(counts.without[name, "id"] for counts in totals)
            yield name, Series("predictions_without_id", (), without)
            without = sum(counts.without[name, "answer"] for counts in totals)
            yield name, Series("predictions_without_answer", (), without)
        stages = status.of(JoinsPartition).values()
        joins = [stage.parts[name] for stage in stages if name in stage.parts]
        if joins:
            waiting = sum(join.waiting for join in joins)
            yield name, Series("predictions_waiting", (), waiting)
            yield from ((name, series) for series in _joined(plan.join_tallies[name]))


def _joined(totals: JoinTotals) -> Iterator[Series]:
    yield Series("labels_joined", (), totals.joined)
    for outcome, field in OUTCOMES.items():
        yield Series("join_rows", (outcome,), getattr(totals, field))
