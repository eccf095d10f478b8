"""What a report says without any script: what drifted, when, how sure, and what was not seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from driftline.consumer.judge.sentence import amount, clean, figure, percent
from driftline.consumer.views.answers import AlertRow, AlertView, MetricSeries, ModelRow
from driftline.consumer.views.certainty import how_sure
from driftline.consumer.views.report import ReportView
from driftline.consumer.views.span_report import MOST_ALERTS
from driftline.consumer.wire.records import Number

_HEADS = ("what", "since", "until", "how sure", "state")
_METRICS = ("model", "metric", "newest", "95 % interval", "normally", "limit", "beyond it")
_MODELS = ("model", "state", "events", "drifting", "newest window to", "reference")


def summary(view: ReportView) -> str:
    """Return the summary of a report, HTML."""
    parts = [
        f"<header><h1>{_text(view.title)}</h1>{paragraph(span(view))}</header>",
        section("What drifted, when, how sure", _alerts(view.alerts)),
        section("How often it was wrong", paragraph(wrong(view))),
        section("Performance", _performance(view)),
        section("What the monitor did not see", _unseen(view)),
        section("Models", table("Worst first", _MODELS, map(_model, view.home.models))),
    ]
    if view.notes:
        notes = "".join(f"<li>{_text(note)}</li>" for note in view.notes)
        parts.append(section("What was assumed, and what to know", f"<ul>{notes}</ul>"))
    return "\n".join(parts)


def span(view: ReportView) -> str:
    """Return the span in words: what was asked for, and what verdicts cover of it."""
    since, until = (moment(each) if each else None for each in (view.since, view.until))
    asked = (
        " ".join([*(["from", since] if since else []), *(["to", until] if until else [])])
        or "all that there is"
    )
    through = view.home.through
    if view.covered is None or through is None:
        return f"Asked for: {asked}. No verdict lies in it."
    return f"Asked for: {asked}. Verdicts cover {moment(view.covered)} to {moment(through)}."


def wrong(view: ReportView) -> str:
    """Return how often the monitor was wrong, as far as somebody marked it, beside its promise."""
    promised = (
        "No budget promises a number."
        if view.promised is None
        else f"The budget allows {amount(view.promised)} false alarms in this span."
    )
    if not view.fired:
        return f"No alert began under the budget. {promised}"
    began = f"{_many(view.fired, 'alert')} began under the budget"
    if not view.false and not view.acknowledged:
        return f"{began}; nobody marked any, so how many were false is not known. {promised}"
    marked = f"{view.false:,} marked as false alarms, {view.acknowledged:,} acknowledged"
    return f"{began}: {marked}. {promised}"


def moment(text: str | None) -> str:
    """Return a time of an answer as people read it, or a row.

    >>> moment("2026-01-01T06:30:00Z"), moment("4001"), moment(None)
    ('2026-01-01 06:30 UTC', 'row 4,001', '-')
    """
    if text is None:
        return "-"
    return f"row {int(text):,}" if text.isdigit() else f"{text[:16].replace('T', ' ')} UTC"


def _alerts(alerts: Sequence[AlertView]) -> str:
    if not alerts:
        return paragraph("Nothing: no alert was open in this span.")
    many = len(alerts) >= MOST_ALERTS
    what = f"The newest {MOST_ALERTS} alerts" if many else "Alerts, newest first"
    return table(what, _HEADS, map(_alert, alerts))


def _alert(view: AlertView) -> list[str]:
    row = view.row
    until = moment(row.until) if row.status == "resolved" else "still open"
    return [row.summary, moment(row.since or row.fired), until, how_sure(view.record), _state(row)]


def _state(row: AlertRow) -> str:
    parts = [row.severity, "" if row.budgeted else "by a limit of its own"]
    if row.marks is not None:
        for name, mark in (
            ("acknowledged", row.marks.acknowledge),
            ("snoozed", row.marks.snooze),
            ("marked as false alarm", row.marks.false_alarm),
        ):
            if mark is not None:
                parts.append(f"{name} by {mark.who}" + (f": {mark.why}" if mark.why else ""))
    return "; ".join(filter(None, parts))


def _performance(view: ReportView) -> str:
    rows = [
        _metric(each.model if each.segment is None else f"{each.model}, {each.segment}", metric)
        for each in view.performance
        for metric in each.metrics
    ]
    if not rows:
        return paragraph("No metric was judged: there was no ground truth, and no estimate.")
    return table("Each metric in the newest window in which it was judged", _METRICS, rows)


def _metric(stream: str, metric: MetricSeries) -> list[str]:
    at = max((i for i, value in enumerate(metric.value) if value is not None), default=-1)

    def newest(column: Sequence[Number]) -> str:
        return _figure(column[at]) if at >= 0 else "-"

    low, high = newest(metric.low), newest(metric.high)
    beyond = sum(metric.states.count(letter) for letter in "wc")
    return [
        stream,
        metric.name.replace("_", " ") + (" (estimated)" if metric.estimated else ""),
        newest(metric.value),
        "-" if "-" in (low, high) else f"{low} to {high}",
        _figure(metric.normal),
        newest(metric.threshold),
        f"{_many(beyond, 'window')} of {len(metric.states) - metric.states.count('.'):,}",
    ]


def _unseen(view: ReportView) -> str:
    rows = [["too little to judge", reason, f"{n:,}"] for reason, n in view.insufficient.items()]
    pipeline = view.pipeline
    counts = [("rejected", reason, n) for reason, n in pipeline.rejected.items()]
    counts += [("skipped", reason, n) for reason, n in pipeline.skipped.items()]
    for flow in pipeline.models:
        counts += [("late", flow.model, flow.late), ("passed over", flow.model, flow.passed_over)]
    rows += [[what, why, f"{n:,}"] for what, why, n in counts if n]
    rows += [["held back", row.summary, ""] for row in pipeline.held_back]
    if not rows:
        return paragraph(pipeline.hint or "Every event was counted and every window judged.")
    what = "Windows of features that were not judged, and events that were not counted"
    told = table(what, ("what", "why", "how many"), rows)
    return told + (paragraph(pipeline.hint) if pipeline.hint else "")


def _model(row: ModelRow) -> list[str]:
    state = "no verdict" if row.state == "unknown" else row.state
    share = percent(row.drifting / row.features) if row.features else "-"
    return [
        row.model,
        state if not row.open else f"{state}, {_many(len(row.open), 'open alert')}",
        f"{row.events:,}",
        f"{row.drifting:,} of {_many(row.features, 'feature')} ({share})",
        moment(row.window_end),
        row.reference or "-",
    ]


def section(title: str, body: str) -> str:
    """Return a part of a page with a heading; `body` is HTML."""
    return f'<section class="panel"><header><h2>{title}</h2></header>{body}</section>'


def paragraph(text: str) -> str:
    """Return a text as a paragraph."""
    return f"<p>{_text(text)}</p>"


def table(caption: str, head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return texts as a table, of which the first of each row names it."""
    heads = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{_text(first)}</th>'
        + "".join(f"<td>{_text(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{caption}"><table>'
        f"<caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _figure(value: Number) -> str:
    return "-" if value is None else figure(value)


def _many(n: int, one: str) -> str:
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def _text(text: str) -> str:
    return escape(clean(text))
