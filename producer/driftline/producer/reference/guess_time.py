"""Guess how the times of a column are written, from its values, or say why that cannot be known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from driftline.detectors.grid import IntArray
from driftline.producer.records.number_text import is_mark
from driftline.producer.records.time_form import AUTO, TimeForm
from driftline.producer.records.time_text import (
    BETWEEN,
    CLOCKS,
    DATES,
    HOURS,
    TWO_READINGS,
    compile_format,
    epoch_of,
)
from driftline.producer.records.timestamp import day_count, digits, format_time
from driftline.producer.records.timestamp_column import UNREADABLE, parse_timestamps

_MOST = 0.95  # share of the values that have to be times; the others are bad rows
_LOOKED_AT = 50  # distinct values whose forms are tried
_FEW_HOURS = 20  # distinct values that have to be hours
_ZONE_NAME = re.compile(
    r"[0-9]{1,2}:[0-9]{2}\S* (?!(?:AM|PM)\b)(?:[A-Z]{2,5}|[A-Z][a-z]+/[A-Z]\w+)(?: [0-9]{4})?$"
)
_DAYS = {"days": (10_957, 29_220), "excel": (32_874, 73_051)}
"""What numbers are days from 2000 to 2049, and by Excel from 1990 to 2099."""
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?")
_HOUR_AND_MINUTE = re.compile(r"[0-9]{1,2}\.[0-9]{2}(?![0-9])")
_ZONED = re.compile(r"(?:[Zz]|UTC|GMT)$|:.*[+-][0-9:]+$")


@dataclass(frozen=True)
class TimeGuess:
    """What the values of a column are.

    Attributes:
        form: how they are written; None if they are no times, or nobody knows which.
        problem: why there is no form, to go on behind the column's name.
        share: of the values that some form reads.
        open: two forms read all of it, and not as the same times: more values may tell.
    """

    form: TimeForm | None
    problem: str = ""
    share: float = 0.0
    open: bool = False


def infer_times(values: Sequence[Any], given: TimeForm = AUTO) -> TimeGuess:
    """Guess how values are written: nearly all of them have to be times.

    Args:
        values: of one column; more than once where they occur more than once. What stands for
            none (`NaT`, `NA`, the empty text) says nothing.
        given: what is known; with a format nothing else is tried.

    >>> infer_times(["02/03/2026", "13/03/2026"]).form.format
    '%d/%m/%Y'
    >>> infer_times(["02/03/2026", "03/03/2026"]).problem
    "holds '02/03/2026', which is 2026-03-02 as '%d/%m/%Y' and 2026-02-03 as '%m/%d/%Y', and no \
value tells which: give --time-format with one of them"
    """
    counts = Counter(
        value if isinstance(value, str | int | float) else str(value)
        for value in values
        if value is not None and not (isinstance(value, str) and is_mark(value))
    )
    if not counts:
        return TimeGuess(None, "is empty")
    distinct, weights = list(counts), np.fromiter(counts.values(), np.int64)
    total = int(weights.sum())

    def share(times: IntArray) -> float:
        return int(weights[times != UNREADABLE].sum()) / total

    plain = parse_timestamps(distinct, given)
    if given.format is None and _are_hours(distinct, given):
        return TimeGuess(replace(given, format=HOURS), share=1.0)
    if share(plain) >= _MOST:
        return TimeGuess(given, share=share(plain))
    found: dict[str, IntArray] = {}
    if given.format is None:
        texts = [digits(value) for value in islice(distinct, _LOOKED_AT)]
        formats = dict.fromkeys(
            name for text in texts if isinstance(text, str) for name in _formats(text)
        )
        found = {name: parse_timestamps(distinct, replace(given, format=name)) for name in formats}
    best = {
        name: times
        for name, times in found.items()
        if share(times) >= _MOST and not any(_beats(o, times, weights) for o in found.values())
    }
    if best:
        first, *others = best
        if all((best[first] == best[other]).all() for other in others):
            form = replace(given, format=first)
            return TimeGuess(form, share=share(best[first]))
        return TimeGuess(None, _two_readings(distinct, best), 1.0, open=True)
    nearest = max([plain, *found.values()], key=share)
    bad = distinct[int(np.argmax(nearest == UNREADABLE))]
    if share(nearest) == 0:
        return TimeGuess(None, f"holds {_unread(distinct, given, bad)}")
    wrong = round((1 - share(nearest)) * total)
    problem = f"nearly holds times, but {wrong:,} of {total:,} are none: {bad!r} is the first"
    return TimeGuess(None, problem, share(nearest))


def _are_hours(values: Sequence[Any], given: TimeForm) -> bool:
    """Return whether values are such as 2026030105: seconds since 1970 are hardly ever."""
    if len(values) < _FEW_HOURS or len(str(digits(values[0]))) != len("2026030105"):
        return False
    times = parse_timestamps(values, replace(given, format=HOURS))
    return bool((times != UNREADABLE).all())


def _unread(values: Sequence[Any], given: TimeForm, first: Any) -> str:
    """Say what values are of which no form reads one, and what there is to give."""
    if given.format is None:
        days = [day_count(value) for value in values]
        for name, (least, most) in _DAYS.items():
            if all(least <= number < most for number in days):
                called = "Excel's days since 1900" if name == "excel" else "days since 1970"
                return f"{first!r}: if these are {called}, give --time-format {name}"
        if isinstance(first, str) and _ZONE_NAME.search(first):
            return (
                f"times with the name of a zone, such as {first!r}, which are not read: leave the"
                " name out and give --timezone, or write the offset"
            )
        return (
            f"no times that can be read: {first!r} is the first value; if it is one, give"
            " --time-format"
        )
    return f"no times that can be read: {first!r} is the first value"


def _beats(times: IntArray, other: IntArray, weights: IntArray) -> bool:
    """Return whether what only one of two forms reads is nearly all read by the first."""
    read, missed = times != UNREADABLE, other == UNREADABLE
    won = int(weights[read & missed].sum())
    lost = int(weights[~read & ~missed].sum())
    return won > 0 and won >= _MOST * (won + lost)


def _two_readings(distinct: Sequence[Any], best: dict[str, IntArray]) -> str:
    """Say that two forms read all, by a value that they read as different times."""
    first, other = next(
        (a, b) for a in best for b in best if a < b and not (best[a] == best[b]).all()
    )
    apart = (best[first] != best[other]) & (best[first] != UNREADABLE)
    place = int(np.argmax(apart & (best[other] != UNREADABLE)))
    readings = " and ".join(
        f"{format_time(int(best[name][place]))[:10]} as '{name}'" for name in (first, other)
    )
    return (
        f"holds {distinct[place]!r}, which is {readings}, and no value tells which: give"
        " --time-format with one of them"
    )


def _formats(text: str) -> Iterator[str]:
    """Yield the formats that read a text: a date, and behind it a time of day and an offset."""
    dates = [
        name.format(between) for names in TWO_READINGS for name in names for between in BETWEEN
    ]
    for date in (*dates, *DATES):
        match = compile_format(date).pattern.match(text)
        if match is None:
            continue
        rest = text[match.end() :]
        if not rest:
            yield date
        elif not rest[0].isdigit() and not date.endswith("W%V"):  # a day of the week behind it
            for between in (" ", ", ", "T", "-", ":", "_"):
                if rest.startswith(between):
                    yield from _with_clock(text, f"{date}{between}", rest.removeprefix(between))


def _with_clock(text: str, date: str, behind: str) -> Iterator[str]:
    for clock in CLOCKS:
        if clock == "%H%M%S" and _HOUR_AND_MINUTE.match(behind):  # no seconds with a fraction
            continue
        for zone in ("", "%z", " %z"):
            if compile_format(f"{date}{clock}{zone}").shape(text) is not None:
                yield f"{date}{clock}{zone}"


def are_clocks(values: Sequence[Any]) -> bool:
    """Return whether all values are times of a day, as text.

    >>> are_clocks(["10:15", "9:05 PM"]), are_clocks(["2019-03-27 10:15"]), are_clocks([])
    (True, False, False)
    """
    return bool(values) and all(
        isinstance(value, str) and _CLOCK.fullmatch(value) is not None for value in values
    )


def describe(form: TimeForm, first: Any, *, kept: bool = False) -> str:
    """Return how times are read, in a few words.

    Args:
        form: how they are written.
        first: the first value.
        kept: whether it is text only because JSON has no times.

    >>> describe(AUTO, 1553644800), describe(TimeForm(format="%d.%m.%Y"), "27.03.2019")
    ('number, unit by its magnitude', 'text as %d.%m.%Y, read as UTC')
    """
    kind = "times" if kept else "text" if isinstance(first, str) else "number"
    if form.days is not None:
        kind = f"{kind} of {'days, as Excel counts them' if form.days else 'days since 1970'}"
        return f"{kind}, read as {form.timezone or 'UTC'}"
    if form.format is None and (kind == "number" or epoch_of(first)):
        unit = "unit by its magnitude" if form.unit == "auto" else form.unit
        return f"{kind}, {unit}"
    if form.format is not None and not kept:
        kind = f"{kind} as {form.format}"
    return kind if _ZONED.search(str(first)) else f"{kind}, read as {form.timezone or 'UTC'}"
