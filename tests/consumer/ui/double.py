"""A source of literal answers: one model, whose one feature broke, named to be awkward."""

from __future__ import annotations

import threading
from typing import Any

import msgspec

from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest, acceptance
from driftline.consumer.ui.source import MarkRequest
from driftline.consumer.views.alert_views import Wanted
from driftline.consumer.views.answers import (
    AlertList,
    AlertRow,
    AlertView,
    Axis,
    Budget,
    ComparisonView,
    FeatureRow,
    FeatureView,
    Home,
    JointView,
    Labels,
    MetricSeries,
    ModelRow,
    ModelView,
    PerformanceView,
    Revision,
    SegmentRow,
    VersionStart,
)
from driftline.consumer.views.pipeline import PipelineView, Status
from driftline.consumer.views.report import ReportView
from driftline.consumer.wire.control import Mark, Marks
from driftline.consumer.wire.messages import Acceptance
from driftline.consumer.wire.records import Alert, Verdict

MODEL, FEATURE, SEGMENT = "car/loan", "a/b c%2Fé", "channel=a/b"
ALERT_ID = "56f29dcfdc4e44e8"
STARTS = ["2019-04-02T00:00:00Z", "2019-04-08T00:00:00Z"]
ENDS = ["2019-04-08T00:00:00Z", "2019-04-14T00:00:00Z"]

VERDICT = msgspec.convert(
    {
        "schema": "driftline.verdict.v1", "verdict_id": "882c16b71e44b270", "stream": MODEL,
        "model": MODEL, "segment": None, "feature": FEATURE, "type": "numeric",
        "state": "critical", "reason": None,
        "window": {"start": STARTS[1], "end": ENDS[1], "events": 991},
        "reference": {"id": "12d664886f4460a1", "events": 50000}, "versions": {"1": 991},
        "counts": {"valid": 991}, "effect": 1.53282,
        "detectors": {
            "ks": {"value": 0.430551, "p_value": 6.9e-157, "threshold": 0.05, "state": "critical"},
        },
        "bins": {"upper": [1.5], "reference": [25000, 25000], "window": [91, 900]},
        "sequential": {"evidence": 60.2, "limit": 9.1, "onset": STARTS[0]},
    },
    Verdict,
)  # fmt: skip
RECORD = msgspec.convert(
    {
        "schema": "driftline.alert.v1", "alert_id": ALERT_ID, "revision": 1,
        "status": "firing", "severity": "critical", "kind": "feature_drift",
        "summary": f"{MODEL}: {FEATURE} rose: median 2, normally 1.", "stream": MODEL,
        "model": MODEL, "segment": None, "feature": FEATURE, "type": "numeric",
        "since": STARTS[0], "until": None, "rule": "budget: 1 per 30d (change alarm)",
        "detector": "sequential", "value": 60.2, "p_value": None, "threshold": 9.1,
        "effect": 1.53282, "breaches": [1, 1],
        "window": {"start": STARTS[1], "end": ENDS[1], "events": 991},
        "reference": {"id": "12d664886f4460a1", "events": 50000}, "versions": {"1": 991},
        "counts": {"valid": 991},
        "top": [{"what": "up to 1.5", "reference": 0.5, "window": 0.09, "contribution": 0.7}],
        "incident_id": "bcd3f6b39202dc4d", "also_firing": [], "owner": "=credit", "runbook": None,
    },
    Alert,
)  # fmt: skip
MARKS = Marks("driftline.control.v1", ALERT_ID, acknowledge=Mark("ada", "2026-01-01T00:00:00Z"))


EMPTY: tuple[Any, ...] = (None, [], {}, 0, "", False)


def build(kind: type, /, **fields: Any) -> Any:
    """Return a struct of which only some fields are given: the others are as empty as they may."""
    empty: dict[str, Any] = {}
    for each in msgspec.structs.fields(kind):
        if each.name in fields or not each.required:
            continue
        for value in EMPTY:
            try:
                msgspec.convert(value, each.type)
            except msgspec.ValidationError:
                continue
            empty[each.name] = value
            break
    return kind(**empty, **fields)


