"""Ids that stay reserved for a row that is no longer read, after a restart.

After a restart rows are read again from a time on, and must be matched as they were before. For
most ids this needs no memory: of a matched prediction only its label is read again, and the labels
that wait for nothing are in the state (`JoinState.early`). It needs memory where the label came
before its prediction, or where an earlier row had the same id: read again alone, the later row
would wait. For such an id the state keeps until when it is reserved for the earlier row; rows with
that id are skipped until then.

Reading begins again at whole steps of time only. So rows within one step, as nearly all pairs of
answers to one event are, need no such entry.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.wire.join_rows import IdArray
from driftline.detectors.grid import IntArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_NEVER = np.iinfo(np.int64).min
_NONE = np.iinfo(np.int64).max


class ReservedIds:
    """Ids of rows that were dropped: reserved since when, and until when; times in ms since 1970.

    Args:
        most: the most that are named of those reserved at a time. Of ids that come again all the
            time there may be more; then rows of the others may be counted once more or once less
            after a restart.

    >>> reserved = ReservedIds(most=2)
    >>> reserved.add(np.array([7, 8], np.uint64), np.array([10, 20]), np.array([100, 200]))
    >>> ids, until = reserved.across(15)
    >>> ids.tolist(), until.tolist()
    ([7], [100])
    >>> reserved.holds(np.array([7, 7, 9], np.uint64), np.array([99, 100, 99])).tolist()
    [True, False, False]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        none = np.zeros(0, np.int64)
        self._parts = [(none.astype(np.uint64), none, none)]

    def __len__(self) -> int:
        return sum(len(ids) for ids, _, _ in self._parts)

    def add(self, ids: IdArray, since: IntArray, until: IntArray) -> None:
        """Note that rows were dropped."""
        if len(ids):
            self._parts.append((ids, since, until))

    def across(self, time: int) -> tuple[IdArray, IntArray]:
        """Return ids that were reserved before and at `time`, and until when; the longest.

        `time` never falls from call to call. What ended before it is forgotten.
        """
        ids, since, until = self._whole()
        kept = until > time
        ids, since, until = ids[kept], since[kept], until[kept]
        self._parts = [(ids, since, until)]
        chosen = np.flatnonzero(since < time)
        chosen = chosen[np.lexsort((ids[chosen], -until[chosen]))[: self._most]]
        return ids[chosen], until[chosen]

    def holds(self, ids: IdArray, times: IntArray) -> NDArray[np.bool_]:
        """Return which rows, by id and time, come while their id is reserved."""
        known, _, until = self._whole()
        order = np.lexsort((until, known))
        known, until = known[order], until[order]
        last = np.searchsorted(known, ids, side="right") - 1
        found = last >= 0
        found[found] = known[last[found]] == ids[found]
        found[found] = times[found] < until[last[found]]
        return found

    def _whole(self) -> tuple[IdArray, IntArray, IntArray]:
        ids, since, until = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        self._parts = [(ids, since, until)]
        return ids, since, until


class CrossedRows:
    """Rows that decided a prediction's fate which may not be read again with them.

    By row number the time (ms) since which their id is held: their own, or that of the label that
    came before. Mostly there is none, and then no memory is taken.

    >>> crossed, numbers = CrossedRows(), np.array([4, 5, 6])
    >>> crossed.note(numbers[1:2], np.array([17]))
    >>> crossed.first_time(), crossed.since(numbers, np.array([20, 30, 40])).tolist()
    (17, [20, 17, 40])
    >>> places, since = crossed.take_out(numbers)
    >>> places.tolist(), since.tolist(), crossed.first_time()
    ([1], [17], None)
    """

    def __init__(self) -> None:
        self._since = np.zeros(0, np.int64)  # by row number

    def note(self, numbers: IntArray, since: IntArray) -> None:
        """Note rows."""
        if numbers.size:
            self._fit(int(numbers.max()) + 1)
            self._since[numbers] = since

    def since(self, numbers: IntArray, times: IntArray) -> IntArray:
        """Return since when the rows' ids are held; `times`: of the rows."""
        noted = self._noted(numbers)
        return np.where(noted == _NONE, times, noted)

    def take_out(self, numbers: IntArray) -> tuple[IntArray, IntArray]:
        """Forget rows; return the places of those that were noted, and since when."""
        noted = self._noted(numbers)
        places = np.flatnonzero(noted != _NONE)
        self._since[numbers[places]] = _NONE
        return places, noted[places]

    def first_time(self) -> int | None:
        """Return the smallest time."""
        first = int(self._since.min(initial=_NONE))
        return None if first == _NONE else first

    def _noted(self, numbers: IntArray) -> IntArray:
        if not self._since.size:
            return np.full(len(numbers), _NONE)
        self._fit(int(numbers.max(initial=0)) + 1)
        return self._since[numbers]

    def _fit(self, size: int) -> None:
        if size > len(self._since):
            more = size + size // 4 - len(self._since)
            self._since = np.concatenate([self._since, np.full(more, _NONE)])


class EarlyMatches:
    """Predictions that met a label that came first, each as a number of its id and its time.

    When the past is read again, another label found waiting belongs to a prediction that is not
    read again. Of an id that comes once that cannot be: so if the matches are too many to name,
    only ids that come again may be counted once more or once less after a restart.

    Args:
        most: how many are remembered.

    >>> early_matches = EarlyMatches(most=1)
    >>> early_matches.add(np.array([7], np.uint64), np.array([1_000]))
    >>> len(early_matches.since(0)), len(early_matches.since(1_001))
    (1, 0)
    >>> early_matches.add(np.array([8, 9], np.uint64), np.array([1_002, 1_003]))
    >>> early_matches.since(1_001), len(early_matches.since(1_004))
    (None, 0)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known = np.zeros(0, np.uint64)
        self._times = np.zeros(0, np.int64)
        self._all_from = _NEVER  # from this time on they are all known

    @staticmethod
    def of(ids: IdArray, times: IntArray) -> IdArray:
        """Return the number of each prediction, of its id and its time (ms)."""
        return ids ^ (times.astype(np.uint64) * _GOLDEN)

    def add(self, ids: IdArray, times: IntArray) -> None:
        """Remember predictions that met."""
        self._known = np.concatenate([self._known, self.of(ids, times)])
        self._times = np.concatenate([self._times, times])
        if len(self._known) > self._most:
            self._all_from = max(self._all_from, int(self._times.max()) + 1)
            self._keep(self._times >= self._all_from)

    def since(self, time: int) -> IdArray | None:
        """Return those of a time (ms) or later, None if they are too many; forget the others."""
        self._keep(self._times >= time)
        return None if time < self._all_from else self._known

    def _keep(self, chosen: NDArray[np.bool_]) -> None:
        self._known, self._times = self._known[chosen], self._times[chosen]
