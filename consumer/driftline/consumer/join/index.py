"""From a 64-bit id to the row that holds it: open addressing in a numpy array, whole batches."""

from __future__ import annotations

import numpy as np

from driftline.consumer.wire.join_rows import IdArray
from driftline.detectors.grid import IntArray

_EMPTY, _GONE = -1, -2
_SMALLEST = 1 << 10
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class IdIndex:
    """Rows by id; every id at most once.

    Linear probing from the id's own place on, for all ids of a call at a time. A place has four
    bytes, and at most two thirds of the places are used.

    >>> index, column = IdIndex(), np.array([7, 8], np.uint64)
    >>> index.add(column, np.array([0, 1]), column)
    >>> index.find(np.array([8, 9], np.uint64), column).tolist()
    [1, -1]
    """

    def __init__(self) -> None:
        self._rows = np.full(_SMALLEST, _EMPTY, np.int32)
        self._taken = 0  # places that are not empty: rows, and those gone

    def find(self, ids: IdArray, column: IdArray) -> IntArray:
        """Return the row of each id, -1 where there is none; `column` holds the id of every row."""
        rows, _ = self._search(ids, column)
        return rows

    def add(self, ids: IdArray, rows: IntArray, column: IdArray) -> None:
        """Add ids, all different and none of them in the index yet, with their rows.

        Args:
            ids: uint64 (n,).
            rows: int64 (n,): rows whose ids they are.
            column: the id of every row, those to be added included.
        """
        if 3 * (self._taken + len(ids)) > 2 * len(self._rows):
            self._grow(len(ids), column)
        self._put(ids, rows)

    def remove(self, ids: IdArray, column: IdArray) -> None:
        """Take ids, all in the index, out of it."""
        _, places = self._search(ids, column)
        self._rows[places] = _GONE

    def _put(self, ids: IdArray, rows: IntArray) -> None:
        places, left = self._home(ids), np.arange(len(ids))
        while left.size:
            free = self._rows[places] < 0
            tried = left[free]
            was_empty = self._rows[places[free]] == _EMPTY
            self._rows[places[free]] = rows[tried]  # of several for one place the last one gets it
            won = self._rows[places[free]] == rows[tried]
            self._taken += int((was_empty & won).sum())
            lost = np.ones(len(left), bool)
            lost[np.flatnonzero(free)[won]] = False
            left, places = left[lost], self._next(places[lost])

    def _search(self, ids: IdArray, column: IdArray) -> tuple[IntArray, IntArray]:
        """Return for each id its row and place, -1 where there is none."""
        found, at = np.full((2, len(ids)), -1, np.int64)
        places, left = self._home(ids), np.arange(len(ids))
        while left.size:
            rows = self._rows[places]
            hit = (rows >= 0) & (column[np.maximum(rows, 0)] == ids[left])
            found[left[hit]], at[left[hit]] = rows[hit], places[hit]
            on = ~hit & (rows != _EMPTY)
            left, places = left[on], self._next(places[on])
        return found, at

    def _grow(self, more: int, column: IdArray) -> None:
        """Make room for `more` more, without the places of those that are gone."""
        rows = self._rows[self._rows >= 0].astype(np.int64)
        size = len(self._rows)
        while 2 * (len(rows) + more) > size:
            size *= 2
        self._rows = np.full(size, _EMPTY, np.int32)
        self._taken = 0
        self._put(column[rows], rows)

    def _home(self, ids: IdArray) -> IntArray:
        # The low bits say which partition of `joins` an id goes to, so they are much the same here.
        bits = len(self._rows).bit_length() - 1
        return ((ids * _GOLDEN) >> np.uint64(64 - bits)).astype(np.int64)

    def _next(self, places: IntArray) -> IntArray:
        return (places + 1) & (len(self._rows) - 1)
