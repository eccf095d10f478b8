"""The rows of a file of labels, in the order in which they are fed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from driftline.consumer.sketch.event_rows import event_times
from driftline.detectors.grid import IntArray
from driftline.producer.records.joined_table import compact, joined
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.records.timestamp_column import UNREADABLE

_CHUNK = 10_000


class LabelRows:
    """The rows of a file by time, those without a readable one first.

    Of a recording, those of each partition in the order of their offsets.

    Args:
        tables: the rows, at least one table, in any order.
        mapping: says where their times are.

    Attributes:
        partitions: of a recording, how many its topic has; None of any other file.
        timed: whether any row has a time that can be read, or the record's may be known.

    >>> table = Table.of_rows([{"ts": 1553644802}, {"ts": 1553644801}])
    >>> rows = LabelRows([table], Mapping({"timestamp": "ts"}))
    >>> [part.to_rows() for part in rows.until(1553644801_000)]
    [[{'ts': 1553644801}]]
    >>> [part.to_rows() for part in rows.rest()]
    [[{'ts': 1553644802}]]
    """

    def __init__(self, tables: Iterable[Table], mapping: Mapping) -> None:
        whole = joined(list(tables))
        times, places = event_times(whole, mapping), whole.places
        self.partitions: int | None = None
        self.timed = bool((times != UNREADABLE).any())
        orders = [np.argsort(times, kind="stable")]
        if places is not None:
            self.partitions = int(places.partitions.max()) + 1
            self.timed = self.timed or places.times is not None
            order = np.lexsort((places.offsets, places.partitions))
            orders = np.split(order, np.flatnonzero(np.diff(places.partitions[order])) + 1)
        self._parts = [_Part(whole, order, times[order]) for order in orders]

    def tables(self) -> Iterator[Table]:
        """Yield all rows, in the order in which they are fed."""
        for part in self._parts:
            yield from part.tables(0, part.rows)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield them one by one."""
        for table in self.tables():
            yield from table.to_rows()

    @property
    def yielded(self) -> int:
        """Rows that have been yielded."""
        return sum(part.next for part in self._parts)

    def until(self, time: int) -> Iterator[Table]:
        """Yield the rows up to a time (ms) that have not been yielded yet.

        Of a recording a row waits for those before it in its partition.
        """
        for part in self._parts:
            yield from part.yielded(int(np.searchsorted(part.times, time, "right")))

    def rest(self) -> Iterator[Table]:
        """Yield the rows that have not been yielded yet."""
        for part in self._parts:
            yield from part.yielded(part.rows)


class _Part:
    """The rows of a set, or of one partition of a recording, in their order.

    Attributes:
        rows: how many there are.
        times: of each row, the largest up to it.
        next: the first row that has not been yielded.
    """

    def __init__(self, whole: Table, order: IntArray, times: IntArray) -> None:
        self._whole, self._order = whole, order
        self._offsets = None if whole.places is None else whole.places.offsets[order]
        self.rows, self.times = len(order), np.maximum.accumulate(times)
        self.next = 0

    def yielded(self, end: int) -> Iterator[Table]:
        """Yield the rows before `end`, and with them those of the same record."""
        begin, self.next = self.next, max(self.next, self._end(end))
        return self.tables(begin, self.next)

    def tables(self, begin: int, end: int) -> Iterator[Table]:
        """Yield rows, some thousand at a time; those of a record are not cut."""
        while begin < end:
            until = self._end(min(begin + _CHUNK, end))
            # Without the texts that none of these rows has: there may be millions.
            yield compact(self._whole.take(self._order[begin:until]))
            begin = until

    def _end(self, end: int) -> int:
        """Return the end of the record whose rows would be cut at `end`."""
        if self._offsets is None or not 0 < end < self.rows:
            return end
        return int(np.searchsorted(self._offsets, self._offsets[end - 1], "right"))
