"""Alert records from events: every kind, its figures and its sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.consumer.service.small import (
    HOUR,
    MODEL,
    REFERENCE,
    alerts,
    backtest,
    plan,
    reference,
    rows,
    seconds,
    verdicts,
)

from driftline.consumer.judge.sentence import LONGEST
from driftline.consumer.wire.records import Alert
from driftline.consumer.wire.subject import identity
from driftline.detectors import FeatureColumn, build_reference
from driftline.detectors.dispersion import Dispersion

HOURLY = {"length": "1h", "grace": "0s", "min_events": 100}
# 400 events an hour are few: effects of quiet windows reach 0.03.
BUDGET: dict[str, Any] = {"budget": "1 per 30d", "window": HOURLY, "min_effect": 0.1}


def hours(*fixed: dict[str, Any], seed: int = 1, events: int = 400) -> list[dict[str, Any]]:
    """One hour of events for each entry, with the fields that it fixes."""
    rng = np.random.default_rng(seed)
    step = HOUR // events
    return [
        event
        for hour, values in enumerate(fixed)
        for event in rows(hour * HOUR, events, step, rng, **values)
    ]


def run(*fixed: dict[str, Any], **settings: Any) -> list[Alert]:
    """Alerts of a backtest over `hours`, and one hour more to close the last."""
    return alerts(backtest(plan(**{**BUDGET, **settings}), hours(*fixed, {})))


QUIET: dict[str, Any] = {}


def test_a_category_that_takes_over() -> None:
    fired, *rest = run(QUIET, QUIET, {"c": "q"}, QUIET, QUIET, QUIET, owner="credit")
    assert fired.summary.startswith('m: c changed: "r" is 0.0 % of events, normally 34.4 %')
    assert fired.summary.endswith(", since 2020-09-20 02:00 UTC. Only this feature.")
    assert (fired.kind, fired.feature, fired.type) == ("feature_drift", "c", "categorical")
    assert (fired.status, fired.severity, fired.revision) == ("firing", "critical", 1)
    assert (fired.detector, fired.rule) == (
        "chi_square",
        "budget: 1 per 30d, min_effect: 0.1 (window alarm)",
    )
    assert fired.alert_id == identity("m", "c", "feature_drift", "2020-09-20T02:00:00Z")
    assert fired.incident_id == identity("m", "2020-09-20T02:00:00Z")
    assert (fired.breaches, fired.owner, fired.runbook) == ((1, 1), "credit", None)
    assert fired.top[0].what in ("p", "q", "r")
    assert sum(float(part.contribution or 0) for part in fired.top) == pytest.approx(1, abs=1e-5)
    (resolved,) = rest
    assert (resolved.status, resolved.revision, resolved.severity) == ("resolved", 2, "critical")
    assert resolved.summary == "m: c is back to normal since 2020-09-20 03:00 UTC, after 1 hour."
    assert (resolved.until, resolved.breaches) == ("2020-09-20T03:00:00Z", (0, 1))
    assert resolved.window.start == "2020-09-20T05:00:00Z"


def test_a_number_that_rose() -> None:
    (fired,) = run(QUIET, {"x": 1.5})
    assert fired.summary.startswith("m: x rose: median 1.5, normally ")
    assert (fired.kind, fired.type, fired.detector) == ("feature_drift", "numeric", "ks")


def test_a_boolean_speaks_of_true() -> None:
    (fired,) = run(QUIET, {"b": False})
    assert fired.summary.startswith('m: b changed: "true" is 0.0 % of events, normally ')


@pytest.mark.parametrize("feature", ["x", "b", "c"])
def test_missing_values(feature: str) -> None:
    (fired, *_) = run(QUIET, {feature: None})
    assert (fired.kind, fired.detector, fired.severity) == ("data_quality", "missing", "critical")
    assert fired.summary == (
        f"m: {feature} is missing in 100.0 % of events, normally 0.0 %, since 2020-09-20 01:00 UTC."
        " Only this feature."
    )
    assert (fired.value, fired.top) == (1.0, [])
    assert fired.rule == "budget: 1 per 30d, min_rise: 2% (window alarm)"
    assert fired.alert_id == identity("m", feature, "data_quality", "2020-09-20T01:00:00Z")


@pytest.mark.parametrize("feature", ["x", "b", "c"])
def test_missing_values_that_come_back_resolve(feature: str) -> None:
    found = run(QUIET, {feature: None}, QUIET, QUIET, QUIET)
    assert [(a.status, a.kind) for a in found] == [
        ("firing", "data_quality"),
        ("resolved", "data_quality"),
    ]
    assert found[-1].until == "2020-09-20T02:00:00Z"


def test_a_drift_resolves_under_thresholds_of_all_detectors_for_every_feature() -> None:
    thresholds = {
        "ks": {"warning": 0.4},
        "chi_square": {"warning": 300},
        "psi": {"warning": 0.4},
        "unseen": {"warning": 0.2},
        "out_of_range": {"warning": 0.2},
    }
    found = run(
        QUIET, {"x": 1.5, "c": "q", "b": True}, QUIET, QUIET, QUIET,
        budget="off", thresholds=thresholds,
    )  # fmt: skip
    fired = {a.feature for a in found if a.status == "firing"}
    assert fired == {"x", "c", "b"}
    assert {a.feature for a in found if a.status == "resolved"} == fired


def test_unseen_and_invalid_values() -> None:
    (fired,) = [a for a in run(QUIET, {"c": "new"}) if a.kind == "data_quality"]
    assert fired.detector == "unseen"
    assert "c has a value that the reference does not list in 100.0 % of events" in fired.summary
    (fired,) = run(QUIET, {"x": "text"})
    assert (fired.kind, fired.detector) == ("data_quality", "invalid")
    assert "m: x is now text, normally a number: in 100.0 % of events, normally" in fired.summary


def test_out_of_range_has_a_threshold_of_its_own() -> None:
    (fired,) = run(QUIET, {"x": 50.0}, budget="off", thresholds={"out_of_range": {"critical": "20%"}})  # fmt: skip  # noqa: E501
    assert (fired.kind, fired.detector, fired.severity) == (
        "data_quality", "out_of_range", "critical",
    )  # fmt: skip
    assert fired.rule == "out_of_range: critical 20%"
    assert fired.threshold == 0.2
    assert "m: x is outside the reference's range in 100.0 % of events" in fired.summary


def test_unlisted_values_are_one_alert_though_the_distribution_changed() -> None:
    assert [a.kind for a in run(QUIET, {"c": "new"})] == ["data_quality"]
    # Also where the change of the distribution was seen first.
    limit = {"chi_square": {"critical": 20}}
    found = run(QUIET, {"c": "new"}, budget="off", thresholds=limit)
    assert [a.kind for a in found] == ["feature_drift"]


def test_drift_and_quality_of_one_feature_are_two_alerts() -> None:
    events = hours(QUIET, {"x": 2.5}, {})
    for event in events[400:800:3]:
        event["features"]["x"] = None
    found = alerts(backtest(plan(**BUDGET), events))
    assert sorted(a.kind for a in found) == ["data_quality", "feature_drift"]
    assert len({a.alert_id for a in found}) == 2
    assert len({a.incident_id for a in found}) == 1
    assert all(a.also_firing == [] for a in found)


def test_missing_values_resolve_while_those_that_come_are_out_of_range() -> None:
    far = {"x": 50.0}
    events = hours(QUIET, *[far] * 7)
    for event in events[1_200:1_600:3]:
        event["features"]["x"] = None
    found = alerts(backtest(plan(**BUDGET), events))
    assert [(a.status, a.kind) for a in found] == [
        ("firing", "feature_drift"),
        ("firing", "data_quality"),
        ("resolved", "data_quality"),
    ]


def test_predictions_drift_as_predictions() -> None:
    rng = np.random.default_rng(2)
    reference = build_reference(
        model="m",
        features={"prediction.score": FeatureColumn("numeric", rng.uniform(size=1_000).round(3))},
    )
    settings = {**BUDGET, "window": HOURLY}
    events = [
        {**event, "prediction": {"score": 0.97 if hour else float(rng.uniform())}}
        for hour in (0, 1, 2)
        for event in rows(hour * HOUR, 400, HOUR // 400, rng)
    ]
    (fired,) = alerts(backtest(plan({"m": reference}, **settings), events))
    assert (fired.kind, fired.feature) == ("prediction_drift", "prediction.score")
    assert fired.summary.startswith("m: prediction.score rose: median 0.97, normally 0.495")


def test_other_features_are_named_worst_first() -> None:
    found = run(QUIET, {"x": 1.5, "c": "q"})
    assert [a.feature for a in found] == ["c", "x"]
    assert [a.also_firing for a in found] == [["x"], ["c"]]
    assert found[0].summary.endswith("1 other feature changed too: x.")
    outputs = backtest(plan(**BUDGET), hours(QUIET, {"x": 3.0}, {"x": 3.0, "c": "q"}, {}))
    of_window = [v for v in verdicts(outputs) if v.window.times[0].endswith("T02:00:00Z")]
    effects = {v.feature: v.effect or 0.0 for v in of_window}
    assert effects["x"] > effects["c"]
    c = next(a for a in alerts(outputs) if a.feature == "c")
    assert (c.also_firing, c.effect) == (["x"], effects["c"])


def test_a_segment_has_alerts_of_its_own() -> None:
    rng = np.random.default_rng(3)
    gold, tin = {"tags": {"tier": "gold"}}, {"tags": {"tier": "tin"}}
    events = []
    for hour in range(3):
        drift = {"x": 1.5} if hour else {}
        events += rows(hour * HOUR, 200, 9_000, rng, **gold, **drift)
        events += rows(hour * HOUR, 200, 9_000, rng, **tin)
    events.sort(key=lambda event: event["timestamp"])
    found = alerts(backtest(plan(**BUDGET, segments=["tier"]), events))
    fired = [a for a in found if a.segment is not None]
    assert {(a.stream, a.model, a.segment, a.feature) for a in fired} == {
        ("m/tier=gold", "m", "tier=gold", "x")
    }
    assert fired[0].summary.startswith("m/tier=gold: x rose: median 1.5, normally ")
    assert fired[0].alert_id == identity("m/tier=gold", "x", "feature_drift", fired[0].since or "")
    assert fired[0].reference.events == REFERENCE.stream_events[REFERENCE.position["tier=gold"]]
    assert len({a.incident_id for a in found}) == 1


def test_the_version_with_which_it_began() -> None:
    one, two = {"model_version": "1"}, {"model_version": "3.2"}
    (fired, *_) = run(one, one, {**two, "x": 1.5})
    assert fired.summary.endswith("Only this feature. Began with version 3.2.")
    # A version that was there before is not to blame, nor is the only one that ever was.
    (fired, *_) = run(one, two, {**two, "x": 1.5})
    assert fired.summary.endswith("Only this feature.")
    (fired, *_) = run({**one, "x": 1.5})
    assert fired.summary.endswith("Only this feature.")


def test_a_change_alarm_names_the_version_too() -> None:
    known = Dispersion.independent(len(REFERENCE.layout.features))
    reference = replace(REFERENCE, dispersion=known)

    def fired(begins: int, share: float = 1.0) -> str:
        """x changes with the 1,200th event, in panes of 100; another version comes with one."""
        events = hours(QUIET, QUIET, QUIET, {"x": 1.5})
        rng = np.random.default_rng(7)
        for number, event in enumerate(events):
            new = number >= begins and rng.random() < share
            event["model_version"] = "3.2" if new else "1"
        told = alerts(backtest(plan({MODEL: reference}, **BUDGET), events), "x")
        assert told[0].detector == "sequential"
        return told[0].summary

    began = "Only this feature. Began with version 3.2."
    assert fired(1_200).endswith(began)
    assert fired(1_200, 0.1).endswith(began)
    # The onset may be a pane late, so the version may be one earlier.
    assert fired(1_100).endswith(began)
    for begins, share in ((1_000, 1.0), (0, 1.0), (9_999, 1.0), (1_200, 0.001)):
        assert fired(begins, share).endswith("Only this feature.")


def test_k_of_n_windows() -> None:
    limit = {"psi": {"warning": 0.5, "for": "2 of 3"}}
    found = run(
        QUIET, {"x": 1.5}, QUIET, {"x": 1.5}, QUIET, QUIET, QUIET, budget="off", thresholds=limit
    )
    assert [(a.status, a.breaches) for a in found] == [("firing", (2, 3)), ("resolved", (0, 3))]
    assert found[0].rule == "psi: warning 0.5, for 2 of 3"
    assert (found[0].detector, found[0].threshold) == ("psi", 0.5)
    # It began with the first breach, when it was pending.
    assert found[0].since == "2020-09-20T01:00:00Z"
    off = plan(budget="off", thresholds=limit, window=HOURLY)
    judged = verdicts(backtest(off, hours(QUIET, {"x": 1.5}, QUIET)), "x")
    assert [v.state for v in judged] == ["ok", "warning"]


def test_insufficient_windows_count_neither_way() -> None:
    rng = np.random.default_rng(5)
    many, few = 400, 50
    plan_of = [(many, {}), (many, {"x": 1.5}), (many, {}), (few, {}), (many, {}), (few, {"x": 1.5}),
               (many, {}), (many, {})]  # fmt: skip
    events = [
        event
        for hour, (count, fixed) in enumerate(plan_of)
        for event in rows(hour * HOUR, count, HOUR // count, rng, **fixed)
    ]
    found = alerts(backtest(plan(**BUDGET), events))
    assert [(a.status, seconds(a.window.start) // 3_600) for a in found] == [
        ("firing", 1),
        ("resolved", 6),
    ]
    assert found[1].until == "2020-09-20T02:00:00Z"


def test_long_lists_of_features_fit_the_sentence() -> None:
    rng = np.random.default_rng(6)
    names = [f"a_rather_long_feature_name_{i:02}" for i in range(30)]
    reference = build_reference(
        model="m",
        features={n: FeatureColumn("numeric", rng.normal(size=500).round(3)) for n in names},
    )
    events = [
        {**event, "features": dict.fromkeys(names, 3.0 if hour else 0.1)}
        for hour in (0, 1, 2)
        for event in rows(hour * HOUR, 200, HOUR // 200, rng)
    ]
    (alert,) = alerts(backtest(plan({"m": reference}, **BUDGET), events))
    assert alert.feature is None
    changed = [one.name for one in alert.features or []]
    assert sorted(changed) == names
    assert alert.summary.startswith("m: 30 of 30 features changed, since 2020-09-20 00:00 UTC. ")
    assert len(alert.summary) <= LONGEST
    assert alert.summary.endswith(" more.")
    assert alert.also_firing == changed[:20]


def test_budget_off_and_no_thresholds_never_alarm() -> None:
    assert run(QUIET, {"x": 9.0, "c": "new", "b": None}, budget="off") == []


def test_min_effect_keeps_a_harmless_shift_quiet() -> None:
    rng = np.random.default_rng(7)
    events = rows(0, 20_000, 180, rng)
    for event in events:
        event["features"]["x"] += 0.3
    events += rows(2 * HOUR, 1, 1, rng)
    small = {**BUDGET, "min_effect": 0.02}
    (verdict, *_) = verdicts(backtest(plan(**BUDGET), events), "x")
    assert (verdict.state, 0.02 < (verdict.effect or 0) < 0.1) == ("ok", True)
    found = alerts(backtest(plan(**small), events), "x")
    assert [a.rule for a in found] == ["budget: 1 per 30d, min_effect: 0.02 (window alarm)"]


def test_a_sentinel_in_three_of_a_hundred_rows_is_told() -> None:
    rng = np.random.default_rng(8)
    events = rows(0, 2_000, 1_800, rng) + rows(HOUR, 2_000, 1_800, rng)
    for event in events[2_000::33]:
        event["features"]["x"] = -999.0
    many = {MODEL: reference(events=10_000)}
    found = alerts(backtest(plan(many, **BUDGET), [*events, *rows(2 * HOUR, 1, 1, rng)]))
    assert [(a.feature, a.kind, a.detector) for a in found] == [
        ("x", "data_quality", "out_of_range")
    ]


def test_a_number_that_moved_out_of_its_range_is_one_alert() -> None:
    found = run(QUIET, {"x": 9.0}, {"x": 9.0})
    assert [(a.feature, a.kind) for a in found if a.feature == "x"] == [("x", "feature_drift")]


def test_a_change_of_values_does_not_end_the_alert_on_another_rate() -> None:
    events = hours(QUIET, QUIET, {"c": "new"}, {"c": "new"}, QUIET, QUIET, QUIET, QUIET, QUIET)
    for event in events[400:1_600:2]:
        event["features"]["c"] = None
    known = Dispersion.independent(len(REFERENCE.layout.features))
    reference = replace(REFERENCE, dispersion=known)
    told = alerts(backtest(plan({MODEL: reference}, **BUDGET), events), "c")
    found = [a for a in told if a.kind == "data_quality"]
    missing = [a for a in found if a.detector == "missing"]
    assert missing[0].status == "firing"
    assert {a.alert_id for a in found} == {missing[0].alert_id}
    assert [a.revision for a in found] == list(range(1, len(found) + 1))
    assert found[-1].status == "resolved"
