"""Alerts as text: a line each, or one in full with its bins as bars. Records in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from driftline.consumer.judge.bin_changes import bin_names, category_names
from driftline.consumer.judge.sentence import clean, figure, named, opening, percent
from driftline.consumer.views.certainty import measured
from driftline.consumer.wire.records import Alert, Pair, Verdict
from driftline.detectors.joint import SIDES

_HEAD_WIDTH = 74
_LABEL_WIDTH = 21
_LONGEST_BAR = 20
_PAIRS = 5
_SCALES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)


class Share(NamedTuple):
    """One bin or category: its share of the events normally and now, 0 to 1."""

    what: str
    normal: float
    now: float


def alert_line(alert: Alert, marks: str = "") -> str:
    """Return an alert record on one line: when it was sent in event time, its state and summary.

    Where there is a page, its address is at the end.

    Args:
        alert: the record.
        marks: what people say of the alert, in words.
    """
    time = minute(alert.window.end)
    parts = [alert.summary, *([f"[{marks}]"] if marks else []), *(alert.links or {}).values()]
    said = "  ".join(map(clean, parts))
    return f"{time}  {alert.status.upper():<8}  {alert.severity:<8}  {said}"


def alert_in_full(alert: Alert, verdict: Verdict | None, marks: str = "") -> str:
    """Return all of an alert record.

    Args:
        alert: the record.
        verdict: of the alert's window; without it only the bins that contributed most are drawn.
        marks: what people say of the alert, in words.
    """
    place = alert.stream if alert.feature is None else f"{alert.stream} / {alert.feature}"
    head = f"{alert.status.upper()}  {alert.severity}  {clean(place)}"
    owner = "   ".join(
        part for part in (f"owner {alert.owner}" if alert.owner else "", alert.runbook) if part
    )
    said = clean(alert.summary.removeprefix(opening(alert.stream)))
    parts = [f"{head:<{_HEAD_WIDTH}}{clean(owner)}".rstrip() + f"\n{said}"]
    if marks:
        parts[0] += f"\n{marks}"
    shares = _bins(verdict) if verdict is not None else _top(alert)
    if alert.features is not None:
        parts.append(
            "\n".join(
                f"  {clean(each.name):<24}{figure(each.effect):>9}" for each in alert.features
            )
        )
    elif alert.kind == "joint_drift":
        parts += map(_pair, (alert.pairs or [])[:_PAIRS])
    elif alert.kind == "data_quality":
        parts.append(_counts(alert))
    elif alert.type == "performance":
        parts.append(_figures(alert))
    elif shares:
        note = "" if verdict is not None else "\n  (the bins that contributed most)"
        parts.append(bars(shares) + note)
    parts.append("\n".join([_window(alert), _rule(alert), *map(clean, _links(alert))]))
    return "\n\n".join(parts)


def bars(shares: Sequence[Share]) -> str:
    """Return shares as rows with bars; `|` stands where the bar ends normally.

    >>> print(bars([Share("web", 0.6, 0.2), Share("shop", 0.4, 0.8)]))
                           normally     now
      web                    60.0 %  20.0 %  ####        |
      shop                   40.0 %  80.0 %  ########|########      | normally
    """
    most = max(max(share.normal, share.now) for share in shares)
    scale = next((each for each in _SCALES if most / each <= _LONGEST_BAR), _SCALES[-1])
    width = max([_LABEL_WIDTH, *(len(share.what) for share in shares)])
    lines = [" " * (width + 2) + f"{'normally':>8}{'now':>8}"]
    for share in shares:
        normal, now = round(share.normal / scale), round(share.now / scale)
        bar = "#" * min(now, normal) + " " * (normal - now) + "|" + "#" * (now - normal)
        lines.append(
            f"  {share.what:<{width}}{percent(share.normal):>8}{percent(share.now):>8}  {bar}"
        )
    return "\n".join(lines) + "      | normally"


def minute(time: str | None) -> str:
    """Return an RFC 3339 time of a record as tables show it; `-` for none.

    >>> minute("2019-03-27T00:00:00Z")
    '2019-03-27 00:00'
    """
    return "-" if time is None else time[:16].replace("T", " ")


def day(time: str | None) -> str:
    """Return an RFC 3339 time without its clock time at midnight.

    >>> day("2019-03-27T00:00:00Z"), day("2019-03-27T06:30:00Z")
    ('2019-03-27', '2019-03-27 06:30')
    """
    return minute(time).removesuffix(" 00:00")


def _bins(verdict: Verdict) -> list[Share]:
    bins = verdict.bins
    if not bins:
        return []
    names = bin_names(bins)
    normal, now = max(sum(bins["reference"]), 1), max(sum(bins["window"]), 1)
    counts = zip(names, bins["reference"], bins["window"], strict=True)
    return [Share(clean(name), before / normal, after / now) for name, before, after in counts]


def _top(alert: Alert) -> list[Share]:
    names = [clean(top.what) for top in alert.top]
    if alert.type != "numeric":
        names = category_names(names)
    return [
        Share(name, top.reference or 0.0, top.window or 0.0)
        for name, top in zip(names, alert.top, strict=True)
    ]


def _pair(pair: Pair) -> str:
    """Return how two features go together, normally and now.

    >>> third = [0.25, 0.1, 0.0]
    >>> print(_pair(Pair(("km", "age"), ((1, 2), (3, 4)), [third] * 3, [third] * 3, 0.1, None)))
      km by age        normally: low  middle    high        now: low  middle    high
      low                     25.0 %  10.0 %   0.0 %          25.0 %  10.0 %   0.0 %
      middle                  25.0 %  10.0 %   0.0 %          25.0 %  10.0 %   0.0 %
      high                    25.0 %  10.0 %   0.0 %          25.0 %  10.0 %   0.0 %
    """
    first, second = map(named, pair.features)
    ends = (f"{SIDES[0]}", f"{SIDES[1]:>8}", f"{SIDES[2]:>8}")
    heads = (f"{f'{side}: {ends[0]}':>16}{ends[1]}{ends[2]}" for side in ("normally", "now"))
    lines = [f"  {f'{first} by {second}':<14}" + "".join(heads)]
    for name, *rows in zip(SIDES, pair.reference, pair.window, strict=True):
        shares = ([percent(float(share or 0.0)) for share in row] for row in rows)
        cells = "".join(f"{low:>16}{middle:>8}{high:>8}" for low, middle, high in shares)
        lines.append(f"  {name:<14}{cells}")
    return "\n".join(lines)


def _counts(alert: Alert) -> str:
    """Return the counts of the window's events, for alerts on data quality."""
    events = max(alert.window.events, 1)
    rows = [(name.replace("_", " "), count) for name, count in (alert.counts or {}).items()]
    return "\n".join(f"  {name:<14}{count:>9,}{percent(count / events):>9}" for name, count in rows)


