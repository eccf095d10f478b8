"""Matching of one model's predictions and labels, in the order of their times.

Everything is decided by the rows' own times, never by when or in which batch they are read: a
label matches its prediction if the later of the two came within the horizon of the other. Rows of
one id are matched one after the other, rows of different ids are independent: so a batch is matched
in rounds, each with at most one row of every id.

A prediction with its label waits on until its pane ends, and is counted then: until then another
label may correct it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.join.cells import DELAYS
from driftline.consumer.join.pane import OutcomeModel, OutcomePane
from driftline.consumer.join.reserved_ids import CrossedRows, EarlyMatches, ReservedIds
from driftline.consumer.join.rounds import Rounds
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.join.waiting import (
    EARLY,
    FREE,
    MATCHED,
    WAITING,
    WaitingColumns,
    WaitingRows,
)
from driftline.consumer.wire.join_rows import IdArray, JoinRows
from driftline.detectors.grid import IntArray

NEVER = -(1 << 62)
# Reading begins again at whole parts of the horizon; this is their number.
_STEPS = 64
# What a state may name: 80 kB of ids that are reserved, and 160 kB of early matches.
_MOST_RESERVED, _MOST_EARLY_MATCHES = 5_000, 20_000
# Times that expired rows are looked for within one horizon, besides the ends of panes.
_LOOKS = 16
# Rows that end at once, after a long silence even all, are copied in portions of this size.
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
        crossed: rows that a later prediction with their id depends on; `reserved`: the ids of those
            that were dropped.
        early_matches: of predictions with a label that came first.
        met: while the past is read again, those of predictions whose label came first:
            other labels found waiting then belong to predictions that are not read again. Else
            None, and if they were too many.
        totals: counts of the rows, by how each was used.
    """

    def __init__(self, model: OutcomeModel, names: Sequence[str], closed: int = NEVER) -> None:
        self.model = model
        self._names = names
        self.closed = closed
        self.rows = WaitingRows(len(model.segments))
        self.panes: dict[int, OutcomePane] = {}
        self.crossed = CrossedRows()
        self.reserved = ReservedIds(_MOST_RESERVED)
        self.early_matches = EarlyMatches(_MOST_EARLY_MATCHES)
        self._step = max(model.labels.horizon // _STEPS, 1)
        self.met: IdArray | None = None
        self.totals = JoinTotals()
        self._look = NEVER  # when rows whose time is over are looked for next

    def apply(self, rows: JoinRows) -> None:
        """Match rows, count them, or let them wait.

        Args:
            rows: in the order in which they are matched.
        """
        rounds = Rounds(rows)
        while rounds:
            self._round(rounds.take())
            for run in rounds.runs():
                rounds.skip(run, self._pass_over(rounds.rows.select(run)))

    def forget(self, now: int) -> None:
        """Forget what has waited long enough at `now` (ms): all of it where a pane ends."""
        if now >= self._look:
            model = self.model
            self._end(self.rows.ended(now))
            pane_ends = ((now - model.maturity) // model.every + 1) * model.every + model.maturity
            self._look = min(pane_ends, now + max(model.labels.horizon // _LOOKS, 1))

    def close(self, until: int) -> Iterator[OutcomePane]:
        """Yield and drop the panes that end at `until` (ms) or before."""
        self.closed = max(self.closed, until)
        for start in sorted(self.panes):
            if start + self.model.every <= until:
                yield self.panes.pop(start)

    def drop_oldest(self, at: int, up_to: int, states: Sequence[int]) -> None:
        """Let rows in some states that came at `up_to` or before, and are here `at` (ms), go."""
        columns = self.rows.columns
        numbers = self.rows.in_state(*states)
        numbers = numbers[(columns.times[numbers] <= up_to) & (columns.until[numbers] > at)]
        waiting = numbers[columns.state[numbers] != MATCHED]
        self.totals.crowded_out += len(waiting)
        columns.until[waiting] = at
        self._end(numbers, at)

    def first_time(self) -> int | None:
        """Return the smallest time of any row that something here was made from, ms."""
        times = [pane.since for pane in self.panes.values()]
        times += [x for x in (self.rows.first_time(), self.crossed.first_time()) if x is not None]
        return min(times, default=None)

    def past_from(self, time: int) -> int:
        """Return the time (ms), not after `time`, from which on the past may be read again."""
        return time // self._step * self._step

    def _round(self, rows: JoinRows) -> None:
        """Match rows, all of different ids."""
        numbers = self.rows.find(rows.ids)
        columns, held = self.rows.columns, numbers >= 0
        over = held & (columns.until[numbers] <= rows.times)
        self._end(numbers[over])
        state = np.where(held & ~over, columns.state[numbers], FREE)
        label = rows.labels
        if self.met is not None:
            met = np.isin(EarlyMatches.of(rows.ids, rows.times), self.met)
            alone = ~label & (state == EARLY) & ~met
            self.rows.remove(numbers[alone])
            state[alone] = FREE
        if (chosen := np.flatnonzero(~label & ((state == WAITING) | (state == MATCHED)))).size:
            self._repeat(rows.select(chosen), numbers[chosen])
        if (chosen := np.flatnonzero(~label & (state == EARLY))).size:
            self._match_early(self._columns(rows.select(chosen)), numbers[chosen])
        if (chosen := np.flatnonzero(label & (state == WAITING))).size:
            self._match(numbers[chosen], rows.values[chosen], rows.times[chosen])
        if (chosen := np.flatnonzero(label & (state == MATCHED))).size:
            self._correct(numbers[chosen], rows.values[chosen])
        if (chosen := np.flatnonzero(label & (state == EARLY))).size:
            self._replace_early(numbers[chosen], rows.values[chosen], rows.times[chosen])
        if (chosen := np.flatnonzero(state == FREE)).size:
            fresh = self._columns(rows.select(chosen))
            self.rows.add(fresh)
            fresh = fresh.select(~label[chosen])
            self._predicted(fresh, fresh.times)

    def _pass_over(self, run: JoinRows) -> int:
        """Let the first rows of one id pass that change nothing here; return how many they are.

        An id that is none, such as "unknown" or that of a health check, has very many.
        """
        number = self.rows.find(run.ids[:1])
        held, at = self.rows.columns, int(number[0])
        if at < 0 or held.state[at] == EARLY:
            return 0
        again = run.labels & (held.state[at] == MATCHED) & (run.values == held.actual[at])
        again |= ~run.labels & self._answered(run, at)
        again &= run.times < held.until[at]
        many = len(again) if again.all() else int(np.argmin(again))
        passed = run.select(slice(None, many))
        repeated = np.flatnonzero(~passed.labels)
        self.totals.repeated += many - repeated.size
        if repeated.size:
            self.totals.duplicates += repeated.size - 1
            self._repeat(passed.select(repeated[-1:]), number)
        return many

    def _answered(self, run: JoinRows, number: int) -> NDArray[np.bool_]:
        """Return which predictions of a run would be duplicates of a row."""
        return np.ones(len(run), bool)

    def _columns(self, rows: JoinRows) -> WaitingColumns:
        """Return rows as they wait."""
        label = rows.labels
        columns = WaitingColumns(
            rows.ids,
            np.where(label, EARLY, WAITING).astype(np.uint8),
            rows.times,
            rows.times + self.model.labels.horizon,
            np.where(label, np.nan, rows.values),
            np.where(label, rows.values, np.nan),
            np.zeros(len(rows), np.uint8),
            np.vstack([rows.predicted, rows.versions, rows.segments]).astype(np.int16),
        )
        columns.expected = rows.expected
        return columns

    def _predicted(self, rows: WaitingColumns, since: IntArray) -> None:
        """Count predictions; `since`: when they must be read again from, ms."""
        self.totals.predictions += len(rows.ids)
        for pane, chosen in self._panes_of(rows.times, since):
            pane.predict(rows.select(chosen), self._names)

    def _repeat(self, rows: JoinRows, numbers: IntArray) -> None:
        """Predictions with an id that an earlier one has: the first holds."""
        self.totals.duplicates += len(rows)
        since = self.crossed.since(numbers, self.rows.columns.times[numbers])
        self._cross(numbers, since, rows.times)

    def _cross(self, numbers: IntArray, since: IntArray, times: IntArray) -> None:
        """Note rows that decide on predictions of times of another step than `since`."""
        apart = since // self._step != times // self._step
        self.crossed.note(numbers[apart], since[apart])

    def _match_early(self, rows: WaitingColumns, numbers: IntArray) -> None:
        """Predictions whose label came first."""
        columns = self.rows.columns
        times, values = columns.times[numbers], columns.actual[numbers]
        self.early_matches.add(rows.ids, rows.times)
        self.rows.remove(numbers)
        self._predicted(rows, rows.times)
        numbers = self.rows.add(rows)
        self._cross(numbers, times, rows.times)
        self._match(numbers, values, times)

    def _match(self, numbers: IntArray, values: NDArray[np.float64], times: IntArray) -> None:
        """Predictions that wait, and their labels: values and times."""
        columns, model = self.rows.columns, self.model
        predicted = columns.times[numbers]
        when = np.maximum(predicted, times)
        counted = when if model.labels.by == "arrival" else predicted
        until = model.start(counted) + model.every + model.maturity
        late = when >= until
        self.totals.late += int(late.sum())
        self.totals.joined += len(numbers) - int(late.sum())
        columns.state[numbers] = MATCHED
        columns.actual[numbers] = values
        columns.until[numbers] = until
        columns.delays[numbers] = np.searchsorted(DELAYS, when - predicted)
        self._gone(numbers[late], when[late])
        self.rows.remove(numbers[late])

    def _gone(self, numbers: IntArray, until: IntArray) -> None:
        """Note until when (ms) rows held their ids that are about to be removed."""
        places, since = self.crossed.take_out(numbers)
        self.reserved.add(self.rows.columns.ids[numbers[places]], since, until[places])

    def _correct(self, numbers: IntArray, values: NDArray[np.float64]) -> None:
        """Labels of predictions that have one, and whose window is not judged yet."""
        columns = self.rows.columns
        differs = int((columns.actual[numbers] != values).sum())
        self.totals.corrected += differs
        self.totals.repeated += len(numbers) - differs
        columns.actual[numbers] = values

    def _replace_early(
        self, numbers: IntArray, values: NDArray[np.float64], times: IntArray
    ) -> None:
        """Labels after a label, the prediction not there yet: the last one holds."""
        self._correct(numbers, values)
        columns = self.rows.columns
        columns.times[numbers] = times
        columns.until[numbers] = times + self.model.labels.horizon

    def _end(self, numbers: IntArray, at: int = -NEVER) -> None:
        """Forget rows whose time is over, `at` (ms) at the latest; count the predictions."""
        for first in range(0, numbers.size, _AT_ONCE):
            self._end_some(numbers[first : first + _AT_ONCE], at)

    def _end_some(self, numbers: IntArray, at: int) -> None:
        rows, model = self.rows.columns.select(numbers), self.model
        since = self.crossed.since(numbers, rows.times)
        self._gone(numbers, np.minimum(rows.until, at))
        self.rows.remove(numbers)
        self.totals.unmatched += int((rows.state == EARLY).sum())
        expired = rows.select(rows.state == WAITING)
        self.totals.expired += len(expired.ids)
        if model.labels.by == "arrival":
            counted = expired.until
        else:
            counted = expired.times
            timely = expired.until <= model.start(counted) + model.every + model.maturity
            expired, counted = expired.select(timely), counted[timely]
        for pane, chosen in self._panes_of(counted, expired.times):
            pane.expire(expired.select(chosen))
        found = rows.state == MATCHED
        matched = rows.select(found)
        starts = matched.until - model.maturity - model.every
        for pane, chosen in self._panes_of(starts, since[found]):
            pane.match(matched.select(chosen), self._names)

    def _panes_of(
        self, counted: IntArray, times: IntArray
    ) -> Iterator[tuple[OutcomePane, IntArray]]:
        """Yield the open panes in which rows count, and the places of the rows that are in each.

        Args:
            counted: a time (ms) of each row's pane.
            times: from which on they must be read again, ms.
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