ROW = build(
    AlertRow, alert_id=ALERT_ID, incident_id=RECORD.incident_id, revision=1, status="firing",
    severity="critical", kind="feature_drift", model=MODEL, feature=FEATURE, features=[FEATURE],
    summary=RECORD.summary, effect=1.53282, since=STARTS[0], fired=ENDS[1], updated=ENDS[1],
    budgeted=True, snoozed=False, marks=MARKS, owner="=credit",
)  # fmt: skip
AXIS = Axis(STARTS, ENDS, [988, 991])
BUDGET = Budget(1.0, 30.0, None, 1, 0, STARTS[0])
LABELS = Labels(900, 80, 11, ENDS[1])
MODEL_ROW = build(
    ModelRow, model=MODEL, owner="=credit", state="critical", open=[ROW], budget=BUDGET, strip="oc",
    window_start=STARTS[1], window_end=ENDS[1], events=991, normal_events=1000, labels=LABELS,
    features=1, drifting=1, segments=[SEGMENT], reference="12d664886f4460a1", versions={"1": 991},
)  # fmt: skip
FEATURE_ROW = build(
    FeatureRow, feature=FEATURE, type="numeric", state="critical", effect=1.53282, missing=0.0,
    evidence=60.2, limit=9.1, onset=STARTS[0], alert_id=ALERT_ID, recent=[12, 1533], states="oc",
    segments=[],
)  # fmt: skip
VERSIONS = [VersionStart("1", STARTS[0], ENDS[0])]
HOME = Home(ENDS[1], [MODEL_ROW])
MODEL_VIEW = build(
    ModelView, model=MODEL_ROW, axis=AXIS, volume=[988, 991], normal_volume=[None, 1000],
    critical=0.25, features=[FEATURE_ROW], alerts=[ROW], versions=VERSIONS,
)  # fmt: skip
FEATURE_VIEW = build(
    FeatureView, model=MODEL, feature=FEATURE, type="numeric", axis=AXIS, effect=[0.012, 1.53282],
    evidence=[None, 60.2], limit=[9.1, 9.1], missing=[0.0, 0.0], states="oc", critical=0.25,
    verdict=VERDICT, names=["up to 1.5", "above 1.5"], contributions=[0.7, 0.8],
    segments=[build(SegmentRow, segment=SEGMENT, state="ok", events=500, recent=[None, 3])],
    alerts=[ROW], versions=VERSIONS,
)  # fmt: skip
JOINT_VIEW = build(
    JointView, model=MODEL, axis=AXIS, effect=[0.01, 0.31], evidence=[None, 40.5],
    limit=[9.1, 9.1], states="oc", alerts=[], versions=VERSIONS, segments=[SEGMENT],
)  # fmt: skip
PERFORMANCE = build(
    PerformanceView, model=MODEL, axis=AXIS,
    metrics=[
        build(
            MetricSeries, name="accuracy", estimated=False, unit="share", higher_is_better=True,
            value=[0.94, None], low=[0.92, None], high=[0.96, None], threshold=[0.9, 0.9],
            normal=0.94, states="o.",
        )
    ],
    labelled=[900, 0], waiting=[0, 991], expired=[88, 0], confusion=None,
    comparisons=[build(ComparisonView, name="new", decision="undecided", verdict=VERDICT)],
    alerts=[], versions=VERSIONS,
)  # fmt: skip
ALERT_VIEW = build(
    AlertView, row=ROW, record=RECORD, verdict=VERDICT, names=["up to 1.5", "above 1.5"],
    history=[Revision(1, "firing", "critical", RECORD.summary, ENDS[1], "2026-01-01T00:00:00Z")],
    contributions=[0.7, 0.8], incident=[], budget=BUDGET, labels=LABELS, versions=VERSIONS,
    writable=True,
)  # fmt: skip
STATUS: Status = build(Status, connected=True, windows=200, title="driftline.*", version="0.1.0")
PIPELINE: PipelineView = build(PipelineView, available=False, hint="name the workers")
REPORT: ReportView = build(
    ReportView, title="driftline.*", home=HOME, models=[MODEL_VIEW], features=[FEATURE_VIEW],
    performance=[PERFORMANCE], joint=[JOINT_VIEW], alerts=[ALERT_VIEW], pipeline=PIPELINE,
)  # fmt: skip


class Literal:
    """Answers always the same; counts what it is asked, and keeps what is to be written."""

    def __init__(self) -> None:
        self.version = 1
        self.asked: list[Any] = []
        self.marked: list[tuple[str, MarkRequest]] = []
        self.failure: Exception | None = None
        self.waits: threading.Event | None = None

    def status(self) -> Status:
        return STATUS

    def home(self) -> Home:
        self.asked.append("home")
        return HOME

    def model(self, model: str, segment: str | None) -> ModelView | None:
        self.asked.append((model, segment))
        return MODEL_VIEW if model == MODEL else None

    def feature(
        self, model: str, feature: str, segment: str | None, window: str | None
    ) -> FeatureView | None:
        self.asked.append((model, feature, segment, window))
        if self.waits is not None:
            self.waits.wait(30)
        return FEATURE_VIEW if (model, feature) == (MODEL, FEATURE) else None

    def joint(self, model: str, window: str | None) -> JointView | None:
        self.asked.append((model, window))
        return JOINT_VIEW if model == MODEL else None

    def performance(self, model: str, segment: str | None) -> PerformanceView | None:
        return PERFORMANCE if model == MODEL else None

    def alerts(self, wanted: Wanted, limit: int) -> AlertList:
        self.asked.append((wanted, limit))
        return AlertList([ROW], 1)

    def alert(self, alert_id: str) -> AlertView | None:
        return ALERT_VIEW if alert_id == ALERT_ID else None

    def pipeline(self) -> PipelineView:
        return PIPELINE

    def report(self, since: str | None, until: str | None) -> ReportView:
        if since == "soon":
            raise ValueError("soon: no time")
        return REPORT

    def accept(self, model: str, request: AcceptanceRequest) -> Acceptance:
        if self.failure is not None:
            raise self.failure
        return acceptance(model, request, 0)

    def mark(self, alert_id: str, request: MarkRequest) -> Marks:
        if self.failure is not None:
            raise self.failure
        self.marked.append((alert_id, request))
        return MARKS
