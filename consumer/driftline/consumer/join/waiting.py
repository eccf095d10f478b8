"""Rows that wait: predictions for their labels, and labels for their predictions, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.join.index import IdArray, IdIndex
from driftline.detectors.grid import FloatArray, IntArray

FREE, WAITING, MATCHED, EARLY = 0, 1, 2, 3
"""Nothing; a prediction without label; one with its label; a label without prediction."""

_FIRST = 1 << 12
_NO_OFFSET = np.iinfo(np.int64).max


@dataclass
class Columns:
    """What is kept of each row, by row number.

    Attributes:
        ids: uint64: hash of the event's id.
        state: uint8: `FREE`, `WAITING`, `MATCHED` or `EARLY`.
        offsets: int64: of the block in the log of joins that brought it.
        times: int64: when it took effect, ms since 1970.
        until: int64: when it is forgotten, ms since 1970.
        scores: float64: of a prediction, NaN without one.
        actual: float64: the label, NaN without one.
        codes: int16 (2 + tags, rows): place of the prediction's class; 1 + place of its version's
            name, 0 for none; and per tag, place among its values.
    """

    ids: IdArray
    state: NDArray[np.uint8]
    offsets: IntArray
    times: IntArray
    until: IntArray
    scores: FloatArray
    actual: FloatArray
    codes: NDArray[np.int16]

    @property
    def predicted(self) -> NDArray[np.int16]:
        """Places of the predictions' classes."""
        codes: NDArray[np.int16] = self.codes[0]
        return codes

    @property
    def versions(self) -> NDArray[np.int16]:
        """1 + places of the versions' names."""
        codes: NDArray[np.int16] = self.codes[1]
        return codes

    @property
    def segments(self) -> NDArray[np.int16]:
        """Per tag, places among its values."""
        return self.codes[2:]

    def select(self, chosen: Any) -> Columns:
        """Return the rows that an index or a mask picks, in its order."""
        return Columns(*(getattr(self, f.name)[..., chosen] for f in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence[Columns]) -> Columns:
        """Put rows, at least one part, behind one another."""
        columns = ([getattr(part, f.name) for part in parts] for f in fields(cls))
        return cls(*(np.concatenate(column, axis=-1) for column in columns))


class WaitingRows:
    """Columns of rows with an index by id. A row that is removed makes room for a later one.

    Args:
        tags: how many segment tags a row has.
        every: ms; rows that are forgotten within one such stretch of time are found together.
    """

    def __init__(self, tags: int, every: int) -> None:
        n = _FIRST
        self.columns = Columns(
            np.zeros(n, np.uint64), np.zeros(n, np.uint8), np.full(n, _NO_OFFSET),
            np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n), np.zeros(n),
            np.zeros((2 + tags, n), np.int16),
        )  # fmt: skip
        self._index = IdIndex()
        self._free: list[IntArray] = []
        self._used = 0  # rows that were ever in use
        self._every = every
        self._ends: dict[int, list[NDArray[np.int32]]] = {}  # by (until - 1) // every
        self.held = 0

    def __len__(self) -> int:
        return self.held

    def find(self, ids: IdArray) -> IntArray:
        """Return the row of each id, -1 where none holds it."""
        return self._index.find(ids, self.columns.ids)

    def add(self, rows: Columns) -> IntArray:
        """Keep rows, whose ids are all different and new; return their numbers."""
        n = len(rows.ids)
        numbers = self._numbers(n)
        for f in fields(rows):
            getattr(self.columns, f.name)[..., numbers] = getattr(rows, f.name)
        self._index.add(rows.ids, numbers, self.columns.ids)
        self.held += n
        self.note_ends(numbers)
        return numbers

    def note_ends(self, numbers: IntArray) -> None:
        """Note when rows are forgotten, which has just been set."""
        stretches = (self.columns.until[numbers] - 1) // self._every
        for stretch in np.unique(stretches).tolist():
            chosen = numbers[stretches == stretch].astype(np.int32)
            self._ends.setdefault(stretch, []).append(chosen)

    def ended(self, now: int, *, every_one: bool) -> IntArray:
        """Return rows that are forgotten at `now`, ms.

        Those of stretches of time that are over, which costs little; or, with `every_one`, those
        of the stretch that lasts too.
        """
        over = [stretch for stretch in self._ends if (stretch + 1) * self._every <= now]
        parts = [part for stretch in over for part in self._ends.pop(stretch)]
        if every_one:
            lasting = self._ends.pop(now // self._every, [])
            over_now = [self.columns.until[part] <= now for part in lasting]
            parts += [part[some] for part, some in zip(lasting, over_now, strict=True)]
            left = [part[~some] for part, some in zip(lasting, over_now, strict=True)]
            self._ends[now // self._every] = [part for part in left if part.size]
        if not parts:
            return np.zeros(0, np.int64)
        # A number may have been given to a later row, which is noted where it ends itself.
        numbers = np.unique(np.concatenate(parts)).astype(np.int64)
        columns = self.columns
        due: IntArray = numbers[(columns.state[numbers] != FREE) & (columns.until[numbers] <= now)]
        return due

    def remove(self, numbers: IntArray) -> None:
        """Forget rows."""
        if not numbers.size:
            return
        self._index.remove(self.columns.ids[numbers], self.columns.ids)
        self.columns.state[numbers] = FREE
        self.columns.offsets[numbers] = _NO_OFFSET
        self._free.append(numbers)
        self.held -= len(numbers)

    def in_state(self, state: int) -> IntArray:
        """Return the rows in a state."""
        return np.flatnonzero(self.columns.state[: self._used] == state)

    def first_offset(self) -> int | None:
        """Return the smallest offset of any row."""
        return int(self.columns.offsets[: self._used].min()) if self.held else None

    def _numbers(self, n: int) -> IntArray:
        """Return n free row numbers."""
        free = np.concatenate([np.zeros(0, np.int64), *self._free])
        taken, left = free[:n], free[n:]
        self._free = [left] if left.size else []
        fresh = n - len(taken)
        if not fresh:
            return taken
        start, self._used = self._used, self._used + fresh
        if self._used > len(self.columns.ids):
            self._grow(self._used + self._used // 4)
        return np.concatenate([taken, np.arange(start, self._used)])

    def _grow(self, size: int) -> None:
        for f in fields(self.columns):
            old = getattr(self.columns, f.name)
            new = np.zeros((*old.shape[:-1], size), old.dtype)
            if f.name == "offsets":
                new[old.shape[-1] :] = _NO_OFFSET
            new[..., : old.shape[-1]] = old
            setattr(self.columns, f.name, new)


# Columns, two places in the index, one among the ends.
_ROW_BYTES = 8 + 1 + 8 + 8 + 8 + 8 + 8 + 2 * 2 + 2 * 4 + 4


def most_rows(rows: int, size: int, tags: int) -> int:
    """Return how many rows with so many tags may wait, at most `rows` and in `size` bytes.

    >>> most_rows(1_000_000, 6_500_000, 0)
    100000
    """
    return max(min(rows, size // (_ROW_BYTES + 2 * tags)), 1)
