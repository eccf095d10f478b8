"""Recomputes every number in the sentences of alerts from the raw rows of files.

What a sentence says is taken apart with patterns of its own, and each number is computed again from
the rows of the stretch that the alert names, and from those of the reference, without any code of
the product. A number that no pattern explains is an error, so no sentence goes unchecked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Check = Callable[["Rows", dict[str, Any], "re.Match[str]"], Iterator[str]]
"""Yields what is wrong."""

RANK = 0.01
"""How far from the middle of the rows a median may lie: it is known to a cell of the grid."""
GAP = 0.001
"""Of the reference's values those that lie between two of the grid."""
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_NAMES = re.compile(r"(changed too: |They are )(.*?)( and \d+ more)?\.?$")
_SEASON = r"(?P<season> (?:at|on|in) th[a-z ]+?)?"
_SHARE = rf"(?P<now>[\d.]+) % of events, normally{_SEASON} (?P<normal>[\d.]+) %"
_EDGE = r"-?[\d,]+(?:\.\d+)?(?:e[+-]\d+)?"


@dataclass(frozen=True)
class Rows:
    """The rows of the reference and those watched, by column; features by the names in alerts.

    Attributes:
        normal, now: columns of numbers (NaN: missing), or of texts (None: missing).
        times, normal_times: of the rows watched, and of those of the reference, ms.
        truth: the columns of the predicted and the true class, and of the score.
        errors: what was found wrong, of each alert's sentence.
    """

    normal: dict[str, Array]
    now: dict[str, Array]
    times: Array
    normal_times: Array
    truth: tuple[str, str, str]
    errors: list[str] = field(default_factory=list)

    def within(self, alert: dict[str, Any]) -> Array:
        """Return which rows the alert speaks of."""
        start, end = (ms(alert["window"][end]) for end in ("start", "end"))
        found: Array = (self.times >= start) & (self.times < end)
        return found

    def of(self, alert: dict[str, Any]) -> tuple[Array, Array]:
        """Return the feature's values of its stretch, and of the reference."""
        return self.now[alert["feature"]][self.within(alert)], self.normal[alert["feature"]]

    def in_season(self, alert: dict[str, Any], season: str) -> Array:
        """Return the feature's values of the reference at the same hours or days (UTC)."""
        step = 86_400_000 if "day" in season else 3_600_000
        cells = 7 if "day" in season else 168 if "week" in season else 24
        here = np.unique(self.times[self.within(alert)] // step % cells)
        return self.normal[alert["feature"]][np.isin(self.normal_times // step % cells, here)]


def check(rows: Rows, alerts: Iterable[dict[str, Any]]) -> tuple[int, int]:
    """Return how many numbers were computed again, and in how many sentences."""
    numbers = sentences = 0
    for alert in alerts:
        # Names of features may hold digits.
        text = alert["summary"].removeprefix(f"{alert['stream']}: ")
        text = _NAMES.sub(lambda match: f"{match[1]}{match[3] or ''}", text)
        left, before = text, len(_NUMBER.findall(text))
        for pattern, found in PATTERNS:
            match = pattern.search(left)
            if match is None:
                continue
            rows.errors.extend(
                f"{alert['summary']}: {error}" for error in found(rows, alert, match)
            )
            left = left[: match.start()] + left[match.end() :]
        for name in (alert["feature"], *(each["name"] for each in alert.get("features") or ())):
            left = left.replace(str(name), "")
        if unexplained := _NUMBER.findall(left):
            rows.errors.append(f"{alert['summary']}: nothing explains {unexplained}")
        events = int(rows.within(alert).sum())
        if events != alert["window"]["events"]:
            rows.errors.append(f"{alert['summary']}: {events} rows, not as in {alert['window']}")
        numbers += before
        sentences += 1
    return numbers, sentences


def alerts_of(text: str) -> list[dict[str, Any]]:
    """Return the alerts among lines of JSON."""
    records = map(json.loads, filter(None, text.splitlines()))
    return [each for each in records if each["schema"] == "driftline.alert.v1"]


def ms(time: str) -> int:
    """Return a time (RFC 3339, UTC) as ms since 1970."""
    return int(np.datetime64(time.removesuffix("Z"), "ms").astype(np.int64))


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def _slack(text: str) -> float:
    """Return how far an end may be from what is written: it has at most six digits."""
    digits = re.sub(r"\D", "", text).lstrip("0")
    return abs(_value(text)) * 2e-6 if len(digits) >= 6 else 0.0


def _rounds(text: str, low: float, high: float | None = None) -> bool:
    """Return whether a number, as it is written, is `low`, or between it and `high`."""
    _, _, decimals = text.partition(".")
    half = 0.5 * 10.0 ** -len(decimals) * (1 + 1e-6) + 1e-12
    upper = low if high is None else high
    return min(low, upper) - half <= _value(text) <= max(low, upper) + half


def _there(values: Array) -> Array:
    """Return which values are not missing."""
    if values.dtype.kind == "f":
        return np.isfinite(values)
    return np.array([value is not None for value in values], bool)


def _median(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    for name, values in zip(("now", "normal"), rows.of(alert), strict=True):
        valid, text = values[_there(values)], match[name]
        half = 0.5 * 10.0 ** -len(text.partition(".")[2])
        below = (valid < _value(text) - half).mean()
        upto = (valid <= _value(text) + half).mean()
        beyond = match["beyond"].strip() if name == "now" else ""
        # A value is known to a gap between two values of the grid, which holds a thousand of them.
        told = _value(text)
        middle = np.clip(told, *(np.quantile(valid, 0.5, method=of) for of in ("lower", "higher")))
        told -= half * np.sign(told - middle)
        known = rows.normal[alert["feature"]]
        gap = ((known >= min(middle, told)) & (known <= max(middle, told))).mean() < GAP
        true = {
            "": gap or below - RANK <= 0.5 <= upto + RANK or bool(match["season"]),
            "above": upto <= 0.5,
            "below": below >= 0.5,
        }[beyond]
        if not true:
            yield f"{beyond} {text} is no median: {below:.3f} to {upto:.3f} lie below"


def _outer(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    def beyond(values: Array, wide: bool) -> Array:
        found = np.zeros(values.size, bool)
        for name, sign in (("low", -1.0), ("high", 1.0)):
            if match[name]:
                slack = _slack(match[name]) * (-1 if wide else 1)
                found |= sign * values > sign * _value(match[name]) + slack
        return found

    yield from _shares(rows, alert, match, beyond)
    normal = rows.of(alert)[1]
    for name in ("low", "high"):
        if match[name]:
            upto = 100 * (normal[_there(normal)] <= _value(match[name])).mean()
            if abs(upto - float(match[f"{name}_point"])) > 100 * RANK:
                yield f"{match[name]} is the {upto:.1f} % point"


def _shares(
    rows: Rows, alert: dict[str, Any], match: re.Match[str], inside: Callable[[Array, bool], Array]
) -> Iterator[str]:
    """Compare two shares of the valid values; `inside(values, wide)`: which are meant."""
    season = match.groupdict().get("season")
    for name, values in zip(("now", "normal"), rows.of(alert), strict=True):
        # What is normal at an hour is a mean of what the reference has at it and at all others.
        some = [values, rows.in_season(alert, season)] if season and name == "normal" else [values]
        valid = [each[_there(each)] for each in some]
        found = [100 * inside(each, wide).mean() for each in valid for wide in (False, True)]
        if not _rounds(match[name], min(found), max(found)):
            yield f"{match[name]} % is {min(found):.4f} to {max(found):.4f} %"


def _category(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    yield from _shares(rows, alert, match, lambda values, _: values == match["category"])


def _unlisted(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    listed = set(rows.of(alert)[1])
    yield from _shares(
        rows, alert, match, lambda values, _: np.array([each not in listed for each in values])
    )


def _bin(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    what = match["what"]
    written = re.findall(_EDGE, what)
    ends, slacks = [*map(_value, written)], [*map(_slack, written)]
    below_edge = "below" in what or "or more" in what

    def inside(values: Array, wide: bool) -> Array:
        slack = slacks if wide else [-each for each in slacks]
        found = np.ones(values.size, bool)
        if what.startswith(("above", "or more")) or what.endswith("or more"):
            lower, upper = (ends[0], slack[0]), None
        elif what.startswith(("up to", "below")):
            lower, upper = None, (ends[0], slack[0])
        elif len(ends) == 1:
            return np.abs(values - ends[0]) <= slacks[0]
        else:
            lower, upper = (ends[0], slack[0]), (ends[1], slack[1])
        if lower is not None:
            edge = lower[0] - lower[1]
            found &= values >= edge if below_edge and upper is None else values > edge
        if upper is not None:
            edge = upper[0] + upper[1]
            found &= values < edge if below_edge else values <= edge
        return found

    yield from _shares(rows, alert, match, inside)


def _missing(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    for text, values in zip(match.group("now", "normal"), rows.of(alert), strict=True):
        share = 100 * (~_there(values)).mean()
        if not _rounds(text, share):
            yield f"{text} % is {share:.4f} %"


def _together(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    """Compare the shares with those of each feature; at first they miss in the same rows."""
    names = [each["name"] for each in alert["features"]]
    since = (rows.times >= ms(alert["since"])) & rows.within(alert)
    gone = [~_there(rows.now[name][since]) for name in names]
    if match["more"] and int(match["more"]) != len(names) - 5:
        yield f"{len(names)} features are named"
    for name, own in zip(names, gone, strict=True):
        if alert["revision"] == 1 and (own != gone[0]).any():
            yield f"{name} is missing in other rows than {names[0]}"
    said = alert["summary"].partition(" are missing")[0] if not match["more"] else names
    shares = [
        (~_there(rows.now[name][rows.within(alert)])).mean() for name in names if name in said
    ]
    for text, share in ((match["low"] or match["now"], min(shares)), (match["now"], max(shares))):
        if not _rounds(text, 100 * share):
            yield f"{text} % is {100 * share:.4f} %"
    yield from _missing(rows, {**alert, "feature": names[0]}, match)


def _right(columns: dict[str, Array], truth: tuple[str, str, str], some: Array) -> Array:
    found: Array = columns[truth[0]][some] == columns[truth[1]][some]
    return found


def _accuracy(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    right = _right(rows.now, rows.truth, rows.within(alert))
    normal = _right(rows.normal, rows.truth, np.ones(rows.normal[rows.truth[0]].size, bool))
    p = float(right.mean())
    for name, value in (("now", p), ("normal", float(normal.mean()))):
        if not _rounds(match[name], value):
            yield f"{name} {match[name]} is {value:.5f}"
    # Wilson's interval of n events that tell as much as n / phi: one phi explains both ends.
    phis = np.geomspace(1.0, 100.0, 20_000)
    n, z = right.size / phis, 1.959964
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    ends = [(middle + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    if not any(
        _rounds(match["low"], low) and _rounds(match["high"], high)
        for low, high in zip(*ends, strict=True)
    ):
        yield f"{match['low']} to {match['high']} is no interval of {p:.5f}"


def _labelled(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    events = int(rows.within(alert).sum())
    for text in match.group("labelled", "events"):
        if _value(text) != events:
            yield f"{text} is {events}"


def _too_few(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    if _value(match["events"]) != (events := int(rows.within(alert).sum())):
        yield f"{match['events']} is {events}"


def _gap(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    """Compare with scores that are calibrated in fifty groups of as many rows of the reference."""
    called, actual, score = rows.truth
    some = rows.within(alert)
    order = np.argsort(rows.normal[score], kind="stable")
    groups = np.array_split(order, 50)
    ends = np.array([rows.normal[score][each[-1]] for each in groups[:-1]])
    positive = rows.now[called][some] == "1"
    shares = np.array([(rows.normal[actual][each] == "1").mean() for each in groups])
    q = shares[np.searchsorted(ends, rows.now[score][some])]
    expected = np.where(positive, q, 1 - q).mean()
    gap = expected - _right(rows.now, rows.truth, some).mean()
    # Which groups the product chooses is its own affair: to a hundredth it does not matter.
    told = _value(match["gap"]) * (1 if match["way"] == "worse" else -1)
    if abs(gap - told) > 0.01:
        yield f"{match['gap']} is about {gap:.4f}"


def _since(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    begin = alert["until"] if alert["status"] == "resolved" else alert["since"]
    if ms(match["day"] + "T" + match["time"]) != ms(begin):
        yield f"since {begin}"


def _lasted(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    unit = {"day": 86_400_000, "hour": 3_600_000, "minute": 60_000}[match["unit"]]
    lasted = ms(alert["until"]) - ms(alert["since"])
    if abs(lasted / unit - _value(match["many"])) > 0.5:
        yield f"it lasted {lasted / unit:.1f} {match['unit']}s"


def _many(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    if int(match["many"]) != len(alert["features"]):
        yield f"{len(alert['features'])} features are named"
    watched = set(rows.normal) - {rows.truth[1]}
    if int(match["watched"]) != len(watched):
        yield f"{len(watched)} features are watched"


def _more(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    names = _NAMES.search(alert["summary"])
    every = [each["name"] for each in alert.get("features") or []] or alert["also_firing"]
    if names is None or int(match["many"]) != len(every) - len(names[2].split(", ")):
        yield f"{len(every)} features are meant"


def _others(rows: Rows, alert: dict[str, Any], match: re.Match[str]) -> Iterator[str]:
    if int(match["many"]) != len(alert["also_firing"]):
        yield f"{len(alert['also_firing'])} are named"


PATTERNS: tuple[tuple[re.Pattern[str], Check], ...] = tuple(
    (re.compile(pattern), check)
    for pattern, check in (
        (
            rf"median (?P<beyond>above |below |)(?P<now>{_EDGE}), normally{_SEASON}"
            rf" (?P<normal>{_EDGE})",
            _median,
        ),
        (
            rf"those (?:below the normal (?P<low_point>[\d.]+) % point \((?P<low>{_EDGE})\))?"
            r"(?: or )?"
            rf"(?:above the normal (?P<high_point>[\d.]+) % point \((?P<high>{_EDGE})\))?"
            r" rose from (?P<normal>[\d.]+) % to (?P<now>[\d.]+) % of events",
            _outer,
        ),
        (rf'"(?P<category>[^"]*)" is {_SHARE}', _category),
        (rf"values that the reference does not list are {_SHARE}", _unlisted),
        (rf"is missing in {_SHARE}", _missing),
        (
            rf"(?: and (?P<more>\d+) more)? are missing(?: together)? in "
            rf"(?:(?P<low>[\d.]+) % to )?{_SHARE}",
            _together,
        ),
        (
            rf"(?P<what>(?:above |up to |below )?{_EDGE}(?: to (?:below )?{_EDGE}| or more)?)"
            rf" in {_SHARE}",
            _bin,
        ),
        (
            r"accuracy (?:fell|rose) to (?P<now>[\d.]+) \(95 % interval (?P<low>[\d.]+) to"
            r" (?P<high>[\d.]+)\), normally (?P<normal>[\d.]*\d)",
            _accuracy,
        ),
        (
            r"performance turned out (?P<gap>[\d.]+) (?P<way>worse|better) than estimated"
            r"(?:, normally 0)?",
            _gap,
        ),
        (r"on (?P<labelled>[\d,]+) labelled of (?P<events>[\d,]+) events", _labelled),
        (r"now: (?P<events>[\d,]+) (?:labelled )?events, 500 needed", _too_few),
        (r"since (?P<day>\d{4}-\d\d-\d\d) (?P<time>\d\d:\d\d) UTC", _since),
        (r"after (?P<many>\d+) (?P<unit>day|hour|minute)s?", _lasted),
        (r"(?P<many>\d+) of (?P<watched>\d+) features", _many),
        (r"(?P<many>\d+) other features? changed too", _others),
        (r" and (?P<many>\d+) more", _more),
        (r"(?P<many>\d+) features? changed before it", _others),
    )
)
"""Of what sentences say: each is searched once, in this order."""
