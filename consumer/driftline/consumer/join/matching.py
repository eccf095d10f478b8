"""Matching of one model's predictions and labels, in the order in which they take effect.

Everything is decided by the rows' own times, never by when or in which batch they are read: a
label meets its prediction if the later of the two came within the horizon of the other. Rows of
one id follow one another, rows of different ids do not touch: so a batch is worked off in rounds,
each with at most one row of every id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.join.anchors import Anchors, meetings
from driftline.consumer.join.pane import OutcomeModel, OutcomePane
from driftline.consumer.join.state import JoinTally
from driftline.consumer.join.waiting import EARLY, MATCHED, WAITING, Columns, WaitingRows
from driftline.consumer.log.join_rows import JoinRows
from driftline.detectors import OTHER
from driftline.detectors.grid import IntArray

NEVER = -(1 << 62)
MOST_NAMES = 10_000


class Matching:
    """The rows that wait, and the panes that are open.

    Args:
        model: what is joined.
        closed: panes that end there (ms) or before are final, and counted no more.

    Attributes:
        rows: the rows that wait.
        panes: the panes that are open, by start.
        anchors: rows that must be read again because they decided another row's fate.
        tally: what became of the rows.
        names: versions' names, in the order in which they came.
    """

    def __init__(self, model: OutcomeModel, closed: int = NEVER) -> None:
        self.model = model
        self.closed = closed
        self.rows = WaitingRows(len(model.segments), model.every)
        self.panes: dict[int, OutcomePane] = {}
        self.anchors = Anchors()
        self.tally = JoinTally()
        self.names: list[str] = []

    def apply(self, rows: JoinRows, offsets: IntArray, met: NDArray[np.uint64] | None) -> None:
        """Let rows take effect.

        Args:
            rows: in the order in which they take effect.
            offsets: int64 (n,): of the blocks that brought them.
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
            chosen = np.flatnonzero(turn == number)
            self._round(rows.select(chosen), offsets[chosen], met)

    def forget(self, now: int) -> None:
        """Forget what has waited long enough at `now` (ms): all of it where a pane is final."""
        final = now - self.model.maturity >= self.closed + self.model.every
        self._end(self.rows.ended(now, every_one=final))
        if final:
            self.anchors.forget(now)

    def close(self, until: int) -> Iterator[OutcomePane]:
        """Yield and drop the panes that end at `until` (ms) or before."""
        self.closed = max(self.closed, until)
        for start in sorted(self.panes):
            if start + self.model.every <= until:
                yield self.panes.pop(start)

    def crowd_out(self, at: int, up_to: int) -> None:
        """Let everything that came at `up_to` or before, and still waits, expire `at` (ms)."""
        columns = self.rows.columns
        for state in (WAITING, EARLY):
            numbers = self.rows.in_state(state)
            numbers = numbers[(columns.times[numbers] <= up_to) & (columns.until[numbers] > at)]
            self.tally.crowded_out += len(numbers)
            columns.until[numbers] = at
            self._end(numbers)

    def first_offset(self) -> int | None:
        """Return the smallest offset that anything here was made from."""
        offsets = [pane.first for pane in self.panes.values()]
        offsets += [
            x for x in (self.rows.first_offset(), self.anchors.first_offset()) if x is not None
        ]
        return min(offsets, default=None)

    def _round(self, rows: JoinRows, offsets: IntArray, met: NDArray[np.uint64] | None) -> None:
        """Let rows take effect, all of different ids."""
        self.anchors.prolong(rows.ids, self._settled(rows.times))
        numbers = self.rows.find(rows.ids)
        held, until = numbers >= 0, self.rows.columns.until
        over = np.zeros(len(rows), bool)
        over[held] = until[numbers[held]] <= rows.times[held]
        self._end(numbers[over])
        numbers[over] = -1
        state = np.where(numbers >= 0, self.rows.columns.state[numbers], 0)
        if met is not None:
            alone = ~rows.labels & (state == EARLY) & ~np.isin(meetings(rows.ids, offsets), met)
            self.rows.remove(numbers[alone])
            state[alone] = 0
        label = rows.labels

        def those(kind: NDArray[np.bool_], in_state: int) -> IntArray:
            return np.flatnonzero(kind & (state == in_state))

        # What meets something that waits comes first: new rows may move the columns.
        for chosen in (those(~label, WAITING), those(~label, MATCHED)):
            self._repeat(rows, numbers, chosen)
        chosen = those(~label, EARLY)
        self._meet_early(self._columns(rows, offsets, chosen), numbers[chosen])
        chosen = those(label, WAITING)
        self._meet(numbers[chosen], rows.values[chosen], rows.times[chosen], offsets[chosen])
        chosen = those(label, MATCHED)
        self._correct(numbers[chosen], rows.values[chosen], offsets[chosen])
        chosen = those(label, EARLY)
        self._replace_early(rows.select(chosen), offsets[chosen], numbers[chosen])
        chosen = np.flatnonzero(state == 0)
        if chosen.size:
            fresh = self._columns(rows, offsets, chosen)
            self.rows.add(fresh)
            self._predicted(fresh.select(~label[chosen]))

    def _columns(self, rows: JoinRows, offsets: IntArray, chosen: IntArray) -> Columns:
        """Return rows as they wait."""
        label = rows.labels[chosen]
        values = rows.values[chosen]
        return Columns(
            rows.ids[chosen],
            np.where(label, EARLY, WAITING).astype(np.uint8),
            offsets[chosen],
            rows.times[chosen],
            rows.times[chosen] + self.model.labels.horizon,
            np.where(label, np.nan, values),
            np.where(label, values, np.nan),
            np.vstack(
                [rows.predicted[chosen], rows.versions[chosen], rows.segments[:, chosen]]
            ).astype(np.int16),
        )

    def _predicted(self, rows: Columns) -> None:
        self.tally.predictions += len(rows.ids)
        for pane, chosen in self._panes_of(rows.times, rows.offsets):
            pane.predict(rows.select(chosen), self.names)

    def _repeat(self, rows: JoinRows, numbers: IntArray, chosen: IntArray) -> None:
        """Predictions with an id that an earlier one has: the first holds."""
        self.tally.duplicates += len(chosen)
        offsets = self.rows.columns.offsets[numbers[chosen]]
        self.anchors.add(rows.ids[chosen], offsets, self._settled(rows.times[chosen]))

    def _meet_early(self, rows: Columns, numbers: IntArray) -> None:
        """Predictions whose label came first."""
        if not numbers.size:
            return
        columns = self.rows.columns
        came, values = columns.offsets[numbers], columns.actual[numbers]
        self.anchors.add(rows.ids, came, self._settled(rows.times))
        self.anchors.meet(rows.ids, meetings(rows.ids, rows.offsets))
        times = columns.times[numbers]
        self.rows.remove(numbers)
        self._predicted(rows)
        self._meet(self.rows.add(rows), values, times, came)

    def _meet(
        self, numbers: IntArray, values: NDArray[np.float64], times: IntArray, offsets: IntArray
    ) -> None:
        """Predictions that wait, and their labels: values, times, offsets of their blocks."""
        if not numbers.size:
            return
        columns, model = self.rows.columns, self.model
        predicted = columns.times[numbers]
        when = np.maximum(predicted, times)
        if model.labels.by == "arrival":
            starts = model.start(when)
            until = starts + model.every
        else:
            starts = model.start(predicted)
            until = starts + model.every + model.maturity
            late = when >= until
            self.tally.late += int(late.sum())
            self.rows.remove(numbers[late])
            numbers, values, offsets = numbers[~late], values[~late], offsets[~late]
            starts, until = starts[~late], until[~late]
            predicted, times = predicted[~late], times[~late]
        self.tally.joined += len(numbers)
        columns.state[numbers] = MATCHED
        columns.actual[numbers] = values
        columns.until[numbers] = until
        columns.offsets[numbers] = np.minimum(columns.offsets[numbers], offsets)
        self.rows.note_ends(numbers)
        rows = columns.select(numbers)
        delays = np.maximum(times - predicted, 0)
        for pane, chosen in self._panes_of(starts, rows.offsets):
            some = rows.select(chosen)
            pane.match(some)
            pane.delay(some, delays[chosen])

    def _settled(self, times: IntArray) -> IntArray:
        """Return when predictions of `times`, without label, would count in no open pane."""
        model, until = self.model, times + self.model.labels.horizon
        if model.labels.by == "arrival":
            settled: IntArray = model.start(until) + model.every
        else:
            settled = np.maximum(until, model.start(times) + model.every + model.maturity)
        return settled

    def _correct(self, numbers: IntArray, values: NDArray[np.float64], offsets: IntArray) -> None:
        """Labels of predictions that have one, and whose window is not judged yet."""
        columns, model = self.rows.columns, self.model
        differs = columns.actual[numbers] != values
        self.tally.repeated += int((~differs).sum())
        numbers, values, offsets = numbers[differs], values[differs], offsets[differs]
        self.tally.corrected += len(numbers)
        if not numbers.size:
            return
        starts = columns.until[numbers] - model.maturity - model.every
        before = columns.select(numbers)
        columns.actual[numbers] = values
        after = columns.select(numbers)
        for pane, chosen in self._panes_of(starts, before.offsets):
            pane.match(before.select(chosen), -1)
            pane.match(after.select(chosen))

    def _replace_early(self, rows: JoinRows, offsets: IntArray, numbers: IntArray) -> None:
        """Labels after a label, the prediction not there yet: the last one holds."""
        columns = self.rows.columns
        differs = columns.actual[numbers] != rows.values
        self.tally.corrected += int(differs.sum())
        self.tally.repeated += int((~differs).sum())
        columns.actual[numbers] = rows.values
        columns.times[numbers] = rows.times
        columns.offsets[numbers] = offsets
        columns.until[numbers] = rows.times + self.model.labels.horizon
        self.rows.note_ends(numbers)

    def _end(self, numbers: IntArray) -> None:
        """Forget rows whose time is over."""
        if not numbers.size:
            return
        columns = self.rows.columns
        state = columns.state[numbers]
        self.tally.unmatched += int((state == EARLY).sum())
        expired = numbers[state == WAITING]
        self.tally.expired += len(expired)
        rows = columns.select(expired)
        self.rows.remove(numbers)
        if self.model.labels.by == "arrival":
            starts, timely = self.model.start(rows.until), np.ones(len(expired), bool)
        else:
            starts = self.model.start(rows.times)
            timely = rows.until <= starts + self.model.every + self.model.maturity
        rows, starts = rows.select(timely), starts[timely]
        for pane, chosen in self._panes_of(starts, rows.offsets):
            pane.expire(rows.select(chosen))

    def _panes_of(
        self, times: IntArray, offsets: IntArray
    ) -> Iterator[tuple[OutcomePane, IntArray]]:
        """Yield the open panes of times, and the places of the rows that belong to each."""
        starts = self.model.start(times)
        for start in np.unique(starts).tolist():
            if start + self.model.every <= self.closed:
                continue  # counted and sent before; the past is being read again
            chosen = np.flatnonzero(starts == start)
            first = int(offsets[chosen].min())
            pane = self.panes.get(start)
            if pane is None:
                pane = self.panes[start] = OutcomePane(self.model, start, first)
            pane.first = min(pane.first, first)
            yield pane, chosen


def learn(names: list[str], known: dict[str, int], new: Sequence[str]) -> IntArray:
    """Return 1 + the place of each new name among the known ones, which grow; 0 stays 0.

    Versions are named by the stream: those beyond the first 10,000 share one name.
    """
    for name in new:
        if name not in known:
            if len(names) >= MOST_NAMES:
                name = OTHER
            known.setdefault(name, len(names) + 1)
            if known[name] > len(names):
                names.append(name)
    return np.array([0, *(known.get(name, known.get(OTHER, 0)) for name in new)], np.int64)
