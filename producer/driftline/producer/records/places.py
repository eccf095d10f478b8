"""Where the rows of a recording stood in their topic: the columns `partition` and `offset`.

A file with both is a recording of a topic: each row is a record, or one of the events that a
record held. Then these columns are no fields of the events; nor is `record_timestamp`, the time of
the record itself, which a recording may have too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # rows of files are read where numpy is not
    import numpy as np
    from numpy.typing import NDArray

    from driftline.producer.records.table import Chosen

PARTITION: Final = "partition"
OFFSET: Final = "offset"
RECORD_TIMESTAMP: Final = "record_timestamp"

MOST_PARTITIONS: Final = 10_000
"""More than any topic has."""

_LARGEST = 2**63 - 1


@dataclass(frozen=True, eq=False)
class Places:
    """Where n rows stood.

    Attributes:
        partitions: int64 (n,).
        offsets: int64 (n,).
        times: int64 (n,): of the records, ms since 1970, below 2000 where there is none; None
            where the recording has no such column.
    """

    partitions: NDArray[np.int64]
    offsets: NDArray[np.int64]
    times: NDArray[np.int64] | None = None

    def take(self, rows: Chosen) -> Places:
        """Return the chosen rows."""
        times = None if self.times is None else self.times[rows]
        return Places(self.partitions[rows], self.offsets[rows], times)


def is_place(value: object) -> bool:
    """Return whether a value can be a partition or an offset.

    >>> is_place(0), is_place(7.0), is_place(True), is_place("0"), is_place(-1), is_place(None)
    (True, True, False, False, False, False)
    """
    if isinstance(value, float):
        return value.is_integer() and 0 <= value < _LARGEST
    return type(value) is int and 0 <= value <= _LARGEST


def is_recorded(row: Mapping[str, Any]) -> bool:
    """Return whether a row says which record it is of."""
    return is_place(row.get(PARTITION)) and is_place(row.get(OFFSET))


def without_places(chunks: Iterable[list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    """Yield rows without what says where they stood, if they are of a recording.

    The first chunk tells whether they are: one row that says it is enough.

    >>> [*without_places([[{"partition": 0, "offset": 7, "km": 1}], [{"offset": 8}]])]
    [[{'km': 1}], [{}]]
    >>> [*without_places([[{"partition": "west", "offset": 7}]])]
    [[{'partition': 'west', 'offset': 7}]]
    """
    recording: bool | None = None
    for rows in chunks:
        if recording is None:
            recording = any(map(is_recorded, rows))
        for row in rows if recording else ():
            for name in (PARTITION, OFFSET, RECORD_TIMESTAMP):
                row.pop(name, None)
        yield rows
