"""What a scrape says, of a status that was filled by hand and of a worker that ran."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families

from driftline.consumer.http import metrics
from driftline.consumer.http.series import capped_series, firing_alerts, model_series
from driftline.consumer.judge.lives.life import Life
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.records import AlertIdentity
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.protocol import Ownership, TopicPartition
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.stage import Stage
from driftline.consumer.service.status import Status
from driftline.consumer.wire.clock import SourceProgress
from driftline.consumer.wire.kinds import KINDS, Kind
from driftline.consumer.wire.records import DetectorValue, ReferenceName, Verdict, Window
from driftline.consumer.wire.subject import Subject

from .conftest import START, collector, input_partition, labelled, make_plan, read

IN = TopicPartition("in", 0)
PANES = TopicPartition("driftline.panes", 0)


def make_verdict(feature: str, effect: float | None = None, segment: str | None = None) -> Verdict:
    return Verdict(
        schema="driftline.verdict.v1",
        verdict_id="0" * 16,
        stream="loan" if segment is None else f"loan/{segment}",
        model="loan",
        segment=segment,
        feature=feature,
        type="numeric",
        state="ok",
        reason=None,
        window=Window("2020-09-13T12:26:40Z", "2020-09-13T12:26:50Z", 80),
        reference=ReferenceName("a" * 16, 300),
        versions={},
        counts={"valid": 60, "missing": 10, "absent": 6, "invalid": 4},
        effect=effect,
        detectors={
            "ks": DetectorValue(0.25, 1e-9, 0.5, "ok"),
            "wasserstein": DetectorValue(12.5, None, None, None),
        },
        bins=None,
    )


def make_metric(name: str, segment: str | None) -> Verdict:
    figures = {name: DetectorValue(0.8, None, None, None)}
    verdict = make_verdict(f"performance.{name}", segment=segment)
    return msgspec.structs.replace(verdict, type="performance", counts=None, detectors=figures)


def fired(stream: str, feature: str, kind: str, severity: int = 1) -> Life:
    return Life(stream, feature, kind, since=START, firing=True, severity=severity, history={})  # type: ignore[arg-type]  # of the closed set


def hand_filled(plan: Plan, lives: list[Life]) -> Status:
    """A worker that counts `in`, and judges `loan` but not `churn`."""
    status = Status(plan)
    heard = SourceProgress(START + 10_000, 5, 1, 1, START + 17_500, stale=False)
    state = JudgeState(position=0, rewind=0, lives=lives, sources=[("in", 0, heard)])
    judging = PanesPartition({"loan": plan.judge("loan", state)}, {}, 0, 0)
    stages: dict[TopicPartition, Stage] = {IN: input_partition(plan, IN), PANES: judging}
    status.own(Ownership(3, frozenset({IN, PANES}), frozenset()), stages)
    status.polled = START
    return status


def text_of(status: Status) -> str:
    registry = CollectorRegistry()
    registry.register(collector(status))
    return generate_latest(registry).decode()


def test_the_whole_text_of_a_status_filled_by_hand(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "version", lambda name: {"driftline": "1.2.3"}[name])
    lives = [
        fired("loan", "x0", "feature_drift", 2),
        fired("loan", "x0", "data_quality"),
        fired("loan/tier=gold", "x1", "feature_drift"),  # a segment: active, but not drifting
        fired("loan", "in[0]", "stale"),  # the partition that holds the clock is no feature
        Life("loan", "plan", "feature_drift", since=START, history={}),  # pending
    ]
    status = hand_filled(plan, lives)
    totals = status.totals["in"]
    totals.read = 100
    totals.counted["loan"], totals.late["loan"] = 90, 5
    totals.skipped["unknown_model"], totals.rejected["malformed"] = 3, 2
    status.of(InputPartition)[IN].lag = 17
    status.alerts["loan", "feature_drift", "critical", "firing"] = 2
    status.verdict(make_verdict("x0", effect=1.5))
    status.verdict(make_verdict("x1", segment="tier=gold"))
    for seconds in (0.001, 0.002, 20.0):
        status.batch_processing.observe(seconds)
    status.end_to_end.observe(0.5)

    expected = (Path(__file__).parent / "scrape.txt").read_text(encoding="utf-8")
    expected = expected.replace("REFERENCE", plan.references["loan"].id)
    assert text_of(status) == expected.replace("VERSION", "1.2.3")


def test_the_version_of_a_source_that_is_not_installed(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(metrics, "version", version)
    assert read(Status(plan))["build_info", (("version", "unknown"),)] == 1


def test_every_metric_has_help_and_type_and_both_formats_can_be_read(plan: Plan) -> None:
    status = hand_filled(plan, [])
    families = list(text_string_to_metric_families(text_of(status)))
    assert [family.name for family in families if not family.documentation] == []
    assert {family.type for family in families} == {"gauge", "counter", "histogram"}
    registry = CollectorRegistry()
    registry.register(collector(status))
    text = generate_openmetrics(registry).decode()  # type: ignore[no-untyped-call]  # the library's
    again = list(parse_openmetrics(text))  # type: ignore[no-untyped-call]  # the library's
    assert {family.name for family in again} == {family.name for family in families}


def test_a_status_of_a_worker_that_has_just_started_can_be_read(plan: Plan) -> None:
    samples = read(Status(plan))
    assert samples["worker_ready", ()] == 0
    assert samples["events_consumed_total", (("source", "in"),)] == 0
    assert list(labelled(samples, "loan")) == []


class Changing(dict[TopicPartition, Stage]):
    """Grows under the first loop over it, as when the worker opens a partition just then."""

    loops = 0

    def items(self) -> Any:
        self.loops += 1
        for item in super().items():
            if self.loops == 1:
                self[TopicPartition("driftline.panes", 1)] = PanesPartition({}, {}, 0, 0)
            yield item


def test_a_scrape_begins_again_when_the_worker_opens_a_partition_under_it(plan: Plan) -> None:
    status = hand_filled(plan, [])
    status.stages = changing = Changing(status.stages)
    assert read(status)["features_monitored", (("model", "loan"),)] == 4
    assert changing.loops > 1


def feature_series_of(samples: Mapping[tuple[str, tuple[tuple[str, str], ...]], float]) -> set[str]:
    """Series with a feature, as text."""
    return {f"{key}" for key in samples if dict(key[1]).get("feature")}


def test_the_cap_counts_series_and_keeps_the_worst() -> None:
    lives = [fired("loan", "x59", "data_quality"), fired("loan", "x58", "feature_drift", 2)]
    statuses = []
    for cap in (50, 100_000):
        status = hand_filled(make_plan(max_series=cap, features=60), lives)
        for i in range(60):
            status.verdict(make_verdict(f"x{i}", effect=i / 100))
        statuses.append(read(status))
    capped, everything = statuses
    model = (("model", "loan"),)
    assert len(feature_series_of(capped)) == 50
    suppressed = len(feature_series_of(everything)) - 50
    assert capped["series_suppressed", model] == suppressed > 0
    assert everything["series_suppressed", model] == 0
    for samples in statuses:  # what is said of the model is not capped
        assert samples["features_monitored", model] == 62
        assert samples["features_drifting", model] == 1
        active = {key for key, value in samples.items() if key[0] == "drift_active" and value}
        assert len(active) == 2
    # 8 series a feature: after those with an alert, the worst effects.
    shown = {dict(labels)["feature"] for name, labels in capped if name == "drift_score"}
    assert shown == {f"x{i}" for i in range(54, 60)}


def test_of_segments_what_fires_comes_first_and_the_rest_last() -> None:
    lives = [fired("loan/tier=gold", "x1", "feature_drift", 2), fired("loan", "x0", "data_quality")]
    status = hand_filled(make_plan(max_series=100_000), lives)
    for segment in (None, "tier=gold", "tier=tin"):
        status.verdict(make_verdict("x0", effect=0.1, segment=segment))
        status.verdict(make_verdict("x1", effect=0.2, segment=segment))
        status.verdict(make_metric("f1", segment))
        status.verdict(make_metric("brier", segment))  # no rule looks at it
    judge = status.of(PanesPartition)[PANES].parts["loan"]
    assert isinstance(judge, ModelJudge)
    verdicts = {(v.segment or "", v.feature or ""): v for v in status.verdicts["loan"].values()}
    names = {"x0", "x1"}
    shown = capped_series(names, {"performance.f1"}, verdicts, firing_alerts(judge.active(), names))
    order = list(dict.fromkeys((one.metric, *one.labels[:2]) for one in shown))
    figures = ("drift_score", "drift_threshold", "feature_missing_ratio")
    assert order == [
        ("drift_active", "tier=gold", "x1"), ("alert_info", "tier=gold", "x1"),
        ("drift_active", "", "x0"), ("alert_info", "", "x0"),
        *((figure, "", "x0") for figure in figures),
        *((figure, "tier=gold", "x1") for figure in figures),
        ("drift_active", "", "x1"),
        *((figure, "", "x1") for figure in figures),
        ("window_events", "tier=gold"), ("window_events", "tier=tin"),
        ("performance", "tier=gold", "f1"), ("performance", "tier=tin", "f1"),
        *((figure, "tier=tin", "x1") for figure in figures),
        *((figure, "tier=gold", "x0") for figure in figures),
        *((figure, "tier=tin", "x0") for figure in figures),
    ]  # fmt: skip


def identity(feature: str, kind: Kind) -> AlertIdentity:
    subject = Subject.read(feature, KINDS[kind].about)
    return AlertIdentity("", subject, kind, "warning", f"id of {feature}", "", None, recorded=True)


def test_fields_that_events_bring_are_on_the_whole_model_and_come_last() -> None:
    active = [identity(name, "data_quality") for name in ("new0", "new1")]
    active += [identity("x1", "feature_drift"), identity("in[0]", "stale")]
    firing = firing_alerts(active, {"x0", "x1"})
    told = [one.labels for one in capped_series({"x0", "x1"}, set(), {}, firing) if one.value]
    assert told == [
        ("", "", "stale", "warning", "id of in[0]", "", ""),
        ("", "x1", "feature_drift", "warning"),
        ("", "x1", "feature_drift", "warning", "id of x1", "", ""),
        ("", "", "data_quality", "warning", "id of new0", "", ""),
        ("", "", "data_quality", "warning", "id of new1", "", ""),
    ]
    active_on_the_whole = {one.labels[2] for one in model_series(firing) if one.value}
    assert active_on_the_whole == {"stale", "data_quality"}


def test_of_many_features_each_is_active_and_one_alert_has_an_id() -> None:
    each = identity("x1", "feature_drift")._replace(recorded=False)
    firing = firing_alerts([identity("", "feature_drift"), each], {"x1"})
    assert [one for one in capped_series({"x1"}, set(), {}, firing) if one.value] == [
        ("alert_info", ("", "", "feature_drift", "warning", "id of ", "", ""), 1),
        ("drift_active", ("", "x1", "feature_drift", "warning"), 1),
    ]
    assert not any(one.value for one in model_series(firing))


def test_a_cap_of_one_still_shows_that_something_fires() -> None:
    status = hand_filled(make_plan(max_series=1), [fired("loan", "x1", "feature_drift", 2)])
    (key,) = [key for key in read(status) if dict(key[1]).get("feature")]
    assert key[0] == "drift_active"
    assert dict(key[1])["feature"] == "x1"


def test_a_window_that_was_not_judged_has_no_score(plan: Plan) -> None:
    status = hand_filled(plan, [])
    status.verdict(make_verdict("x0", effect=0.5))
    assert any(name == "drift_score" for name, _ in read(status))
    insufficient = make_verdict("x0")
    fields = {name: getattr(insufficient, name) for name in insufficient.__struct_fields__}
    window = Window("2020-09-13T12:26:50Z", "2020-09-13T12:27:00Z", 0)
    status.verdict(Verdict(**fields | {"detectors": {}, "counts": None, "window": window}))
    samples = read(status)
    assert not any(name in {"drift_score", "feature_missing_ratio"} for name, _ in samples)
    assert samples["window_events", (("model", "loan"),)] == 0
