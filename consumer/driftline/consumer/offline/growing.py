"""Features that grow with time, or are a part of it: each window has other values of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray
from driftline.producer.records.number_text import NEARLY_ALL, plain_number
from driftline.producer.records.timestamp_column import UNREADABLE

_FEWEST = 100  # values of a feature
_CLASSES = 20  # different ones, up to which a change may be one of the model's input
_GROWS = 0.99  # correlation of the ranks of values and times
_DAY = 86_400_000


def growing(
    columns: Mapping[str, Sequence[Any]], times: IntArray, *, coerce: bool
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
        known = np.isfinite(values) & ((times != UNREADABLE) | (not timed))
        if known.sum() < _FEWEST:
            continue
        own = values[known]
        order = times[known] if timed else np.flatnonzero(known)
        if timed and (part := _part_of(name, own, order)):
            yield name, f"the {part} of the timestamp"
        elif len(np.unique(own)) > _CLASSES and abs(ranked := _correlation(own, order)) >= _GROWS:
            verb = "grows" if ranked > 0 else "falls"
            yield name, f"{verb} with time" if timed else f"{verb} from row to row"


def _numbers(column: Sequence[Any], *, coerce: bool) -> FloatArray:
    """Return values as doubles, NaN for what is no number; of a column of other values all are."""
    held = sum(value is not None for value in column)
    values = np.array([_number(value, coerce=coerce) for value in column], np.float64)
    few = np.isfinite(values).sum() < NEARLY_ALL * held
    return np.full(len(values), np.nan) if few else values


def _number(value: Any, *, coerce: bool) -> float:
    if isinstance(value, str) and coerce:
        value = plain_number(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else np.nan


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
        same = (values == expected).mean() >= NEARLY_ALL
        # One value alone, such as 12, may be anything but a year.
        if same and (part == "year" or part in name.lower() or len(np.unique(values)) > 1):
            return part
    return ""


def _day_of_year(days: IntArray) -> IntArray:
    """Return the days since the first of January of the year of each."""
    dates = days.astype("datetime64[D]")
    return days - dates.astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
