"""Whether the values of features follow the hour of the day, so that windows must be whole days."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.event_rows import event_times
from driftline.detectors.grid import FloatArray, IntArray
from driftline.producer.records.column_values import as_coded
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Column, Numbers, Struct, Table, Vectors
from driftline.producer.records.timestamp_column import UNREADABLE
from driftline.producer.reference.events import events_of

_DAY = 86_400_000
_ROWS = 1 << 14  # that are kept
_FEWEST_DAYS = 4
_SHARE = 0.02  # of a feature's variance that the hour explains
_ERRORS = 4.0  # of its standard error, for a share to be no chance


class HourlyValues:
    """Some rows of a file, chosen by their places alone, and what their features do over a day.

    Args:
        mapping: how a row becomes an event.
        model: whose events they are.
        ignore: patterns of features that are not looked at.

    >>> values = HourlyValues(Mapping({"timestamp": "ts", "features": "*"}), "m")
    >>> rows = [{"ts": 3_600 * hour, "heat": hour % 24} for hour in range(500_000, 500_200)]
    >>> _ = [*values.watch([Table.of_rows(rows)])]
    >>> values.follow_the_hour()
    True
    """

    def __init__(self, mapping: Mapping, model: str, ignore: Collection[str] = ()) -> None:
        self._mapping = mapping
        self._model = model
        self._ignore = ignore
        self._parts: list[tuple[IntArray, Table]] = []  # places of rows, and these
        self._seen, self._kept, self._bits = 0, 0, 0

    def watch(self, tables: Iterable[Table]) -> Iterator[Table]:
        """Yield the rows again."""
        for table in tables:
            self._add(self._seen + np.arange(table.rows), table)
            self._seen += table.rows
            yield table

    def follow_the_hour(self) -> bool:
        """Return whether a feature has other values at some hours than at others, day after day."""
        times: list[IntArray] = []
        columns: dict[str, list[FloatArray | None]] = {}
        usual: dict[str, object] = {}
        for _, table in self._parts:
            events = events_of(table, self._mapping, self._model)
            if events.rows < table.rows:  # some are of other models, or none
                continue
            for name, field in events.features.items():
                if not self._is_ignored(name) and not field.gone().any():
                    each = columns.setdefault(name, [None] * len(times))
                    each.append(_doubles(field.column, name, usual))
            times.append(event_times(table, self._mapping))
            for each in columns.values():
                each += [None] * (len(times) - len(each))
        if not times:
            return False
        when = np.concatenate(times)
        return any(
            _follows(
                when,
                np.concatenate(
                    [
                        np.full(len(part), np.nan) if values is None else values
                        for part, values in zip(times, each, strict=True)
                    ]
                ),
            )
            for each in columns.values()
        )

    def _is_ignored(self, feature: str) -> bool:
        return any(fnmatchcase(feature, pattern) for pattern in self._ignore)

    def _add(self, places: IntArray, table: Table) -> None:
        chosen = self._chosen(places)
        self._parts.append((places[chosen], table.take(chosen)))
        self._kept += int(chosen.sum())
        while self._kept > _ROWS:
            self._bits += 1
            parts = [(own, rows, self._chosen(own)) for own, rows in self._parts]
            self._parts = [(own[kept], rows.take(kept)) for own, rows, kept in parts if kept.any()]
            self._kept = sum(len(own) for own, _ in self._parts)

    def _chosen(self, places: IntArray) -> NDArray[np.bool_]:
        mixed = places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        chosen: NDArray[np.bool_] = mixed >> np.uint64(64 - 32) < np.uint64(
            1 << (32 - min(self._bits, 32))
        )
        return chosen


def _doubles(column: Column, name: str, usual: dict[str, object]) -> FloatArray | None:
    """Return numbers; of other values whether each is the feature's usual one."""
    if isinstance(column, Struct | Vectors):
        return None
    if isinstance(column, Numbers):
        values = column.data.astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        if column.null is not None:
            values[column.null] = np.nan
        return values
    found = as_coded(column)
    if not len(found):
        return None
    if name not in usual:
        usual[name] = found.distinct[int(np.bincount(found.codes).argmax())]
    same = np.array([value == usual[name] for value in found.distinct], np.float64)
    return same[found.codes]


def _follows(times: IntArray, values: FloatArray) -> bool:
    """Return whether values differ by the hour of their times, in the same way every day.

    Of each day the profile over its hours is compared with that of all other days. What is chance,
    or goes on from hour to hour, is alike on two days only by chance.
    """
    known = (times != UNREADABLE) & np.isfinite(values)
    times, ranks = times[known], _ranks(values[known])
    days, day = np.unique(times // _DAY, return_inverse=True)
    if len(days) < _FEWEST_DAYS:
        return False
    # A trend rises every day alike: it is the line through the middles of the days.
    events, since = np.bincount(day), (times - times.min()).astype(np.float64)
    middle = np.bincount(day, since) / events
    ranks -= np.interp(since, middle, np.bincount(day, ranks) / events)
    ranks[(since < middle[0]) | (since > middle[-1])] = 0
    cell = day * 24 + times % _DAY * 24 // _DAY
    shape = (len(days), 24)
    sums = np.bincount(cell, ranks, 24 * len(days)).reshape(shape)
    counts = np.bincount(cell, minlength=24 * len(days)).reshape(shape)
    others = np.maximum(counts.sum(axis=0) - counts, 1)
    alike = (sums * (sums.sum(axis=0) - sums) / others).sum(axis=1)
    variance = float((ranks**2).sum())
    if variance == 0 or alike.sum() < _SHARE * variance:
        return False
    return bool(alike.mean() > _ERRORS * alike.std(ddof=1) / np.sqrt(len(days)))


def _ranks(values: FloatArray) -> FloatArray:
    """Return the middle rank of each value, so that a few large ones do not count for more."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - counts / 2)[place]
