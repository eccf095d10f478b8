"""Features that grow with time, or are a part of it: each window has other values of them."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from driftline.consumer.sketch.event_rows import event_times
from driftline.detectors.grid import FloatArray, IntArray
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.number_text import NEARLY_ALL, plain_number
from driftline.producer.records.table import Table
from driftline.producer.records.timestamp_column import UNREADABLE

_FEWEST = 100  # values of a feature
_CLASSES = 20  # different ones, up to which a change may be one of the model's input
_STRETCHES = _CLASSES + 1  # different ones, each in one stretch of time, that count it
_NAMED_STRETCHES = 4  # of a column with a name of time; fewer are as well a change or two
_STEPS = 4  # from one time to the next, to values that are all beyond those before
_AGAIN = 1.05  # stretches to a value
_REPEATED = 5  # rows to a value
_TIME = frozenset(
    [
        "date",
        "datetime",
        "month",
        "quarter",
        "timestamp",
        "ts",
        "week",
        "year",
        "yearmonth",
    ]
)
"""Words in the names of columns that count the time with few values."""
_ALONE = frozenset(["day", "time"])
"""Those that say so only as the whole name: `lead_time` and `day_type` count nothing."""
_GROWS = 0.99  # correlation of the ranks of values and times
_DAY = 86_400_000
_WORD = re.compile("[A-Z]?[a-z]+|[A-Z]+")
_BY_ROW = "from row to row"
_LOOKED_AT = 2_000  # rows from all over a file


def growing(
    columns: AnyMapping[str, Sequence[Any]], times: IntArray, *, coerce: bool
) -> Iterator[tuple[str, str]]:
    """Yield the features that would drift whatever the model does, each with the reason.

    Args:
        columns: name to the values of n events, None where an event has none.
        times: of the events, ms since 1970, `UNREADABLE` where there is none; where all are
            unreadable, windows are of rows.
        coerce: whether texts that are numbers are numbers.

    >>> hours = np.arange(200) * 3_600_000
    >>> serial = {"serial": [45_000 + i / 24 for i in range(200)], "hour": [*range(20)] * 10}
    >>> [*growing(serial, hours, coerce=False)]
    [('serial', 'grows with time')]
    """
    timed = bool((times != UNREADABLE).any())
    for name, column in columns.items():
        values = _numbers(column, coerce=coerce)
        numeric = bool(np.isfinite(values).any())
        values = values if numeric else _codes(column)
        known = np.isfinite(values) & ((times != UNREADABLE) | (not timed))
        if known.sum() < _FEWEST:
            continue
        own = values[known]
        order = times[known] if timed else np.flatnonzero(known)
        different = len(np.unique(own))
        if numeric and timed and (part := _part_of(name, own, order)):
            yield name, f"the {part} of the timestamp"
        elif numeric and different > _CLASSES and (sign := _direction(own, order)):
            yield name, f"{'grows' if sign > 0 else 'falls'} {'with time' if timed else _BY_ROW}"
        elif _in_stretches(own, order, _fewest_stretches(name, timed=timed)):
            yield name, f"changes {'with time' if timed else _BY_ROW}, and never back"


def growing_later(
    tables: Sequence[Table], mapping: Mapping, ignore: Sequence[str], types: Container[str]
) -> list[tuple[str, str]]:
    """Return the features that grow, as `growing` does, by rows from all over some tables.

    Args:
        tables: the rows, in the order of the file.
        mapping: how they become events.
        ignore: patterns of features that are not watched.
        types: fields of which features are derived.
    """
    step = max(sum(table.rows for table in tables) // _LOOKED_AT, 1)
    rows: list[dict[str, Any]] = []
    times: list[IntArray] = []
    for table in tables:
        chosen = table.take(np.arange(0, table.rows, step))
        rows += chosen.to_rows()
        times.append(event_times(chosen, mapping))
    columns = features_of([mapping.to_event(row) for row in rows])
    watched = {
        name: values
        for name, values in columns.items()
        if name not in types and not any(fnmatchcase(name, pattern) for pattern in ignore)
    }
    return [*growing(watched, np.concatenate(times), coerce=mapping.texts.coerce)]


def features_of(events: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the features' values, one for each event, None where it has none.

    >>> features_of([{"features": {"a": 1}}, {}])
    {'a': [1, None]}
    """
    found = [event.get("features") for event in events]
    features = [each if isinstance(each, dict) else {} for each in found]
    names = dict.fromkeys(name for each in features for name in each)
    return {name: [each.get(name) for each in features] for name in names}


