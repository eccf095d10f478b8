"""The text of the demo when the stream ends. Records in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from driftline.consumer.cli.alert_text import alert_in_full, minute
from driftline.consumer.cli.demo_stream import BEGIN, Trouble
from driftline.consumer.wire.records import Alert, Verdict
from driftline.producer.records.timestamp import format_time
from driftline.producer.replay.generator import HOUR
from driftline.producer.replay.scenarios import Truth

_WIDTH = 100
_MOST_ROWS = 6
NEXT = """\
Try next
  driftline backtest --input FILE     what a file of yours would have raised: CSV, Parquet, JSON lines
  driftline init --from FILE          a configuration and a reference made from it
  driftline demo --keep               the same stream, until Ctrl-C\
"""  # noqa: E501 (as it is printed)


def in_full(alert: Alert, verdict: Verdict | None) -> str:
    """Return one alert as `driftline alerts show` prints it, then as it stands in the topic."""
    return "\n\n".join(
        [
            "The first alert, as `driftline alerts show` prints it:",
            alert_in_full(alert, verdict),
            "The same as a record of driftline.alerts:",
            json_lines(alert),
        ]
    )


def compared(troubles: Sequence[Trouble], alerts: Iterable[Alert], until: int) -> str:
    """Return what went wrong beside what was found.

    Args:
        troubles: what was laid over the stream until then, in order of time.
        alerts: the newest record of each alert.
        until: where the stream ended, ms.
    """
    left = {alert.alert_id: alert for alert in alerts}
    rows = []
    for trouble in troubles:
        for truth in trouble.scenario.truth:
            own = [alert for alert in left.values() if _is_of(alert, truth)]
            for alert in own:
                del left[alert.alert_id]
            end = f", until {_clock(truth.end)}" if truth.end < until else ""
            what = f"{minute(format_time(truth.start))}  {truth.feature}: {trouble.what}{end}"
            rows.append((what, "; ".join(map(_found, own)) or "nothing"))
    shown = rows[-_MOST_ROWS:]
    width = max((len(what) for what, _ in shown), default=0)
    lines = [f"{'what was done to the stream':<{width}}   what was found"]
    lines += [f"{what:<{width}}   {found}" for what, found in shown]
    return "\n".join([*lines, _false_alarms(list(left.values()), until)])


def _false_alarms(alerts: Sequence[Alert], until: int) -> str:
    names = ", ".join(f"{alert.feature} ({minute(alert.since)})" for alert in alerts[-_MOST_ROWS:])
    said = f"{len(alerts)} false: {names}" if alerts else "nothing else alerted"
    hours = (until - BEGIN) / HOUR
    return f"In {hours:,.0f} hours {said}. The budget allows 1 false alarm in 30 days."


def json_lines(record: msgspec.Struct) -> str:
    """Return a record as JSON that fits on a screen: fields side by side as far as they go.

    >>> from driftline.consumer.wire.records import Window
    >>> print(json_lines(Window("2019-04-02T00:00:00Z", "2019-04-08T00:00:00Z", 991)))
    {"start": "2019-04-02T00:00:00Z", "end": "2019-04-08T00:00:00Z", "events": 991}
    """
    fields = msgspec.to_builtins(record)
    texts = [f"{_json(name)}: {_spread(value)}" for name, value in fields.items()]
    lines = [""]
    for text in texts:
        if lines[-1] and len(lines[-1]) + len(text) + 3 > _WIDTH:
            lines.append("")
        lines[-1] += f", {text}" if lines[-1] else text
    return "{" + ",\n ".join(lines) + "}"


def _spread(value: Any) -> str:
    """Return a value as JSON; a long list has an entry a line."""
    text = _json(value)
    if not isinstance(value, list) or len(text) < _WIDTH - 20:
        return text
    return "[\n  " + ",\n  ".join(map(_json, value)) + "]"


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def _is_of(alert: Alert, truth: Truth) -> bool:
    """Tell whether an alert is about what was done."""
    begins = alert.begin < truth.end
    lasts = alert.until is None or alert.until > format_time(truth.start)
    return alert.feature == truth.feature and begins and lasts


def _found(alert: Alert) -> str:
    text = f"{alert.severity} alert, since {minute(alert.since)[11:]}"
    return text if alert.until is None else f"{text}; normal since {minute(alert.until)[11:]}"


def _clock(time: int) -> str:
    return minute(format_time(time))[11:]
