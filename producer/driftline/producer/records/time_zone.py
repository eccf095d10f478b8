"""Local times to UTC: how far a zone's clocks are ahead, for one time and for many.

A local time that occurs twice, at the end of summer time, is the first of the two. One that does
not occur, at its beginning, is read as if the clocks had not been changed yet: 02:30 is what is
called 03:30 then. Both are what `fold=0` means in PEP 495.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from driftline.producer.errors import MappingError
from driftline.producer.records.names import nearest

_DAY = 86_400_000
YEAR = 365 * _DAY + _DAY // 4
"""ms; of the pieces of `changes`."""
_FIXED = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=64)
def find_zone(name: str) -> Zone:
    """Return a zone by its IANA name, or a fixed offset such as `+02:00`.

    Raises:
        MappingError: there is none of that name.

    >>> find_zone("Europe/Berlin").ahead(1_553_644_800_000), find_zone("-05:30").ahead(0)
    (3600000, -19800000)
    """
    fixed = _FIXED.fullmatch(name)
    if fixed is not None:
        sign, hours, minutes = fixed[1], int(fixed[2]), int(fixed[3] or 0)
        if hours < 24 and minutes < 60:
            ahead = timedelta(hours=hours, minutes=minutes)
            return Zone(name, timezone(-ahead if sign == "-" else ahead))
    try:
        return Zone(name, ZoneInfo(name))
    except (KeyError, OSError, ValueError):  # none of this name, or a name that can be none
        near = nearest(name, available_timezones())
        raise MappingError(
            f"there is no time zone {name!r}, {near or 'use a name such as Europe/Berlin'}, or an"
            " offset such as +02:00"
        ) from None


@dataclass(frozen=True)
class Zone:
    """A time zone.

    Attributes:
        name: as it is configured.
        rules: what it is made of.
    """

    name: str
    rules: tzinfo

    def ahead(self, local: int) -> int:
        """Return how far the clocks are ahead of UTC (ms) when they show a time (ms since 1970)."""
        times, offsets = changes(self.rules, local // YEAR)
        return offsets[bisect_right(times, local)]


@lru_cache(maxsize=4096)
def changes(rules: tzinfo, year: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the local times of one year (of 365.25 days) at which another offset begins.

    Args:
        rules: of a zone.
        year: the piece: the local time, floor-divided by `YEAR`.

    Returns:
        These times in ms, and the offsets in ms: before the first, then from each of them on.
    """
    instants, offsets = switches(rules, year)
    # Up to here a clock shows the old time, also where it shows it again.
    times = [
        instant + max(before, after)
        for instant, (before, after) in zip(instants, pairwise(offsets), strict=True)
    ]
    return tuple(times), offsets


@lru_cache(maxsize=4096)
def switches(rules: tzinfo, year: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the same with the instants (ms since 1970) from which on the offsets hold."""
    begin, end = year * YEAR - 2 * _DAY, (year + 1) * YEAR + 2 * _DAY
    before = _offset(rules, begin)
    instants, offsets = [], [before]
    for day in range(begin, end, _DAY):
        after = _offset(rules, day + _DAY)
        if after != before:
            instants.append(_first_with(rules, after, day, day + _DAY))
            offsets.append(after)
            before = after
    return tuple(instants), tuple(offsets)


def _first_with(rules: tzinfo, offset: int, low: int, high: int) -> int:
    """Return the first second from which on the offset is this one, in UTC."""
    while high - low > 1000:
        middle = (low + high) // 2000 * 1000
        low, high = (low, middle) if _offset(rules, middle) == offset else (middle, high)
    return high


def _offset(rules: tzinfo, instant: int) -> int:
    """Return how far the clocks are ahead at an instant (ms since 1970)."""
    ahead = (_EPOCH + timedelta(milliseconds=instant)).astimezone(rules).utcoffset()
    return (ahead or timedelta()) // timedelta(milliseconds=1)
