"""The table of the kinds of alerts, what an alert can be, and why a record is a dead letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "feature_drift", "prediction_drift", "joint_drift", "data_quality", "performance", "labels",
    "stale", "data_loss",
]  # fmt: skip


Severity = Literal["warning", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
Status = Literal["firing", "resolved"]
STATUSES: tuple[Status, ...] = get_args(Status)
Reason = Literal["malformed", "schema", "timestamp", "too_far_ahead", "too_large", "unknown_class"]
"""Why a record is a dead letter: the closed set."""
About = Literal["distribution", "joint", "quality", "performance", "labels", "run"]


@dataclass(frozen=True)
class AlertKind:
    """One kind of alerts.

    Attributes:
        about: the distribution of one feature, the quality of its values, or a metric; of a whole
            model, how its features belong together, how its labels come or how its run goes.
        alertname: the name that an Alertmanager gets.
        over: of the run: what a sentence says once it is over.
    """

    about: About
    alertname: str
    over: str = ""


KINDS: dict[Kind, AlertKind] = {
    "feature_drift": AlertKind("distribution", "DriftlineFeatureDrift"),
    "prediction_drift": AlertKind("distribution", "DriftlinePredictionDrift"),
    "joint_drift": AlertKind("joint", "DriftlineJointDrift"),
    "data_quality": AlertKind("quality", "DriftlineDataQuality"),
    "performance": AlertKind("performance", "DriftlinePerformance"),
    "labels": AlertKind("labels", "DriftlineLabelsStopped"),
    "stale": AlertKind("run", "DriftlineStale", "events arrive again"),
    "data_loss": AlertKind("run", "DriftlineDataLoss", "events are read again"),
}
ON_THE_WHOLE_MODEL: frozenset[Kind] = frozenset(
    name for name, kind in KINDS.items() if kind.about in ("labels", "run")
)
"""Kinds that speak of a whole model, not of one feature."""
DRIFT: frozenset[Kind] = frozenset(
    name for name, kind in KINDS.items() if kind.about == "distribution"
)
"""Kinds that speak of the distribution of a feature or a prediction."""
