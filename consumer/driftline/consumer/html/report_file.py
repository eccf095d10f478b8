"""A report as one HTML file: a summary that every reader shows, and the page's views below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from driftline.consumer.html.inlined import document
from driftline.consumer.html.summary import summary
from driftline.consumer.judge.sentence import clean
from driftline.consumer.views.answers import Column, FeatureView, PerformanceView
from driftline.consumer.views.report import ReportView

_ENTRY = "driftline/report.js"
_STYLES = ("app.css", "report.css")
_DIGITS = 3
_OF_VERDICT = ("verdict", "names", "contributions")
_TRACED = ("effect", "evidence", "limit")  # figures over time

View = TypeVar("View", bound=msgspec.Struct)


def report_file(view: ReportView) -> str:
    """Return the file.

    Of the features those that drifted in the span have an article; the others are in the table of
    their model. Series have 3 significant digits; alerts and verdicts have all of theirs.
    """
    view = msgspec.structs.replace(view, features=list(filter(_drifted, view.features)))
    body = f'<main id="main">{summary(view)}<div id="page"></div></main>'
    data = msgspec.json.encode(_data(view)).decode()
    return document(clean(view.title), body, data, _ENTRY, _STYLES)


def _data(view: ReportView) -> dict[str, Any]:
    """Return what the modules draw, of what stands in it more than once one copy.

    Lists of alerts hold their ids, and `rows` has the alerts by these; those of an incident have
    its id. So `verdicts` has the verdicts, each with the names and parts of its bins. The axis of a
    stream is left to the view of its model. A column of one value has it once. All models stand in
    the summary alone.
    """
    data: dict[str, Any] = msgspec.to_builtins(
        msgspec.structs.replace(
            view,
            features=[_short_columns(each, *_TRACED, "missing") for each in view.features],
            performance=list(map(_short_performance, view.performance)),
            joint=[_short_columns(each, *_TRACED) for each in view.joint],
        )
    )
    del data["home"]
    axes = {(each.model.model, each.segment): each.axis for each in view.models}
    for drawn, each in zip(data["features"], view.features, strict=True):
        if axes.get((each.model, each.segment)) == each.axis:
            drawn["axis"] = None
    rows = data["rows"] = {}
    for holder, name in _lists_of_alerts(data):
        rows |= {row["alert_id"]: row for row in holder[name]}
        holder[name] = [row["alert_id"] for row in holder[name]]
    for each in data["alerts"]:
        rows[each["row"]["alert_id"]] = each["row"]
        each["row"], each["incident"] = each["row"]["alert_id"], None
    verdicts = data["verdicts"] = {}
    for each in (*data["features"], *data["alerts"]):
        if each["verdict"] is not None:
            key = each["verdict"]["verdict_id"]
            verdicts[key] = [each[name] for name in _OF_VERDICT]
            each |= dict.fromkeys(_OF_VERDICT) | {"verdict": key}
    return data


def _lists_of_alerts(data: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield what holds a list of alerts, and under which name; `report.js` has the same."""
    for each in data["models"]:
        yield each["model"], "open"
    for each in (*data["models"], *data["features"], *data["performance"], *data["joint"]):
        yield each, "alerts"
    yield data["pipeline"], "held_back"


def _drifted(view: FeatureView) -> bool:
    return bool(view.alerts) or "w" in view.states or "c" in view.states


def _short_performance(view: PerformanceView) -> PerformanceView:
    metrics = [_short_columns(each, "value", "low", "high", "threshold") for each in view.metrics]
    return msgspec.structs.replace(view, metrics=metrics)


def _short_columns(view: View, *names: str) -> View:
    return msgspec.structs.replace(view, **{name: _short(getattr(view, name)) for name in names})


def _short(column: Column) -> Column:
    """Return figures with fewer digits, as a picture has no more; of equal ones the first.

    >>> _short([0.430551, None, 18323.6]), _short([6.10925, 6.10925])
    ([0.431, None, 18300.0], [6.11])
    """
    short = [None if each is None else float(f"{each:.{_DIGITS}g}") for each in column]
    return short[:1] if len(set(short)) == 1 else short
