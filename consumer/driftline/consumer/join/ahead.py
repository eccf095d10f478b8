"""Rows whose time the clock has not passed yet."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count

import numpy as np

from driftline.consumer.join.marks import Source
from driftline.consumer.log.join_rows import JoinRows
from driftline.detectors.grid import IntArray


class RowsAhead:
    """Rows of all source partitions on their way to taking effect.

    They do so in the order (time, source, partition, offset), a prediction before the label in the
    same record: who arrives first changes nothing.

    Args:
        tags: how many segment tags a row has.
    """

    def __init__(self, tags: int) -> None:
        self._none = JoinRows.none(tags)
        self._sources: list[Source] = []
        # Parts by their smallest time, so that those far ahead are not looked at.
        self._parts: list[tuple[int, int, JoinRows, IntArray]] = []
        self._numbers = count()

    def add(self, source: Source, rows: JoinRows) -> None:
        """Take in rows of one source."""
        if source not in self._sources:
            self._sources.append(source)
        self._add(rows, np.full(len(rows), self._sources.index(source)))

    def due(self, now: int) -> JoinRows:
        """Take out the rows of times before `now` (ms), in the order in which they take effect."""
        parts = []
        while self._parts and self._parts[0][0] < now:
            parts.append(heappop(self._parts)[2:])
        if not parts:
            return self._none
        rows = JoinRows.concatenate([rows for rows, _ in parts])
        places = np.concatenate([places for _, places in parts])
        due = rows.times < now
        if not due.all():
            self._add(rows.select(~due), places[~due])
            rows, places = rows.select(due), places[due]
        # Sources by name: in which order they were first heard must not matter.
        ranked = sorted(self._sources)
        rank = np.array([ranked.index(source) for source in self._sources], np.int64)
        return rows.select(np.lexsort((rows.labels, rows.offsets, rank[places], rows.times)))

    def _add(self, rows: JoinRows, places: IntArray) -> None:
        if len(rows):
            heappush(self._parts, (int(rows.times.min()), next(self._numbers), rows, places))
