"""How long a pane is: as short as holds about 100 events, so that a change is seen soon."""

from __future__ import annotations

EVENTS = 100
"""Events that a pane should hold."""

LEAST_PANES = 30
"""Panes that a reference needs, to tell how much they vary."""

MOST_PANES = 1_000
"""Most panes of one window that are kept and added up."""

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
LENGTHS = (
    *(minutes * _MINUTE for minutes in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 4, 6, 8, 12)),
    *(days * _DAY for days in (1, 2, 3, 7, 14, 28, 56, 91, 182, 364)),
)
"""Lengths that a pane may have, ms."""


def part_of(step: int, rate: float, least: float, most: float) -> int:
    """Return the length of panes, ms: the part of a step that holds about 100 events.

    Args:
        step: from one window to the next, ms.
        rate: events a millisecond.
        least: ms.
        most: ms; where no part of the step is between both, the next longer one.

    Example:
        >>> part_of(3_600_000, 1_500 / 3_600_000, 3_600, 86_400_000) // 60_000
        5
    """
    parts = [length for length in LENGTHS if length < step and step % length == 0]
    return _chosen([*parts, step], rate, least, most)


def part_of_rows(rows: int, least: float, most: float) -> int:
    """Return the rows of a pane: the part of a step of `rows` that holds about 100.

    Example:
        >>> part_of_rows(1_000, 1, 500), part_of_rows(150, 1, 500), part_of_rows(1_000, 1, 66)
        (100, 75, 50)
    """
    parts = [part for part in range(1, rows + 1) if rows % part == 0]
    return _chosen(parts, 1.0, least, most)


def _chosen(lengths: list[int], rate: float, least: float, most: float) -> int:
    """Return the allowed length whose number of events is nearest to 100."""
    fitting = [length for length in lengths if length >= least] or lengths[-1:]
    allowed = [length for length in fitting if length <= most] or fitting[:1]
    return nearest(allowed, rate)


def nearest(lengths: list[int], rate: float) -> int:
    """Return the length whose number of events is nearest to 100, by their ratio.

    Args:
        lengths: ms or rows, at least one.
        rate: events a millisecond, or 1 for rows.

    Example:
        >>> nearest([70, 140], 1.0), nearest([71, 142], 1.0)
        (140, 71)
    """
    wanted = EVENTS / rate if rate > 0.0 else float("inf")
    return min(lengths, key=lambda length: max(length / wanted, wanted / length))