def _figures(alert: Alert) -> str:
    """Return a metric's value and interval between what is normal and the limit."""
    rows = [("now", figure(alert.value)), ("normally", figure(alert.normal))]
    if alert.interval is not None:
        low, high = map(figure, alert.interval)
        rows[0] = ("now", f"{figure(alert.value)}  95 % interval {low} to {high}")
    if alert.threshold is not None:
        rows.append(("limit", figure(alert.threshold)))
    if alert.counts is not None:
        counts = (f"{count:,} {name}" for name, count in alert.counts.items())
        rows.append(("predictions", ", ".join(counts)))
    return "\n".join(f"  {name:<14}{text}" for name, text in rows)


def _links(alert: Alert) -> list[str]:
    return [f"{name} {url}" for name, url in (alert.links or {}).items()]


def _window(alert: Alert) -> str:
    parts = [f"{day(alert.window.start)} to {day(alert.window.end)}"]
    if alert.window.events:
        parts.insert(0, f"{alert.window.events:,} events")
    if alert.versions:
        many = "version" if len(alert.versions) == 1 else "versions"
        parts.append(f"{many} {clean(', '.join(alert.versions))}")
    parts.append(f"reference {alert.reference.id} ({alert.reference.events:,} events)")
    return ", ".join(parts)


def _rule(alert: Alert) -> str:
    found = measured(alert)
    text = f"rule {alert.rule}" + (f"    {found}" if found else "")
    return text if alert.effect is None else f"{text}, effect {alert.effect:.2f}"
