"""When the rows of a file are: what one reading tells before the rows are counted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.recording import Recording
from driftline.consumer.sketch.event_rows import columns_of, event_times, has_values
from driftline.detectors.grid import IntArray
from driftline.producer.files.given import Input
from driftline.producer.files.tables import read_tables
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.records.timestamp import LATEST
from driftline.producer.records.timestamp_column import UNREADABLE

DAY = 86_400_000
_MOST_TIMES = 1 << 20  # distinct ones that are kept
_WILD = 0.01  # share of the events at either end whose times do not choose the window
_MARKED = 0.1  # share of them that may be times such as 1970-01-01, which stand for none
_FAR = 20  # times as long as nearly all events take, from where on they are taken for such
_NEAR = 0.8  # share of the rate of the others at which no time is wild
_DATES = 0.95  # share of the steps between times that are whole days, where times are dates
_CYCLE_DAYS = 3  # days, at least, to tell a daily cycle
_CYCLE_EVENTS = 500
_CYCLE = 0.15  # share of the events that would have to move for all hours to have as many


@dataclass(frozen=True)
class Pace:
    """How often events come, without the few that are far from all others.

    Attributes:
        rate: events a millisecond.
        step: ms from one time to the next, half of the steps are longer.
        daily: whether times are dates, or the hours of the day differ.
    """

    rate: float
    step: int
    daily: bool


class Extent:
    """The times of rows, seen in passing.

    Attributes:
        rows: how many there were.
        events: how many of them have a time.
        first, last: ms since 1970, 0 without any.
        actual: whether any row brings its ground truth.
        columns: names of the columns that are looked at.
        in_order: whether no time was before that of an earlier row.
        recording: where the rows stood in their topic; None of rows that are of no recording.

    >>> extent = Extent(Mapping({"timestamp": "ts"}))
    >>> rows = [[{"ts": 1553644802}], [{"ts": 1553644801}, {"ts": None}]]
    >>> _ = [*extent.watch(map(Table.of_rows, rows))]
    >>> extent.rows, extent.events, extent.last - extent.first
    (3, 2, 1000)
    >>> extent.later(1)
    1553644801000
    """

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self.rows, self.events = 0, 0
        self.first, self.last = 0, 0
        self.in_order = True
        self.recording: Recording | None = None
        self.actual = False
        self.columns = columns_of("timestamp", mapping) | columns_of("actual", mapping)
        self._smallest: list[int] = []  # time of each chunk
        self._until: list[int] = []  # rows up to its end
        self._times = _TimeCounts()

    def watch(
        self, chunks: Iterable[Table], show: Callable[[int], object] | None = None
    ) -> Iterator[Table]:
        """Yield the rows again; tell `show` how many there were."""
        for chunk in chunks:
            times = event_times(chunk, self._mapping)
            times = times[times != UNREADABLE]
            self.actual = self.actual or has_values(chunk, self._mapping, "actual")
            self._smallest.append(int(times.min(initial=LATEST)))
            if times.size:
                smallest, largest = self._smallest[-1], int(times.max())
                if not self.events:
                    self.first, self.last = smallest, smallest
                steps = np.diff(times, prepend=self.last)
                self.in_order = self.in_order and bool((steps >= 0).all())
                self.first, self.last = min(self.first, smallest), max(self.last, largest)
                self.events += times.size
                self._times.add(times)
            yield chunk
            self.rows += chunk.rows
            self._until.append(self.rows)
            if chunk.places is not None:
                self.recording = self.recording or Recording()
                self.recording.note(chunk.places, self.rows)
            if show is not None:
                show(self.rows)

    def later(self, rows: int) -> int:
        """Return the smallest time (ms) behind the first `rows` rows, or an earlier one."""
        return self._behind[bisect_right(self._until, rows)]

    @cached_property
    def _behind(self) -> list[int]:
        """The smallest time in each chunk and those after it."""
        return [*accumulate([LATEST, *self._smallest[::-1]], min)][::-1]

    @property
    def spread(self) -> bool:
        """Whether there are two different times."""
        return self.last > self.first

    def half(self) -> int:
        """Return the time (ms) before which about half of the events are; ties stay together."""
        times, counts = self._times.merged()
        before = np.cumsum(counts) - counts
        apart = np.abs(2 * before[1:] - counts.sum())
        return int(times[1:][int(np.argmin(apart))])

    def before(self, time: int | None) -> int:
        """Return about how many events are before a time (ms), exactly where times are not many."""
        if time is None or not self.events:
            return 0
        times, counts = self._times.merged()
        share = float(counts[times < time].sum() / counts.sum())
        return round(share * self.events)

    def pace(self, until: int | None = None) -> Pace:
        """Return how often events come before a time (ms), or all; there are two times at least."""
        times, counts = self._times.merged()
        seen = int(counts.sum())
        if until is not None and (times < until).sum() > 1:
            times, counts = times[times < until], counts[times < until]
        passed = np.cumsum(counts)
        low, high = _without_wild(times, passed)
        kept, inside = times[low : high + 1], counts[low : high + 1]
        each = self.events / seen  # events that a counted one stands for
        rate = each * int(inside.sum()) / int(kept[-1] - kept[0])
        whole = each * int(passed[-1]) / int(times[-1] - times[0])
        steps = np.diff(kept)
        dates = bool((steps % DAY == 0).mean() >= _DATES)
        return Pace(
            whole if whole > _NEAR * rate else rate,
            int(np.median(steps)),
            dates or _has_daily_cycle(kept, inside),
        )

    def wild(self) -> tuple[int, int]:
        """Return about how many events are far from nearly all others, and the time (ms) of one.

        They are further away than those are from each other.
        """
        times, counts = self._times.merged()
        low, high = _without_wild(times, np.cumsum(counts))
        span = times[high] - times[low]
        far = (times < times[low] - span) | (times > times[high] + span)
        if not far.any():
            return 0, 0
        share = float(counts[far].sum() / counts.sum())
        return max(round(share * self.events), 1), int(times[far][-1])


def survey(file: Input, mapping: Mapping, feedback: Feedback) -> Extent:
    """Read a file once: how many rows there are, and when they are.

    Raises:
        InputError: a row cannot be read.
    """
    extent = Extent(mapping)
    with feedback.progress("rows looked at", feedback.count_rows(file)) as show:
        for _ in extent.watch(read_tables(file, extent.columns), show):
            pass
    return extent


def _without_wild(times: IntArray, passed: IntArray) -> tuple[int, int]:
    """Return the places of the first and the last time that are not among the outermost few.

    Args:
        times: ascending.
        passed: events up to each of them.
    """
    low, high = np.searchsorted(passed, [_WILD * passed[-1], (1 - _WILD) * passed[-1]])
    if times[high] == times[low]:  # nearly all have one time
        return 0, len(times) - 1
    begin, end = times[np.searchsorted(passed, [_MARKED * passed[-1], (1 - _MARKED) * passed[-1]])]
    span = end - begin
    if span and times[high] - times[low] > _FAR * span:
        low = max(low, np.searchsorted(times, begin - span))
        high = min(high, np.searchsorted(times, end + span, side="right") - 1)
    return int(low), int(high)


class _TimeCounts:
    """Distinct times and how many events have each; where they are many, of a part of them.

    Which part depends on the times alone, not on their order.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[IntArray, IntArray]] = []
        self._merged, self._waiting, self._bits = 0, 0, 0

    def add(self, times: IntArray) -> None:
        found, counts = np.unique(times, return_counts=True)
        chosen = self._chosen(found)
        self._parts.append((found[chosen], counts[chosen]))
        self._waiting += int(chosen.sum())
        if self._waiting > max(self._merged, _MOST_TIMES // 8):
            self.merged()

    def merged(self) -> tuple[IntArray, IntArray]:
        """Return the times in their order, with their counts."""
        if self._parts and not self._waiting:  # nothing came since
            return self._parts[0]
        times = np.concatenate([part for part, _ in self._parts])
        counts = np.concatenate([part for _, part in self._parts])
        order = np.argsort(times, kind="stable")  # the parts are in order: they are only merged
        times = times[order]
        heads = np.flatnonzero(np.diff(times, prepend=times[0] - 1))
        found, total = times[heads], np.add.reduceat(counts[order], heads)
        while len(found) > _MOST_TIMES:
            self._bits += 1
            chosen = self._chosen(found)
            found, total = found[chosen], total[chosen]
        self._parts, self._merged, self._waiting = [(found, total)], len(found), 0
        return found, total

    def _chosen(self, times: IntArray) -> NDArray[np.bool_]:
        mixed = times.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        chosen: NDArray[np.bool_] = mixed >> np.uint64(48) < np.uint64(
            1 << (16 - min(self._bits, 16))
        )
        return chosen


def _has_daily_cycle(times: IntArray, counts: IntArray) -> bool:
    if times[-1] - times[0] < _CYCLE_DAYS * DAY or counts.sum() < _CYCLE_EVENTS:
        return False
    hours = np.bincount(times % DAY * 24 // DAY, weights=counts, minlength=24) / counts.sum()
    return bool(np.abs(hours - 1 / 24).sum() / 2 > _CYCLE)
