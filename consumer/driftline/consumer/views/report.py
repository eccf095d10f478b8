"""A span of time, frozen: what a report is drawn of."""

from __future__ import annotations

import msgspec

from driftline.consumer.views.answers import (
    AlertView,
    FeatureView,
    Home,
    JointView,
    ModelView,
    PerformanceView,
)
from driftline.consumer.views.pipeline import PipelineView


class ReportView(msgspec.Struct, frozen=True):
    """A span of time, frozen: what the report is drawn of.

    Attributes:
        since, until: the span that was asked for; `covered`: from where on verdicts were there.
        home: all models; `models`: the 50 worst of them in full.
        features: of those models, the 100 worst of each, and those of the segments that an alert
            speaks of.
        alerts: the newest 200; all of them are counted.
        promised: false alarms that the budgets allow in the part of the span that is covered.
        fired, false, acknowledged: alerts that began in it under the budget, and what was said.
        insufficient: verdicts on features that could not be judged, by the most frequent reasons.
        pipeline: what the monitor itself missed, where that is known.
        notes: what was assumed of a file, as `kind: sentence`.
    """

    title: str
    since: str | None
    until: str | None
    covered: str | None
    home: Home
    models: list[ModelView]
    features: list[FeatureView]
    performance: list[PerformanceView]
    joint: list[JointView]
    alerts: list[AlertView]
    promised: float | None
    fired: int
    false: int
    acknowledged: int
    insufficient: dict[str, int]
    pipeline: PipelineView
    notes: list[str]
