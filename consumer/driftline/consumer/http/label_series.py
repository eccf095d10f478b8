"""The series on labels: what became of them, and of the predictions that wait for them."""

from __future__ import annotations

from collections.abc import Iterator

from driftline.consumer.http.series import Series
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.joining import JoinsPartition
from driftline.consumer.service.status import Status

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
