"""Dropping the oldest rows when too many wait.

The number is looked at when the clock passes a whole minute, whatever the batches. A state keeps
what was dropped, so that the same rows are dropped when the past is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from driftline.consumer.join.matching import NEVER, Matching
from driftline.consumer.join.state import Cut
from driftline.consumer.join.waiting import EARLY, MATCHED, WAITING
from driftline.consumer.wire.join_rows import JoinRows

Apply = Callable[[JoinRows], None]

MOST_EARLY = 25_000
"""Labels that may wait for their prediction: a state names those that do. Many are labels of events
that this model never sees, where several models share a topic of labels."""

_LOOK = 60_000
_AGAIN = 1 << 62  # after the next rows
_LABELS, _ROWS = (EARLY,), (WAITING, EARLY, MATCHED)


class Overflow:
    """Matches rows, and drops the oldest where too many would be left waiting.

    Args:
        matching: the rows that wait.
        apply: matches rows.
        most: rows that may be left; down to nine tenths of that when they are more.
        cuts: what was dropped before, oldest first.

    Attributes:
        cuts: the same, as of now.
    """

    def __init__(self, matching: Matching, apply: Apply, most: int, cuts: Sequence[Cut]) -> None:
        self._matching = matching
        self._apply = apply
        self._most = most
        self.cuts = list(cuts)
        self._again = list(cuts)
        self._look = NEVER  # end of the last minute in which rows were matched

    def pass_on(self, rows: JoinRows, now: int, *, again: bool) -> None:
        """Match rows, in the order of their times; the clock is at `now` (ms).

        `again`: they were matched before, so exactly what was dropped then is dropped now.
        """
        self._let(self._as_before(rows, now) if again else self._where_overflow(rows, now))

    def forget(self, since: int) -> None:
        """Forget drops of rows of times before `since` (ms) only: none of them is read again."""
        self.cuts = [cut for cut in self.cuts if cut.up_to >= since]

    def _as_before(self, rows: JoinRows, now: int) -> JoinRows:
        """Match rows up to each drop of the run before, and repeat it; return the rows left."""
        while self._again and self._again[0].at <= now:
            cut = self._again.pop(0)
            rows = self._let_until(rows, cut.at)
            self._matching.drop_oldest(cut.at, cut.up_to, _LABELS if cut.early else _ROWS)
        return rows

    def _where_overflow(self, rows: JoinRows, now: int) -> JoinRows:
        """Match rows minute by minute while too many may be left; return the rows left."""
        while self._may_overflow(rows):
            if self._look <= now and not (len(rows) and rows.times[0] < self._look):
                for early, most in ((True, MOST_EARLY), (False, self._most)):
                    self._cut_down(self._look, most, early=early)
                self._look = _AGAIN
            if not len(rows):
                break
            rows = self._let_until(rows, _minute_end(rows, 0))
        return rows

    def _may_overflow(self, rows: JoinRows) -> bool:
        held = self._matching.rows
        labels = int(np.count_nonzero(rows.labels))
        return len(held) + len(rows) > self._most or held.early + labels > MOST_EARLY

    def _cut_down(self, at: int, most: int, *, early: bool) -> None:
        """Let the oldest go if too many are left at a time (ms): all rows, or `early` labels."""
        rows, states = self._matching.rows, _LABELS if early else _ROWS
        if (rows.early if early else len(rows)) <= most:
            return
        left = rows.in_state(*states)
        times = rows.columns.times[left[rows.columns.until[left] > at]]
        if len(times) > most:
            many = len(times) - most * 9 // 10
            up_to = int(np.partition(times, many - 1)[many - 1])
            self._matching.drop_oldest(at, up_to, states)
            self.cuts.append(Cut(at, up_to, early))

    def _let_until(self, rows: JoinRows, time: int) -> JoinRows:
        """Match the rows before a time; return the others."""
        end = int(np.searchsorted(rows.times, time))
        self._let(rows.select(slice(None, end)))
        return rows.select(slice(end, None))

    def _let(self, rows: JoinRows) -> None:
        """Match rows."""
        if len(rows):
            self._apply(rows)
            self._look = _minute_end(rows, -1)


def _minute_end(rows: JoinRows, place: int) -> int:
    """Return the end of the minute in which a row is matched."""
    return (int(rows.times[place]) // _LOOK + 1) * _LOOK
