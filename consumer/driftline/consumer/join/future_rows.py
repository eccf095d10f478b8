"""Rows whose time the clock has not passed yet."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.join.resume_points import Source
from driftline.consumer.wire.join_rows import JoinRows

# Parts of fewer rows are merged, this number at a time: each part costs about 1.5 kB besides.
_SMALL, _MANY = 1_024, 256


class FutureRows:
    """Rows of all source partitions whose time the clock has not passed.

    They leave in the order (time, source, partition, offset), a prediction before the label in the
    same record: the order of their arrival changes nothing.

    Args:
        tags: how many segment tags a row has.

    Attributes:
        held: how many rows there are.

    >>> rows = FutureRows(tags=0)
    >>> rows.held, len(rows.due(1_000))
    (0, 0)
    """

    def __init__(self, tags: int) -> None:
        self.held = 0
        self._none = JoinRows.none(tags)
        self._sources: list[Source] = []
        # Parts, each in the order of its times, by their smallest: those far ahead are not looked
        # at, and of the others what is left is cut off without being copied.
        self._parts: list[tuple[int, int, JoinRows, NDArray[np.int16]]] = []
        self._numbers = count()
        self._small = 0  # small parts that came since they were put together

    def add(self, source: Source, rows: JoinRows) -> None:
        """Take in rows of one source."""
        if source not in self._sources:
            self._sources.append(source)
        if len(rows):
            self.held += len(rows)
            self._small += len(rows) < _SMALL
            self._add(rows, np.full(len(rows), self._sources.index(source), np.int16))
        if self._small >= _MANY:
            self._small = 0
            self._put_together()

    def due(self, now: int) -> JoinRows:
        """Take out the rows of times before `now` (ms), in the order in which they are matched."""
        parts = []
        while self._parts and self._parts[0][0] < now:
            _, number, rows, places = heappop(self._parts)
            end = int(np.searchsorted(rows.times, now))
            parts.append((rows.select(slice(None, end)), places[:end]))
            if end < len(rows):
                rest, left = rows.select(slice(end, None)), places[end:]
                if end > len(rest):  # few are left: let go of the others
                    rest, left = rest.select(np.arange(len(rest))), left.copy()
                self._small += len(rest) < _SMALL <= len(rows)
                heappush(self._parts, (int(rest.times[0]), number, rest, left))
        if not parts:
            return self._none
        rows = JoinRows.concatenate([rows for rows, _ in parts])
        places = np.concatenate([places for _, places in parts])
        self.held -= len(rows)
        # Sources by name: in which order they first reported must not matter.
        ranked = sorted(self._sources)
        rank = np.array([ranked.index(source) for source in self._sources], np.int64)
        return rows.select(np.lexsort((rows.labels, rows.offsets, rank[places], rows.times)))

    def time_leaving(self, most: int) -> int:
        """Return the smallest time (ms) from which on there are at most `most` rows, 1 or more."""
        times = np.concatenate([rows.times for _, _, rows, _ in self._parts])
        many = max(len(times) - most, 1)
        return int(np.partition(times, many - 1)[many - 1]) + 1

    def before(self, time: int) -> int:
        """Return how many rows there are of times before `time` (ms)."""
        return sum(int(np.searchsorted(rows.times, time)) for _, _, rows, _ in self._parts)

    def _add(self, rows: JoinRows, places: NDArray[np.int16]) -> None:
        order = np.argsort(rows.times, kind="stable")
        rows, places = rows.select(order), places[order]
        for name in ("predicted", "versions", "segments"):  # many may be ahead
            setattr(rows, name, getattr(rows, name).astype(np.int16))
        heappush(self._parts, (int(rows.times[0]), next(self._numbers), rows, places))

    def _put_together(self) -> None:
        """Make one part of all small ones."""
        small = [part for part in self._parts if len(part[2]) < _SMALL]
        self._parts = [part for part in self._parts if len(part[2]) >= _SMALL]
        heapify(self._parts)
        if small:
            rows = JoinRows.concatenate([part[2] for part in small])
            self._add(rows, np.concatenate([part[3] for part in small]))
