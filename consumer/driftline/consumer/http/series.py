"""The series of a model, those of its features in the order of their worth; and of a comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from driftline.consumer.judge.comparison.judge import ComparisonJudge
from driftline.consumer.wire.kinds import ON_THE_WHOLE_MODEL, SEVERITIES
from driftline.consumer.wire.records import Verdict
from driftline.consumer.wire.subject import Subject

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
    """Return the series of the alerts on a whole model: their feature is empty."""
    fires = {(alert.kind, alert.severity) for alert in firing}
    return [
        Series("drift_active", ("", kind, severity), float((kind, severity) in fires))
        for kind in sorted(ON_THE_WHOLE_MODEL, reverse=True)
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
