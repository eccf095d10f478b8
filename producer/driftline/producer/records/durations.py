"""Durations as Prometheus writes them: `90s`, `5m`, `1h30m`, `30d`, `2w`.

Inside Driftline a duration is a whole number of milliseconds.
"""

from __future__ import annotations

import re

UNITS: dict[str, int] = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
"""Milliseconds of each unit, largest first; a year is 365 days, as in Prometheus."""

PATTERN = "".join(rf"(?:([0-9]+){unit})?" for unit in UNITS)
"""One duration: each unit at most once, the largest first. The empty text matches too."""

_DURATION = re.compile(PATTERN)
_LONGEST = 100 * UNITS["y"]


def parse_duration(text: str) -> int:
    """Return a duration in milliseconds.

    Raises:
        ValueError: not a duration, or longer than 100 years.

    >>> parse_duration("1h30m")
    5400000
    """
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise ValueError("not a duration; write for example 90s, 5m, 1h30m or 30d")
    parts = zip(match.groups(default="0"), UNITS.values(), strict=True)
    duration = sum(int(count) * unit for count, unit in parts)
    if duration > _LONGEST:
        raise ValueError("longer than 100 years")
    return duration


def format_duration(duration: int) -> str:
    """Write a duration in ms with the largest units first, days being the largest.

    Weeks are not used, so that a duration reads the same wherever it comes from.

    >>> [format_duration(ms) for ms in (518400000, 5400000, 500, 0)]
    ['6d', '1h30m', '500ms', '0s']
    """
    text = ""
    for name in ("d", "h", "m", "s", "ms"):
        count, duration = divmod(duration, UNITS[name])
        if count:
            text += f"{count}{name}"
    return text or "0s"
