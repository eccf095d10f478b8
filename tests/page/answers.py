"""Answers as the API gives them, made up from a seed, of any number of features."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec
from tests.page.together import together

from driftline.consumer.deliver.acceptance_writer import AcceptanceRequest, acceptance
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
from driftline.consumer.views.pipeline import (
    ModelFlow,
    PartitionRow,
    PipelineView,
    Status,
    WorkerRow,
)
from driftline.consumer.views.report import ReportView
from driftline.consumer.wire.control import SCHEMA, Mark, Marks
from driftline.consumer.wire.messages import Acceptance
from driftline.consumer.wire.records import Alert, Verdict

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
MODEL = "fraud-scorer"
ALERT = "56f29dcfdc4e44e8"
_WINDOW = timedelta(hours=1)
_CRITICAL = 0.25
_REFERENCE = "12d664886f4460a1"


def stamp(hours: float) -> str:
    """Return a time of the stream, RFC 3339."""
    return f"{BEGIN + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


class Board:
    """What is known of some models, as `ui.source.Source` has it; `push` adds a window.

    Args:
        features: of the model `MODEL`.
        windows: that are held of it.
        quiet: other models, without alerts.
    """

    def __init__(self, features: int = 24, windows: int = 120, quiet: int = 7) -> None:
        self._random = random.Random(7)
        self.windows, self.first, self.quiet = windows, 0, quiet
        self.names = ["amount", "country", "merchant/category", "prediction.score"]
        self.names += [f"feature_{i:04}" for i in range(features - len(self.names))]
        self.marks: dict[str, Marks] = {}
        self.accepted: list[Acceptance] = []
        self.version, self.connected, self.alarmed = 0, True, True
        self.models_known = True

    def push(self) -> None:
        """Let an hour pass."""
        self.first += 1
        self.version += 1

    def be(self, *, connected: bool = True, alarmed: bool = True) -> None:
        """Be cut off from the broker or not, and have alerts or not."""
        self.connected, self.alarmed = connected, alarmed
        self.version += 1

    @property
    def axis(self) -> Axis:
        """The windows held."""
        hours = range(self.first, self.first + self.windows)
        ends = [stamp(hour + 1) for hour in hours]
        events = [round(1400 + 500 * math.sin(hour / 4)) for hour in hours]
        return Axis([stamp(hour) for hour in hours], ends, events)

    @property
    def onset(self) -> int:
        """Hour in which the troubles begin."""
        return self.windows * 2 // 3

    def effects(self, feature: str) -> list[float]:
        """One feature's effects in the windows held."""
        seed = random.Random(feature)
        broken = {"amount": 0.9, "country": 0.18, "merchant/category": 0.12}.get(feature, 0.0)
        noise = [abs(seed.gauss(0, 0.008)) for _ in range(self.first + self.windows)]
        ramp = [min(1.0, max(0.0, (h - self.onset) / 9)) for h in range(len(noise))]
        return [round(n + broken * r, 6) for n, r in zip(noise, ramp, strict=True)][self.first :]

    def states(self, feature: str) -> str:
        """The letters of its windows."""
        return "".join(
            "i" if i + self.first < 3 else "c" if e > _CRITICAL else "w" if e > 0.05 else "o"
            for i, e in enumerate(self.effects(feature))
        )

    @cached_property
    def rows(self) -> list[AlertRow]:
        """Its alerts, newest first."""
        since = stamp(self.onset)
        open_ = [
            self._alert(ALERT, "amount", "critical", "feature_drift",
                f"{MODEL}: amount rose: median 103, normally 41.2, since {since[:10]} 08:00 UTC."
                " 2 other features changed too: country, merchant/category.", 0.91),
            self._alert("a1f29dcfdc4e44e9", "country", "warning", "feature_drift",
                f'{MODEL}: country changed: "DE" is 31.0 % of events, normally 12.4 %.', 0.18),
            self._alert("b1f29dcfdc4e44ea", "merchant/category", "warning", "data_quality",
                f"{MODEL}: merchant/category: 12.5 % of events have no value, normally 0.1 %.",
                0.12),
        ]  # fmt: skip
        over = self._alert(
            "c1f29dcfdc4e44eb", "feature_0003", "warning", "feature_drift",
            f"{MODEL}: feature_0003 is as before; it had spread since {stamp(20)[:10]}.", 0.03,
        )  # fmt: skip
        done = msgspec.structs.replace(
            over, status="resolved", since=stamp(20), until=stamp(31), fired=stamp(22)
        )
        return [*open_, done]

    def _alert(
        self, key: str, feature: str, severity: str, kind: str, text: str, effect: float
    ) -> AlertRow:
        since = stamp(self.onset)
        return AlertRow(
            key, ALERT, 1, "firing", severity, kind, MODEL, None, feature, [feature], text,
            effect, since, None, stamp(self.onset + 2), stamp(self.onset + 4),
            kind != "data_quality", False, self.marks.get(key), "risk",
        )  # fmt: skip

    def listed(self) -> list[AlertRow]:
        """Return the alerts with their marks."""
        found = [
            msgspec.structs.replace(row, marks=self.marks.get(row.alert_id)) for row in self.rows
        ]
        return found if self.alarmed else []

    def model_row(self, name: str = MODEL) -> ModelRow:
        """Return the model as the home view has it."""
        loud = name == MODEL
        axis = self.axis
        rows = [row for row in self.listed() if row.status == "firing"] if loud else []
        strip = self.states("amount") if loud else "i" * 3 + "o" * (self.windows - 3)
        return ModelRow(
            name, "risk" if loud else None, "critical" if loud else "ok", rows,
            Budget(1.0, 30.0, None, 2 if loud else 0, 0, None), strip[-60:], axis.starts[-1],
            axis.ends[-1], axis.events[-1], 1400,
            Labels(812, 301, 14, axis.ends[-30], axis.ends[-1]) if loud else None,
            len(self.names) if loud else 9, 3 if loud else 0,
            ["channel=web", "channel=app"] if loud else [], _REFERENCE, {"3.2": 900, "3.1": 20},
        )  # fmt: skip

    def home(self) -> Home:
        """Return all models."""
        names = [MODEL, *(f"model-{i:03}" for i in range(self.quiet))] if self.models_known else []
        return Home(self.axis.ends[-1], [self.model_row(name) for name in names])

    def feature_row(self, name: str) -> FeatureRow:
        """Return a line of the table."""
        effects, letters = self.effects(name), self.states(name)
        state = {"c": "critical", "w": "warning", "o": "ok", "i": "insufficient"}[letters[-1]]
        since = stamp(self.onset) if state != "ok" else None
        return FeatureRow(
            name, "categorical" if name in self.names[1:3] else "numeric", state, None, effects[-1],
            0.125 if name == "merchant/category" else 0.0, 40 * effects[-1], 6.1,
            since, None, since,
            [round(1000 * e) for e in effects[-40:]], letters, [],
        )  # fmt: skip

    @property
    def versions(self) -> list[VersionStart]:
        """Version 3.2 began shortly before the troubles."""
        before = self.onset - 2
        return [
            VersionStart("3.1", stamp(0), stamp(1)),
            VersionStart("3.2", stamp(before), stamp(before + 1)),
        ]

    def model(self, model: str, segment: str | None = None) -> ModelView | None:
        """Return one model in full."""
        if (name := model) not in [row.model for row in self.home().models]:
            return None
        axis, loud = self.axis, name == MODEL
        features = [self.feature_row(each) for each in (self.names if loud else self.names[4:13])]
        volume: Any = axis.events
        return ModelView(
            self.model_row(name), segment, axis, volume, [1400] * self.windows, _CRITICAL,
            sorted(features, key=lambda row: -(row.effect or 0)), self.listed() if loud else [],
            self.versions, loud,
        )  # fmt: skip

    def verdict(self, feature: str, end: str | None = None) -> Verdict:
        """Return a verdict with bins."""
        axis = self.axis
        at = axis.ends.index(end) if end else self.windows - 1
        effect = self.effects(feature)[at]
        normal = [400, 900, 1600, 2100, 1900, 1300, 900, 500, 300, 100]
        now = [round(n / 7 * (1 + min(effect, 2) * (i - 4))) for i, n in enumerate(normal)]
        now = [max(0, n) for n in now]
        words = {"categories": ["DE", "FR", "GB", "IT", "ES", "NL", "PL", "SE", "US", "__other__"]}
        bins = words if feature == "country" else {"upper": [5, 9, 16, 25, 41, 60, 90, 150, 400]}
        return msgspec.convert(
            {
                "schema": "driftline.verdict.v1", "verdict_id": "882c16b71e44b270", "stream": MODEL,
                "model": MODEL, "segment": None, "feature": feature,
                "type": "categorical" if feature == "country" else "numeric",
                "state": "critical" if effect > _CRITICAL else "ok", "reason": None,
                "window": {"start": axis.starts[at], "end": axis.ends[at], "events": sum(now) + 12},
                "reference": {"id": _REFERENCE, "events": 10000}, "versions": {"3.2": sum(now)},
                "counts": {"valid": sum(now), "missing": 8, "absent": 4, "invalid": 0, "unseen": 0,
                           "out_of_range": 2},
                "effect": effect,
                "detectors": {
                    "ks": {"value": 0.43, "p_value": 6.9e-157, "threshold": 0.0517,
                           "state": "critical"},
                    "psi": {"value": effect, "p_value": 0.0, "threshold": 0.0127, "state": None}},
                "bins": {**bins, "reference": normal, "window": now},
                "sequential": {"evidence": 40 * effect, "limit": 6.1, "onset": stamp(self.onset)},
            },
            Verdict,
        )  # fmt: skip

    def _parts(self, verdict: Verdict) -> tuple[list[str], list[float | int | None]]:
        bins = verdict.bins or {}
        names = bins.get("categories") or [f"up to {each}" for each in bins["upper"]] + [
            "above 400"
        ]
        normal, now = bins["reference"], bins["window"]
        shares = [
            ((b + 0.5) / sum(now), (a + 0.5) / sum(normal))
            for a, b in zip(normal, now, strict=True)
        ]
        parts = [(q - p) * math.log(q / p) for q, p in shares]
        return names, [round(part / sum(parts), 6) for part in parts]

    def feature(
        self, model: str, feature: str, segment: str | None = None, window: str | None = None
    ) -> FeatureView | None:
        """Return one feature of the model."""
        if model != MODEL or (name := feature) not in self.names:
            return None
        effects: Any = self.effects(name)
        verdict = self.verdict(name, window)
        names, parts = self._parts(verdict)
        evidence: Any = [round(max(0.0, 40 * e - 1), 4) for e in effects]
        segments = [
            SegmentRow(f"channel={each}", "ok", 0.012, 640, 0.0, [10, 12, 9, 14, 12] * 6)
            for each in ("app", "web")
        ]
        return FeatureView(
            MODEL, segment, name, verdict.type, self.axis, effects, evidence,
            [6.1] * self.windows, [0.004] * self.windows, self.states(name), _CRITICAL, verdict,
            names, parts, segments, [row for row in self.listed() if row.feature == name],
            self.versions, True, labels=self.model_row().labels,
        )  # fmt: skip

    def joint(self, model: str, window: str | None = None) -> JointView | None:
        """Return two pairs, and extremes."""
        return None if model != MODEL else together(self, window)

    def performance(self, model: str, segment: str | None = None) -> PerformanceView | None:
        """Return figures with intervals, a matrix and a comparison."""
        if model != MODEL:
            return None
        axis, n = self.axis, self.windows
        value: Any = [
            round(0.81 - 0.06 * min(1, max(0, (h - self.onset) / 9)), 4) for h in range(n)
        ]
        value[-4:] = [None] * 4
        low: Any = [v and round(v - 0.02, 4) for v in value]
        high: Any = [v and round(v + 0.02, 4) for v in value]
        estimate: Any = [0.8] * n
        base = {
            "schema": "driftline.verdict.v1", "verdict_id": "0fe947c710ecba4c", "stream": MODEL,
            "model": MODEL, "segment": None, "feature": "performance.accuracy",
            "type": "performance",
            "state": "warning", "reason": None, "reference": {"id": _REFERENCE, "events": 9},
            "window": {"start": axis.starts[-5], "end": axis.ends[-5], "events": 1400},
            "versions": {}, "counts": {"labelled": 812, "waiting": 301, "expired": 14},
            "effect": None, "detectors": {}, "bins": None,
        }  # fmt: skip
        matrix = {"classes": ["no", "yes"], "reference": [[700, 80, 0], [30, 90, 2]],
                  "window": [[600, 90, 0], [50, 70, 2]]}  # fmt: skip
        figures = {
            "champion": {"value": 0.81, "p_value": None, "threshold": None, "state": None,
                         "interval": [0.79, 0.83]},
            "challenger": {"value": 0.84, "p_value": None, "threshold": None, "state": None,
                           "interval": [0.82, 0.86]},
        }  # fmt: skip
        confusion = msgspec.convert({**base, "confusion": matrix}, Verdict)
        compared = msgspec.convert({**base, "detectors": figures}, Verdict)
        return PerformanceView(
            MODEL, segment, axis,
            [MetricSeries("accuracy", False, "share", True, value, low, high, [0.78] * n, 0.81,
                          self.states("country")),
             MetricSeries("roc_auc", True, "share", True, estimate, low, high, [None] * n, None,
                          "o" * n)],
            [800] * n, [300] * n, [14] * n, confusion,
            [ComparisonView("candidate", "3.1", "3.2", "better", compared)], [],
            self.versions, False, self.model_row().labels,
        )  # fmt: skip

    def alerts(self, wanted: Wanted, limit: int) -> AlertList:
        """Return the alerts that are asked for, by all but the time."""
        asked = {name: getattr(wanted, name) for name in ("model", "severity", "kind", "status")}
        rows = [
            row for row in self.listed()
            if all(getattr(row, name) == each for name, each in asked.items() if each)
        ]  # fmt: skip
        return AlertList(rows[:limit], len(rows))

    def alert(self, alert_id: str) -> AlertView | None:
        """Return one alert in full."""
        key = alert_id
        row = next((row for row in self.listed() if row.alert_id == key), None)
        if row is None:
            return None
        feature = row.feature or ""
        verdict = self.verdict(feature)
        names, parts = self._parts(verdict)
        record = msgspec.convert(
            {
                "schema": "driftline.alert.v1", "alert_id": key, "revision": 1,
                "status": row.status,
                "severity": row.severity, "kind": row.kind, "summary": row.summary, "stream": MODEL,
                "model": MODEL, "segment": None, "feature": row.feature, "type": verdict.type,
                "since": row.since, "until": row.until,
                "rule": "budget: 1 per 30d, min_effect: 0.02",
                "detector": "sequential", "value": 37.0342, "p_value": None, "threshold": 6.10925,
                "effect": row.effect, "breaches": None,
                "window": msgspec.to_builtins(verdict.window),
                "reference": {"id": _REFERENCE, "events": 10000}, "versions": {"3.2": 1388},
                "counts": verdict.counts, "top": [], "incident_id": ALERT,
                "also_firing": ["country"], "owner": "risk", "runbook": "https://wiki.example/fraud",
            },
            Alert,
        )  # fmt: skip
        history = [Revision(1, row.status, row.severity, row.summary, row.updated, row.updated)]
        others = [
            each for each in self.listed() if each.alert_id != key and each.status == "firing"
        ]
        return AlertView(
            row, record, history, verdict, names, parts, others, self.model_row().budget,
            self.model_row().labels, self.versions, True, True,
        )  # fmt: skip

    def pipeline(self) -> PipelineView:
        """Return two workers."""
        end = self.axis.ends[-1]
        return PipelineView(
            True, None,
            [WorkerRow("worker-0:9464", True, "0.1.0", 182_000_000, 431.0, None),
             WorkerRow("worker-1:9464", None, None, None, None, "does not answer")],
            [PartitionRow("payments", i, 40 * i, "worker-0:9464") for i in range(3)],
            [ModelFlow(MODEL, end, stamp(self.first + self.windows + 1), 210_000, 41, 3, 180_000,
                       900, {"matched": 179_000, "expired": 14}, _REFERENCE, False)],
            {"not_json": 4}, {}, [],
        )  # fmt: skip

    def status(self) -> Status:
        """Return whether it is connected."""
        problem = None if self.connected else "localhost:9092 does not answer"
        return Status(self.connected, problem, False, self.windows, True, "driftline", "0.1.0")

    def report(self, since: str | None, until: str | None) -> ReportView:
        """Return none: no page asks for it."""
        raise NotImplementedError

    def accept(self, model: str, request: AcceptanceRequest) -> Acceptance:
        """Keep what is accepted."""
        self.accepted.append(acceptance(model, request, 0))
        return self.accepted[-1]

    def mark(self, alert_id: str, request: Any) -> Marks:
        """Keep what is said of an alert."""
        mark = None if request.clear else Mark(request.who, stamp(0), request.why, request.until)
        known = self.marks.get(alert_id) or Marks(SCHEMA, alert_id)
        self.marks[alert_id] = known.with_mark(request.action, mark)
        self.version += 1
        return self.marks[alert_id]
