"""The rows of a file of labels, in the order in which they are fed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from driftline.consumer.offline import file_rows
from driftline.detectors.grid import IntArray
from driftline.producer.records.joined_table import joined
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.places import Places
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
        rows, places = whole.to_rows(), whole.places
        times = file_rows.all_times(rows, mapping)
        self.partitions: int | None = None
        self.timed = bool((times != UNREADABLE).any())
        parts = [np.argsort(times, kind="stable")]
        if places is not None:
            self.partitions = int(places.partitions.max()) + 1
            self.timed = self.timed or places.times is not None
            order = np.lexsort((places.offsets, places.partitions))
            parts = np.split(order, np.flatnonzero(np.diff(places.partitions[order])) + 1)
        self._parts = [
            _Part(
                [rows[i] for i in part.tolist()],
                times[part],
                None if places is None else places.take(part),
            )
            for part in parts
        ]

    @property
    def rows(self) -> file_rows.Rows:
        """All rows, in the order in which they are fed."""
        return [row for part in self._parts for row in part.rows]

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
            yield from part.yielded(len(part.rows))


class _Part:
    """The rows of a set, or of one partition of a recording, in their order.

    Attributes:
        times: of each row, the largest up to it.
        next: the first row that has not been yielded.
    """

    def __init__(self, rows: file_rows.Rows, times: IntArray, places: Places | None) -> None:
        self.rows, self.places = rows, places
        self.times = np.maximum.accumulate(times)
        self.next = 0

    def yielded(self, end: int) -> Iterator[Table]:
        """Yield the rows before `end`, and with them those of the same record."""
        end = self._whole(end)
        while self.next < end:
            start, self.next = self.next, self._whole(min(self.next + _CHUNK, end))
            places = None if self.places is None else self.places.take(slice(start, self.next))
            yield replace(Table.of_rows(self.rows[start : self.next]), places=places)

    def _whole(self, end: int) -> int:
        """Return the end of the record whose rows would be cut at `end`."""
        if self.places is None or not 0 < end < len(self.rows):
            return end
        offsets = self.places.offsets
        return int(np.searchsorted(offsets, offsets[end - 1], "right"))
