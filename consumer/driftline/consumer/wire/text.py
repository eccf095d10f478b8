"""Words that depend on a number."""

from __future__ import annotations

from collections.abc import Sequence


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


def some(names: Sequence[str], most: int) -> str:
    """Return the first `most` names as a list, and how many more there are.

    >>> some(["a", "b", "c"], 2), some(["a", "b"], 2)
    ('a, b and 1 more', 'a, b')
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
