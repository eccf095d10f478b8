"""Many event times at once, as `timestamp` reads one: texts of the usual shapes in numpy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.timestamp import EARLIEST, LATEST, TimestampUnit, parse_timestamp

UNREADABLE = -(2**63)
"""Stands for an unreadable time in the arrays of `parse_timestamps`."""

_DAY = 86_400_000
_FIXED_WIDTH = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?"
)


def parse_timestamps(values: Sequence[object], unit: TimestampUnit = "auto") -> NDArray[np.int64]:
    """Read many times; texts of the usual fixed-width shapes are read column by column.

    Args:
        values: texts and numbers in any mixture, length n.
        unit: of numbers.

    Returns:
        int64 (n,): milliseconds since 1970, `UNREADABLE` where there is no time. Element by element
        the same as `parse_timestamp`.

    >>> parse_timestamps(["2019-03-27T00:00:00Z", 1553644800123]).tolist()
    [1553644800000, 1553644800123]
    """
    types = set(map(type, values))
    # One of these two it is in most batches; telling values apart takes as long as reading them.
    if types == {str} and len(set(map(len, values))) == 1:  # type: ignore[arg-type]  # all of them are str
        return _parse_equal_lengths(values)  # type: ignore[arg-type]  # all of them are str
    if types == {int}:
        with suppress(OverflowError):  # one that is no 64-bit number; it is read alone
            return _parse_integers(np.array(values, np.int64), unit)
    times = np.full(len(values), UNREADABLE, dtype=np.int64)
    by_length: dict[int, list[int]] = {}
    for i, value in enumerate(values):
        if type(value) is str:
            by_length.setdefault(len(value), []).append(i)
        else:
            time = parse_timestamp(value, unit)
            if time is not None:
                times[i] = time
    for rows in by_length.values():
        texts = [values[i] for i in rows] if len(rows) < len(values) else values
        times[rows] = _parse_equal_lengths(texts)  # type: ignore[arg-type]  # all of them are str
    return times


def _parse_integers(values: NDArray[np.int64], unit: TimestampUnit) -> NDArray[np.int64]:
    """Read numbers since 1970; int64 (n,), `UNREADABLE` where no time."""
    readings = {
        "s": np.clip(values, 0, LATEST) * 1000,  # beyond there is no time; none overflows
        "ms": values,
        "us": values // 1000,
        "ns": values // 1_000_000,
    }
    if unit == "auto":
        sizes = [values < 10**11, values < 10**14, values < 10**17]
        times = np.select(sizes, [readings[name] for name in ("s", "ms", "us")], readings["ns"])
    else:
        times = readings[unit]
    return np.where((times >= EARLIEST) & (times < LATEST), times, UNREADABLE)


def _parse_equal_lengths(texts: Sequence[str]) -> NDArray[np.int64]:
    """Read texts that all have the length of the first; int64 (n,), `UNREADABLE` where no time."""
    shape = _FIXED_WIDTH.fullmatch(texts[0])
    joined = "".join(texts)
    if shape is None or not joined.isascii():
        return _parse_each(texts)
    length = len(texts[0])
    # One row for each position in the text, so that every step below runs over whole rows.
    rows = np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(-1, length).T.copy()
    fraction = len(shape[1]) - 1 if shape[1] else 0
    tail = 19 + (fraction + 1 if fraction else 0)  # where Z or the offset begins
    offset = length - tail == 6

    fits = (rows[10] == ord("T")) | (rows[10] == ord(" ")) | (rows[10] == ord("t"))
    for place, char in ((4, "-"), (7, "-"), (13, ":"), (16, ":")):
        fits &= rows[place] == ord(char)
    places = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
    if fraction:
        fits &= rows[19] == ord(".")
        places += range(20, 20 + fraction)
    if offset:
        fits &= rows[tail + 3] == ord(":")
        fits &= (rows[tail] == ord("+")) | (rows[tail] == ord("-"))
        places += [tail + 1, tail + 2, tail + 4, tail + 5]
    elif length > tail:
        fits &= (rows[tail] == ord("Z")) | (rows[tail] == ord("z"))
    unsigned = rows[places] - np.uint8(ord("0"))  # characters below 0 become large numbers
    fits &= (unsigned <= 9).all(axis=0)

    digits = unsigned.astype(np.int64)
    year = np.array([1000, 100, 10, 1]) @ digits[:4]
    month, day, hour, minute, second = (digits[i] * 10 + digits[i + 1] for i in (4, 6, 8, 10, 12))
    fits &= (year > 0) & (month > 0) & (month < 13) & (day > 0) & (hour < 24)
    fits &= (minute < 60) & (second < 60)
    fits &= day <= _days_in_month(year, np.where(fits, month, 1))
    times = _days_since_1970(year, month, day) * _DAY
    times += ((hour * 60 + minute) * 60 + second) * 1000
    for i, weight in zip(range(14, 14 + min(fraction, 3)), (100, 10, 1), strict=False):
        times += digits[i] * weight
    if offset:
        h1, h2, m1, m2 = digits[-4:]
        fits &= (h1 * 10 + h2 < 24) & (m1 < 6)
        shift = ((h1 * 10 + h2) * 60 + m1 * 10 + m2) * 60_000
        times += np.where(rows[tail] == ord("-"), shift, -shift)
    times[(times < EARLIEST) | (times >= LATEST)] = UNREADABLE
    strange = np.flatnonzero(~fits)
    if strange.size:
        times[strange] = _parse_each([texts[i] for i in strange.tolist()])
    return times


def _parse_each(texts: Sequence[str]) -> NDArray[np.int64]:
    times = (parse_timestamp(text) for text in texts)
    return np.fromiter(
        (UNREADABLE if time is None else time for time in times), np.int64, len(texts)
    )


_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def _days_in_month(year: NDArray[np.int64], month: NDArray[np.int64]) -> NDArray[np.int64]:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days: NDArray[np.int64] = _DAYS[month] + (leap & (month == 2))
    return days


def _days_since_1970(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Days of the Gregorian calendar: years that begin in March put the leap day last."""
    shifted = year - (month < 3)
    day_of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days: NDArray[np.int64] = (
        365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719_468
    )
    return days
