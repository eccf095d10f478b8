"""Ids whose rows decided each other's fate in a way that must be seen again after a restart.

After a restart the rows are read again from a time on. Those of one id behind it mostly fare as
they did before, whatever lay before it: what is left of a prediction that got its label is that
label, and those who wait for nothing are known (`JoinState.early`). Not so a prediction whose label
came first, or one whose id another has: alone it would wait. So the first row of such an id holds
the time back until that waiting would be over, and every row of that id prolongs it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.join.index import IdIndex
from driftline.detectors.grid import IntArray

IdArray = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = 1 << 10
_OVER = np.iinfo(np.int64).max  # in the place of a time that is not held any more
_NEVER = np.iinfo(np.int64).min


def meetings(ids: IdArray, times: IntArray) -> IdArray:
    """Return a number for each prediction that meets a label: of its id and its time."""
    return ids ^ (times.astype(np.uint64) * _GOLDEN)


class Anchors:
    """Per id a time from which on it must be read again, and the time until which that holds.

    >>> anchors, ids = Anchors(), np.array([7, 8], np.uint64)
    >>> anchors.add(ids, np.array([10, 20]), np.array([100, 200]))
    >>> anchors.first_time()
    10
    >>> anchors.forget(150)
    >>> anchors.first_time()
    20
    """

    def __init__(self) -> None:
        self._index = IdIndex()
        self._used = 0
        self._ids = np.zeros(_FIRST, np.uint64)
        self._since = np.full(_FIRST, _OVER)
        self._until = np.full(_FIRST, _NEVER)
        self._met = [(self._ids[:0], self._ids[:0])]

    def add(self, ids: IdArray, since: IntArray, until: IntArray) -> None:
        """Hold times (ms) back for ids, all different, until other times."""
        rows = self._index.find(ids, self._ids)
        rows[rows < 0] = self._append(ids[rows < 0])
        self._since[rows] = np.minimum(self._since[rows], since)
        self._until[rows] = np.maximum(self._until[rows], until)

    def meet(self, ids: IdArray, meeting: IdArray) -> None:
        """Remember, while their ids are anchored, predictions that met a label that came first."""
        self._met.append((ids, meeting))

    def prolong(self, ids: IdArray, until: IntArray) -> None:
        """Hold those ids that are anchored until times in ms at least."""
        if self._used:
            rows = self._index.find(ids, self._ids)
            held = rows >= 0
            rows = rows[held]
            self._until[rows] = np.maximum(self._until[rows], until[held])

    def forget(self, now: int) -> None:
        """Let go of what is over at `now` (ms)."""
        over = self._until[: self._used] <= now
        self._since[: self._used][over] = _OVER
        if 2 * int(over.sum()) > self._used:
            kept = np.flatnonzero(~over)
            columns = self._ids[kept], self._since[kept], self._until[kept]
            self.met()  # forgets those of ids not held any more
            self._index, self._used = IdIndex(), 0
            rows = self._append(columns[0])
            self._since[rows], self._until[rows] = columns[1:]

    def first_time(self) -> int | None:
        """Return the smallest time held back, ms since 1970."""
        first = int(self._since[: self._used].min(initial=_OVER))
        return None if first == _OVER else first

    def met(self) -> IdArray:
        """Return the predictions that met a label that came first, see `meetings`."""
        ids, meeting = (np.concatenate(column) for column in zip(*self._met, strict=True))
        rows = self._index.find(ids, self._ids)
        held = (rows >= 0) & (self._since[np.maximum(rows, 0)] != _OVER)
        self._met = [(ids[held], meeting[held])]
        return self._met[0][1]

    def _append(self, ids: IdArray) -> IntArray:
        """Return the rows of new ids."""
        rows = np.arange(self._used, self._used + len(ids))
        self._used += len(ids)
        if self._used > len(self._ids):
            more = 2 * self._used - len(self._ids)
            self._ids = np.concatenate([self._ids, np.zeros(more, np.uint64)])
            self._since = np.concatenate([self._since, np.full(more, _OVER)])
            self._until = np.concatenate([self._until, np.full(more, _NEVER)])
        self._ids[rows], self._since[rows], self._until[rows] = ids, _OVER, _NEVER
        self._index.add(ids, rows, self._ids)
        return rows
