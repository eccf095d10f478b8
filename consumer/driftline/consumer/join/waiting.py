"""Rows that wait: predictions for their labels, and labels for their predictions, as columns."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.join.index import IdIndex
from driftline.consumer.wire.join_rows import IdArray, unknown
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.error_model import ErrorArray

FREE, WAITING, MATCHED, EARLY = 0, 1, 2, 3
"""Nothing; a prediction without label; one with its label; a label without prediction."""

_FIRST = 1 << 12
_LAST = np.iinfo(np.int64).max  # time, and end, of a free row


@dataclass
class WaitingColumns:
    """What is kept of each row, by row number.

    Attributes:
        ids: uint64: hash of the event's id.
        state: uint8: `FREE`, `WAITING`, `MATCHED` or `EARLY`.
        times: int64: its time, ms since 1970.
        until: int64: when it is forgotten, ms since 1970.
        scores: float64: of a prediction, NaN without one. Of a comparison (2, rows): the answers of
            champion and challenger, a score or the place of a class, NaN without one.
        actual: float64: the label, NaN without one.
        delays: uint8: cell of the time between a prediction and its label.
        codes: int16 (2 + tags, rows): place of the prediction's class; 1 + place of its version's
            name, 0 for none; and per tag, place among its values.
        expected: float32: the size of a prediction's error that its inputs let expect, NaN where it
            is not known, and at first of all.
    """

    ids: IdArray
    state: NDArray[np.uint8]
    times: IntArray
    until: IntArray
    scores: FloatArray
    actual: FloatArray
    delays: NDArray[np.uint8]
    codes: NDArray[np.int16]
    expected: ErrorArray = field(init=False)

    def __post_init__(self) -> None:
        self.expected = unknown(len(self.ids))

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

    def select(self, chosen: Any) -> WaitingColumns:
        """Return the rows that an index or a mask picks, in its order."""
        rows = WaitingColumns(
            self.ids[chosen], self.state[chosen], self.times[chosen], self.until[chosen],
            self.scores[..., chosen], self.actual[chosen], self.delays[chosen],
            self.codes[:, chosen],
        )  # fmt: skip
        rows.expected = self.expected[chosen]
        return rows


class WaitingRows:
    """Columns of rows with an index by id. A row that is removed makes room for a later one.

    Args:
        tags: how many segment tags a row has.
        answers: how many answers a row may have, in a column of scores each; 0: one, in `scores`.

    Attributes:
        held: how many rows there are; `early`: of these, labels without prediction.
    """

    def __init__(self, tags: int, answers: int = 0) -> None:
        n = _FIRST
        scores = np.zeros((answers, n) if answers else n)
        self.columns = WaitingColumns(
            np.zeros(n, np.uint64), np.zeros(n, np.uint8), np.zeros(n, np.int64),
            np.zeros(n, np.int64), scores, np.zeros(n), np.zeros(n, np.uint8),
            np.zeros((2 + tags, n), np.int16),
        )  # fmt: skip
        self._index = IdIndex()
        self._free: list[NDArray[np.int32]] = []
        self._used = 0  # rows that were ever in use
        self.held = self.early = 0

    def __len__(self) -> int:
        return self.held

    def find(self, ids: IdArray) -> IntArray:
        """Return the row of each id, -1 where none holds it."""
        return self._index.find(ids, self.columns.ids)

    def add(self, rows: WaitingColumns) -> IntArray:
        """Keep rows, whose ids are all different and new; return their numbers."""
        numbers = self._numbers(len(rows.ids))
        for f in fields(rows):
            getattr(self.columns, f.name)[..., numbers] = getattr(rows, f.name)
        self._index.add(rows.ids, numbers, self.columns.ids)
        self.held += len(numbers)
        self.early += int(np.count_nonzero(rows.state == EARLY))
        return numbers

    def remove(self, numbers: IntArray) -> None:
        """Forget rows."""
        if not numbers.size:
            return
        self._index.remove(self.columns.ids[numbers], self.columns.ids)
        self.early -= int(np.count_nonzero(self.columns.state[numbers] == EARLY))
        self.columns.state[numbers] = FREE
        self.columns.times[numbers] = self.columns.until[numbers] = _LAST
        self._free.append(numbers.astype(np.int32))
        self.held -= len(numbers)

    def ended(self, now: int) -> IntArray:
        """Return the rows that are forgotten at `now`, ms. Looks at all of them."""
        return np.flatnonzero(self.columns.until[: self._used] <= now)

    def in_state(self, *states: int) -> IntArray:
        """Return the rows in one of the states."""
        return np.flatnonzero(np.isin(self.columns.state[: self._used], states))

    def count(self, state: int) -> int:
        """Return how many rows are in a state."""
        return int(np.count_nonzero(self.columns.state[: self._used] == state))

    def first_time(self) -> int | None:
        """Return the smallest time of any row, ms since 1970."""
        return int(self.columns.times[: self._used].min()) if self.held else None

    def _numbers(self, n: int) -> IntArray:
        """Return n free row numbers."""
        parts: list[IntArray] = []
        while n and self._free:
            part = self._free.pop()
            if len(part) > n:
                self._free.append(part[n:])
            parts.append(part[:n].astype(np.int64))
            n -= len(parts[-1])
        start, self._used = self._used, self._used + n
        if self._used > len(self.columns.ids):
            self._grow(self._used + self._used // 4)
        return np.concatenate([*parts, np.arange(start, self._used)])

    def _grow(self, size: int) -> None:
        for f in fields(self.columns):
            old = getattr(self.columns, f.name)
            new = np.zeros((*old.shape[:-1], size), old.dtype)
            new[..., : old.shape[-1]] = old
            setattr(self.columns, f.name, new)


# Columns, and what is noted of rows that crossed, a quarter more than are in use; and two places
# in the index.
_ROW_BYTES = (6 * 8 + 4 + 2 * 1 + 2 * 2) * 5 // 4 + 2 * 4
_AHEAD_BYTES = 4 * 8 + 4 + 1 + 3 * 2  # see RowsAhead
_FEW_AHEAD = 10_000  # cost nothing worth a hurry


@dataclass(frozen=True)
class Room:
    """How many rows of a model may be in one partition of the join.

    Attributes:
        waiting: rows that wait for one another.
        ahead: rows that are read ahead of the slowest source.
    """

    waiting: int
    ahead: int

    @classmethod
    def within(cls, rows: int, size: int, tags: int) -> Self:
        """Return room in `size` bytes: at most `rows` that wait, and half as many ahead.

        >>> Room.within(1_000_000, 10_100_000, tags=0)
        Room(waiting=100000, ahead=50000)
        """
        half = (_AHEAD_BYTES + 2 * tags) // 2
        waiting = max(min(rows, size // (_ROW_BYTES + 2 * tags * 5 // 4 + half)), 1)
        return cls(waiting, max(waiting // 2, _FEW_AHEAD))
