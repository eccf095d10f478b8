"""Values of Python as JSON holds them.

Times become RFC 3339 text, floored to milliseconds: in UTC, or without an offset where they have
no zone; dates `2019-03-27`, durations seconds, decimals floats, bytes and UUIDs text. NaN and
infinity stay floats. A value that Python cannot hold, such as a date beyond the year 9999, is null.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from driftline.producer.records.timestamp import format_local, format_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain_value(value: Any) -> Any:
    """Return a Python value as JSON holds it; NaN and infinity stay floats.

    >>> plain_value(Decimal("1.5")), plain_value(date(2019, 3, 27)), plain_value(b"a")
    (1.5, '2019-03-27', 'a')
    """
    if value is None or isinstance(value, float | str | int):
        return value
    if isinstance(value, datetime):
        if value != value:  # pandas' "not a time"
            return None
        write = format_time if value.tzinfo else format_local
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return write((zoned - _EPOCH) // timedelta(milliseconds=1))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(name): plain_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(inner) for inner in value]
    try:
        return float(value)  # numpy's half-precision numbers
    except (TypeError, ValueError):
        return str(value)  # a UUID, or what an extension of Arrow's types makes


def text_of(ms: int, *, local: bool) -> str | None:
    """Return milliseconds since 1970 as RFC 3339 text, None where there is no such text.

    Args:
        ms: in UTC, or what a clock showed.
        local: which of both it is; then it has no offset.
    """
    try:
        return format_local(ms) if local else format_time(ms)
    except (ValueError, OverflowError):  # beyond the year 9999
        return None
