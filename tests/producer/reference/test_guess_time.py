"""How times are written, guessed from a column: one reading, two readings, or nearly one."""

from __future__ import annotations

from typing import Any

import pytest

from driftline.producer import InputError, guess_mapping
from driftline.producer.records.mapping import DateAndClock
from driftline.producer.records.time_form import GivenTimes, TimeForm
from driftline.producer.records.timestamp import format_time
from driftline.producer.records.timestamp_column import parse_timestamps
from driftline.producer.reference.guess_time import infer_times


def guess(rows: list[dict[str, Any]], given: GivenTimes | None = None) -> Any:
    return guess_mapping(list(rows[0]), rows, None, given or GivenTimes())


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2019-03-27"], None),
        (["05/20/1987", "06/01/1987"], "%m/%d/%Y"),
        (["20/05/1987", "01/06/1987"], "%d/%m/%Y"),
        (["20.05.1987 17:30", "01.06.1987 09:05"], "%d.%m.%Y %H:%M"),
        (["5/20/87 5:30 PM", "6/1/87 11:05 AM"], "%m/%d/%y %I:%M %p"),
        (["20-05-1987T17:30:00.5+02:00"], "%d-%m-%YT%H:%M:%S%z"),
        (["31-12-99", "01-01-00"], "%d-%m-%y"),
        (["20-May-87"], "%d-%b-%y"),
        ([20190327, 20190401], "%Y%m%d"),
        (["20190327"], "%Y%m%d"),
        (["20190327101500"], "%Y%m%d%H%M%S"),
        (["1949-01", "1949-02"], "%Y-%m"),
        ([1553644800, 1553644801.5], None),
        (["1553644800000000000"], None),
        (["02/02/2026", "03/03/2026"], "%d/%m/%Y"),  # both readings are the same days
        ([*["13/02/2026"] * 999, "soon"], "%d/%m/%Y"),
        ([*["02/03/2026"] * 99, "13/03/2026", "garbage"], "%d/%m/%Y"),
    ],
)
def test_one_reading(values: list[Any], form: str | None) -> None:
    found = infer_times(values)
    assert found.form == TimeForm(format=form), found.problem


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            ["03/03/2026", "02/03/2026 "[:10]],
            "holds '02/03/2026', which is 2026-03-02 as '%d/%m/%Y' and 2026-02-03 as '%m/%d/%Y',"
            " and no value tells which: give --time-format with one of them",
        ),
        (
            ["2019-03-27"] * 9 + ["later"],
            "nearly holds times, but 1 of 10 are none: 'later' is the first",
        ),
        (["13/02/2026", "02/13/2026"], "nearly holds times, but 1 of 2 are none:"),
        (["soon", "2019-W99"], "holds no times that can be read: 'soon' is the first value"),
        ([0, 1, 2], "holds no times that can be read: 0 is the first value"),
        ([[1], {}], "holds no times that can be read: '[1]'"),
        ([None, ""], "is empty"),
        (
            [46_082.5],
            "holds 46082.5: if these are Excel's days since 1900, give --time-format excel",
        ),
        (["20513"], "holds '20513': if these are days since 1970, give --time-format days"),
        ([20_513, "x"], "holds no times that can be read: 20513 is the first value; if it is one,"),
    ],
)
def test_no_reading(values: list[Any], problem: str) -> None:
    found = infer_times(values)
    assert found.form is None
    assert found.problem.startswith(problem)


def test_what_is_given_is_kept() -> None:
    given = TimeForm(timezone="Europe/Berlin")
    assert infer_times(["13/02/2026"], given).form == TimeForm(
        format="%d/%m/%Y", timezone="Europe/Berlin"
    )
    assert infer_times(["02/03/2026"], TimeForm(format="%m/%d/%Y")).form is not None
    assert infer_times(["13/02/2026"], TimeForm(format="%m/%d/%Y")).form is None


def test_more_of_the_column_may_tell_the_day_from_the_month() -> None:
    rows = [{"ts": "02/03/2026", "km": 1}]
    found = guess_mapping(["ts", "km"], rows, whole=lambda names: ["02/03/2026", "02/13/2026"])
    assert found.mapping.times.format == "%m/%d/%Y"
    assert found.said[0] == "timestamp: column ts (text as %m/%d/%Y, read as UTC)"
    assert "02/03/2026" in guess(rows).no_time
    assert "timestamp" not in guess(rows).mapping.fields