def _fewest_stretches(name: str, *, timed: bool) -> float:
    """Return how many stretches there have to be; a file is often sorted by some column."""
    words = {word.lower() for word in _WORD.findall(name)}
    if words & _TIME or (len(words) == 1 and words <= _ALONE):
        return _NAMED_STRETCHES
    return _STRETCHES if timed else math.inf


def _in_stretches(values: FloatArray, order: IntArray, fewest: float) -> bool:
    """Return whether each value occurs again and again, but in one stretch of time."""
    distinct, codes = np.unique(values, return_inverse=True)
    if len(distinct) < fewest or len(codes) < _REPEATED * len(distinct):
        return False
    by_time = np.lexsort((codes, order))
    changes = np.diff(codes[by_time]) != 0
    # Those within one time, such as that of a snapshot, have no order.
    later = changes & (np.diff(order[by_time]) > 0)
    return bool(1 + changes.sum() <= _AGAIN * len(distinct) and 1 + later.sum() >= fewest)


def _codes(column: Sequence[Any]) -> FloatArray:
    """Return texts as the numbers of different ones, NaN for what is no text."""
    distinct = dict.fromkeys(value for value in column if isinstance(value, str))
    places = {text: float(i) for i, text in enumerate(distinct)}
    codes = (places[value] if isinstance(value, str) else np.nan for value in column)
    return np.fromiter(codes, np.float64, len(column))


def _numbers(column: Sequence[Any], *, coerce: bool) -> FloatArray:
    """Return values as doubles, NaN for what is no number; of a column of other values all are."""
    kinds = set(map(type, column)) - {type(None)}
    if kinds == {float}:  # these two are most columns
        return np.array(column, np.float64)
    if kinds == {str} and not coerce:
        return np.full(len(column), np.nan)
    held = sum(value is not None for value in column)
    values = np.array([_number(value, coerce=coerce) for value in column], np.float64)
    few = np.isfinite(values).sum() < NEARLY_ALL * held
    return np.full(len(values), np.nan) if few else values


def _number(value: Any, *, coerce: bool) -> float:
    if isinstance(value, str) and coerce:
        value = plain_number(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else np.nan


def _direction(values: FloatArray, order: IntArray) -> int:
    """Return 1 where values grow, -1 where they fall, 0 where they do neither.

    With few times, as of snapshots, one change of values is as monotone as a counter.
    """
    times = np.unique(order)
    ranked = _correlation(values, order) if len(times) > _CLASSES else 0.0
    if abs(ranked) >= _GROWS:
        return 1 if ranked > 0 else -1
    for sign in (1, -1):
        by_time = np.lexsort((sign * values, order))
        rises, later = np.diff((sign * values)[by_time]), np.diff(order[by_time]) > 0
        if (rises >= 0).all() and (rises[later] > 0).sum() >= _STEPS:
            return sign
    return 0


def _correlation(values: FloatArray, order: IntArray) -> float:
    """Return the correlation of ranks, those of equal values being their mean."""
    ranks = _ranks(values), _ranks(order)
    if any(each.max() == each.min() for each in ranks):
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def _ranks(values: FloatArray | IntArray) -> FloatArray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle: FloatArray = np.cumsum(counts) - (counts - 1) / 2
    return middle[place]


def _part_of(name: str, values: FloatArray, times: IntArray) -> str:
    """Return the part of a date that values are; empty if they are none."""
    days = times // _DAY
    dates = days.astype("datetime64[D]")
    years, months = dates.astype("datetime64[Y]"), dates.astype("datetime64[M]")
    thursday = days - (days + 3) % 7 + 3  # of the same week, whose year is that of the week
    parts = {
        "year": years.astype(np.int64) + 1970,
        "quarter": months.astype(np.int64) % 12 // 3 + 1,
        "month": months.astype(np.int64) % 12 + 1,
        "week": _day_of_year(thursday) // 7 + 1,
        "day of the year": _day_of_year(days) + 1,
    }
    for part, expected in parts.items():
        same = values == expected
        if same.mean() < NEARLY_ALL:
            continue
        # One value alone, such as 12, may be anything but a year; so may it be with a few others.
        first = np.bincount(expected).argmax()
        others = same[expected != first]
        if part == "year" or part in name.lower() or others.sum() > NEARLY_ALL * len(others):
            return part
    return ""


def _day_of_year(days: IntArray) -> IntArray:
    """Return the days since the first of January of the year of each."""
    dates = days.astype("datetime64[D]")
    return days - dates.astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
