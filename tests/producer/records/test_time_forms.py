"""The forms of times: each against `datetime`, many at once against one by one, and zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftline.producer import MappingError
from driftline.producer.records.mapping import DateAndClock, Mapping
from driftline.producer.records.table import ABSENT, Coded, Column, Numbers, Struct, Times
from driftline.producer.records.time_form import TimeForm
from driftline.producer.records.time_zone import find_zone
from driftline.producer.records.timestamp import (
    EARLIEST,
    FIRST,
    LATEST,
    format_time,
    join_clock,
    parse_timestamp,
)
from driftline.producer.records.timestamp_column import (
    UNREADABLE,
    parse_timestamps,
    times_of,
    times_of_two,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL = st.datetimes(datetime(1678, 1, 3), datetime(2261, 12, 29))  # noqa: DTZ001
TIME = "2019-03-27T10:15:00Z"


def milliseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(milliseconds=1)


def one_by_one(values: list[object], form: TimeForm) -> list[int]:
    read = [parse_timestamp(value, form) for value in values]
    return [UNREADABLE if time is None else time for time in read]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2019-03-27 10:15:00.000000+00", TIME),  # Postgres
        ("2019-03-27 10:15:00+00", TIME),
        ("/Date(1553681700000)/", TIME),  # .NET
        ("/Date(1553681700123+0100)/", "2019-03-27T10:15:00.123Z"),
        ("2019-03-27 10:15:00 UTC", TIME),  # BigQuery
        ("2019-03-27T10:15:00,123Z", "2019-03-27T10:15:00.123Z"),
        ("2019-03-27 10:15", TIME),
        ("2019-03-27T10:15Z", TIME),
        ("2019-03-27 10:15 +0100", "2019-03-27T09:15:00Z"),
        ("2019/03/27 10:15", TIME),
        ("2019/3/7 9:05", "2019-03-07T09:05:00Z"),
        ("2019.03.27 10:15:00", TIME),
        ("2019-03-27 10:15:00.5 +0100 CET", "2019-03-27T09:15:00.500Z"),  # Go
        ("2019-03-27T11:15:00+01:00[Europe/Berlin]", TIME),  # Java
        ("2019-03-27  10:15:00", TIME),
        ("2019-03-27, 10:15:00 AM", TIME),
        ("20190327T101500", TIME),
        ("20190327T1015Z", TIME),
        ("20190327 10:15:00", TIME),
        ("Wed, 27 Mar 2019 10:15:00 +0000", TIME),  # mail
        ("Wed, 27 Mar 2019 10:15:00 GMT", TIME),  # HTTP
        ("27-Mar-2019", "2019-03-27T00:00:00Z"),
        ("27 March 2019 10:15", TIME),
        ("27/Mar/2019:10:15:00 +0000", TIME),  # Apache
        ("March 27, 2019 10:15 AM", TIME),
        ("Mar 27, 2019, 10:15:00 p.m.", "2019-03-27T22:15:00Z"),
        ("March 27, 2019 at 12:15 am", "2019-03-27T00:15:00Z"),
        ("Sept 3, 2019", "2019-09-03T00:00:00Z"),
        ("Wed Mar 27 10:15:00 UTC 2019", TIME),  # date
        (" 2019-03-27 10:15 ", TIME),
        ("'2019-03-27 10:15", TIME),  # Excel
        ("[27/Mar/2019:10:15:00 +0000]", TIME),
        ("2019-03-26 24:00", "2019-03-27T00:00:00Z"),
        ("27. März 2019 10:15", TIME),
        ("27 mars 2019 10:15", TIME),
        ("3 août 2019", "2019-08-03T00:00:00Z"),
        ("3 juil. 2019", "2019-07-03T00:00:00Z"),
        ("27 de marzo de 2019 10:15", TIME),
        ("3 ago 2019", "2019-08-03T00:00:00Z"),
        ("27 maart 2019", "2019-03-27T00:00:00Z"),
        ("2019年3月27日 10:15", TIME),
        ("Wed Mar 27 10:15:00 2019", TIME),  # ctime
        ("2019-Mar-27 10:15", TIME),
        ("1987-05-20", "1987-05-20T00:00:00Z"),
        ("1678-01-01", "1678-01-01T00:00:00Z"),
        ("2261-12-31T23:59:59.999Z", "2261-12-31T23:59:59.999Z"),
        ("1553681700", TIME),
        ("1553681700.25", "2019-03-27T10:15:00.250Z"),
        ("1553681700000", TIME),
        ("1553681700000000", TIME),
        ("1553681700000000000", TIME),
    ],
)
def test_forms_that_say_what_they_are(text: str, time: str) -> None:
    read = parse_timestamp(text)
    assert read is not None
    assert format_time(read) == time
    assert parse_timestamps([text, text]).tolist() == [read, read]


@pytest.mark.parametrize(
    "text",
    [
        "02/03/2026",  # 2 March or 3 February
        "27/03/2019",
        "03/27/2019",
        "27.03.2019",
        "19-03-27",
        "20190327",  # or seconds since 1970
        "10:15:00",
        "2019-03-27 13:15 PM",
        "2019-03-27 0:15 AM",
        "31 Feb 2019",
        "27 Mrs 2019",
        "1 maı 2026 10:00",
        "1 Aprıl 2019",
        "1 ſep 2019",
        "1 AprİL 2019",
        "2019-03/27",
        "2019-03-27 24:01",
        "2019-03-27 24:00:01",
        "2019-03-27 24:00:00.5",
        "946684799",  # seconds: the last of 1999
        "0000000000",
        "9999999999999999999",
        "2019-03-27T10:15:00+0",
        "2019-W13-3",
    ],
)
def test_forms_that_do_not(text: str) -> None:
    assert parse_timestamp(text) is None
    assert parse_timestamps([text, text]).tolist() == [UNREADABLE, UNREADABLE]


SHORT = {"%T": "%H:%M:%S", "%D": "%m/%d/%y", "%F": "%Y-%m-%d", "%R": "%H:%M"}
FORMATS = [
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d.%m.%Y, %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%d-%b-%y %H:%M:%S",
    "%B %d %Y %H:%M:%S.%f",
    "%a %A %d %b %Y %T%z",
    "%D %R:%S",
    "100%% %F %T",
]


@given(
    st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2068, 12, 31)), max_size=6),  # noqa: DTZ001
    st.sampled_from(FORMATS),
)
def test_a_format_is_read_as_strptime_reads_it(instants: list[datetime], text: str) -> None:
    zone = timezone(timedelta(hours=-7, minutes=-30)) if "%z" in text else UTC
    written = [instant.replace(tzinfo=zone).strftime(text) for instant in instants]
    form = TimeForm(format=text)
    for short, long in SHORT.items():
        text = text.replace(short, long)
    expected = [datetime.strptime(each, text).replace(tzinfo=zone) for each in written]
    assert [parse_timestamp(each, form) for each in written] == [*map(milliseconds, expected)]
    assert parse_timestamps(written, form).tolist() == [*map(milliseconds, expected)]


@pytest.mark.parametrize(
    ("text", "clock", "time"),
    [
        ("%H%M", 517, "2019-03-27T05:17:00Z"),
        ("%H%M", 5, "2019-03-27T00:05:00Z"),
        ("%H%M", 2400, "2019-03-28T00:00:00Z"),
        ("%H%M", 2401, None),
        ("%H%M", "1015", TIME),
        ("%H%M%S", 101500, TIME),
        ("%H%M%S", 517.0, "2019-03-27T00:05:17Z"),
        ("%H:%M", "9:05", "2019-03-27T09:05:00Z"),
    ],
)
def test_a_date_and_a_time_of_day(text: str, clock: object, time: str | None) -> None:
    form = TimeForm(format=f"%Y%m%d {text}")
    mapping = Mapping({"timestamp": DateAndClock("on", "at.hour"), "features": "*"}, form)
    event = mapping.to_event({"on": 20190327, "at": {"hour": clock}, "km": 1})
    assert event["features"] == {"km": 1}
    assert event["timestamp"] == (time or f"no time: 20190327 {clock}")
    read = times_of_two(Numbers(np.array([20190327])), Coded(np.array([0]), [clock]), form)
    assert read.tolist() == one_by_one([join_clock(20190327, clock)], form)


def test_what_is_no_format() -> None:
    for text, sentence in (
        ("%d.%m.%Q %Y", r"'%d.%m.%Q %Y': there is no %Q; use some of %Y %y %m"),
        ("%d.%m.%Y %d", "it has a part twice"),
        ("%H:%M", "it has no year, %Y or %y"),
        ("Excel", "it has no parts such as %Y; of numbers of days it is excel or days"),
        ("%Y %", "there is no %;"),
    ):
        with pytest.raises(MappingError, match=sentence):
            TimeForm(format=text)


def test_a_format_is_the_only_form_and_its_numbers_are_no_seconds() -> None:
    form = TimeForm(format="%Y%m%d")
    values = [20190327, "20190327", 20190327.0, "2019-03-27", 1553644800, 0.5, None, True]
    assert one_by_one(values, form) == parse_timestamps(values, form).tolist()
    assert one_by_one(values, form) == [1553644800000] * 3 + [UNREADABLE] * 5


@given(
    st.lists(LOCAL, max_size=5),
    st.sampled_from(
        [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "Africa/Casablanca",
            "Pacific/Apia",
        ]
    ),
)
@example([datetime(2026, 10, 25, 2, 30), datetime(2026, 3, 29, 2, 30)], "Europe/Berlin")  # noqa: DTZ001
def test_local_times_are_the_first_reading(instants: list[datetime], name: str) -> None:
    expected = [
        milliseconds(instant.replace(tzinfo=ZoneInfo(name), fold=0)) for instant in instants
    ]
    form = TimeForm(timezone=name)
    texts = [str(instant) for instant in instants]
    assert [parse_timestamp(text, form) for text in texts] == expected
    assert parse_timestamps(texts, form).tolist() == expected


@given(
    st.integers(0, 86_400_000 * 2),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_local_times_around_a_change(past: int, name: str) -> None:
    for day in (
        datetime(2026, 3, 28),  # noqa: DTZ001
        datetime(2026, 10, 24),  # noqa: DTZ001
        datetime(2026, 3, 7),  # noqa: DTZ001
        datetime(2026, 4, 4),  # noqa: DTZ001
    ):
        instant = day + timedelta(milliseconds=past)
        zoned = milliseconds(instant.replace(tzinfo=ZoneInfo(name)))
        assert parse_timestamp(str(instant), TimeForm(timezone=name)) == zoned


def test_the_repeated_hour_and_the_one_that_is_not() -> None:
    berlin = TimeForm(timezone="Europe/Berlin")
    assert parse_timestamp("2026-10-25 02:30", berlin) == parse_timestamp("2026-10-25T00:30:00Z")
    assert parse_timestamp("2026-10-25 03:00", berlin) == parse_timestamp("2026-10-25T02:00:00Z")
    assert parse_timestamp("2026-03-29 02:30", berlin) == parse_timestamp(
        "2026-03-29 03:30", berlin
    )
    assert parse_timestamp("2026-03-29T02:30Z", berlin) == parse_timestamp("2026-03-29T02:30Z")
    assert parse_timestamp(1553681700, berlin) == 1553681700000
    assert parse_timestamp("2019-03-27", TimeForm(timezone="-05:30")) == 1553664600000


def test_what_is_no_zone() -> None:
    with pytest.raises(MappingError, match="'Europe/Berlim', did you mean Europe/Berlin"):
        find_zone("Europe/Berlim")
    for name in ("+25:00", "", "../etc/passwd", "\0"):
        with pytest.raises(MappingError, match="there is no time zone"):
            find_zone(name)


FORMS = st.sampled_from(
    [
        TimeForm(),
        TimeForm(timezone="Europe/Berlin"),
        TimeForm(format="%d.%m.%Y %H:%M"),
        TimeForm(format="%d.%m.%y"),
        TimeForm(format="%G-W%V-%u"),
        TimeForm(format="%Y-%j"),
        TimeForm(format="excel"),
        TimeForm(format="days", timezone="Europe/Berlin"),
        TimeForm("s"),
        TimeForm("ms"),
        TimeForm("us"),
        TimeForm("ns"),
    ]
)
WRITTEN = st.builds(
    lambda instant, text, zone: instant.strftime(text) + zone,
    LOCAL,
    st.sampled_from(
        [
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M",
            "%Y/%m/%d %I:%M %p",
            "%d %b %Y %H:%M:%S.%f",
            "%d.%m.%Y %H:%M",
            "%d.%m.%y",
            "%Y%m%dT%H%M%S",
            "%b %d, %Y",
            "%G-W%V-%u",
            "%Y-%j",
        ]
    ),
    st.sampled_from(["", "Z", "+02:00", "-11:30", "+02", " UTC"]),
)
DIGITS = st.from_regex(r"[0-9]{8,20}(\.[0-9]{1,5})?", fullmatch=True)
DAMAGED = st.builds(
    lambda text, at, char: text[: at % len(text)] + char + text[at % len(text) + 1 :],
    WRITTEN | DIGITS,
    st.integers(0, 40),
    st.sampled_from("0123456789") | st.characters(),
)
NUMBER = (
    st.integers(-(2**70), 2**70)
    | st.integers(EARLIEST, LATEST)
    | st.floats()
    | st.floats(9e8, 2e11)
    | st.floats(0, 200_000)
    | st.integers(EARLIEST, LATEST).map(lambda ms: ms / 1000)
)
VALUES = st.one_of(
    st.lists(WRITTEN | DAMAGED | DIGITS),
    st.lists(NUMBER),
    st.lists(st.floats()),
    st.lists(WRITTEN | DAMAGED | NUMBER | st.none() | st.booleans() | st.text(max_size=9)),
)


@given(VALUES, FORMS)
@example(["0001553644800.5", "00000000001.5"], TimeForm())
def test_many_at_once_equal_one_by_one(values: list[object], form: TimeForm) -> None:
    read = parse_timestamps(values, form)
    assert read.dtype == np.int64
    assert read.tolist() == one_by_one(values, form)


@given(st.sets(st.text("0123456789/-: AP", min_size=9, max_size=9), min_size=60, max_size=80))
def test_texts_of_more_shapes_than_are_read_at_once(texts: set[str]) -> None:
    values: list[object] = [*texts, "2019-03-2"]
    assert parse_timestamps(values).tolist() == one_by_one(values, TimeForm())


def columns() -> st.SearchStrategy[Column]:
    integers = st.lists(
        st.integers(-(2**63), 2**63 - 1) | st.integers(EARLIEST, LATEST), max_size=5
    )
    nulls = st.none() | st.lists(st.booleans(), min_size=5, max_size=5).map(np.array)

    def cut(null: np.ndarray | None, n: int) -> np.ndarray | None:
        return None if null is None else null[:n]

    return st.one_of(
        st.builds(lambda v, n: Numbers(np.array(v, np.int64), cut(n, len(v))), integers, nulls),
        st.builds(
            lambda v, n: Numbers(np.array(v), cut(n, len(v))),
            st.lists(st.floats(), max_size=5),
            nulls,
        ),
        st.builds(
            lambda v: Numbers(np.array(v, np.uint64)),
            st.lists(st.integers(0, 2**64 - 1), max_size=5),
        ),
        st.builds(
            lambda v, n, local: Times(np.array(v, np.int64), cut(n, len(v)), local),
            st.lists(st.integers(FIRST - 10**9, LATEST + 10**9), max_size=5),
            nulls,
            st.booleans(),
        ),
        st.lists(WRITTEN | NUMBER | st.none(), min_size=1, max_size=5).map(
            lambda v: Coded(np.arange(len(v)) // 2, v)
        ),
    )


@given(columns(), FORMS.filter(lambda form: form.format is None))
def test_a_column_is_read_as_its_values(column: Column, form: TimeForm) -> None:
    assert times_of(column, form).tolist() == one_by_one(column.values(), form)


def test_columns_of_their_own_kinds() -> None:
    berlin = TimeForm(timezone="Europe/Berlin")
    times = Times(np.array([1553644800000, 0]), np.array([False, True]), local=True)
    assert times_of(times, berlin).tolist() == [1553641200000, UNREADABLE]
    assert times_of(Times(times.ms), berlin).tolist() == [1553644800000, 0]
    assert times_of(Numbers(np.array([20190327, 7])), TimeForm(format="%Y%m%d")).tolist() == [
        1553644800000,
        UNREADABLE,
    ]
    assert times_of(Struct(2, {})).tolist() == [UNREADABLE, UNREADABLE]
    dates = Coded(np.array([0, 1, 2]), ["2019-03-27", None, ABSENT])
    clocks = Coded(np.array([0, 0, 0]), ["10:15"])
    assert times_of_two(dates, clocks).tolist() == [1553681700000, UNREADABLE, UNREADABLE]
