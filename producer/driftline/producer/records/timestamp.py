"""Event times: RFC 3339 text or epoch numbers to integer milliseconds since 1970, and back.

What is accepted:

* text of the form ``2019-03-27T00:00:00.123+02:00``: a ``T`` or a space between date and time,
  any number of fractional digits, any offset; without an offset it is UTC; a date alone is its
  midnight.
* a number of seconds, milliseconds, microseconds or nanoseconds since 1970. With the unit ``auto``
  by its magnitude: below 1e11 seconds, below 1e14 ms, below 1e17 us, else ns.

Times are floored to whole milliseconds. A number of seconds with a fraction is first rounded to
microseconds, so that 1553644800.123 (which no float holds exactly) is the 123rd millisecond.
A time before 2000 or after 2262 is unreadable: it is a wrong unit or a clock that was never set.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Literal

TimestampUnit = Literal["auto", "s", "ms", "us", "ns"]

EARLIEST = 946_684_800_000
"""2000-01-01T00:00:00Z in ms; earlier times are unreadable."""
LATEST = 9_246_182_400_000
"""2263-01-01T00:00:00Z in ms; times from here on are unreadable."""

_DAY = 86_400_000
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def parse_timestamp(value: object, unit: TimestampUnit = "auto") -> int | None:
    """Read one time.

    Args:
        value: RFC 3339 text, or a number since 1970.
        unit: of numbers; `auto` derives it from the magnitude.

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
