"""Predictions and labels as slim rows: columns in memory, and packed in a block of `joins`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.wire.codec import pack_integers, unpack_integers
from driftline.consumer.wire.messages import Rows
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.error_model import ErrorArray
from driftline.errors import RecordError

IdArray = NDArray[np.uint64]


@dataclass
class JoinRows:
    """Rows of one model, n of them.

    Attributes:
        offsets: int64 (n,): of the records in their partition.
        labels: bool (n,): whether it is a label; else it is a prediction.
        times: int64 (n,): when the row has its effect, ms since 1970.
        ids: uint64 (n,): hash of the event's id.
        values: float64 (n,): a prediction's score, NaN without one; a label's value, or the place
            of its class.
        predicted: int64 (n,): place of a prediction's class, the number of classes for another or
            none; 0 for a label.
        versions: int64 (n,): 1 + the place of its version's name, 0 for none.
        segments: int64 (tags, n): place among a tag's listed values, their number for any other.
        expected: float32 (n,): the size of a prediction's error that its inputs let expect, see
            `EventErrors`; NaN where it is not known, and at first of all.
    """

    offsets: IntArray
    labels: NDArray[np.bool_]
    times: IntArray
    ids: IdArray
    values: FloatArray
    predicted: IntArray
    versions: IntArray
    segments: IntArray
    expected: ErrorArray = field(init=False)

    def __post_init__(self) -> None:
        self.expected = unknown(len(self.ids))

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def none(cls, tags: int) -> JoinRows:
        """Return no rows, of a model with `tags` tags."""
        empty = np.zeros(0, np.int64)
        return cls(
            empty, empty.astype(bool), empty, empty.astype(np.uint64), empty.astype(np.float64),
            empty, empty, np.zeros((tags, 0), np.int64),
        )  # fmt: skip

    @classmethod
    def concatenate(cls, parts: Sequence[JoinRows]) -> JoinRows:
        """Put rows, at least one part, behind one another."""
        if len(parts) == 1:
            return parts[0]
        columns = ([getattr(part, f.name) for part in parts] for f in fields(cls) if f.init)
        rows = cls(*(np.concatenate(column, axis=-1) for column in columns))
        rows.expected = np.concatenate([part.expected for part in parts])
        return rows

    def select(self, chosen: Any) -> JoinRows:
        """Return the rows that an index or a mask picks, in its order."""
        rows = JoinRows(
            self.offsets[chosen], self.labels[chosen], self.times[chosen], self.ids[chosen],
            self.values[chosen], self.predicted[chosen], self.versions[chosen],
            self.segments[:, chosen],
        )  # fmt: skip
        rows.expected = self.expected[chosen]
        return rows


def unknown(n: int) -> ErrorArray:
    """Return the expected errors of n rows of which they are not known."""
    return np.full(n, np.nan, np.float32)


def pack_rows(rows: JoinRows) -> Rows:
    """Return rows, in offset order, as they travel.

    >>> rows = JoinRows.none(tags=1)
    >>> len(unpack_rows(pack_rows(rows)))
    0
    """
    start = int(rows.times.min()) if len(rows) else 0
    return Rows(
        start,
        pack_integers(np.diff(rows.offsets, prepend=0)),
        pack_integers(rows.labels.astype(np.int64)),
        rows.ids.astype("<u8").tobytes(),
        pack_integers(rows.times - start),
        rows.values.astype("<f8").tobytes(),
        pack_integers(rows.predicted),
        pack_integers(rows.versions),
        [pack_integers(codes) for codes in rows.segments],
        b"" if np.isnan(rows.expected).all() else rows.expected.astype("<f4").tobytes(),
    )


def packed_size(packed: Rows | None) -> int:
    """Return the bytes of a block's columns; its names are few, and fit into what is left."""
    if packed is None:
        return 0
    columns = (packed.offsets, packed.labels, packed.ids, packed.times, packed.values)
    others = (packed.predicted, packed.versions, *packed.segments, packed.expected)
    return sum(map(len, (*columns, *others)))


def unpack_rows(packed: Rows) -> JoinRows:
    """Undo `pack_rows`.

    Raises:
        RecordError: the columns are not whole, or not equally long.
    """
    if len(packed.ids) % 8 or len(packed.values) % 8 or len(packed.expected) % 4:
        raise RecordError("this record is damaged: an array in it has no whole number of values")
    offsets = np.cumsum(unpack_integers(packed.offsets))
    n = len(offsets)
    codes = [unpack_integers(column) for column in packed.segments]
    rows = JoinRows(
        offsets=offsets,
        labels=unpack_integers(packed.labels).astype(bool),
        times=unpack_integers(packed.times) + packed.start,
        ids=np.frombuffer(packed.ids, "<u8").astype(np.uint64),
        values=np.frombuffer(packed.values, "<f8").astype(np.float64),
        predicted=unpack_integers(packed.predicted),
        versions=unpack_integers(packed.versions),
        segments=np.zeros((0, n), np.int64),
    )
    if packed.expected:
        rows.expected = np.frombuffer(packed.expected, "<f4").astype(np.float32)
    lengths = {getattr(rows, f.name).shape[-1] for f in fields(rows)}
    if lengths | {len(column) for column in codes} != {n}:
        raise RecordError("this record is damaged: its columns do not fit one another")
    rows.segments = np.array(codes, np.int64).reshape(len(codes), n)
    return rows
