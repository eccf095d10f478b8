"""What windows lie along: event time, or the numbers of a file's rows.

All stages compute with whole numbers that grow along the axis. Here is how these are written in
records, ids and sentences; nothing else tells the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from driftline.consumer.wire.records import Window
from driftline.producer.records.durations import format_duration
from driftline.producer.records.timestamp import EARLIEST, format_time

if TYPE_CHECKING:
    from driftline.consumer.config import WindowConfig


class Axis(Protocol):
    """How a place on it, and a way along it, are written."""

    def window(self, start: int, end: int, events: int) -> Window:
        """Return a window from `start` to before `end`, as records have it."""

    def key(self, place: int) -> str:
        """Return a place as ids have it."""

    def time(self, place: int) -> str | None:
        """Return its time as records have it, which is None along rows; see `Window`."""

    def rows(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the first and the last row from `start` to before `end`; None along time."""

    def moment(self, place: int) -> str:
        """Return a place as sentences have it."""

    def length(self, way: int) -> str:
        """Return a way as sentences have it."""

    def short(self, way: int) -> str:
        """Return a way as configurations and tables have it."""


class TimeAxis:
    """Event time, ms since 1970.

    >>> TIME.moment(1553644800000), TIME.length(96 * 86_400_000)
    ('2019-03-27 00:00 UTC', '96 days')
    """

    def window(self, start: int, end: int, events: int) -> Window:
        """Return a window by its times."""
        return Window(format_time(start), format_time(end), events)

    def key(self, place: int) -> str:
        """Return the time in RFC 3339."""
        return format_time(place)

    def time(self, place: int) -> str | None:
        """Return the time in RFC 3339."""
        return format_time(place)

    def rows(self, start: int, end: int) -> tuple[int, int] | None:
        """Return None."""
        return None

    def moment(self, place: int) -> str:
        """Return the time as a person writes it."""
        return moment(place)

    def length(self, way: int) -> str:
        """Return the duration as a person writes it."""
        return duration(way)

    def short(self, way: int) -> str:
        """Return the duration, such as `6h`."""
        return format_duration(way)


TIME = TimeAxis()


@dataclass(frozen=True)
class RowAxis:
    """Numbers of rows, from 1; the place of row 1 is `origin`.

    >>> axis = RowAxis.of(1_000)
    >>> axis.window(axis.origin + 4_000, axis.origin + 5_000, 1_000).rows
    (4001, 5000)
    >>> axis.moment(axis.origin + 4_000), axis.length(3_000)
    ('row 4,001', '3,000 rows')
    """

    origin: int

    @classmethod
    def of(cls, every: int) -> RowAxis:
        """Return the axis of which row 1 begins a pane of `every` rows; it lies where times do."""
        return cls(-(-EARLIEST // every) * every)

    def window(self, start: int, end: int, events: int) -> Window:
        """Return a window by its rows; the first may begin before the file."""
        return Window(None, None, events, self.rows(start, end))

    def key(self, place: int) -> str:
        """Return the number of the row."""
        return str(self._number(place))

    def time(self, place: int) -> str | None:
        """Return None."""
        return None

    def rows(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the numbers of the first and the last row."""
        return (self._number(start), self._number(end) - 1)

    def moment(self, place: int) -> str:
        """Return the number of the row, with its noun."""
        return f"row {self._number(place):,}"

    def length(self, way: int) -> str:
        """Return how many rows."""
        return f"{way:,} {'row' if way == 1 else 'rows'}"

    def short(self, way: int) -> str:
        """Return how many rows."""
        return self.length(way)

    def _number(self, place: int) -> int:
        return max(place - self.origin, 0) + 1


def axis_of(window: WindowConfig) -> Axis:
    """Return the axis of a model's windows."""
    return TIME if window.rows is None else RowAxis.of(window.every)


def moment(time: int) -> str:
    """Return a time (ms since 1970) as a person writes it.

    Example:
        >>> moment(1553644800000)
        '2019-03-27 00:00 UTC'
    """
    return f"{format_time(time)[:16].replace('T', ' ')} UTC"


def duration(ms: int) -> str:
    """Return a length of time in its largest whole unit or two.

    Example:
        >>> duration(96 * 86_400_000), duration(90 * 60_000), duration(3_600_000)
        ('96 days', '1 hour 30 minutes', '1 hour')
    """
    parts: list[str] = []
    for unit, length in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)):
        many, ms = divmod(ms, length)
        if many and len(parts) < 2:
            parts.append(f"{many:,} {unit}{'' if many == 1 else 's'}")
    return " ".join(parts) or "less than a minute"
