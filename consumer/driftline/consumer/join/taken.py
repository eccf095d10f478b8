"""What must be known of rows that are gone when the past is read again from a time on.

Rows of one id mostly fare as they did before, whatever lay before that time: what is left of a
prediction that got its label is that label, and those who wait for nothing are known
(`JoinState.early`). Not so a prediction whose label came first, or one whose id another had: alone
it would wait. So of such an id a state says until when it was taken by a row from before, and
whatever it has until then is passed over.

Reading begins again at whole steps of time only. So rows within one step, as nearly all of the two
answers to one event are, need no such word.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.join.index import IdArray
from driftline.detectors.grid import IntArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_NEVER = np.iinfo(np.int64).min


class TakenIds:
    """Ids that rows held which are gone: since when, and until when; times in ms since 1970.

    Args:
        most: so many may be across the time from which the past is read again; while there are
            more, that time stays where it was.

    >>> taken = TakenIds(most=2)
    >>> taken.add(np.array([7, 8], np.uint64), np.array([10, 20]), np.array([100, 200]))
    >>> ids, until = taken.across(taken.since(15))
    >>> ids.tolist(), until.tolist()
    ([7], [100])
    >>> taken.holds(np.array([7, 7, 9], np.uint64), np.array([99, 100, 99])).tolist()
    [True, False, False]
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._last = _NEVER
        self._ids = np.zeros(0, np.uint64)
        self._since = np.zeros(0, np.int64)
        self._until = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: IdArray, since: IntArray, until: IntArray) -> None:
        """Note that rows are gone."""
        if len(ids):
            self._ids = np.concatenate([self._ids, ids])
            self._since = np.concatenate([self._since, since])
            self._until = np.concatenate([self._until, until])

    def since(self, time: int) -> int:
        """Return the time from which the past may be read again: `time`, or the one before.

        `time` never falls from call to call. What ended before it is forgotten.
        """
        if int(np.count_nonzero(self._across(time))) <= self._most:
            self._last = time
            kept = self._until > time
            self._ids, self._since = self._ids[kept], self._since[kept]
            self._until = self._until[kept]
        return self._last

    def across(self, time: int) -> tuple[IdArray, IntArray]:
        """Return the ids that were taken before and at `time`, and until when."""
        chosen = self._across(time)
        return self._ids[chosen], self._until[chosen]

    def holds(self, ids: IdArray, times: IntArray) -> NDArray[np.bool_]:
        """Return which rows, by id and time, come while their id is taken."""
        order = np.lexsort((self._until, self._ids))
        known, until = self._ids[order], self._until[order]
        last = np.searchsorted(known, ids, side="right") - 1
        found = last >= 0
        found[found] = known[last[found]] == ids[found]
        found[found] = times[found] < until[last[found]]
        return found

    def _across(self, time: int) -> NDArray[np.bool_]:
        return (self._since < time) & (time < self._until)


class CrossedRows:
    """Rows that decided a prediction's fate which may not be read again with them.

    By row number the time (ms) since which their id is held: their own, or that of the label that
    came before.

    >>> crossed, numbers = CrossedRows(), np.array([4, 5, 6])
    >>> crossed.note(numbers[1:2], np.array([17]))
    >>> crossed.first_time(), crossed.since(numbers, np.array([20, 30, 40])).tolist()
    (17, [20, 17, 40])
    >>> places, since = crossed.take_out(numbers)
    >>> places.tolist(), since.tolist(), crossed.first_time()
    ([1], [17], None)
    """

    def __init__(self) -> None:
        self._since: dict[int, int] = {}

    def note(self, numbers: IntArray, since: IntArray) -> None:
        """Note rows."""
        self._since.update(zip(numbers.tolist(), since.tolist(), strict=True))

    def since(self, numbers: IntArray, times: IntArray) -> IntArray:
        """Return since when the rows' ids are held; `times`: of the rows."""
        places = self._places(numbers)
        if places.size:
            times = times.copy()
            times[places] = [self._since[number] for number in numbers[places].tolist()]
        return times

    def take_out(self, numbers: IntArray) -> tuple[IntArray, IntArray]:
        """Forget rows; return the places of those that were noted, and since when."""
        places = self._places(numbers)
        since = [self._since.pop(number) for number in numbers[places].tolist()]
        return places, np.array(since, np.int64)

    def first_time(self) -> int | None:
        """Return the smallest time."""
        return min(self._since.values(), default=None)

    def _places(self, numbers: IntArray) -> IntArray:
        if not self._since:
            return np.zeros(0, np.int64)
        return np.flatnonzero(np.isin(numbers, np.fromiter(self._since, np.int64)))


class Meetings:
    """Predictions that met a label that came first, each as a number of its id and its time.

    When the past is read again, another label found waiting belongs to a prediction that is not
    read again. Of an id that comes once that cannot be: so if the meetings are too many to name,
    only ids that come again may be counted once more or once less after a restart.

    Args:
        most: how many are remembered.

    >>> meetings = Meetings(most=1)
    >>> meetings.add(np.array([7], np.uint64), np.array([1_000]))
    >>> len(meetings.since(0)), len(meetings.since(1_001))
    (1, 0)
    >>> meetings.add(np.array([8, 9], np.uint64), np.array([1_002, 1_003]))
    >>> meetings.since(1_001), len(meetings.since(1_004))
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
