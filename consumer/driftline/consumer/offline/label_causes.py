"""Why labels and predictions of two files do not match: other ids, or too late for the horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.event_ids import NO_ID
from driftline.consumer.sketch.event_rows import event_ids, event_times
from driftline.consumer.wire.join_rows import IdArray
from driftline.consumer.wire.text import counted
from driftline.detectors.grid import IntArray
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.records.timestamp_column import UNREADABLE

_MOST_IDS = 5_000_000
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


@dataclass(frozen=True)
class Causes:
    """What is wrong with labels that did not match their prediction.

    Attributes:
        labels: those that name an event.
        unknown: of these, whose event does not occur.
        later: that came later than the horizon after their prediction.
        delay: what half of these came later than, ms.
        earlier: that came as much before their prediction.
    """

    labels: int
    unknown: int
    later: int
    delay: float
    earlier: int = 0


class Ids:
    """The ids of rows with their times, seen in passing; a bounded number of them."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._ids: list[IdArray] = []
        self._times: list[NDArray[np.int64]] = []
        self._left = _MOST_IDS

    @property
    def complete(self) -> bool:
        """Whether there were not too many."""
        return self._left >= 0

    def add(self, table: Table) -> None:
        """Take in rows."""
        self._left -= table.rows
        if self.complete:
            self._ids.append(event_ids(table, self._mapping))
            self._times.append(event_times(table, self._mapping))

    def arrays(self) -> tuple[IdArray, NDArray[np.int64]]:
        """Return ids and times (ms, `UNREADABLE` without one) of the rows that have an id."""
        if not self._ids:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        ids, times = np.concatenate(self._ids), np.concatenate(self._times)
        return ids[ids != NO_ID], times[ids != NO_ID]


def causes(predictions: Ids, labels: Ids, horizon: int) -> Causes | None:
    """Compare the ids and times of both; None where there were too many.

    Args:
        predictions: the events' ids.
        labels: the labels' ids.
        horizon: how long (ms) one waits for the other.
    """
    if not (predictions.complete and labels.complete):
        return None
    known, found = _matched(predictions, labels)
    late = found[found > horizon]
    half = float(np.median(late)) if late.size else 0.0
    early = int((found < -horizon).sum())
    return Causes(known.size, int((~known).sum()), late.size, half, early)


def delays(predictions: Ids, labels: Ids) -> IntArray:
    """Return how long (ms) after its prediction each label came, of those that have both times."""
    return _matched(predictions, labels)[1]


def _matched(predictions: Ids, labels: Ids) -> tuple[NDArray[np.bool_], IntArray]:
    """Return which labels have a prediction, and the delays of those with the times of both."""
    ids, first = np.unique(predictions.arrays()[0], return_index=True)
    times = predictions.arrays()[1][first]
    wanted, when = labels.arrays()
    if not ids.size or not wanted.size:
        return np.zeros(wanted.size, bool), np.zeros(0, np.int64)
    place = np.minimum(np.searchsorted(ids, wanted), ids.size - 1)
    known = ids[place] == wanted
    timed = known & (when != UNREADABLE) & (times[place] != UNREADABLE)
    return known, (when - times[place])[timed]


def sentences(
    found: Causes | None, labels: str, events: str, topics: tuple[str, str], horizon: str
) -> list[str]:
    """Return what to do, a sentence for each cause.

    Args:
        found: the causes.
        labels: their file.
        events: the file of the predictions.
        topics: of the predictions and of the labels.
        horizon: as it is configured.
    """
    if found is None or not found.labels:
        return []
    lines = []
    if found.unknown == found.labels:
        where = " and ".join(f"sources.{topic}.fields" for topic in topics)
        lines.append(f"no id of {labels} occurs in {events}: check event_id in {where}")
    elif found.unknown:
        lines.append(
            f"{counted(found.unknown, 'label')} with an id that does not occur in {events}"
        )
    if found.earlier:
        lines.append(
            f"{counted(found.earlier, 'label')} came more than labels.horizon ({horizon}) before"
            " their prediction: check the times of both"
        )
    if found.later:
        lines.append(
            f"{counted(found.later, 'label')} came later than labels.horizon ({horizon}) after"
            f" their prediction; half of them after {span(found.delay)} or more: raise it"
        )
    return lines


def span(ms: float) -> str:
    """Return a time in its largest unit.

    >>> span(5.5 * 86_400_000), span(90 * 60_000), span(0)
    ('5.5d', '1.5h', '0s')
    """
    unit, length = next((each for each in _UNITS if ms >= each[1]), _UNITS[-1])
    return f"{ms / length:.3g}{unit}"
