"""The series of a model's performance, and of its labels on their way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from driftline.consumer.http.series import FiringAlert, Series
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.joining import JoinsPartition
from driftline.consumer.service.status import Status
from driftline.consumer.wire.kinds import SEVERITIES
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
