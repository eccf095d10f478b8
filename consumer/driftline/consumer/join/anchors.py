"""Ids whose rows decided each other's fate in a way that must be seen again after a restart.

After a restart the past is read again from an offset on. Most rows behind it fare there as they did
before, whatever lies before it. Not so a prediction whose label came first, or one whose id another
has: what decided its fate must be read again too, until it would have been forgotten without. So
such an id holds the offset back, and every row of that id prolongs it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import IntArray

IdArray = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
# New entries wait until they are so many, and at least an eighth of the others.
_BUFFERED = 1_024


def meetings(ids: IdArray, offsets: IntArray) -> IdArray:
    """Return a number for each prediction that meets a label: of its id and its block's offset."""
    return ids ^ (offsets.astype(np.uint64) * _GOLDEN)


class Anchors:
    """Per id an offset, and the time until which it must be read again."""

    def __init__(self) -> None:
        none = np.zeros(0, np.int64)
        self._ids, self._offsets, self._until = none.astype(np.uint64), none, none
        self._new: list[tuple[IdArray, IntArray, IntArray]] = []
        self._met, self._met_ids = self._ids, self._ids

    def add(self, ids: IdArray, offsets: IntArray, until: IntArray) -> None:
        """Hold offsets back for ids, until times in ms."""
        if ids.size:
            self._new.append((ids, offsets, until))
            new = sum(len(part) for part, _, _ in self._new)
            if new >= max(_BUFFERED, len(self._ids) // 8):
                self._merge()

    def meet(self, ids: IdArray, meeting: IdArray) -> None:
        """Remember, while their ids are anchored, predictions that met a label that came first."""
        self._met = np.concatenate([self._met, meeting])
        self._met_ids = np.concatenate([self._met_ids, ids])

    def prolong(self, ids: IdArray, until: IntArray) -> None:
        """Hold the offsets of those ids that are anchored, until times in ms at least."""
        for known, _, times in ((self._ids, None, self._until), *self._new):
            if known.size:
                hit = np.flatnonzero(np.isin(known, ids))
                if hit.size:
                    order = np.argsort(ids)
                    place = order[np.searchsorted(ids[order], known[hit])]
                    times[hit] = np.maximum(times[hit], until[place])

    def forget(self, now: int) -> None:
        """Let go of what is over at `now` (ms)."""
        self._merge()
        if self._until.size and (over := self._until <= now).any():
            self._ids, self._offsets = self._ids[~over], self._offsets[~over]
            self._until = self._until[~over]
            held = np.isin(self._met_ids, self._ids)
            self._met, self._met_ids = self._met[held], self._met_ids[held]

    def first_offset(self) -> int | None:
        """Return the smallest offset held back."""
        offsets = [self._offsets, *(part for _, part, _ in self._new)]
        return min((int(part.min()) for part in offsets if part.size), default=None)

    def met(self) -> IdArray:
        """Return the predictions that met a label that came first, see `meetings`."""
        return self._met

    def _merge(self) -> None:
        """Keep one entry of each id: its smallest offset and its last time."""
        if not self._new:
            return
        parts = [(self._ids, self._offsets, self._until), *self._new]
        ids, offsets, until = (np.concatenate(column) for column in zip(*parts, strict=True))
        self._new.clear()
        order = np.argsort(ids, kind="stable")
        heads = np.flatnonzero(np.diff(ids[order], prepend=ids[order[:1]] + np.uint64(1)))
        self._ids = ids[order][heads]
        self._offsets = np.minimum.reduceat(offsets[order], heads)
        self._until = np.maximum.reduceat(until[order], heads)
