"""Counts of a reference's streams in little memory, of which some are looked at and most are not.

Which streams a model is watched by, the configuration says; a reference has counts of all that it
was built with, and what is derived of it has an id that they are part of. So they are kept, but
those that nobody compares anything with are deflated: a fourteenth of what they are unpacked.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import IntArray

HeldCounts = NDArray[np.int32] | IntArray
"""Counts as they are held: in 32 bits where all of them fit. They are added up in 64."""


@dataclass(frozen=True)
class _Deflated:
    """Counts that are seldom looked at.

    Attributes:
        data: the counts, each in the smallest unsigned integer that all fit into, deflated.
        kind: that integer.
    """

    data: bytes
    kind: str


@dataclass(frozen=True, eq=False)
class CountRows:
    """The counts of some streams, row by row.

    Attributes:
        rows: those of each stream.

    Example:
        >>> rows = CountRows.of(np.array([[3, 0, 4], [1, 0, 70_000]]), held=[0])
        >>> rows[0].tolist(), rows[1].tolist(), rows.held(0).dtype.name
        ([3, 0, 4], [1, 0, 70000], 'int32')
    """

    rows: Sequence[HeldCounts | _Deflated]

    @classmethod
    def of(cls, counts: Sequence[IntArray] | IntArray, held: Collection[int]) -> Self:
        """Take the counts of streams, shape (streams, n); `held`: the rows that are looked at."""
        return cls([_narrow(row) if i in held else _deflate(row) for i, row in enumerate(counts)])

    def __getitem__(self, row: int) -> IntArray:
        """Return the counts of a stream, shape (n,); not to be written to."""
        return self.held(row).astype(np.int64, copy=False)

    def __len__(self) -> int:
        return len(self.rows)

    def held(self, row: int) -> HeldCounts:
        """Return the counts of a stream as they are held; they are unpacked where they are not."""
        own = self.rows[row]
        if isinstance(own, _Deflated):
            return np.frombuffer(zlib.decompress(own.data), own.kind).astype(np.int64)
        return own

    def whole(self) -> IntArray:
        """Return all of them, shape (streams, n)."""
        return np.array([self[row] for row in range(len(self))], np.int64)

    def with_rows(self, replaced: Mapping[int, IntArray]) -> Self:
        """Return the same with other counts of some streams."""
        rows = list(self.rows)
        for row, counts in replaced.items():
            deflated = isinstance(rows[row], _Deflated)
            rows[row] = _deflate(counts) if deflated else _narrow(counts)
        return replace(self, rows=rows)


def _narrow(counts: IntArray) -> HeldCounts:
    small = not counts.size or counts.max() <= np.iinfo(np.int32).max
    return counts.astype(np.int32) if small else counts.astype(np.int64)


def _deflate(counts: IntArray) -> _Deflated:
    kind = np.min_scalar_type(int(counts.max(initial=0)))
    return _Deflated(zlib.compress(counts.astype(kind).tobytes(), 1), kind.str)
