"""A report as a file: what its summary says, and what its data holds."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import msgspec
import pytest
from tests.consumer.cli.records import accuracy, alert, verdict

from driftline.consumer.html.report_file import report_file
from driftline.consumer.html.summary import summary
from driftline.consumer.views.answers import MetricSeries, PerformanceView
from driftline.consumer.views.fold import Views
from driftline.consumer.views.pipeline import ModelFlow, PipelineView
from driftline.consumer.views.report import ReportView
from driftline.consumer.views.ring import Place
from driftline.consumer.views.span_report import MOST_ALERTS
from driftline.consumer.wire.control import Mark, Marks
from driftline.consumer.wire.records import Verdict

from .agreement import data_of
from .test_inlined import Elements

NOTHING = PipelineView(True, None, [], [], [], {}, {}, [])
EVIL = "</script><b>\u202e\"'&amp;"


def folded(*verdicts: Verdict, marks: Marks | None = None) -> ReportView:
    """A report of the examples' alerts, and of verdicts."""
    views = Views(read=lambda place: verdicts[place.offset])
    for offset, each in enumerate(verdicts):
        views.judged(each, Place(0, offset))
    views.alerted(alert())
    views.alerted(accuracy())
    if marks is not None:
        views.marked(marks)
    model = views.model("car-loan")
    features = [
        views.feature("car-loan", name) for name in {each.feature or "" for each in verdicts}
    ]
    alerts = [views.alert(each.alert_id) for each in views.alerts().alerts]
    assert model is not None
    return ReportView(
        "Drift of car-loan", "2019-04-01T00:00:00Z", None, "2019-04-02T00:00:00Z", views.home(),
        [model], [each for each in features if each is not None], [], [],
        [each for each in alerts if each is not None], None, 0, 0, 0, {}, NOTHING, [],
    )  # fmt: skip


@pytest.fixture(scope="module")
def view() -> ReportView:
    return folded(verdict())


def changed(view: ReportView, **fields: Any) -> ReportView:
    return msgspec.structs.replace(view, **fields)


