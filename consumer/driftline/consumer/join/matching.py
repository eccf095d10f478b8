"""Matching of one model's predictions and labels, in the order in which they take effect.

Everything is decided by the rows' own times, never by when or in which batch they are read: a
label meets its prediction if the later of the two came within the horizon of the other. Rows of
one id follow one another, rows of different ids do not touch: so a batch is worked off in rounds,
each with at most one row of every id.

A prediction with its label waits on until its pane ends, and is counted then: until then another
label may correct it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.join.anchors import Anchors, meetings
from driftline.consumer.join.cells import DELAYS
from driftline.consumer.join.pane import OutcomeModel, OutcomePane
from driftline.consumer.join.state import JoinTally
from driftline.consumer.join.waiting import EARLY, FREE, MATCHED, WAITING, Columns, WaitingRows
from driftline.consumer.log.join_rows import JoinRows
from driftline.detectors.grid import IntArray

NEVER = -(1 << 62)
# Rows whose time is over are looked for so often within one horizon, and whenever a pane ends.
_LOOKS = 16
# Rows that end at once, after a long silence even all, are copied so many at a time.
_AT_ONCE = 1 << 18


class Matching:
    """The rows that wait, and the panes that are open.

    Args:
        model: what is joined.
        names: those that the rows' version codes stand for; it may grow.
        closed: panes that end there (ms) or before are final, and counted no more.

    Attributes:
        rows: the rows that wait.
        panes: the panes that are open, by start.
        anchors: rows that must be read again because they decided another row's fate.
        tally: what became of the rows.
    """

    def __init__(self, model: OutcomeModel, names: Sequence[str], closed: int = NEVER) -> None:
        self.model = model
        self._names = names
        self.closed = closed
        self.rows = WaitingRows(len(model.segments))
        self.panes: dict[int, OutcomePane] = {}
        self.anchors = Anchors()
        self.tally = JoinTally()
        self._look = NEVER  # when rows whose time is over are looked for next

    def apply(self, rows: JoinRows, met: NDArray[np.uint64] | None) -> None:
        """Let rows take effect.

        Args:
            rows: in the order in which they take effect.
            met: while the past is read again, the `meetings` of predictions whose label came
                first: other labels found waiting then belong to predictions that are not read
                again. None outside of that.
        """
        if not len(rows):
            return
        order = np.argsort(rows.ids, kind="stable")
        heads = np.flatnonzero(np.diff(rows.ids[order], prepend=rows.ids[order[:1]] + np.uint64(1)))
        turn = np.empty(len(rows), np.int64)
        sizes = np.diff(heads, append=len(rows))
        turn[order] = np.arange(len(rows)) - np.repeat(heads, sizes)
        for number in range(int(turn.max(initial=-1)) + 1):
            self._round(rows.select(turn == number), met)

    def forget(self, now: int) -> None:
        """Forget what has waited long enough at `now` (ms): all of it where a pane ends."""
        if now >= self._look:
            model = self.model
            self._end(self.rows.ended(now))
            self.anchors.forget(now)
            pane_ends = ((now - model.maturity) // model.every + 1) * model.every + model.maturity
            self._look = min(pane_ends, now + max(model.labels.horizon // _LOOKS, 1))

    def close(self, until: int) -> Iterator[OutcomePane]:
        """Yield and drop the panes that end at `until` (ms) or before."""
        self.closed = max(self.closed, until)
        for start in sorted(self.panes):
            if start + self.model.every <= until:
                yield self.panes.pop(start)

    def crowd_out(self, at: int, up_to: int) -> None:
        """Let everything that came at `up_to` or before, and is still here `at` (ms), go."""
        columns = self.rows.columns
        numbers = self.rows.in_state(WAITING, EARLY, MATCHED)
        numbers = numbers[(columns.times[numbers] <= up_to) & (columns.until[numbers] > at)]
        waiting = numbers[columns.state[numbers] != MATCHED]
        self.tally.crowded_out += len(waiting)
        columns.until[waiting] = at
        self._end(numbers)

    def first_time(self) -> int | None:
        """Return the smallest time of any row that something here was made from, ms."""
        times = [pane.since for pane in self.panes.values()]
        times += [x for x in (self.rows.first_time(), self.anchors.first_time()) if x is not None]
        return min(times, default=None)

    def _round(self, rows: JoinRows, met: NDArray[np.uint64] | None) -> None:
        """Let rows take effect, all of different ids."""
        self.anchors.prolong(rows.ids, self._settled(rows.times))
        numbers = self.rows.find(rows.ids)
        columns, held = self.rows.columns, numbers >= 0
        over = held & (columns.until[numbers] <= rows.times)
        self._end(numbers[over])
        state = np.where(held & ~over, columns.state[numbers], FREE)
        label = rows.labels
        if met is not None:
            alone = ~label & (state == EARLY) & ~np.isin(meetings(rows.ids, rows.times), met)
            self.rows.remove(numbers[alone])
            state[alone] = FREE
        if (chosen := np.flatnonzero(~label & ((state == WAITING) | (state == MATCHED)))).size:
            self._repeat(rows.select(chosen), numbers[chosen])
        if (chosen := np.flatnonzero(~label & (state == EARLY))).size:
            self._meet_early(self._columns(rows.select(chosen)), numbers[chosen])
        if (chosen := np.flatnonzero(label & (state == WAITING))).size:
            self._meet(numbers[chosen], rows.values[chosen], rows.times[chosen])
        if (chosen := np.flatnonzero(label & (state == MATCHED))).size:
            self._correct(numbers[chosen], rows.values[chosen])
        if (chosen := np.flatnonzero(label & (state == EARLY))).size:
            self._replace_early(numbers[chosen], rows.values[chosen], rows.times[chosen])
        if (chosen := np.flatnonzero(state == FREE)).size:
            fresh = self._columns(rows.select(chosen))
            self.rows.add(fresh)
            self._predicted(fresh.select(~label[chosen]))

    def _columns(self, rows: JoinRows) -> Columns:
        """Return rows as they wait."""
        label = rows.labels
        return Columns(
            rows.ids,
            np.where(label, EARLY, WAITING).astype(np.uint8),
            rows.times,
            rows.times + self.model.labels.horizon,
            np.where(label, np.nan, rows.values),
            np.where(label, rows.values, np.nan),
            np.zeros(len(rows), np.uint8),
            np.vstack([rows.predicted, rows.versions, rows.segments]).astype(np.int16),
        )

    def _predicted(self, rows: Columns) -> None:
        self.tally.predictions += len(rows.ids)
        for pane, chosen in self._panes_of(rows.times, rows.times):
            pane.predict(rows.select(chosen), self._names)

    def _repeat(self, rows: JoinRows, numbers: IntArray) -> None:
        """Predictions with an id that an earlier one has: the first holds."""
        self.tally.duplicates += len(rows)
        self.anchors.add(rows.ids, self.rows.columns.times[numbers], self._settled(rows.times))

    def _meet_early(self, rows: Columns, numbers: IntArray) -> None:
        """Predictions whose label came first."""
        columns = self.rows.columns
        times, values = columns.times[numbers], columns.actual[numbers]
        self.anchors.add(rows.ids, times, self._settled(rows.times))
        self.anchors.meet(rows.ids, meetings(rows.ids, rows.times))
        self.rows.remove(numbers)
        self._predicted(rows)
        self._meet(self.rows.add(rows), values, times)

    def _meet(self, numbers: IntArray, values: NDArray[np.float64], times: IntArray) -> None:
        """Predictions that wait, and their labels: values and times."""
        columns, model = self.rows.columns, self.model
        predicted = columns.times[numbers]
        when = np.maximum(predicted, times)
        counted = when if model.labels.by == "arrival" else predicted
        until = model.start(counted) + model.every + model.maturity
        late = when >= until
        self.tally.late += int(late.sum())
        self.tally.joined += len(numbers) - int(late.sum())
        columns.state[numbers] = MATCHED
        columns.actual[numbers] = values
        columns.until[numbers] = until
        columns.delays[numbers] = np.searchsorted(DELAYS, when - predicted)
        self.rows.remove(numbers[late])

    def _settled(self, times: IntArray) -> IntArray:
        """Return when predictions of `times`, without label, would count in no open pane."""
        model, until = self.model, times + self.model.labels.horizon
        if model.labels.by == "arrival":
            settled: IntArray = model.start(until) + model.every
        else:
            settled = np.maximum(until, model.start(times) + model.every + model.maturity)
        return settled

    def _correct(self, numbers: IntArray, values: NDArray[np.float64]) -> None:
        """Labels of predictions that have one, and whose window is not judged yet."""
        columns = self.rows.columns
        differs = int((columns.actual[numbers] != values).sum())
        self.tally.corrected += differs
        self.tally.repeated += len(numbers) - differs
        columns.actual[numbers] = values

    def _replace_early(
        self, numbers: IntArray, values: NDArray[np.float64], times: IntArray
    ) -> None:
        """Labels after a label, the prediction not there yet: the last one holds."""
        self._correct(numbers, values)
        columns = self.rows.columns
        columns.times[numbers] = times
        columns.until[numbers] = times + self.model.labels.horizon

    def _end(self, numbers: IntArray) -> None:
        """Forget rows whose time is over; count what came of the predictions."""
        for first in range(0, numbers.size, _AT_ONCE):
            self._end_some(numbers[first : first + _AT_ONCE])

    def _end_some(self, numbers: IntArray) -> None:
        rows, model = self.rows.columns.select(numbers), self.model
        self.rows.remove(numbers)
        self.tally.unmatched += int((rows.state == EARLY).sum())
        expired = rows.select(rows.state == WAITING)
        self.tally.expired += len(expired.ids)
        if model.labels.by == "arrival":
            counted = expired.until
        else:
            counted = expired.times
            timely = expired.until <= model.start(counted) + model.every + model.maturity
            expired, counted = expired.select(timely), counted[timely]
        for pane, chosen in self._panes_of(counted, expired.times):
            pane.expire(expired.select(chosen))
        matched = rows.select(rows.state == MATCHED)
        starts = matched.until - model.maturity - model.every
        for pane, chosen in self._panes_of(starts, matched.times):
            pane.match(matched.select(chosen))

    def _panes_of(
        self, counted: IntArray, times: IntArray
    ) -> Iterator[tuple[OutcomePane, IntArray]]:
        """Yield the open panes in which rows count, and the places of the rows that are in each.

        Args:
            counted: a time (ms) of each row's pane.
            times: of the rows.
        """
        starts = self.model.start(counted)
        for start in np.unique(starts).tolist():
            if start + self.model.every <= self.closed:
                continue  # counted and sent before; the past is being read again
            chosen = np.flatnonzero(starts == start)
            since = int(times[chosen].min())
            pane = self.panes.get(start)
            if pane is None:
                pane = self.panes[start] = OutcomePane(self.model, start, since)
            pane.since = min(pane.since, since)
            yield pane, chosen
