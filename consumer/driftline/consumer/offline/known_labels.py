"""The ground truth of labels, found by the ids of events or by their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.event_ids import NO_ID
from driftline.producer.records.column_values import held, null_where
from driftline.producer.records.table import Coded, Column

if TYPE_CHECKING:
    from driftline.consumer.wire.join_rows import IdArray


@dataclass(frozen=True, eq=False)
class KnownLabels:
    """The ground truth of labels.

    Attributes:
        values: of each label, in the order of `keys`; without them, of each event in its order.
        keys: hashes of the labels' ids, ascending; None: labels are in the events' order.
        labels: how many there were.
        repeated: of these, how many have an id that an earlier one has.
    """

    values: Column
    keys: IdArray | None = None
    labels: int = 0
    repeated: int = 0

    @classmethod
    def by_id(cls, keys: IdArray, values: Column) -> Self:
        """Return labels that have an id and a value; of several with one id the last.

        Args:
            keys: hashes of ids, shape (n,).
            values: of n labels.

        >>> values = Coded(np.array([0, 1, 1, 1]), ["no", "yes"])
        >>> labels = KnownLabels.by_id(np.array([7, 3, 7, 0], np.uint64), values)
        >>> labels.keys.tolist(), labels.values.values(), labels.labels, labels.repeated
        ([3, 7], ['yes', 'yes'], 3, 1)
        """
        there = np.flatnonzero(held(values) & (keys != NO_ID))
        own, from_the_end = np.unique(keys[there][::-1], return_index=True)
        last = there[there.size - 1 - from_the_end]
        return cls(values.take(last), own, there.size, there.size - own.size)

    def of(self, keys: IdArray) -> Column:
        """Return the values of events by the hashes of their ids, shape (n,); null for none.

        >>> labels = KnownLabels(Coded(np.array([0, 1]), ["no", "yes"]), np.array([3, 7]))
        >>> labels.of(np.array([7, 8])).values()
        ['yes', None]
        """
        if self.keys is None or not self.keys.size:
            return Coded(np.zeros(keys.size, np.int64), [None])
        places = np.minimum(np.searchsorted(self.keys, keys), self.keys.size - 1)
        return null_where(self.values.take(places), self.keys[places] != keys)


def among(keys: IdArray, known: IdArray) -> NDArray[np.bool_]:
    """Return which ids are among the known ones, which ascend, shape (n,).

    >>> among(np.array([5, 3]), np.array([3, 4])).tolist()
    [False, True]
    """
    if not known.size:
        return np.zeros(keys.size, bool)
    places = np.minimum(np.searchsorted(known, keys), known.size - 1)
    found: NDArray[np.bool_] = known[places] == keys
    return found


def names_rows(keys: IdArray, least: float) -> bool:
    """Return whether at least this share of the ids that there are is distinct.

    >>> names_rows(np.array([7, 7, 0], np.uint64), 0.9)
    False
    """
    there = keys[keys != NO_ID]
    return bool(there.size) and np.unique(there).size >= least * there.size