def test_a_date_and_a_clock_in_two_columns() -> None:
    rows = [{"Date": "27.03.2019", "Time": "9:05 PM", "km": 1}]
    found = guess(rows)
    assert found.mapping.fields["timestamp"] == DateAndClock("Date", "Time")
    assert found.mapping.times.format == "%d.%m.%Y %I:%M %p"
    assert found.mapping.to_event(rows[0])["timestamp"] == "2019-03-27T21:05:00Z"
    assert set(found.features) == {"km"}
    two = [{"day": 20190327, "hhmm": 517, "km": 1}, {"day": 20190327, "hhmm": 1730, "km": 1}]
    given = GivenTimes(("day", "hhmm"), TimeForm(format="%Y%m%d %H%M", timezone="+01:00"))
    chosen = guess(two, given).mapping
    assert chosen.to_event(two[0])["timestamp"] == "2019-03-27T04:17:00Z"


def test_hours_of_digits_are_no_seconds_since_1970() -> None:
    hours = [f"202603{day:02}{hour:02}" for day in range(1, 4) for hour in range(24)]
    assert infer_times(list(map(int, hours))).form == TimeForm(format="%Y%m%d%H")
    assert infer_times(hours[:3]).form == TimeForm()  # too few to tell
    assert infer_times([f"17723232{second:02}" for second in range(40)]).form == TimeForm()


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2026-W09-7", "2026-W10-1"], "%G-W%V-%u"),
        (["2026-W09"], "%G-W%V"),
        (["2026-060 10:15"], "%Y-%j %H:%M"),
        ([2_026_060], "%Y%j"),
    ],
)
def test_weeks_and_days_of_the_year(values: list[Any], form: str) -> None:
    assert infer_times(values).form == TimeForm(format=form)


def test_times_that_are_kept_as_such_are_no_text() -> None:
    rows = [{"ts": "2019-03-27T10:15:00", "km": 1}]
    told = guess_mapping(["ts", "km"], rows, are_times=lambda path: path == "ts").said
    assert told[0] == "timestamp: column ts (times, read as UTC)"


def test_a_bad_value_among_many_is_a_bad_row() -> None:
    rows = [{"ts": "2019-03-27 10:15", "km": 1}] * 99 + [{"ts": "?", "km": 1}]
    assert guess(rows).mapping.fields["timestamp"] == "ts"


def test_the_column_that_nearly_holds_times_is_named() -> None:
    found = guess([{"km": "a", "seen_on": day} for day in ("2019-03-27", "2019-03-28", "never")])
    assert found.no_time == (
        "column seen_on nearly holds times, but 1 of 3 are none: 'never' is the first"
    )
    assert guess([{"time": "Q1", "km": 1}]).no_time == (
        "column time holds no times that can be read: 'Q1' is the first value; if it is one, give"
        " --time-format"
    )
    assert guess([{"km": 1}]).no_time == ""


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (GivenTimes(("when",)), "--timestamp when: there is no such column, but ts, km"),
        (GivenTimes(("km",)), "--timestamp km: it holds no times that can be read: 1 is"),
        (
            GivenTimes(("ts",), TimeForm(format="%d.%m.%Y")),
            "--timestamp ts: it holds no times that can be read: '2019-03-27' is the first",
        ),
    ],
)
def test_a_column_that_is_given_must_hold_times(given: GivenTimes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        guess([{"ts": "2019-03-27", "km": 1}], given)


@pytest.mark.parametrize(
    ("text", "form", "read"),
    [
        ("27MAR2019:10:15:00", "%d%b%Y:%H:%M:%S", "2019-03-27T10:15:00Z"),  # of SAS
        ("2019-03-27_10-15-00", "%Y-%m-%d_%H-%M-%S", "2019-03-27T10:15:00Z"),
        ("2019-03-27T10-15-00Z", "%Y-%m-%dT%H-%M-%S%z", "2019-03-27T10:15:00Z"),
        ("27.03.2019 10.15", "%d.%m.%Y %H.%M", "2019-03-27T10:15:00Z"),
        ("27-MAR-19 10.15.00.000000 PM", "%d-%b-%y %I.%M.%S %p", "2019-03-27T22:15:00Z"),  # Oracle
    ],
)
def test_clocks_without_colons(text: str, form: str, read: str) -> None:
    values = [text] if "%y" not in form else [text, "31-DEC-99 10.15.00.5 AM"]
    found = infer_times(values).form

    assert found == TimeForm(format=form)
    assert found is not None
    assert format_time(int(parse_timestamps([text], found)[0])) == read


@pytest.mark.parametrize(
    "text",
    [
        "Mon Mar 02 00:0{}:00 CET 2026",
        "2026-03-02 00:0{}:00 EST",
        "2026-03-02 00:0{} Europe/Berlin",
    ],
)
def test_times_with_the_name_of_a_zone_are_told(text: str) -> None:
    problem = infer_times([text.format(i) for i in range(9)]).problem
    assert problem.startswith(f"holds times with the name of a zone, such as {text.format(0)!r}, ")
    assert problem.endswith("leave the name out and give --timezone, or write the offset")
    other = infer_times([f"see 10:1{i} PM" for i in range(9)]).problem
    assert other.startswith("holds no times that can be read")
