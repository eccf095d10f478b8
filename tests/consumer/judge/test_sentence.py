"""The sentence of an alert: every form, its numbers, and its length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.judge.number_sentence import Moved, Spread, numeric_change, verb
from driftline.consumer.judge.sentence import (
    LONGEST,
    Wording,
    amount,
    amounts,
    back_to_normal,
    category_change,
    fit,
    percent,
    rate_change,
    scope,
    unjudged,
    unlisted_change,
)
from driftline.consumer.wire.axis import duration, moment

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (43485.0, "43,485"),
        (21902.4, "21,902"),
        (1234567.0, "1,234,567"),
        (-1234.5, "-1,234"),
        (0.64, "0.64"),
        (0.6412, "0.641"),
        (16.0, "16"),
        (16.04, "16"),
        (0.0, "0"),
        (0.000012345, "1.23e-05"),
        (1.7e308, "1.7e+308"),
        (-5e-324, "-4.94e-324"),
    ],
)
def test_amount(value: float, text: str) -> None:
    assert amount(value) == text


@pytest.mark.parametrize(
    ("now", "normal", "texts"),
    [
        (4.0, 4.004, ("4", "4.004")),
        (-118.24, -118.31, ("-118.2", "-118.3")),
        (1015.2, 1016.4, ("1,015", "1,016")),
        (1_234_567.25, 1_234_567.375, ("1,234,567.2", "1,234,567.4")),
        (0.1 + 0.2, 0.3, ("0.30000000000000004", "0.3")),
        (2.5, 2.5, ("2.5", "2.5")),
    ],
)
def test_two_numbers_have_the_digits_that_tell_them_apart(
    now: float, normal: float, texts: tuple[str, str]
) -> None:
    assert amounts(now, normal) == texts


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e6, 1e6))
def test_different_numbers_never_read_the_same(now: float, normal: float) -> None:
    one, other = amounts(now, normal)
    assert (one == other) == (now == normal)


@pytest.mark.parametrize(("share", "text"), [(0.80123, "80.1 %"), (0, "0.0 %"), (1, "100.0 %")])
def test_percent(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("now", "normal", "expected"),
    [
        (Spread(43485, 20000), Spread(21902, 20000), "rose"),
        (Spread(10, 20), Spread(12, 20), "fell"),
        (Spread(12, 60), Spread(12, 20), "spread"),
        (Spread(12, 5), Spread(12, 20), "narrowed"),
        (Spread(12, 20), Spread(12, 20), "changed shape"),
        (Spread(12, 20.5), Spread(12, 20), "changed shape"),
        (Spread(13, 60), Spread(12, 20), "spread"),  # it moved too, but less than it spread
        (Spread(12.1, 20), Spread(12, 20), "rose"),  # a little is all there is to say
        (Spread(11.9, 20), Spread(12, 20), "fell"),
        (Spread(3, 0), Spread(2, 0), "rose"),  # nearly constant: in units of the median
        (Spread(0, 0), Spread(0, 0), "changed shape"),
        (Spread(-2, 1), Spread(-3, 1), "rose"),
    ],
)
def test_verb(now: Spread, normal: Spread, expected: str) -> None:
    assert verb(now, normal) == expected


@pytest.mark.parametrize(
    ("lean", "expected"), [(1.0, "rose"), (-0.95, "fell"), (0.2, "spread"), (-0.5, "spread")]
)
def test_the_verb_where_the_median_stays(lean: float, expected: str) -> None:
    moved = Moved("1", 0.3, 0.1, lean)
    assert verb(Spread(0, 1), Spread(0, 0), moved) == expected
    assert verb(Spread(5, 1), Spread(0, 1), moved) == "rose"


def test_the_change_of_a_number_whose_median_stays() -> None:
    same = Spread(4.0, 1.0)
    assert numeric_change(same, same, Moved("0", 0.12, 0.35, -1.0)) == Wording(
        "fell: 0 in 12.0 % of events, normally 35.0 %", "0 in 12.0 %, normally 35.0 %"
    )
    assert numeric_change(same, same, Moved("above 60", 0.0004, 0.0001, 1.0)) == Wording(
        "rose: above 60 in 0.04 % of events, normally 0.01 %", "above 60 in 0.04 %, normally 0.01 %"
    )
    assert numeric_change(same, same) == Wording(
        "changed shape: median 4, as normally", "median 4, as normally"
    )


def test_a_median_that_hardly_moved_is_not_the_change() -> None:
    moved, normal = Moved("above 56.2", 0.34, 0.1, 0.02), Spread(49.8, 6.7)
    assert numeric_change(Spread(50.6, 20.1), normal, moved).text == (
        "spread: above 56.2 in 34.0 % of events, normally 10.0 %"
    )
    assert numeric_change(Spread(51.6, 20.1), normal, moved).row == "median 51.6, normally 49.8"
    assert verb(Spread(50.6, 20.1), normal, moved) == "spread"
    assert verb(Spread(50.6, 20.1), normal, Moved("above 56.2", 0.34, 0.1, 0.95)) == "rose"


def test_changes() -> None:
    now, normal = Spread(43485, 1), Spread(21902, 1)
    assert numeric_change(now, normal) == Wording(
        "rose: median 43,485, normally 21,902", "median 43,485, normally 21,902"
    )
    assert category_change("60K+ €", 0.006, 0.101) == Wording(
        'changed: "60K+ €" is 0.6 % of events, normally 10.1 %', '"60K+ €" 0.6 %, normally 10.1 %'
    )
    assert category_change("a", 0.0612, 0.0614).row == '"a" 6.12 %, normally 6.14 %'
    assert unlisted_change(0.06, 0.0) == Wording(
        "changed: values that the reference does not list are 6.0 % of events, normally 0.0 %",
        "values that the reference does not list 6.0 %, normally 0.0 %",
    )


@pytest.mark.parametrize(
    ("rate", "what"),
    [
        ("missing", "is missing"),
        ("invalid", "is invalid"),
        ("unseen", "has a value that the reference does not list"),
        ("out_of_range", "is outside the reference's range"),
    ],
)
def test_changes_of_rates(rate: str, what: str) -> None:
    assert rate_change(rate, 0.05, 0.001) == Wording(
        f"{what} in 5.0 % of events, normally 0.1 %",
        f"{what.removeprefix('is ')} in 5.0 %, normally 0.1 %",
    )


@pytest.mark.parametrize(
    "name", ["this is: x, since y", "x, since 2019-01", "is", "rose: 1", "a: b"]
)
def test_the_row_of_a_category_whatever_its_name(name: str) -> None:
    assert category_change(name, 0.5, 0.25).row == f'"{name}" 50.0 %, normally 25.0 %'


def test_what_is_said_of_alerts_that_end_or_cannot_be_judged() -> None:
    since = 1_553_644_800_000
    assert back_to_normal("a", since, since + 96 * DAY).text == (
        "a is back to normal since 2019-07-01 00:00 UTC, after 96 days."
    )
    assert unjudged("a", since, "no events").text == (
        "a is amiss since 2019-03-27 00:00 UTC and cannot be judged now: no events."
    )


def test_scope() -> None:
    assert scope([], {}) == "Only this feature."
    assert scope(["a"], {}) == "1 other feature changed too: a."
    assert scope(["a", "b"], {}) == "2 other features changed too: a, b."
    assert scope([], {"model_version": "3.2"}) == "Only this feature. Began with version 3.2."


def test_moment() -> None:
    assert moment(1_553_644_800_000) == "2019-03-27 00:00 UTC"
    assert moment(1_553_644_800_000 + 13 * HOUR + 5 * MINUTE + 59_999) == "2019-03-27 13:05 UTC"


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (96 * DAY, "96 days"),
        (DAY, "1 day"),
        (DAY + HOUR, "1 day 1 hour"),
        (2 * DAY + 3 * HOUR + 4 * MINUTE, "2 days 3 hours"),
        (90 * MINUTE, "1 hour 30 minutes"),
        (DAY + 5 * MINUTE, "1 day 5 minutes"),
        (59_999, "less than a minute"),
        (1_200 * DAY, "1,200 days"),
    ],
)
def test_duration(ms: int, text: str) -> None:
    assert duration(ms) == text


def sentence(features: list[str], head: str = "m: a rose") -> str:
    return f"{head}: median 2, normally 1, since 2019-03-27 00:00 UTC. {scope(features, {})}"


def test_a_long_list_is_cut_to_what_fits() -> None:
    features = [f"feature_number_{i:02}" for i in range(30)]
    short = fit(sentence(features), features)
    assert len(short) <= LONGEST
    listed, _, rest = short.partition("30 other features changed too: ")[2].partition(" and ")
    shown = listed.split(", ")
    assert shown == features[: len(shown)]
    assert rest == f"{30 - len(shown)} more."
    assert len(shown) >= 5
    # One more would not fit.
    assert len(short) + len(", feature_number_00") > LONGEST


def test_what_fits_stays_as_it_is() -> None:
    features = ["a", "b", "c"]
    assert fit(sentence(features), features) == sentence(features)
    exactly = "x" * LONGEST
    assert fit(exactly) == exactly


@given(
    st.lists(st.text("abc_.", min_size=1, max_size=120), max_size=40),
    st.text("ab c", max_size=300),
)
def test_never_longer_than_the_limit(features: list[str], head: str) -> None:
    assert len(fit(sentence(features, head), features)) <= LONGEST == 240
