"""Rows in the order of their times, to be taken as time goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from driftline.consumer.cli import file_rows
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.timestamp_column import UNREADABLE

_CHUNK = 10_000


class TimedRows:
    """The rows of a file by time; those without a readable one come first.

    Args:
        chunks: the rows, in any order.
        mapping: says where their times are.

    >>> rows = TimedRows([[{"ts": 1553644802}, {"ts": 1553644801}]], Mapping({"timestamp": "ts"}))
    >>> [chunk for chunk in rows.until(1553644801_000)], [chunk for chunk in rows.rest()]
    ([[{'ts': 1553644801}]], [[{'ts': 1553644802}]])
    """

    def __init__(self, chunks: Iterable[file_rows.Rows], mapping: Mapping) -> None:
        rows = [row for chunk in chunks for row in chunk]
        times = file_rows.all_times(rows, mapping)
        order = np.argsort(times, kind="stable")
        self._rows = [rows[i] for i in order.tolist()]
        self._times = times[order]
        self._next = 0

    @property
    def timed(self) -> bool:
        """Whether any row has a readable time."""
        return bool((self._times != UNREADABLE).any())

    @property
    def rows(self) -> file_rows.Rows:
        """All rows, by time."""
        return self._rows

    @property
    def yielded(self) -> int:
        """Rows that have been yielded."""
        return self._next

    def until(self, time: int) -> Iterator[file_rows.Rows]:
        """Yield the rows up to a time (ms) that have not been yielded yet, in chunks."""
        yield from self._chunks(int(np.searchsorted(self._times, time, "right")))

    def rest(self) -> Iterator[file_rows.Rows]:
        """Yield the rows that have not been yielded yet, in chunks."""
        yield from self._chunks(len(self._rows))

    def _chunks(self, end: int) -> Iterator[file_rows.Rows]:
        while self._next < end:
            start, self._next = self._next, min(self._next + _CHUNK, end)
            yield self._rows[start : self._next]
