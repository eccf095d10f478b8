"""Many event times at once, as `timestamp` reads one: texts of one shape in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.table import ABSENT, Coded, Column, Numbers, Times
from driftline.producer.records.time_form import AUTO, TimeForm, TimestampUnit
from driftline.producer.records.time_text import epoch_of
from driftline.producer.records.time_zone import YEAR, changes
from driftline.producer.records.timestamp import (
    DAY,
    EARLIEST,
    FIRST,
    FIRST_COUNTED,
    LATEST,
    day_count,
    digits,
    join_clock,
    parse_timestamp,
    shape_of,
)

UNREADABLE = -(2**63)
"""Stands for an unreadable time in the arrays of `parse_timestamps`."""

_SHAPES = 48
"""Shapes of texts of one length that are read in numpy; what is left is read text by text."""


def times_of(column: Column, form: TimeForm = AUTO) -> NDArray[np.int64]:
    """Read the times of a column.

    Args:
        column: of any form. Times of the input's own are not read by a format; where they are
            without a zone, they are of the form's.
        form: how they are written.

    Returns:
        int64 (n,): milliseconds since 1970, `UNREADABLE` where there is no time. The same as
        `parse_timestamps` of its values.

    >>> times_of(Times(np.array([1553644800000]), local=True), TimeForm(timezone="+01:00")).tolist()
    [1553641200000]
    """
    if isinstance(column, Times):
        times = column.ms
        if column.local:
            times = _to_utc(times, form)
        return _unless_null(_within(times, FIRST), column.null)
    if isinstance(column, Numbers) and form.days is not None:
        return _unless_null(_parse_days(column.data, form), column.null)
    if isinstance(column, Numbers) and form.format is None:
        return _unless_null(_parse_numbers(column.data, form.unit), column.null)
    if isinstance(column, Numbers):
        distinct, codes = np.unique(column.data, return_inverse=True)
        return _unless_null(parse_timestamps(distinct.tolist(), form)[codes], column.null)
    if isinstance(column, Coded):
        return parse_timestamps(column.distinct, form)[column.codes]
    return np.full(len(column), UNREADABLE, np.int64)


def times_of_two(date: Column, clock: Column, form: TimeForm = AUTO) -> NDArray[np.int64]:
    """Read times whose date and time of day stand in two columns; see `times_of`."""
    pairs = zip(date.values(), clock.values(), strict=True)
    return parse_timestamps([None if ABSENT in pair else join_clock(*pair) for pair in pairs], form)


def parse_timestamps(values: Sequence[object], form: TimeForm = AUTO) -> NDArray[np.int64]:
    """Read many times.

    Args:
        values: texts and numbers in any mixture, length n.
        form: how they are written.

    Returns:
        int64 (n,): milliseconds since 1970, `UNREADABLE` where there is no time. Element by element
        the same as `parse_timestamp`.

    >>> parse_timestamps(["2019-03-27T00:00:00Z", 1553644800123]).tolist()
    [1553644800000, 1553644800123]
    """
    types = set(map(type, values))
    if form.days is not None:
        return _parse_days(np.array([day_count(value) for value in values], np.float64), form)
    if form.format is not None and types & {int, float}:
        values = [digits(value) for value in values]
        types = set(map(type, values))
    # One of these it is in most batches; telling values apart takes as long as reading them.
    if types == {str}:
        return _parse_texts(values, form)  # type: ignore[arg-type]  # all of them are str
    if types == {int} or types == {float}:
        with suppress(OverflowError):  # one that is no 64-bit number; it is read alone
            return _parse_numbers(
                np.array(values, np.int64 if int in types else np.float64), form.unit
            )
    times = np.full(len(values), UNREADABLE, dtype=np.int64)
    texts = []
    for i, value in enumerate(values):
        if type(value) is str:
            texts.append(i)
        elif value is not None:
            time = parse_timestamp(value, form)
            if time is not None:
                times[i] = time
    times[texts] = _parse_texts([values[i] for i in texts], form)  # type: ignore[misc]  # all str
    return times


def _parse_numbers(values: NDArray[Any], unit: TimestampUnit) -> NDArray[np.int64]:
    """Read numbers since 1970; int64 (n,), `UNREADABLE` where no time."""
    if values.dtype.kind == "u":
        values = np.minimum(values, 2**63 - 1).astype(np.int64)
    part = np.zeros(len(values), np.int64)
    if values.dtype.kind == "f":
        # What is no 64-bit number is no time.
        values = np.where(np.abs(values) < 2**63, values, 0.0)
        small = np.where(np.abs(values) < 1e11, values, 0.0)
        whole = np.floor(values)
        seconds = np.rint(small * 1e6).astype(np.int64) // 1000
        part = np.where(whole == values, 0, seconds - np.floor(small).astype(np.int64) * 1000)
        values = whole.astype(np.int64)
    readings = {
        "s": np.clip(values, 0, LATEST) * 1000 + part,  # beyond there is no time; none overflows
        "ms": values,
        "us": values // 1000,
        "ns": values // 1_000_000,
    }
    if unit == "auto":
        sizes = [values < 10**11, values < 10**14, values < 10**17]
        times = np.select(sizes, [readings[name] for name in ("s", "ms", "us")], readings["ns"])
    else:
        times = readings[unit]
    return _within(times, EARLIEST)


def _parse_days(values: NDArray[Any], form: TimeForm) -> NDArray[np.int64]:
    """Read numbers of days; int64 (n,), `UNREADABLE` where no time."""
    first = form.days or 0
    days = values.astype(np.float64)
    known = (days >= FIRST_COUNTED) & (days < LATEST // DAY - first)
    local = np.rint((np.where(known, days, FIRST_COUNTED) + first) * DAY).astype(np.int64)
    return np.where(known, _within(_to_utc(local, form), FIRST), UNREADABLE)


def _parse_texts(texts: Sequence[str], form: TimeForm) -> NDArray[np.int64]:
    """Read texts; int64 (n,), `UNREADABLE` where no time."""
    if len(set(map(len, texts))) == 1:
        return _parse_equal_lengths(texts, form)
    times = np.full(len(texts), UNREADABLE, np.int64)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        times[rows] = _parse_equal_lengths([texts[i] for i in rows.tolist()], form)
    return times


def _parse_equal_lengths(texts: Sequence[str], form: TimeForm) -> NDArray[np.int64]:
    """Read texts that all have the length of the first; int64 (n,), `UNREADABLE` where no time."""
    joined = "".join(texts)
    if not joined.isascii() or not joined:
        return _parse_each(texts, form)
    # One row for each position in the text, so that every step below runs over whole rows.
    rows = np.frombuffer(joined.encode("ascii"), np.uint8).reshape(len(texts), -1).T.copy()
    times = np.full(len(texts), UNREADABLE, np.int64)
    left = np.arange(len(texts))
    for _ in range(_SHAPES):
        text = texts[left[0]]
        same = _of_shape(rows, text)
        if same.all():
            times[left] = _parse_shape(rows, text, form)
            return times
        times[left[same]] = _parse_shape(rows[:, same], text, form)
        left, rows = left[~same], rows[:, ~same]
    times[left] = _parse_each([texts[i] for i in left.tolist()], form)
    return times


def _of_shape(rows: NDArray[np.uint8], text: str) -> NDArray[np.bool_]:
    """Return which texts have digits where a text has them, and else the same characters."""
    same = np.ones(rows.shape[1], np.bool_)
    for row, char in zip(rows, text, strict=True):
        if "0" <= char <= "9":
            same &= row - np.uint8(ord("0")) <= 9  # characters below 0 become large numbers
        else:
            same &= row == ord(char)
    return same


def _parse_shape(rows: NDArray[np.uint8], text: str, form: TimeForm) -> NDArray[np.int64]:
    """Read texts of the shape of one of them."""
    if form.format is None and (epoch := epoch_of(text)) is not None:
        return _parse_epoch(rows, epoch.span(1), epoch.span(2), form.unit)
    shape = shape_of(text, form)
    if shape is None:
        return np.full(rows.shape[1], UNREADABLE, np.int64)
    part = {name: _number(rows, span) for name, span in shape.spans.items() if name != "f"}
    if "f" in shape.spans:
        part["f"] = _milliseconds(rows, shape.spans["f"])
    local, fits = shape.local(part)
    if shape.zoned:
        ahead, right = shape.ahead(part)
        times, fits = local - ahead, fits & right
    else:
        times = _to_utc(np.where(fits, local, 0), form)
    read: NDArray[np.int64] = np.where(fits, _within(times, FIRST), UNREADABLE)
    return read


def _parse_epoch(
    rows: NDArray[np.uint8], whole: tuple[int, int], fraction: tuple[int, int], unit: TimestampUnit
) -> NDArray[np.int64]:
    """Read digits since 1970, at most 19 of them."""
    values = _number(rows, whole, np.uint64)
    times = _parse_numbers(values, unit)
    if fraction[0] < fraction[1] and unit in ("auto", "s"):
        seconds = (times != UNREADABLE) & ((values < 10**11) | (unit == "s"))
        times = np.where(seconds, times + _milliseconds(rows, fraction), times)
    return times


def _number(
    rows: NDArray[np.uint8], span: tuple[int, int], kind: type[np.integer[Any]] = np.int64
) -> NDArray[Any]:
    """Return the numbers that the digits from here to there make."""
    found = np.zeros(rows.shape[1], kind)
    for row in rows[slice(*span)]:
        found *= kind(10)
        found += (row - np.uint8(ord("0"))).astype(kind)
    return found


def _milliseconds(rows: NDArray[np.uint8], span: tuple[int, int]) -> NDArray[np.int64]:
    begin, end = span[0], min(span[1], span[0] + 3)
    found: NDArray[np.int64] = _number(rows, (begin, end)) * 10 ** (3 - (end - begin))
    return found


def _to_utc(local: NDArray[np.int64], form: TimeForm) -> NDArray[np.int64]:
    if form.zone is None:
        return local
    times = local.copy()
    years = np.clip(local, FIRST, LATEST) // YEAR
    for year in np.unique(years).tolist():
        here = years == year
        begins, offsets = changes(form.zone.rules, year)
        times[here] -= np.array(offsets)[np.searchsorted(begins, local[here], side="right")]
    return times


def _within(times: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    return np.where((times >= first) & (times < LATEST), times, UNREADABLE)


def _unless_null(times: NDArray[np.int64], null: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    return times if null is None else np.where(null, UNREADABLE, times)


def _parse_each(texts: Sequence[str], form: TimeForm) -> NDArray[np.int64]:
    read = {text: parse_timestamp(text, form) for text in dict.fromkeys(texts)}
    times = (read[text] for text in texts)
    return np.fromiter(
        (UNREADABLE if time is None else time for time in times), np.int64, len(texts)
    )
