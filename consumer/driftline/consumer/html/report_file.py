"""A report as one HTML file: a summary that every reader shows, and the page's views below it."""

from __future__ import annotations

from typing import Any

import msgspec

from driftline.consumer.html.inlined import document
from driftline.consumer.html.summary import summary
from driftline.consumer.judge.sentence import clean
from driftline.consumer.views.answers import Column, FeatureView, MetricSeries, PerformanceView
from driftline.consumer.views.report import ReportView

_ENTRY = "driftline/report.js"
_STYLES = ("app.css", "report.css")
_DIGITS = 4


def report_file(view: ReportView) -> str:
    """Return the file.

    Series have 4 significant digits in it; alerts and verdicts have all of theirs.
    """
    body = f'<main id="main">{summary(view)}<div id="page"></div></main>'
    data = msgspec.json.encode(_data(view)).decode()
    return document(clean(view.title), body, data, _ENTRY, _STYLES)


def _data(view: ReportView) -> dict[str, Any]:
    """Return what the modules draw: the axis of a stream is left to the view of its model."""
    data: dict[str, Any] = msgspec.to_builtins(
        msgspec.structs.replace(
            view,
            features=list(map(_short_feature, view.features)),
            performance=list(map(_short_performance, view.performance)),
        )
    )
    axes = {(each.model.model, each.segment): each.axis for each in view.models}
    for drawn, each in zip(data["features"], view.features, strict=True):
        if axes.get((each.model, each.segment)) == each.axis:
            drawn["axis"] = None
    return data


def _short_feature(view: FeatureView) -> FeatureView:
    return msgspec.structs.replace(
        view,
        effect=_short(view.effect),
        evidence=_short(view.evidence),
        limit=_short(view.limit),
        missing=_short(view.missing),
    )


def _short_performance(view: PerformanceView) -> PerformanceView:
    return msgspec.structs.replace(view, metrics=list(map(_short_metric, view.metrics)))


def _short_metric(metric: MetricSeries) -> MetricSeries:
    return msgspec.structs.replace(
        metric,
        value=_short(metric.value),
        low=_short(metric.low),
        high=_short(metric.high),
        threshold=_short(metric.threshold),
    )


def _short(column: Column) -> Column:
    """Return figures with fewer digits: a picture has no more.

    >>> _short([0.430551, None, 18323.6])
    [0.4306, None, 18320.0]
    """
    return [None if each is None else float(f"{each:.{_DIGITS}g}") for each in column]
