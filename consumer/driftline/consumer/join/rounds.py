"""Rows that are matched together, in rounds: in each at most one row of every id."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from driftline.consumer.wire.join_rows import JoinRows

# Rows of one id that are still to come before it is worth looking which of them change nothing.
_MANY = 16
_MOST = 4_096  # that are looked at at a time


class Rounds:
    """The rounds of a batch: rows of one id in their order, rows of different ids side by side.

    Args:
        rows: in the order in which they are matched.

    Attributes:
        rows: the same, those of one id behind one another.

    >>> rows = JoinRows.none(tags=0)
    >>> bool(Rounds(rows))
    False
    """

    def __init__(self, rows: JoinRows) -> None:
        self._order = np.argsort(rows.ids, kind="stable")
        self.rows = rows.select(self._order)
        ids = self.rows.ids
        self._next = np.flatnonzero(np.diff(ids, prepend=ids[:1] + np.uint64(1)))
        self._end = np.append(self._next[1:], len(ids))[: len(self._next)]

    def __bool__(self) -> bool:
        """Whether rows are left."""
        return self._next.size > 0

    def take(self) -> JoinRows:
        """Take out the next row of every id, in the order in which they are matched."""
        rows = self.rows.select(self._next[np.argsort(self._order[self._next])])
        self._next = self._next + 1
        self._drop_done()
        return rows

    def runs(self) -> Iterator[slice]:
        """Yield the places, in `rows`, of what is left of each id that has many rows."""
        long = self._end - self._next >= _MANY
        for begin, end in zip(self._next[long].tolist(), self._end[long].tolist(), strict=True):
            yield slice(begin, min(end, begin + _MOST))

    def skip(self, run: slice, many: int) -> None:
        """Leave out the first rows of a run: they have had their effect."""
        self._next[self._next == run.start] += many
        self._drop_done()

    def _drop_done(self) -> None:
        left = self._next < self._end
        if not left.all():
            self._next, self._end = self._next[left], self._end[left]
