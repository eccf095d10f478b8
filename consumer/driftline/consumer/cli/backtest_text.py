"""What a backtest found, as text. Records in, text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from driftline.consumer.cli.alert_text import day, minute
from driftline.consumer.cli.performance_table import performance_table
from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.sentence import amount, clean, figure
from driftline.consumer.offline.found import Found
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.wire.axis import axis_of
from driftline.consumer.wire.records import EVENTS, Alert, Number, Verdict, Window
from driftline.consumer.wire.text import counted, some
from driftline.producer.records.timestamp import format_time

_DAY = 86_400_000
_FEATURE_WIDTH, _CHANGE_WIDTH = 24, 46
_MOST_LISTED = 12


def render(found: Found, backtest: Backtest, config: ModelConfig) -> str:
    """Return header, table and closing lines."""
    parts = [header(found, backtest, config)]
    if found.rises:
        parts.append(table(found.alerts, found.model))
    if measured := performance_table(found.measured.values(), window_text):
        parts.append(measured)
    parts.append("\n".join(closing(found, backtest, config)))
    return "\n\n".join(parts)


def table(alerts: Sequence[Alert], model: str) -> str:
    """Return the alerts as a table, a row each."""
    rows = [
        (
            begin_text(alert),
            alert.severity,
            shown_name(alert, model),
            effect_text(alert.effect),
            clean(alert.change),
            alert.alert_id,
        )
        for alert in alerts
    ]
    feature = max([_FEATURE_WIDTH, *(len(row[2]) for row in rows)])
    changed = max([_CHANGE_WIDTH, *(len(row[4]) for row in rows)])
    since = "since row" if any(alert.rows for alert in alerts) else "since (UTC)"
    head = (since, "severity", "feature", "effect", "what changed", "alert")
    return "\n".join(
        f"{since:<19}{severity:<10}{name:<{feature}}  {effect:>6}  {what:<{changed}}  {alert_id}"
        for since, severity, name, effect, what, alert_id in (head, *rows)
    )


def begin_text(alert: Alert) -> str:
    """Return since when, or since which row, an alert is."""
    return minute(alert.since) if alert.rows is None else f"{alert.rows[0]:,}"


def window_text(window: Window) -> str:
    """Return a window by its days, or its rows."""
    if window.rows is not None:
        return "rows {:,} to {:,}".format(*window.rows)
    return f"{day(window.start)} to {day(window.end)}"


def effect_text(effect: Number) -> str:
    """Return an effect, `-` where there is none; what rounds to 0 has no sign."""
    return "-" if effect is None else f"{round(effect, 2) + 0.0:.2f}"


def shown_name(record: Alert | Verdict, model: str) -> str:
    """Return what a record is about, with the segment, or the comparison, if it is of one."""
    name = record.feature or (record.type if isinstance(record, Verdict) else EVENTS)
    if record.feature is None and isinstance(record, Alert) and record.detector != EVENTS:
        name = counted(len(record.names), "feature") if record.names else record.kind
    part = record.segment if record.model == model else record.stream
    return clean(f"{name} ({part})" if part else name)


def header(found: Found, backtest: Backtest, config: ModelConfig) -> str:
    """Return what was judged: events, their span, windows and the reference."""
    totals = backtest.totals
    events = totals.counted[found.model] + totals.late[found.model]
    parts, window = [counted(events, "event")], config.window
    axis = axis_of(window)
    if found.first is not None and backtest.last_event is not None:
        rows = axis.rows(found.first, backtest.last_event + 1)
        if rows is None:
            begin, end = (minute(format_time(t)) for t in (found.first, backtest.last_event))
            parts.append(f"{begin} to {end} UTC")
        else:
            parts.append("rows {:,} to {:,}".format(*rows))
    windows = counted(len(found.windows.keys() - found.open), "window")
    lengths = axis.short(window.length)
    if window.every != window.length:
        lengths += f" every {axis.short(window.every)}"
    against = f" against reference {found.reference}" if found.reference else ""
    parts.append(f"{windows} of {lengths}{against}")
    return f"{found.model}   {', '.join(parts)}"


def closing(found: Found, backtest: Backtest, config: ModelConfig) -> list[str]:
    """Return how many alerts there are, what was not judged, and what the budget allows."""
    lines = []
    alerts = found.alerts
    quiet = sorted(found.features - {name for alert in alerts for name in alert.names})
    if alerts:
        incidents = len({alert.incident_id for alert in alerts})
        lines.append(
            f"{counted(len(alerts), 'alert')}, {counted(incidents, 'incident')}"
            + (f"; quiet: {_some(quiet)}" if quiet else "")
        )
    else:
        lines.append(_no_alerts(found))
    for reason, windows in found.insufficient.most_common(3):
        lines.append(f"{counted(windows, 'window')} not judged: {reason}")
    for reason in sorted(set(found.never.values()) - {""}):
        segments = sorted(name for name, why in found.never.items() if why == reason)
        lines.append(f"never judged: {_some(segments)} ({reason})")
    lines += _account(found, backtest)
    allowed, rest = _budget(found, backtest, config), _rest(found, backtest, config)
    return [*lines, f"{allowed} {rest}" if allowed else rest]


def _no_alerts(found: Found) -> str:
    largest = found.largest
    if largest is None or largest.effect is None:
        return "no alerts: no window was judged"
    name = shown_name(largest, found.model)
    window = window_text(largest.window)
    return f"no alerts; the largest effect was {figure(largest.effect)} ({name}, {window})"


def _budget(found: Found, backtest: Backtest, config: ModelConfig) -> str:
    if config.budget is None or found.first is None or backtest.last_event is None:
        return ""
    every, last = config.window.every, backtest.last_event
    span = last - found.first + 1
    if config.window.rows is None:
        span = found.time_in_windows(found.first, last) or span - 1
    alarms = config.budget.alarms * span / config.budget.length(every)
    if config.window.rows is not None:
        many = amount(span / every)
        noun = "window" if many == "1" else "windows"
        return f"The budget allows {amount(alarms)} false alarms in {many} {noun}."
    units = (("days", _DAY), ("hours", _DAY // 24), ("minutes", _DAY // 1440))
    unit, length = next((u for u in units if span >= 2 * u[1]), ("seconds", 1_000))
    time = f"these {round(span / length):,} {unit}"
    return f"The budget allows {amount(alarms)} false alarms in {time}."


def _rest(found: Found, backtest: Backtest, config: ModelConfig) -> str:
    totals = backtest.totals
    parts = []
    open_events = totals.counted[found.model] - found.events_judged()
    if open_events > 0:
        parts.append(
            f"{counted(open_events, 'event')}{_after(found.windows, config)} (window still open)"
        )
    joined = backtest.join_totals.joined if backtest.join_totals is not None else 0
    labelled = totals.labels[found.model] > 0
    open_labels = joined - found.labels_judged() if labelled else 0
    if open_labels > 0:
        many = counted(open_labels, "labelled event")
        parts.append(f"{many}{_after(found.labelled, config)} (window still open)")
    rejected = totals.rejected.total() - found.refused
    events = " events" if labelled else ""
    parts.append(f"late {totals.late[found.model]:,}, rejected {rejected:,}{events}")
    return f"{_not_over(found, config)}Not judged: {'; '.join(parts)}"


def _not_over(found: Found, config: ModelConfig) -> str:
    """Return what is in the window that the file ends in, as a sentence; empty if nothing is."""
    for windows, reasons, noun in (
        (found.windows, found.unjudged, "event"),
        (found.labelled, found.of_labels, "labelled event"),
    ):
        if many := found.not_over(windows):
            after, verb = _after(windows.keys() - found.open, config), "is" if many == 1 else "are"
            judged = any(reasons.get(span) == "" for span in found.open)
            how = ", judged as it stands" if judged else ""
            return f"{counted(many, noun)}{after} {verb} in a window that is not over{how}. "
    return ""


def _after(windows: Iterable[tuple[int, int]], config: ModelConfig) -> str:
    """Return the end of the last window that was judged."""
    final = max([end for _, end in windows], default=None)
    if final is None:
        return ""
    rows = config.window.rows is not None
    return f" after row {final:,}" if rows else f" after {day(format_time(final))}"


def _some(names: Sequence[str]) -> str:
    return some([clean(name) for name in names], _MOST_LISTED)


def _account(found: Found, backtest: Backtest) -> list[str]:
    """Return labels and predictions by how each was used, in lines whose numbers add up."""
    totals, read = backtest.join_totals, backtest.totals
    labels = read.labels[found.model]
    if totals is None or not labels:
        return []
    predictions = read.counted[found.model] + read.late[found.model]
    reasons = Counter(reason for reason in found.of_labels.values() if reason)
    lines = [
        f"{counted(windows, 'window')} of labels not judged: {reason}"
        for reason, windows in reasons.most_common(3)
    ]
    if found.of_labels and all(found.of_labels.values()):
        most = max(found.labelled.values(), default=0)
        lines.append(
            "performance was judged in no window, so nothing is known of it: the most labelled"
            f" events in one are {most:,}; judge them with a smaller min_events, or longer windows"
        )
    own = [
        (totals.joined, "got their label"),
        (totals.late, "too late for their window"),
        (totals.expired, "expired"),
        (totals.duplicates, "with an id again"),
        (read.without[found.model, "id"], "without an id"),
        (read.without[found.model, "answer"], "without an answer"),
    ]
    truth = [
        (totals.joined, "matched"),
        (totals.late, "too late for the window of their prediction"),
        (totals.corrected, "corrected one before"),
        (totals.repeated, "repeated"),
        (totals.unmatched, "without a prediction"),
        (found.refused, "rejected"),
    ]
    lines.append(f"{counted(predictions, 'prediction')}: {_parts(predictions, own, 'expired')}")
    total = labels + found.refused
    lines.append(f"{counted(total, 'label')}: {_parts(total, truth, 'without a prediction')}")
    if totals.crowded_out:
        lines.append(
            f"of those expired or without a prediction {totals.crowded_out:,} made room: raise"
            " limits.max_waiting or limits.max_waiting_bytes"
        )
    if totals.hurried:
        lines.append(f"{totals.hurried:,} rows went on before the others had come as far")
    return [*lines, *found.causes]


def _parts(total: int, parts: list[tuple[int, str]], always: str) -> str:
    """Return the parts of a number, by how each was used; the rest waits."""
    waiting = max(0, total - sum(count for count, _ in parts))
    shown = [
        f"{count:,} {what}"
        for n, (count, what) in enumerate(parts)
        if count or not n or what == always
    ]
    if waiting:
        shown.append(f"{waiting:,} waiting at the end")
    return ", ".join(shown)
