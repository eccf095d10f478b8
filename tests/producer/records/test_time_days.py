"""Times as days: of a week, of a year, and counted since 1900 or 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.producer.records.table import Numbers
from driftline.producer.records.time_form import TimeForm
from driftline.producer.records.timestamp import parse_timestamp
from driftline.producer.records.timestamp_column import UNREADABLE, parse_timestamps, times_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL = st.datetimes(datetime(1678, 1, 3), datetime(2261, 12, 29))  # noqa: DTZ001


def milliseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(milliseconds=1)


@given(LOCAL)
def test_weeks_and_days_of_the_year_are_those_of_the_calendar(instant: datetime) -> None:
    day = milliseconds(instant.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC))
    for text in ("%G-W%V-%u", "%G%V%u", "%Y-%j", "%Y%j"):
        assert parse_timestamp(instant.strftime(text), TimeForm(format=text)) == day


def test_weeks_and_days_that_a_year_does_not_have() -> None:
    read = [parse_timestamp(text, TimeForm(format="%G-W%V")) for text in ("2020-W53", "2021-W53")]
    assert read == [milliseconds(datetime(2020, 12, 28, tzinfo=UTC)), None]
    for text in ("2021-366", "2021-000"):
        assert parse_timestamp(text, TimeForm(format="%Y-%j")) is None


@pytest.mark.parametrize(
    ("name", "value", "time"),
    [
        ("excel", 43_551.5, "2019-03-27T12:00:00Z"),
        ("excel", "43551.427083333", "2019-03-27T10:15:00Z"),
        ("excel", 61, "1900-03-01T00:00:00Z"),
        ("excel", 60, None),  # a day that never was
        ("excel", True, None),
        ("excel", "2019-03-27", None),
        ("excel", 2**70, None),
        ("days", 17_982, "2019-03-27T00:00:00Z"),
        ("days", float("nan"), None),
    ],
)
def test_numbers_of_days(name: str, value: object, time: str | None) -> None:
    expected = None if time is None else parse_timestamp(time)
    assert parse_timestamp(value, TimeForm(format=name)) == expected
    local = parse_timestamp(value, TimeForm(format=name, timezone="+01:00"))
    assert local == (None if expected is None else expected - 3_600_000)


NUMBERS = st.lists(st.floats() | st.floats(0, 200_000), min_size=1)


@given(NUMBERS, st.sampled_from(["excel", "days"]))
def test_a_column_of_days_is_read_as_its_values(values: list[float], name: str) -> None:
    form = TimeForm(format=name, timezone="Europe/Berlin")
    read = [parse_timestamp(value, form) for value in values]
    expected = [UNREADABLE if time is None else time for time in read]
    assert times_of(Numbers(np.array(values)), form).tolist() == expected
    assert parse_timestamps(values, form).tolist() == expected
