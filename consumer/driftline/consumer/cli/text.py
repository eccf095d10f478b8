"""Words that depend on a number."""

from __future__ import annotations


def plural(count: int | float, noun: str) -> str:
    """Return a noun as it stands after a count.

    >>> f"1 {plural(1, 'event')}, 2 {plural(2, 'event')}"
    '1 event, 2 events'
    """
    return noun if count == 1 else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """Return a count and its noun.

    >>> counted(1_200, "event")
    '1,200 events'
    """
    return f"{count:,} {plural(count, noun)}"
