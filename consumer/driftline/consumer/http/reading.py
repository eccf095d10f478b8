"""Reading the worker's status from another thread, at no cost to the worker.

The worker changes plain dictionaries and takes no lock. What a page needs is read in one function
without side effects: what it finds in a dictionary is immutable or a single number, and when a
dictionary grows under a loop, Python raises and the function is called again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Dictionaries grow when partitions, models or alerts come and go, not per event: a second attempt
# is rare, and this many in a row would be an error in the code.
_ATTEMPTS = 100


def read_steadily(look: Callable[[], T]) -> T:
    """Return what `look` returns from an attempt during which no dictionary changed its size.

    Args:
        look: reads the status; has no side effects.

    Raises:
        RuntimeError: no attempt came through.

    Example:
        >>> read_steadily(lambda: sum({"a": 1, "b": 2}.values()))
        3
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return look()
        except RuntimeError:  # dictionary changed size during iteration
            continue
    return look()
