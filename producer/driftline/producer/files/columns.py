"""Which columns of a file are needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _none(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Columns:
    """The columns named, and all others that are wanted by their names.

    Attributes:
        named: those that are read wherever there are such.
        wanted: whether another column is needed.

    >>> columns = Columns(frozenset({"age"}), lambda name: name.startswith("new"))
    >>> [name in columns for name in ("age", "new_1", "id")]
    [True, True, False]
    """

    named: frozenset[str]
    wanted: Callable[[str], bool] = _none

    def __contains__(self, name: object) -> bool:
        """Return whether a column is needed."""
        return name in self.named or (isinstance(name, str) and self.wanted(name))
