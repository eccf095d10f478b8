"""Rows that are kept on disk until all of them are known, and then read in the order of time."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Any, Self

import msgspec
import numpy as np

from driftline.consumer.offline.rows.event_row import EventRow
from driftline.consumer.sketch.event_ids import NO_ID, hash_ids
from driftline.consumer.wire.join_rows import IdArray
from driftline.producer.files.column_types import ColumnType, type_of

_CHUNK = 10_000

Label = tuple[str, int, Any]
"""The id of its event, when it came (ms since 1970), and what it says."""


class KeptRows:
    """The rows of a span; to be closed, by `with`.

    In memory are 24 bytes a row, the types of their columns, and labels that are given later.

    Attributes:
        types: of each column, how many values of which types it has: `("features", "age")`, and
            of what has no name of its own `("score", "")`.
        of_label: rows whose ground truth is known.

    >>> with KeptRows() as rows:
    ...     rows.add(EventRow(2, 2, "a", None, {"km": 2}, None, None, None, {}))
    ...     rows.add(EventRow(1, 1, "b", None, {"km": 1}, None, None, None, {}))
    ...     rows.join([("b", 5, "late"), ("b", 4, "early"), ("c", 4, "other")])
    ...     [(row.event_id, row.actual) for some in rows.in_order() for row in some], rows.labelled
    ([('b', 'late'), ('a', None)], 1)
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 (closed with this object)
        self._end = 0
        self._starts, self._places = array("q"), array("q")
        self._ids: list[IdArray] = []
        self._new: list[str] = []
        self._labelled: array[int] = array("b")
        self._labels: dict[int, tuple[int, Any]] = {}
        self.types: dict[tuple[str, str], Counter[ColumnType]] = {}
        self._encode = msgspec.msgpack.Encoder().encode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up the file."""
        self._file.close()

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, row: EventRow) -> None:
        """Keep a row."""
        self._starts.append(self._end)
        self._places.append(row.place)
        self._labelled.append(row.actual is not None)
        self._new.append(row.event_id)
        if len(self._new) == _CHUNK:
            self._hash()
        for part, values in (("features", row.features), ("tags", row.tags)):
            for name, value in values.items():
                self.types.setdefault((part, name), Counter())  # also where no value is known
                self._note(part, name, value)
        for part in ("score", "label", "actual"):
            self._note(part, "", getattr(row, part))
        self._end += self._file.write(self._encode(row))

    @property
    def labelled(self) -> int:
        """Rows whose ground truth is known."""
        own = np.frombuffer(self._labelled, np.int8) != 0 if len(self) else np.zeros(0, bool)
        found = np.fromiter(self._labels, np.uint64, len(self._labels))
        return int((own | np.isin(self._hashes(), found)).sum())

    def join(self, labels: Iterable[Label]) -> None:
        """Give rows their ground truth, by the event's id; of several labels the latest holds."""
        known = np.unique(self._hashes())
        some: list[Label] = []
        for label in labels:
            some.append(label)
            if len(some) == _CHUNK:
                self._take(some, known)
                some = []
        self._take(some, known)
        for _, actual in self._labels.values():
            self._note("actual", "", actual)

    def count(self, since: int, until: int) -> int:
        """Return how many rows are in a stretch."""
        places = np.frombuffer(self._places, np.int64) if len(self) else np.zeros(0)
        return int(((since <= places) & (places < until)).sum())

    def in_order(self) -> Iterator[list[EventRow]]:
        """Yield the rows in the order of time, and where that is the same of their ids' hashes."""
        if not len(self):
            return
        ids = self._hashes()
        order = np.lexsort((ids, np.frombuffer(self._places, np.int64)))
        starts = np.frombuffer(self._starts, np.int64)
        ends = np.append(starts[1:], self._end)
        decode = msgspec.msgpack.Decoder(EventRow).decode
        for begin in range(0, len(order), _CHUNK):
            chosen = order[begin : begin + _CHUNK]
            rows = []
            places = (starts[chosen].tolist(), ends[chosen].tolist(), ids[chosen].tolist())
            for start, end, key in zip(*places, strict=True):
                self._file.seek(start)
                row = decode(self._file.read(end - start))
                if key in self._labels:
                    row.actual = self._labels[key][1]
                rows.append(row)
            yield rows

    def _take(self, labels: list[Label], known: IdArray) -> None:
        keys = hash_ids([key for key, _, _ in labels])
        for place in np.flatnonzero(np.isin(keys, known) & (keys != NO_ID)).tolist():
            _, time, actual = labels[place]
            before = self._labels.get(int(keys[place]))
            if before is None or before[0] <= time:
                self._labels[int(keys[place])] = time, actual

    def _hash(self) -> None:
        self._ids.append(hash_ids(self._new))
        self._new = []

    def _hashes(self) -> IdArray:
        self._hash()
        self._ids = [np.concatenate(self._ids)]
        return self._ids[0]

    def _note(self, part: str, name: str, value: Any) -> None:
        kind = type_of(value)
        if kind is not None:
            self.types.setdefault((part, name), Counter())[kind] += 1
