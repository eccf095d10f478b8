"""The two halves of a file without a reference: what is normal, and what is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from driftline.consumer.sketch.event_rows import event_times
from driftline.producer.records.joined_table import compact
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.records.timestamp_column import UNREADABLE

Parts = Iterable[tuple[Table, int]]
"""Rows, each table with how many rows of the file are read then."""

MOST = 250_000
"""Rows that are kept in memory: of a reference, and of a file that is not in order."""

_NONE = np.zeros(0, np.int64)  # a slice of no rows would keep all of them in memory


@dataclass(frozen=True)
class Halves:
    """Rows are parted at a time, whatever their order, and those without one come after it.

    Attributes:
        mapping: says where the times are.
        time: ms since 1970, the first of the second half; None: all rows are judged.
        rows: of a file without times, the number of rows before the second half.
    """

    mapping: Mapping
    time: int | None = None
    rows: int = 0

    def part(
        self,
        read: Callable[[], Iterable[Table]],
        rows: int,
        show: Callable[[int], object],
        *,
        in_order: bool,
        step: int = 1,
    ) -> tuple[list[Table], int, Parts]:
        """Return every n-th row of the first half, how many it has, and the second to be read on.

        Args:
            read: reads all rows from the first on; called twice only where the file is not in order
                and has more than a quarter of a million rows.
            rows: how many there are.
            show: takes how many of them are read.
            in_order: whether no row of the first half is behind one of the second.
            step: n.
        """
        parts = self._parts(read())
        first: list[Table] = []
        second: list[tuple[Table, int]] = []
        keep, done = in_order or rows <= MOST, 0
        for early, late, until in parts:
            show(until)
            # Places, not a slice: what is kept is a copy, and the rest of the file is let go, also
            # the ids of rows that are not kept.
            first.append(compact(early.take(np.arange(-done % step, early.rows, step))))
            done += early.rows
            if keep:
                second.append((late, until))
            if in_order and self._has_begun(late):
                rest = ((late, until) for _, late, until in parts)
                return first, done, chain(second, rest)
        return first, done, second if keep else self.second(read())

    def second(self, tables: Iterable[Table]) -> Parts:
        """Yield the rows of the second half, each with how many rows of the file are read then."""
        return ((late, until) for _, late, until in self._parts(tables))

    def _parts(self, tables: Iterable[Table]) -> Iterator[tuple[Table, Table, int]]:
        """Yield the rows of each half, and how many rows of the file are read then."""
        read = 0
        for table in tables:
            if self.time is None:
                early = np.arange(table.rows) < self.rows - read
            else:
                times = event_times(table, self.mapping)
                early = (times < self.time) & (times != UNREADABLE)
            read += table.rows
            if early.all():
                yield table, table.take(_NONE), read
            elif early.any():
                yield table.take(early), table.take(~early), read
            else:
                yield table.take(_NONE), table, read

    def _has_begun(self, late: Table) -> bool:
        """Return whether rows are in the second half for their time, or their number."""
        if self.time is None:
            return late.rows > 0
        return bool((event_times(late, self.mapping) >= self.time).any())


def step_of(rows: int) -> int:
    """Return the n of which every n-th of these rows are a quarter of a million at most.

    >>> step_of(1), step_of(MOST), step_of(MOST + 1)
    (1, 1, 2)
    """
    return max(-(-rows // MOST), 1)
