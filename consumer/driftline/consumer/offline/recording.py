"""A recording of a topic: its rows in the order in which the service would have read them.

That is, in each partition, the order of the offsets. A first reading tells which offsets are still
to come; so rows that stand in that order already are passed on as they are read, and only those
that stand before earlier ones wait in memory.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np

from driftline.consumer.offline.halves import Parts
from driftline.detectors.grid import IntArray
from driftline.producer.records.joined_table import compact, joined
from driftline.producer.records.places import Places
from driftline.producer.records.table import Table

_NONE = 2**63 - 1  # behind every offset
_ROWS = 32_768  # of a table, about


class Recording:
    """Where the rows of a recording stood, seen in passing.

    Attributes:
        partitions: how many the topic has, at least.
        repeated: of the rows in order, those with the place of an earlier one.

    >>> recording = Recording()
    >>> first = Places(np.array([0, 1]), np.array([7, 3]))
    >>> recording.note(first, 2)
    >>> recording.note(Places(np.array([1]), np.array([2])), 3)
    >>> recording.partitions, recording.later(2).tolist() == [2**63 - 1, 2]
    (2, True)
    """

    def __init__(self) -> None:
        self.partitions, self.repeated = 0, 0
        self._until: list[int] = []  # rows up to the end of each chunk
        self._smallest: list[IntArray] = []  # offset in each chunk, by partition

    def note(self, places: Places, until: int) -> None:
        """Take note of rows; the last of them is the `until`-th of all, counted from 1."""
        many = int(places.partitions.max(initial=-1)) + 1
        smallest = np.full(many, _NONE)
        np.minimum.at(smallest, places.partitions, places.offsets)
        self.partitions = max(self.partitions, many)
        self._smallest.append(smallest)
        self._until.append(until)

    def later(self, rows: int) -> IntArray:
        """Return the smallest offset of each partition behind the first `rows` rows, or less."""
        return self._behind[bisect_right(self._until, rows)]

    @cached_property
    def _behind(self) -> list[IntArray]:
        """The smallest offset of each partition in each chunk and those after it."""
        found = [np.full(self.partitions, _NONE)]
        for smallest in self._smallest[::-1]:
            rest = found[-1].copy()
            rest[: len(smallest)] = np.minimum(rest[: len(smallest)], smallest)
            found.append(rest)
        return found[::-1]

    def in_order(self, parts: Parts) -> Iterator[tuple[Table, int]]:
        """Yield rows as tables of one partition each, in the order of its offsets.

        The rows of one offset, which are events of one record, stay together, in the file's order.

        Args:
            parts: the rows in the file's order, with how many rows of the file are read then.
        """
        waiting: dict[int, list[Table]] = {}
        for table, read in parts:
            for partition, rows in by_partition(table):
                waiting.setdefault(partition, []).append(rows)
            later = self.later(read)
            for partition in sorted(waiting):
                ready, rest = _ready(waiting[partition], int(later[partition]))
                waiting[partition] = rest
                for piece in ready:
                    self.repeated += int((np.diff(_offsets(piece)) == 0).sum())
                    yield piece, read


def by_partition(table: Table) -> Iterator[tuple[int, Table]]:
    """Yield the rows of each partition in a table of a recording."""
    if table.places is None or not table.rows:
        return
    numbers = np.unique(table.places.partitions).tolist()
    if len(numbers) == 1:
        yield numbers[0], table
        return
    for number in numbers:
        yield number, compact(table.take(table.places.partitions == number))


def _ready(tables: list[Table], later: int) -> tuple[Iterable[Table], list[Table]]:
    """Return what of a partition has no more rows before it, in pieces, and what waits on.

    Nothing is ready while less than half of it would be: joining and sorting takes time.
    """
    offsets = [_offsets(table) for table in tables]
    ready = sum(int((part < later).sum()) for part in offsets)
    if not ready or 2 * ready < sum(map(len, offsets)):
        return (), tables
    whole = joined(tables)
    places = _offsets(whole)
    if (np.diff(places) < 0).any():
        whole = whole.take(np.argsort(places, kind="stable"))
        places = _offsets(whole)
    rest = [] if ready == whole.rows else [compact(whole.take(slice(ready, None)))]
    return _pieces(whole, places[:ready]), rest


def _pieces(table: Table, offsets: IntArray) -> Iterator[Table]:
    """Yield the first rows of a table, as many as there are offsets, a record's together."""
    begin = 0
    while begin < len(offsets):
        end = begin + _ROWS
        if end < len(offsets):
            end = int(np.searchsorted(offsets, offsets[end - 1], "right"))
        end = min(end, len(offsets))
        whole = begin == 0 and end == table.rows
        yield table if whole else compact(table.take(slice(begin, end)))
        begin = end


def _offsets(table: Table) -> IntArray:
    """Return the offsets of rows of a recording."""
    return np.zeros(0, np.int64) if table.places is None else table.places.offsets
