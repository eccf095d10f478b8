"""Times: against datetime, and the vectorised reader against the scalar one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.records.time_form import TimeForm, TimestampUnit
from driftline.producer.records.timestamp import (
    EARLIEST,
    LATEST,
    format_time,
    parse_timestamp,
)
from driftline.producer.records.timestamp_column import UNREADABLE, parse_timestamps

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))
INSTANTS = st.datetimes(datetime(1678, 1, 3), datetime(2261, 12, 29), timezones=ZONES)  # noqa: DTZ001
TIMES = st.integers(EARLIEST, LATEST - 1)


def milliseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(milliseconds=1)


@given(INSTANTS, st.sampled_from("T t"), st.sampled_from(["auto", "seconds", "milliseconds"]))
def test_text_is_read_as_datetime_reads_it(instant: datetime, sep: str, spec: str) -> None:
    text = instant.isoformat(sep, spec)
    assert parse_timestamp(text) == milliseconds(datetime.fromisoformat(text))


@given(INSTANTS)
def test_text_without_offset_is_utc(instant: datetime) -> None:
    bare = instant.replace(tzinfo=None)
    assert parse_timestamp(str(bare)) == milliseconds(bare.replace(tzinfo=UTC))


@given(TIMES)
def test_formatted_times_read_back(time: int) -> None:
    assert parse_timestamp(format_time(time)) == time
    assert format_time(time).endswith("Z")
    assert ("." in format_time(time)) == (time % 1000 != 0)


@given(TIMES, st.integers(0, 999_999))
def test_whole_numbers_are_floored_whatever_the_unit(time: int, below: int) -> None:
    units: dict[TimestampUnit, int] = {
        "s": time // 1000,
        "ms": time,
        "us": time * 1000 + below // 1000,
        "ns": time * 1_000_000 + below,
    }
    for unit, value in units.items():
        expected = time // 1000 * 1000 if unit == "s" else time
        assert parse_timestamp(value, TimeForm(unit)) == expected
        assert parse_timestamp(value) == expected  # by magnitude
        if unit in ("s", "ms"):  # floats hold these exactly
            assert parse_timestamp(float(value)) == expected


@given(st.integers(EARLIEST, 2**33 * 1000))  # until 2242 a float holds microseconds
def test_seconds_with_a_fraction_mean_the_written_millisecond(time: int) -> None:
    assert parse_timestamp(time / 1000) == time


def test_the_magnitude_tells_the_unit() -> None:
    for value in (1553644800, 1553644800000, 1553644800000000, 1553644800000000000):
        assert parse_timestamp(value) == 1553644800000


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2019-03-27", "2019-03-27T00:00:00Z"),
        ("2019-03-27T02:00:00+02:00", "2019-03-27T00:00:00Z"),
        ("2019-03-27T02:00:00+0200", "2019-03-27T00:00:00Z"),
        ("2019-03-26 18:30:00.5-05:30", "2019-03-27T00:00:00.500Z"),
        ("2019-03-27T00:00:00.1239999999999z", "2019-03-27T00:00:00.123Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2000-02-29T23:59:59", "2000-02-29T23:59:59Z"),
    ],
)
def test_accepted_forms(text: str, time: str) -> None:
    read = parse_timestamp(text)
    assert read is not None
    assert format_time(read) == time
    assert parse_timestamps([text, text]).tolist() == [read, read]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "946684799",
        "2019-02-29T00:00:00Z",
        "2019-13-01T00:00:00Z",
        "2019-00-10T00:00:00Z",
        "2019-03-27T24:01:00Z",
        "2019-03-27T23:60:00Z",
        "2019-03-27T00:00:61Z",
        "2019-03-27T00:00:00+24:00",
        "2019-03-27T00:00:00+02:60",
        "2019-03-27T00:00:00.Z",
        "2019-03-27X00:00:00Z",
        "2019-03-27T00:00:00Z;",
        "٢٠١٩-03-27T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1677-12-31T23:59:59Z",
        "2262-01-01T00:00:00Z",
        0,
        -1553644800,
        10**20,
        10**400,
        float("nan"),
        float("inf"),
        True,
        None,
        [],
        {},
    ],
)
def test_what_is_no_time_is_unreadable(value: object) -> None:
    assert parse_timestamp(value) is None
    assert parse_timestamps([value, value]).tolist() == [UNREADABLE, UNREADABLE]


def test_a_configured_unit_is_not_overruled_by_the_magnitude() -> None:
    assert parse_timestamp(1553644800, TimeForm("ms")) is None
    assert parse_timestamp(10_413_792_000, TimeForm("s")) is None  # the year 2300
    assert parse_timestamp("2019-03-27T00:00:00Z", TimeForm("ns")) == 1553644800000


SHAPED = st.builds(
    lambda instant, sep, spec, zone: instant.replace(tzinfo=None).isoformat(sep, spec) + zone,
    INSTANTS,
    st.sampled_from("T t"),
    st.sampled_from(["auto", "seconds", "milliseconds", "microseconds"]),
    st.sampled_from(["", "Z", "z", "+02:00", "-11:30", "+0200"]),
)
DAMAGED = st.builds(
    lambda text, at, char: text[: at % len(text)] + char + text[at % len(text) + 1 :],
    SHAPED,
    st.integers(0, 40),
    st.characters(),
)


@given(st.lists(SHAPED | DAMAGED | st.text(max_size=30) | TIMES | st.none() | st.floats()))
def test_many_at_once_equal_one_by_one(values: list[object]) -> None:
    expected = [parse_timestamp(value) for value in values]
    read = parse_timestamps(values)
    assert read.dtype == np.int64
    assert read.tolist() == [UNREADABLE if time is None else time for time in expected]


BOUNDS = [s * 10**n + d for s in (1, -1) for n in (0, 11, 14, 17, 19) for d in (-1, 0, 1)]
BOUNDS += [-(2**63), 2**63 - 1, EARLIEST, LATEST, LATEST - 1, EARLIEST // 1000, LATEST // 1000]
WHOLE = TIMES | TIMES.map(lambda time: time // 1000) | st.integers() | st.sampled_from(BOUNDS)


@given(st.lists(WHOLE), st.sampled_from(["auto", "s", "ms", "us", "ns"]))
def test_many_numbers_equal_one_by_one(values: list[int], unit: TimestampUnit) -> None:
    expected = [parse_timestamp(value, TimeForm(unit)) for value in values]
    read = parse_timestamps(values, TimeForm(unit))
    assert read.tolist() == [UNREADABLE if time is None else time for time in expected]


@given(st.lists(DAMAGED, min_size=1, max_size=1), st.lists(SHAPED, max_size=5))
def test_a_strange_first_text_does_not_spoil_the_others(first: list[str], rest: list[str]) -> None:
    values = first + rest
    expected = [parse_timestamp(value) for value in values]
    assert parse_timestamps(values).tolist() == [UNREADABLE if t is None else t for t in expected]
