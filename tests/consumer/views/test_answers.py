"""Answers hold the figures of the records, of a run in which all kinds of records occur."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Literal
from unittest.mock import patch

import msgspec
import pytest
from tests.consumer.golden.everything import CREDIT, GUESS, PLAIN, PRICE, everything
from tests.consumer.views import oracle

from driftline.consumer.views import span_report
from driftline.consumer.views.alert_views import Wanted
from driftline.consumer.views.answers import AlertRow
from driftline.consumer.views.fold import Views
from driftline.consumer.wire.control import Mark, Marks
from driftline.consumer.wire.records import Alert, Verdict

MODELS = (CREDIT, PLAIN, PRICE, GUESS)
SEGMENTS = ["tier=__other__", "tier=gold", "tier=tin"]
SCHEMA: Literal["driftline.control.v1"] = "driftline.control.v1"
WHO = Mark("ada", "2020-12-01T00:00:00Z", until="2030-01-01T00:00:00Z")
DRIFTED = "2020-10-20T00:00:00Z"
NOW = 1_607_000_000_000


@cache
def records() -> tuple[list[Verdict], list[Alert]]:
    rig = everything()
    return (
        msgspec.convert(rig.bodies("verdicts"), list[Verdict]),
        msgspec.convert(rig.bodies("alerts"), list[Alert]),
    )


def fold(until: str = "9999") -> Views:
    """The views of what was published up to a time."""
    verdicts, alerts = records()
    alerts = [each for each in alerts if each.window.times[1] <= until]
    config = everything().plan.config
    made = Views.of(config, read=lambda place: verdicts[place.offset], clock=lambda: NOW)
    shown = [each for each in enumerate(verdicts) if each[1].window.times[1] <= until]
    return oracle.folded(shown, alerts, made)


views = cache(fold)


def segments(model: str) -> list[str | None]:
    return [None, *(SEGMENTS if model in (CREDIT, PRICE) else [])]


def test_home_has_every_model_worst_first() -> None:
    home = views().home()
    assert {row.model for row in home.models} == set(MODELS)
    verdicts, _ = records()
    newest = (oracle.ends(oracle.of_features(verdicts, name, None))[-1] for name in MODELS)
    assert home.through == max(newest)
    order = ["critical", "warning", "ok", "insufficient", "unknown"]
    ranks = [order.index(row.state) for row in home.models]
    assert ranks == sorted(ranks)
    rows = {row.model: row for row in home.models}
    assert (rows[CREDIT].budget.allowed, rows[PLAIN].budget.allowed) == (None, 1.0)
    assert rows[PLAIN].budget.days == 1.0
    assert rows[CREDIT].owner == "risk"
    assert rows[CREDIT].segments == SEGMENTS
    assert rows[GUESS].labels is None
    assert rows[CREDIT].labels is not None
    assert rows[PLAIN].normal_events is not None


@pytest.mark.parametrize("model", MODELS)
def test_models_and_features(model: str) -> None:
    verdicts, alerts = records()
    for segment in segments(model):
        view = views().model(model, segment)
        assert view is not None
        oracle.check_model(view, verdicts, alerts)
        for row in view.features:
            one = views().feature(model, row.feature, segment)
            assert one is not None
            oracle.check_feature(one, verdicts)
            assert len(one.segments) == len(view.model.segments)


@pytest.mark.parametrize("model", MODELS)
def test_performance(model: str) -> None:
    verdicts, _ = records()
    for segment in segments(model):
        view = views().performance(model, segment)
        assert view is not None
        oracle.check_performance(view, verdicts)
        kinds = [each.estimated for each in view.metrics]
        assert kinds
        assert kinds == sorted(kinds)
        realised = any(each.name == "accuracy" and not each.estimated for each in view.metrics)
        assert (view.confusion is not None) == realised
        known = view.newest_labels
        assert (known is not None) == any(each is not None for each in view.labelled)
        if known is not None:
            newest = oracle.ends(oracle.of_features(verdicts, model, segment))[-1]
            assert known.end in view.axis.ends
            assert known.judged == (newest if newest > known.end else None)
            feature = views().feature(model, "prediction.score", segment)
            assert feature is None or feature.labels == known


def test_labels_are_behind_where_they_come_late() -> None:
    """Where windows are those of the predictions, and labels come some hours after these."""
    behind = {
        model: shown.newest_labels is not None and shown.newest_labels.judged is not None
        for model in MODELS
        if (shown := views().performance(model)) is not None
    }
    assert behind == {PLAIN: True, CREDIT: False, PRICE: False, GUESS: False}


def test_comparisons_stand_with_their_models() -> None:
    found = {
        model: [each.name for each in shown.comparisons]
        for model in MODELS
        if (shown := views().performance(model)) is not None
    }
    assert found == {
        CREDIT: ["rivals", "versions"], PLAIN: ["rivals"], PRICE: ["prices"], GUESS: [],
    }  # fmt: skip
    shown = views().performance(PRICE)
    assert shown is not None
    (one,) = shown.comparisons
    assert (one.champion, one.challenger) == (f"{PRICE}@1", f"{PRICE}@2")
    assert one.decision == "better"
    own = (each for each in records()[0] if each.model == "prices")
    assert one.verdict == max(own, key=lambda each: each.window.times[1])


def test_one_alert_in_full() -> None:
    _, alerts = records()
    newest = {alert.alert_id: alert for alert in alerts}
    listed = views().alerts(limit=1_000)
    assert listed.total == len(newest) == len(listed.alerts)
    shown = 0
    for row in listed.alerts:
        view = views().alert(row.alert_id)
        assert view is not None
        alert = newest[row.alert_id]
        assert (view.row, view.record) == (row, alert)
        assert view.in_topics
        mine = [each for each in alerts if each.alert_id == row.alert_id]
        assert [each.revision for each in view.history] == [each.revision for each in mine]
        assert [each.summary for each in view.history] == [each.summary for each in mine]
        together = {a.alert_id for a in newest.values() if a.incident_id == alert.incident_id}
        assert {each.alert_id for each in view.incident} == together - {row.alert_id}
        if view.verdict is None:
            continue
        assert (view.verdict.feature, view.verdict.segment) == (alert.feature, alert.segment)
        if alert.top and view.verdict.window == alert.window and alert.kind != "data_quality":
            shown += 1
            parts = sorted((part for part in view.contributions if part is not None), reverse=True)
            assert parts[:5] == [each.contribution for each in alert.top]
    assert shown > 5


def test_alerts_can_be_chosen() -> None:
    every = views().alerts(limit=1_000).alerts
    chosen = views().alerts(Wanted(model=CREDIT, severity="critical", kind="performance"), 3)
    wanted = (CREDIT, "critical", "performance")
    same = [row for row in every if (row.model, row.severity, row.kind) == wanted]
    assert same
    assert chosen.total == len(same)
    assert chosen.alerts == same[:3]
    firing = views().alerts(Wanted(status="firing"), 1_000).alerts
    assert firing == [row for row in every if row.status == "firing"]


def test_what_is_not_there_is_none() -> None:
    shown = views()
    assert shown.model("nobody") is shown.model(CREDIT, "tier=no") is None
    assert shown.feature("nobody", "x") is shown.feature(CREDIT, "x") is None
    assert shown.performance("nobody") is shown.performance(CREDIT, "tier=no") is None
    assert shown.alert("nobody") is None


def opened(made: Views, model: str) -> list[AlertRow]:
    shown = made.model(model)
    assert shown is not None
    return shown.model.open


def test_a_snoozed_alert_comes_last() -> None:
    made = fold(DRIFTED)
    worst, *others = opened(made, CREDIT)
    assert others
    assert made.changes().alerts
    assert made.changes() == (frozenset(), False)
    made.marked(Marks(SCHEMA, worst.alert_id, snooze=WHO), 7)
    made.marked(Marks(SCHEMA, worst.alert_id), 6)  # an older record
    assert made.changes() == (frozenset([CREDIT]), True)
    after = opened(made, CREDIT)
    assert [row.alert_id for row in after] == [row.alert_id for row in (*others, worst)]
    assert after[-1].snoozed
    made.marked(Marks(SCHEMA, worst.alert_id), 8)
    assert not any(row.snoozed for row in opened(made, CREDIT))
    assert opened(made, CREDIT)[0].alert_id == worst.alert_id


def test_false_alarms_are_counted() -> None:
    made = fold(DRIFTED)
    shown = made.model(PRICE)
    assert shown is not None
    assert shown.model.budget.false == 0
    since = shown.model.budget.since or ""
    fired = [row for row in shown.alerts if row.budgeted and row.fired > since]
    made.marked(Marks(SCHEMA, fired[0].alert_id, false_alarm=WHO), 8)
    after = made.model(PRICE)
    assert after is not None
    assert (after.model.budget.fired, after.model.budget.false) == (len(fired), 1)


def test_a_window_can_be_asked_for() -> None:
    verdicts, _ = records()
    mine = [each for each in oracle.of_features(verdicts, CREDIT, None) if each.feature == "ks"]
    for wanted in (mine[0], mine[len(mine) // 2]):
        view = views().feature(CREDIT, "ks", window=wanted.window.end)
        assert view is not None
        assert view.verdict == wanted


def test_another_verdict_at_its_place_is_not_shown() -> None:
    """Such as in a topic that was made again."""
    verdicts, alerts = records()
    made = Views(read=lambda place: verdicts[place.offset - 1])
    oracle.folded(enumerate(verdicts[1:], 1), alerts, made)
    for feature in ("ks", "psi"):
        view = made.feature(CREDIT, feature)
        assert view is not None
        assert (view.verdict, view.names) == (None, [])


def test_a_metric_of_another_version_is_left_out() -> None:
    known = next(each for each in records()[0] if each.feature == "performance.accuracy")
    new = msgspec.structs.replace(known, feature="performance.newer", detectors={}, counts={})
    made = Views()
    made.judged(known)
    made.judged(new)
    view = made.performance(known.model, known.segment)
    assert view is not None
    assert [metric.name for metric in view.metrics] == ["accuracy"]


def test_places_are_not_needed() -> None:
    verdicts, alerts = records()
    made = Views()
    for verdict in verdicts:
        made.judged(verdict)
    for alert in alerts:
        made.alerted(alert)
    view, known = made.feature(CREDIT, "ks"), views().feature(CREDIT, "ks")
    assert view is not None
    assert known is not None
    assert (view.effect, view.states, view.verdict) == (known.effect, known.states, None)


def test_a_report_holds_the_answers_of_its_span() -> None:
    verdicts, alerts = records()
    report = views().report(DRIFTED, "2020-10-30T00:00:00Z")
    inside = [
        each
        for each in verdicts
        if each.window.times[1] > DRIFTED and each.window.times[0] < "2020-10-30T00:00:00Z"
    ]
    assert report.covered == min(each.window.times[0] for each in inside if each.type == "numeric")
    assert {view.model.model for view in report.models} == set(MODELS)
    for view in report.models:
        assert view.axis.ends == oracle.ends(oracle.of_features(inside, view.model.model, None))
    for feature in report.features:
        oracle.check_feature(feature, inside)
    for measured in report.performance:
        oracle.check_performance(measured, inside)
    first = {alert.alert_id: alert for alert in reversed(alerts)}
    newest = {alert.alert_id: alert for alert in alerts}
    open_then = {
        name
        for name, alert in first.items()
        if alert.window.times[1] <= "2020-10-30T00:00:00Z"
        and (newest[name].status == "firing" or newest[name].window.times[1] > DRIFTED)
    }
    assert {view.record.alert_id for view in report.alerts} == open_then
    budgeted = [
        name for name in open_then
        if newest[name].budgeted and first[name].window.times[1] > DRIFTED
    ]  # fmt: skip
    assert (report.fired, report.false) == (len(budgeted), 0)
    reasons = Counter(
        each.reason
        for each in inside
        if each.reason is not None and each.type not in ("performance", "events")
    )
    assert report.insufficient == dict(reasons)


def test_a_large_report_has_the_worst_in_full() -> None:
    whole = views().report(None, None)
    with (
        patch.object(span_report, "MOST_MODELS", 2),
        patch.object(span_report, "MOST_FEATURES", 3),
        patch.object(span_report, "MOST_ALERTS", 4),
    ):
        part = views().report(None, None)
    assert (part.home, part.fired, part.promised) == (whole.home, whole.fired, whole.promised)
    worst = [row.model for row in whole.home.models[:2]]
    assert [view.model.model for view in part.models] == worst
    first = [view.feature for view in part.features if view.model == worst[0]][:3]
    assert first == [row.feature for row in part.models[0].features[:3]]
    assert part.alerts == whole.alerts[:4]


def test_a_report_of_everything() -> None:
    report, shown = views().report(None, None), views().home()
    assert report.home == shown
    days = {PLAIN: 53 / 1, PRICE: 54 / 30, GUESS: 53 / 30}
    assert report.promised == pytest.approx(sum(days.values()))
    with pytest.raises(ValueError, match="no time"):
        views().report("soon", None)
