"""What a backtest found, as text: the table of interface 4. Records in, text out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from driftline.consumer.cli.alert_text import day, figure, minute
from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.records import Alert, Number, Verdict
from driftline.consumer.judge.sentence import amount, change
from driftline.consumer.service.backtest import Backtest
from driftline.producer.durations import format_duration
from driftline.producer.timestamp import format_time, parse_timestamp

_DAY = 86_400_000
_FEATURE_WIDTH, _CHANGE_WIDTH = 24, 46
_MOST_LISTED = 12
_FEW = re.compile(r"^[0-9,]+ events, ([0-9,]+) needed$")
_RANK = {"warning": 1, "critical": 2}


@dataclass
class Found:
    """What a backtest has yielded so far.

    Attributes:
        model: the model.
        rises: per alert, the record of its latest rise: when it fired or its severity rose.
        windows: windows of the whole model that were judged: start and end to events.
        insufficient: windows of the whole model that could not be judged.
        never: segments; why none of its windows could be judged so far, empty if one was.
        features: features that verdicts speak of.
        reference: id of the reference.
        largest: the verdict with the largest effect.
        first: earliest event time, ms.
    """

    model: str
    rises: dict[str, Alert] = field(init=False, default_factory=dict)
    windows: dict[tuple[str, str], int] = field(init=False, default_factory=dict)
    insufficient: Counter[str] = field(init=False, default_factory=Counter)
    never: dict[str, str] = field(init=False, default_factory=dict)
    features: set[str] = field(init=False, default_factory=set)
    reference: str = field(init=False, default="")
    largest: Verdict | None = field(init=False, default=None)
    first: int | None = field(init=False, default=None)

    def add(self, output: Verdict | Alert) -> None:
        """Take in what the backtest yields, in order."""
        if isinstance(output, Alert):
            known = self.rises.get(output.alert_id)
            rose = known is None or _RANK[output.severity] > _RANK[known.severity]
            if rose and output.status == "firing":
                self.rises[output.alert_id] = output
            return
        if output.type == "performance":
            # Metrics have windows of their own; what no rule looks at is not said to be quiet.
            if any(each.state is not None for each in output.detectors.values()):
                self.features.add(output.feature)
            return
        self.features.add(output.feature)
        self._count_window(output)
        self.reference = output.reference.id
        if output.effect is not None:
            known_effect = self.largest.effect if self.largest is not None else None
            if known_effect is None or output.effect > known_effect:
                self.largest = output

    def _count_window(self, verdict: Verdict) -> None:
        """Note a window, once for all of its features."""
        reason = verdict.reason and _FEW.sub(r"fewer than \1 events", verdict.reason)
        if verdict.segment is not None:
            if verdict.state != "insufficient":
                self.never[verdict.segment] = ""
            elif self.never.get(verdict.segment) != "":
                self.never[verdict.segment] = reason or verdict.state
            return
        window = (verdict.window.start, verdict.window.end)
        if window not in self.windows:
            self.windows[window] = verdict.window.events
            if reason:
                self.insufficient[reason] += 1

    @property
    def alerts(self) -> list[Alert]:
        """The alerts, oldest first; of one time the largest effect first."""
        return sorted(
            self.rises.values(),
            key=lambda alert: (
                alert.since,
                -(alert.effect or 0.0),
                alert.stream,
                alert.feature or "",
            ),
        )

    def events_judged(self) -> int:
        """Return the events of final panes: of windows side by side, from the last one back."""
        events, before = 0, ""
        for (start, end), inside in sorted(self.windows.items(), key=lambda w: w[0][1])[::-1]:
            if not before or end <= before:
                events, before = events + inside, start
        return events


def render(found: Found, backtest: Backtest, config: ModelConfig) -> str:
    """Return header, table and closing lines."""
    parts = [_header(found, backtest, config)]
    if found.rises:
        parts.append(table(found.alerts, found.model))
    parts.append("\n".join(_closing(found, backtest, config)))
    return "\n\n".join(parts)


def table(alerts: Sequence[Alert], model: str) -> str:
    """Return the alerts as a table, a row each."""
    rows = [
        (
            minute(alert.since),
            alert.severity,
            _subject(alert.stream, alert.feature or alert.kind, model),
            _effect(alert.effect),
            change(alert.summary),
            alert.alert_id,
        )
        for alert in alerts
    ]
    feature = max([_FEATURE_WIDTH, *(len(row[2]) for row in rows)])
    changed = max([_CHANGE_WIDTH, *(len(row[4]) for row in rows)])
    head = ("since (UTC)", "severity", "feature", "effect", "what changed", "alert")
    return "\n".join(
        f"{since:<19}{severity:<10}{name:<{feature}}  {effect:>6}  {what:<{changed}}  {alert_id}"
        for since, severity, name, effect, what, alert_id in (head, *rows)
    )


def verdict_head() -> str:
    """Return the line over `verdict_line`s."""
    return f"{'window (UTC)':<18}{'state':<14}{'feature':<{_FEATURE_WIDTH}}  effect  detectors"


def verdict_line(verdict: Verdict, model: str) -> str:
    """Return one verdict on a line."""
    start = f"{minute(verdict.window.start)}  {verdict.state:<12}  "
    subject = _subject(verdict.stream, verdict.feature, model)
    if verdict.reason is not None:
        return f"{start}{subject:<{_FEATURE_WIDTH}}          {verdict.reason}"
    effect = _effect(verdict.effect)
    looked_at = [
        f"{name} {figure(each.value)} (limit {figure(each.threshold)})"
        for name, each in verdict.detectors.items()
        if each.state is not None or verdict.type == "performance"
    ]
    return f"{start}{subject:<{_FEATURE_WIDTH}}  {effect:>6}  {', '.join(looked_at)}".rstrip()


def _effect(effect: Number) -> str:
    """Return an effect; what rounds to 0 has no sign."""
    return "" if effect is None else f"{round(effect, 2) + 0.0:.2f}"


def _subject(stream: str, feature: str, model: str) -> str:
    segment = stream.removeprefix(model).removeprefix("/")
    return f"{feature} ({segment})" if segment else feature


def _header(found: Found, backtest: Backtest, config: ModelConfig) -> str:
    tally = backtest.tally
    events = tally.counted[found.model] + tally.late[found.model]
    parts = [f"{events:,} event{'' if events == 1 else 's'}"]
    if found.first is not None and backtest.last_event is not None:
        begin, end = (minute(format_time(t)) for t in (found.first, backtest.last_event))
        parts.append(f"{begin} to {end} UTC")
    window = config.window
    windows = f"{len(found.windows):,} window{'' if len(found.windows) == 1 else 's'}"
    lengths = format_duration(window.length)
    if window.every != window.length:
        lengths += f" every {format_duration(window.every)}"
    against = f" against reference {found.reference}" if found.reference else ""
    parts.append(f"{windows} of {lengths}{against}")
    return f"{found.model}   {', '.join(parts)}"


def _closing(found: Found, backtest: Backtest, config: ModelConfig) -> list[str]:
    lines = []
    alerts = found.alerts
    quiet = sorted(found.features - {alert.feature for alert in alerts})
    if alerts:
        incidents = len({alert.incident_id for alert in alerts})
        lines.append(
            f"{_many(len(alerts), 'alert')}, {_many(incidents, 'incident')}"
            + (f"; quiet: {_some(quiet)}" if quiet else "")
        )
    else:
        lines.append(_no_alerts(found))
    for reason, windows in found.insufficient.most_common(3):
        lines.append(f"{_many(windows, 'window')} not judged: {reason}")
    for reason in sorted(set(found.never.values()) - {""}):
        segments = sorted(name for name, why in found.never.items() if why == reason)
        lines.append(f"never judged: {_some(segments)} ({reason})")
    lines += _labels(backtest, found.model)
    allowed, rest = _budget(found, backtest, config), _rest(found, backtest)
    return [*lines, f"{allowed} {rest}" if allowed else rest]


def _labels(backtest: Backtest, model: str) -> list[str]:
    """Return what became of the labels, where there are any."""
    tally = backtest.join_tally
    labels = backtest.tally.labels[model]
    if tally is None or not labels:
        return []
    parts = [f"{tally.joined:,} of {tally.predictions:,} predictions got theirs"]
    for count, what in (
        (tally.corrected, "corrected"),
        (tally.repeated, "repeated"),
        (tally.late, "late"),
        (tally.expired, "predictions expired"),
        (tally.unmatched, "without a prediction"),
        (tally.duplicates, "predictions with an id again"),
        (backtest.tally.without_id[model], "predictions without an id"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    return [f"{_many(labels, 'label')}: {', '.join(parts)}"]


def _no_alerts(found: Found) -> str:
    largest = found.largest
    if largest is None or largest.effect is None:
        return "no alerts: no window was judged"
    subject = _subject(largest.stream, largest.feature, found.model)
    window = f"{day(largest.window.start)} to {day(largest.window.end)}"
    return f"no alerts; the largest effect was {figure(largest.effect)} ({subject}, {window})"


def _budget(found: Found, backtest: Backtest, config: ModelConfig) -> str:
    if config.budget is None or found.first is None or backtest.last_event is None:
        return ""
    span = backtest.last_event - found.first
    alarms = config.budget.alarms * span / config.budget.period
    units = (("days", _DAY), ("hours", _DAY // 24), ("minutes", _DAY // 1440))
    unit, length = next((u for u in units if span >= 2 * u[1]), ("seconds", 1_000))
    time = f"these {round(span / length):,} {unit}"
    return f"The budget allows {amount(alarms)} false alarms in {time}."


def _rest(found: Found, backtest: Backtest) -> str:
    tally = backtest.tally
    parts = []
    open_events = tally.counted[found.model] - found.events_judged()
    ends = [parse_timestamp(end) for _, end in found.windows]
    final = max([end for end in ends if end is not None], default=None)
    if open_events > 0:
        since = f" after {day(format_time(final))}" if final is not None else ""
        parts.append(f"{_many(open_events, 'event')}{since} (window still open)")
    parts.append(f"late {tally.late[found.model]:,}, rejected {tally.rejected.total():,}")
    return f"Not judged: {'; '.join(parts)}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    if len(names) <= _MOST_LISTED:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_LISTED])} and {len(names) - _MOST_LISTED} more"