def cells(text: str, title: str) -> list[list[str]]:
    """The rows of a section's table, as text."""
    (section,) = re.findall(rf"<h2>{title}</h2>.*?</section>", text, re.DOTALL)
    rows = re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", section)
    return [
        [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows
    ]


def said(text: str, title: str) -> str:
    """The paragraphs of a section."""
    (section,) = re.findall(rf"<h2>{title}</h2>.*?</section>", text, re.DOTALL)
    return " ".join(map(unescape, re.findall(r"<p>(.*?)</p>", section)))


def test_alerts_say_what_since_when_and_how_sure(view: ReportView) -> None:
    newest, older = cells(summary(view), "What drifted, when, how sure")
    assert newest == [
        accuracy().summary, "2019-04-08 00:00 UTC", "still open",
        "accuracy 0.915 (limit 0.934), 95 % interval 0.896 to 0.931",
        "warning; by a limit of its own",
    ]  # fmt: skip
    assert older[1:4] == ["2019-03-27 00:00 UTC", "still open", "ks 0.431 (limit 0.052)"]
    assert older[4].startswith("critical")


def test_what_somebody_said_of_an_alert_stands_beside_it() -> None:
    mark = Mark("ada", "2026-01-01T00:00:00Z", why="a <sale>")
    marks = Marks("driftline.control.v1", alert().alert_id, acknowledge=mark, false_alarm=mark)
    text = summary(folded(verdict(), marks=marks))
    state = cells(text, "What drifted, when, how sure")[1][4]
    assert state.endswith("acknowledged by ada: a <sale>; marked as false alarm by ada: a <sale>")


@pytest.mark.parametrize(
    ("promised", "fired", "false", "acknowledged", "text"),
    [
        (None, 0, 0, 0, "No alert began under the budget. No budget promises a number."),
        (
            0.4,
            0,
            0,
            0,
            "No alert began under the budget. The budget allows 0.4 false alarms in this span.",
        ),
        (
            *(2.0, 1, 0, 0),
            "1 alert began under the budget; nobody marked any, so how many were false is not"
            " known. The budget allows 2 false alarms in this span.",
        ),
        (
            *(2.0, 3, 1, 2),
            "3 alerts began under the budget: 1 marked as false alarms, 2 acknowledged. The budget"
            " allows 2 false alarms in this span.",
        ),
    ],
)
def test_how_often_it_was_wrong_stands_beside_the_promise(
    view: ReportView, promised: float | None, fired: int, false: int, acknowledged: int, text: str
) -> None:
    found = changed(view, promised=promised, fired=fired, false=false, acknowledged=acknowledged)
    assert said(summary(found), "How often it was wrong") == text


def test_the_span_is_what_was_asked_and_what_there_is(view: ReportView) -> None:
    def span(**fields: Any) -> str:
        text = summary(changed(view, **fields))
        return unescape(re.findall(r"<h1>.*?</h1><p>(.*?)</p>", text)[0])

    assert span() == (
        "Asked for: from 2019-04-01 00:00 UTC. Verdicts cover 2019-04-02 00:00 UTC to"
        " 2019-04-08 00:00 UTC."
    )
    assert span(since=None).startswith("Asked for: all that there is. Verdicts")
    nothing = span(until="2019-04-02T00:00:00Z", covered=None)
    assert nothing == (
        "Asked for: from 2019-04-01 00:00 UTC to 2019-04-02 00:00 UTC. No verdict lies in it."
    )


def test_what_the_monitor_did_not_see(view: ReportView) -> None:
    flow = ModelFlow("car-loan", None, None, 900, 41, 3, 0, 0, {}, None, failed=False)
    missed = PipelineView(True, None, [], [], [flow], {"malformed": 4}, {"unknown_model": 2}, [])
    found = changed(view, insufficient={"fewer than 500 events": 12}, pipeline=missed)
    assert cells(summary(found), "What the monitor did not see") == [
        ["too little to judge", "fewer than 500 events", "12"],
        ["rejected", "malformed", "4"],
        ["skipped", "unknown_model", "2"],
        ["late", "car-loan", "41"],
        ["passed over", "car-loan", "3"],
    ]
    assert said(summary(view), "What the monitor did not see") == (
        "Every event was counted and every window judged."
    )
    unknown = PipelineView(
        False, "name the workers", [], [], [], {}, {}, view.home.models[0].open[:1]
    )
    assert said(summary(changed(view, pipeline=unknown)), "What the monitor did not see") == (
        "name the workers"
    )


def test_a_metric_is_that_of_the_newest_window_that_has_one(view: ReportView) -> None:
    axis = view.models[0].axis

    def metric(name: str, states: str, normal: float | None, **columns: Any) -> MetricSeries:
        none: list[Any] = [None] * 3
        return MetricSeries(
            name=name,
            estimated=name == "roc_auc",
            unit="share",
            higher_is_better=True,
            **{"value": none, "low": none, "high": none, "threshold": none} | columns,
            normal=normal,
            states=states,
        )

    figures = {"value": [0.9, 0.81, None], "low": [0.88, 0.79, None], "high": [0.92, 0.83, None]}
    metrics = [metric("roc_auc", "oc.", 0.9, **figures), metric("accuracy", "ii.", None)]
    performance = [
        PerformanceView("m", segment, axis, metrics, [], [], [], None, [], [], [])
        for segment in (None, "a=b")
    ]
    rows = cells(summary(changed(view, performance=performance)), "Performance")
    assert rows == [
        ["m", "roc auc (estimated)", "0.810", "0.790 to 0.830", "0.900", "-", "1 window of 2"],
        ["m", "accuracy", "-", "-", "-", "-", "0 windows of 2"],
        ["m, a=b", "roc auc (estimated)", "0.810", "0.790 to 0.830", "0.900", "-", "1 window of 2"],
        ["m, a=b", "accuracy", "-", "-", "-", "-", "0 windows of 2"],
    ]
    assert said(summary(view), "Performance").startswith("No metric was judged")


def test_many_alerts_are_said_to_be_the_newest(view: ReportView) -> None:
    text = summary(changed(view, alerts=view.alerts[:1] * MOST_ALERTS))
    assert "<caption>The newest 200 alerts</caption>" in text


def test_without_alerts_it_says_so(view: ReportView) -> None:
    text = summary(changed(view, alerts=[]))
    assert said(text, "What drifted, when, how sure") == "Nothing: no alert was open in this span."


def test_names_are_text_wherever_they_stand() -> None:
    evil = msgspec.structs.replace(verdict(), feature=EVIL)
    found = folded(evil)
    text = report_file(changed(found, title=EVIL, notes=[EVIL]))
    assert "\u202e" not in text.partition('<script type="application/json"')[0]
    assert not {"b", "amp"} & {tag for tag, _, _ in Elements(text).found}
    assert len(Elements(text).scripts()) == 3
    assert data_of(text)["features"][0]["feature"] == EVIL
    assert data_of(text)["title"] == EVIL


def test_the_data_is_the_view_with_fewer_digits_and_what_it_repeats_once(view: ReportView) -> None:
    data = data_of(report_file(view))
    (feature,) = data["features"]
    assert feature["axis"] is None
    assert feature["effect"] == [1.53]
    rows = data.pop("rows")
    assert set(rows) == {alert().alert_id, accuracy().alert_id}

    def whole(ids: list[str]) -> list[Any]:
        return [rows[each] for each in ids]

    (model,) = data["models"]
    model["model"]["open"] = whole(model["model"]["open"])
    for each in (model, feature):
        each["alerts"] = whole(each["alerts"])
    for each in data["alerts"]:
        each |= {"row": rows[each["row"]], "incident": []}
    verdicts = data.pop("verdicts")
    assert len(verdicts) == 1
    for each in (feature, *data["alerts"]):
        if each["verdict"] is not None:
            parts = verdicts[each["verdict"]]
            each |= dict(zip(("verdict", "names", "contributions"), parts, strict=True))
    expected = json.loads(msgspec.json.encode(view))
    del expected["home"]  # is in the summary
    for each in (feature, *expected["features"]):
        del each["axis"], each["effect"]
    assert data == expected


def test_a_feature_with_windows_of_its_own_keeps_its_axis() -> None:
    later = msgspec.structs.replace(
        verdict(),
        feature="age",
        window=msgspec.structs.replace(verdict().window, end="2019-04-09T00:00:00Z"),
    )
    found = folded(verdict(), later)
    other = msgspec.structs.replace(found.models[0].axis, events=[1, 2])
    features = [msgspec.structs.replace(each, axis=other) for each in found.features]
    data = data_of(report_file(changed(found, features=features)))
    assert [each["axis"]["events"] for each in data["features"]] == [[1, 2], [1, 2]]
