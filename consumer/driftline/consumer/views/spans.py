"""Where windows lie: whole numbers that order them, and the text that answers show."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from driftline.consumer.wire.records import Alert, Window
from driftline.producer.records.timestamp import format_time, parse_timestamp


class Span(NamedTuple):
    """A window's place on its axis; spans are in the order of their ends.

    Attributes:
        end, start: ms since 1970, or rows before it.
    """

    end: int
    start: int


def span_of(window: Window) -> Span:
    """Return where a window lies.

    >>> span_of(Window("2019-03-27T00:00:00Z", "2019-03-27T01:00:00Z", 7))
    Span(end=1553648400000, start=1553644800000)
    >>> span_of(Window(None, None, 1_000, (4_001, 5_000)))
    Span(end=5000, start=4000)
    """
    if window.rows is not None:
        first, last = window.rows
        return Span(last, first - 1)
    return _between(window.start, window.end)


def texts(span: Span, *, rows: bool) -> tuple[str, str]:
    """Return start and end as answers show them: times, or the first and the last row.

    >>> texts(Span(1553648400000, 1553644800000), rows=False)
    ('2019-03-27T00:00:00Z', '2019-03-27T01:00:00Z')
    >>> texts(Span(5_000, 4_000), rows=True)
    ('4001', '5000')
    """
    if rows:
        return str(span.start + 1), str(span.end)
    return format_time(span.start), format_time(span.end)


def place_of(text: str) -> int:
    """Return a place that answers show: ms since 1970 of a time, or the number of a row.

    Raises:
        ValueError: it is neither.

    >>> place_of("2019-03-27T00:00:00Z"), place_of("4001")
    (1553644800000, 4001)
    """
    if text.isascii() and text.isdigit() and len(text) < 12:
        return int(text)
    time = parse_timestamp(text)
    if time is None:
        raise ValueError(f"{text}: no time; write for example 2026-01-31T08:00:00Z")
    return time


def window_texts(window: Window) -> tuple[str, str]:
    """Return a window's start and end as answers show them."""
    if window.rows is not None:
        return str(window.rows[0]), str(window.rows[1])
    return window.times


def since_until(alert: Alert) -> tuple[str | None, str | None]:
    """Return since when an alert is, and until when it was, as answers show them."""
    if alert.rows is None:
        return alert.since, alert.until
    first, last = alert.rows
    return str(first), str(last) if alert.status == "resolved" else None


@lru_cache(maxsize=8_192)
def _between(start: str | None, end: str | None) -> Span:
    """Return the span of a window; one object for all streams that have the same windows."""
    return Span(parse_timestamp(end) or 0, parse_timestamp(start) or 0)
