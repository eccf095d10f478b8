"""Event times: text or numbers since 1970 to integer milliseconds, and back.

What is accepted, where nothing else is configured (`TimeForm`):

* text that says itself what its parts are (`time_text.FORMS`): the year first, or the month by its
  name. Seconds, fraction and offset may be left out; without an offset it is UTC; a date alone is
  its midnight. From 1678 to 2261.
* a number of seconds, milliseconds, microseconds or nanoseconds since 1970, also as text. With the
  unit `auto` by its magnitude: below 1e11 seconds, below 1e14 ms, below 1e17 us, else ns. A number
  that is before 2000 is unreadable: it is of another unit, or of a clock that was never set.

Times are floored to whole milliseconds. A float of seconds is first rounded to microseconds, so
that 1553644800.123 (which no float holds exactly) is the 123rd millisecond.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from driftline.producer.records.number_text import plain_number
from driftline.producer.records.time_form import AUTO, TimeForm, TimestampUnit
from driftline.producer.records.time_text import EPOCH, Shape, epoch_of

FIRST = -9_214_560_000_000
"""1678-01-01T00:00:00Z in ms; earlier times are unreadable."""
LATEST = 9_214_646_400_000
"""2262-01-01T00:00:00Z in ms; times from here on are unreadable."""
EARLIEST = 946_684_800_000
"""2000-01-01T00:00:00Z in ms; a number since 1970, or the time of a record, says nothing before."""

DAY = 86_400_000
"""ms."""
FIRST_COUNTED = 61
"""The first number of days that is read: before it Excel counts a day that never was."""

_MIDNIGHT = re.compile(r"[Tt ]00:00(?::00(?:\.0+)?)?[Zz]?\Z")
_1970 = datetime(1970, 1, 1, tzinfo=UTC)


def parse_timestamp(value: object, form: TimeForm = AUTO) -> int | None:
    """Read one time.

    Args:
        value: text, or a number since 1970.
        form: how it is written.

    Returns:
        Milliseconds since 1970, or None if the value is no time from 1678 to 2261, or a number
        before 2000.

    >>> parse_timestamp("2019-03-27 00:00:00.000"), parse_timestamp(1553644800)
    (1553644800000, 1553644800000)
    >>> parse_timestamp("27/3/2019", TimeForm(format="%d/%m/%Y", timezone="+01:00"))
    1553641200000
    >>> parse_timestamp("yesterday") is None
    True
    """
    if isinstance(value, bool):
        return None
    if form.days is not None:
        return _parse_days(value, form)
    if form.format is not None:
        value = digits(value)
    if isinstance(value, str):
        return _parse_text(value, form)
    time: int | None
    if isinstance(value, int):
        time = _parse_integer(value, form.unit)
    elif isinstance(value, float):
        time = _parse_float(value, form.unit)
    else:
        return None
    return time if time is not None and EARLIEST <= time < LATEST else None


def digits(value: object) -> object:
    """Return a number that a format reads as the text of its digits; anything else as it is.

    >>> digits(20190327), digits(20190327.0), digits(0.5), digits(None)
    ('20190327', '20190327', 0.5, None)
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return str(value) if type(value) is int else value


def day_count(value: object) -> float:
    """Return a number of days, also as text; NaN where a value is none.

    >>> day_count("46082.5"), day_count("2026-03-01")
    (46082.5, nan)
    """
    if isinstance(value, str):
        value = plain_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e9:
        return math.nan
    return float(value)


def _parse_days(value: object, form: TimeForm) -> int | None:
    days, first = day_count(value), form.days or 0
    if not FIRST_COUNTED <= days < LATEST // DAY - first:
        return None
    local = round((days + first) * DAY)
    time = local if form.zone is None else local - form.zone.ahead(local)
    return time if FIRST <= time < LATEST else None


def join_clock(date: object, clock: object) -> object:
    """Return a date and a time of day as one text; None where there is no date.

    A date may be a number such as 20190327, and one that is kept as a time is at midnight.

    >>> join_clock("2019-03-27", "10:15"), join_clock("2019-03-27T00:00:00Z", 1015)
    ('2019-03-27 10:15', '2019-03-27 1015')
    """
    if date is None:
        return None
    day, hour = digits(date), digits(clock)
    return f"{_MIDNIGHT.sub('', day) if isinstance(day, str) else day} {hour}"


def format_time(time: int) -> str:
    """Write milliseconds since 1970 as RFC 3339 in UTC; with milliseconds only if they are not 0.

    >>> format_time(1553644800000), format_time(1553644800120)
    ('2019-03-27T00:00:00Z', '2019-03-27T00:00:00.120Z')
    """
    return f"{format_local(time)}Z"


def format_local(time: int) -> str:
    """Write what a clock showed, in milliseconds since 1970, without an offset.

    >>> format_local(1553644800120)
    '2019-03-27T00:00:00.120'
    """
    seconds, ms = divmod(time, 1000)
    text = (_1970 + timedelta(seconds=seconds)).isoformat()[:19]
    return f"{text}.{ms:03d}" if ms else text


def is_written(value: object) -> bool:
    """Return whether a value is a time as text that is more than a number.

    >>> is_written("2019-03-27"), is_written("1553644800")
    (True, False)
    """
    return (
        isinstance(value, str)
        and EPOCH.fullmatch(value) is None
        and parse_timestamp(value) is not None
    )


def shape_of(text: str, form: TimeForm) -> Shape | None:
    """Return the shape of a text that is written in a form; None if it is not."""
    shapes = (each.shape(text) for each in form.forms)
    return next((shape for shape in shapes if shape is not None), None)


def _parse_text(text: str, form: TimeForm) -> int | None:
    if form.format is None:
        epoch = epoch_of(text)
        if epoch is not None:
            return _parse_digits(epoch[1], epoch[2] or "", form.unit)
    shape = shape_of(text, form)
    if shape is None:
        return None
    part = {name: int(text[slice(*span)]) for name, span in shape.spans.items() if name != "f"}
    if "f" in shape.spans:
        part["f"] = milliseconds(text[slice(*shape.spans["f"])])
    local, fits = shape.local(part)
    if not fits:
        return None
    ahead = 0
    if shape.zoned:
        ahead, fits = shape.ahead(part)
        if not fits:
            return None
    elif form.zone is not None:
        ahead = form.zone.ahead(local)
    time: int = local - ahead
    return time if FIRST <= time < LATEST else None


def milliseconds(fraction: str) -> int:
    """Return the whole milliseconds of the digits behind the seconds.

    >>> milliseconds("5"), milliseconds("123999")
    (500, 123)
    """
    return int(fraction[:3].ljust(3, "0"))


def _parse_digits(whole: str, fraction: str, unit: TimestampUnit) -> int | None:
    value = int(whole)
    if unit == "auto":
        unit = _unit_of(value)
    time = _parse_integer(value, unit)
    if unit == "s":
        time += milliseconds(fraction)
    return time if EARLIEST <= time < LATEST else None


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
