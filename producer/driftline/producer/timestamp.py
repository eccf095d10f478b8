"""Event times: RFC 3339 text or epoch numbers to integer milliseconds since 1970, and back.

What is accepted:

* text of the form ``2019-03-27T00:00:00.123+02:00``: a ``T`` or a space between date and time,
  any number of fractional digits, any offset; without an offset it is UTC; a date alone is its
  midnight.
* a number of seconds, milliseconds, microseconds or nanoseconds since 1970. With the unit ``auto``
  the magnitude tells: below 1e11 seconds, below 1e14 ms, below 1e17 us, else ns.

Times are floored to whole milliseconds. A number of seconds with a fraction is first rounded to
microseconds, so that 1553644800.123 (which no float holds exactly) is the 123rd millisecond.
A time before 2000 or after 2262 is unreadable: it is a wrong unit or a clock that was never set.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

TimestampUnit = Literal["auto", "s", "ms", "us", "ns"]

EARLIEST = 946_684_800_000
"""2000-01-01T00:00:00Z in ms; earlier times are unreadable."""
LATEST = 9_246_182_400_000
"""2263-01-01T00:00:00Z in ms; times from here on are unreadable."""
UNREADABLE = -(2**63)
"""Stands for an unreadable time in the arrays of `parse_timestamps`."""

_DAY = 86_400_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_FIXED_WIDTH = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def parse_timestamp(value: object, unit: TimestampUnit = "auto") -> int | None:
    """Read one time.

    Args:
        value: RFC 3339 text, or a number since 1970.
        unit: of numbers; `auto` tells it by the magnitude.

    Returns:
        Milliseconds since 1970, or None if the value is not a time between 2000 and 2262.

    >>> parse_timestamp("2019-03-27 00:00:00.000"), parse_timestamp(1553644800)
    (1553644800000, 1553644800000)
    >>> parse_timestamp("yesterday") is None
    True
    """
    if isinstance(value, str):
        time = _parse_text(value)
    elif isinstance(value, bool):
        return None
    elif isinstance(value, int):
        time = _parse_integer(value, unit)
    elif isinstance(value, float):
        time = _parse_float(value, unit)
    else:
        return None
    return time if time is not None and EARLIEST <= time < LATEST else None


def parse_timestamps(values: Sequence[object], unit: TimestampUnit = "auto") -> NDArray[np.int64]:
    """Read many times; texts of the usual fixed-width shapes are read column by column.

    Args:
        values: texts and numbers in any mixture, length n.
        unit: of numbers.

    Returns:
        int64 (n,): milliseconds since 1970, `UNREADABLE` where there is no time. Element by element
        the same as `parse_timestamp`.

    >>> parse_timestamps(["2019-03-27T00:00:00Z", 1553644800123]).tolist()
    [1553644800000, 1553644800123]
    """
    if set(map(type, values)) == {str} and len(set(map(len, values))) == 1:  # type: ignore[arg-type]  # all of them are str
        # So it is in most batches; putting them in order of length takes as long as reading them.
        return _parse_equal_lengths(values)  # type: ignore[arg-type]  # all of them are str
    times = np.full(len(values), UNREADABLE, dtype=np.int64)
    by_length: dict[int, list[int]] = {}
    for i, value in enumerate(values):
        if type(value) is str:
            by_length.setdefault(len(value), []).append(i)
        else:
            time = parse_timestamp(value, unit)
            if time is not None:
                times[i] = time
    for rows in by_length.values():
        texts = [values[i] for i in rows] if len(rows) < len(values) else values
        times[rows] = _parse_equal_lengths(texts)  # type: ignore[arg-type]  # all of them are str
    return times


def format_time(time: int) -> str:
    """Write milliseconds since 1970 as RFC 3339 in UTC; with milliseconds only if they are not 0.

    >>> format_time(1553644800000), format_time(1553644800120)
    ('2019-03-27T00:00:00Z', '2019-03-27T00:00:00.120Z')
    """
    seconds, ms = divmod(time, 1000)
    text = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return f"{text}.{ms:03d}Z" if ms else f"{text}Z"


def _parse_text(text: str) -> int | None:
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        return None
    if hour is None:
        return days * _DAY
    h, m, s = int(hour), int(minute), int(second)
    if h > 23 or m > 59 or s > 60:  # 60 is a leap second: the first of the next minute
        return None
    time = days * _DAY + (h * 3600 + m * 60 + s) * 1000
    if fraction is not None:
        time += int(fraction[:3].ljust(3, "0"))
    if offset is not None and offset not in "Zz":
        hours, minutes = int(offset[1:3]), int(offset[-2:])
        if hours > 23 or minutes > 59:
            return None
        shift = (hours * 60 + minutes) * 60_000
        time += shift if offset[0] == "-" else -shift
    return time


def _unit_of(value: float) -> TimestampUnit:
    magnitude = abs(value)
    if magnitude < 1e11:
        return "s"
    if magnitude < 1e14:
        return "ms"
    return "us" if magnitude < 1e17 else "ns"


def _parse_integer(value: int, unit: TimestampUnit) -> int:
    if unit == "auto":
        unit = _unit_of(value)
    if unit == "s":
        return value * 1000
    if unit == "ms":
        return value
    return value // (1000 if unit == "us" else 1_000_000)


def _parse_float(value: float, unit: TimestampUnit) -> int | None:
    if not math.isfinite(value):
        return None
    if value.is_integer():
        return _parse_integer(int(value), unit)
    if unit == "auto":
        unit = _unit_of(value)
    if unit == "s":
        return round(value * 1e6) // 1000
    return _parse_integer(math.floor(value), unit)


def _parse_equal_lengths(texts: Sequence[str]) -> NDArray[np.int64]:
    """Read texts that all have the length of the first; int64 (n,), `UNREADABLE` where no time."""
    shape = _FIXED_WIDTH.fullmatch(texts[0])
    joined = "".join(texts)
    if shape is None or not joined.isascii():
        return _parse_each(texts)
    length = len(texts[0])
    # One row for each position in the text, so that every step below runs over whole rows.
    rows = np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(-1, length).T.copy()
    fraction = len(shape[1]) - 1 if shape[1] else 0
    tail = 19 + (fraction + 1 if fraction else 0)  # where Z or the offset begins
    offset = length - tail == 6

    fits = (rows[10] == ord("T")) | (rows[10] == ord(" ")) | (rows[10] == ord("t"))
    for place, char in ((4, "-"), (7, "-"), (13, ":"), (16, ":")):
        fits &= rows[place] == ord(char)
    places = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
    if fraction:
        fits &= rows[19] == ord(".")
        places += range(20, 20 + fraction)
    if offset:
        fits &= rows[tail + 3] == ord(":")
        fits &= (rows[tail] == ord("+")) | (rows[tail] == ord("-"))
        places += [tail + 1, tail + 2, tail + 4, tail + 5]
    elif length > tail:
        fits &= (rows[tail] == ord("Z")) | (rows[tail] == ord("z"))
    unsigned = rows[places] - np.uint8(ord("0"))  # characters below 0 become large numbers
    fits &= (unsigned <= 9).all(axis=0)

    digits = unsigned.astype(np.int64)
    year = np.array([1000, 100, 10, 1]) @ digits[:4]
    month, day, hour, minute, second = (digits[i] * 10 + digits[i + 1] for i in (4, 6, 8, 10, 12))
    fits &= (year > 0) & (month > 0) & (month < 13) & (day > 0) & (hour < 24)
    fits &= (minute < 60) & (second < 60)
    fits &= day <= _days_in_month(year, np.where(fits, month, 1))
    times = _days_since_1970(year, month, day) * _DAY
    times += ((hour * 60 + minute) * 60 + second) * 1000
    for i, weight in zip(range(14, 14 + min(fraction, 3)), (100, 10, 1), strict=False):
        times += digits[i] * weight
    if offset:
        h1, h2, m1, m2 = digits[-4:]
        fits &= (h1 * 10 + h2 < 24) & (m1 < 6)
        shift = ((h1 * 10 + h2) * 60 + m1 * 10 + m2) * 60_000
        times += np.where(rows[tail] == ord("-"), shift, -shift)
    times[(times < EARLIEST) | (times >= LATEST)] = UNREADABLE
    strange = np.flatnonzero(~fits)
    if strange.size:
        times[strange] = _parse_each([texts[i] for i in strange.tolist()])
    return times


def _parse_each(texts: Sequence[str]) -> NDArray[np.int64]:
    times = (parse_timestamp(text) for text in texts)
    return np.fromiter(
        (UNREADABLE if time is None else time for time in times), np.int64, len(texts)
    )


_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def _days_in_month(year: NDArray[np.int64], month: NDArray[np.int64]) -> NDArray[np.int64]:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days: NDArray[np.int64] = _DAYS[month] + (leap & (month == 2))
    return days


def _days_since_1970(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Days of the Gregorian calendar: years that begin in March put the leap day last."""
    shifted = year - (month < 3)
    day_of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days: NDArray[np.int64] = (
        365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719_468
    )
    return days
