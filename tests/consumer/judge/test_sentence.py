"""The sentence of an alert: every form, its numbers, and its length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.consumer.judge.sentence import (
    LONGEST,
    Moved,
    Spread,
    amount,
    amounts,
    category_change,
    change,
    duration,
    fit,
    moment,
    named,
    numeric_change,
    opening,
    percent,
    rate_change,
    scope,
    unlisted_change,
    verb,
)

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
    assert numeric_change(same, same, Moved("0", 0.12, 0.35, -1.0)) == (
        "0 in 12.0 % of events, normally 35.0 %"
    )
    assert numeric_change(same, same, Moved("above 60", 0.0004, 0.0001, 1.0)) == (
        "above 60 in 0.04 % of events, normally 0.01 %"
    )
    assert numeric_change(same, same) == "median 4, as normally"


def test_a_median_that_hardly_moved_is_not_the_change() -> None:
    moved, normal = Moved("above 56.2", 0.34, 0.1, 0.02), Spread(49.8, 6.7)
    assert numeric_change(Spread(50.6, 20.1), normal, moved) == (
        "above 56.2 in 34.0 % of events, normally 10.0 %"
    )
    assert numeric_change(Spread(51.6, 20.1), normal, moved) == "median 51.6, normally 49.8"
    assert verb(Spread(50.6, 20.1), normal, moved) == "spread"
    assert verb(Spread(50.6, 20.1), normal, Moved("above 56.2", 0.34, 0.1, 0.95)) == "rose"


def test_changes() -> None:
    now, normal = Spread(43485, 1), Spread(21902, 1)
    assert numeric_change(now, normal) == "median 43,485, normally 21,902"
    assert category_change("60K+ €", 0.006, 0.101) == (
        '"60K+ €" is 0.6 % of events, normally 10.1 %'
    )
    assert category_change("a", 0.0612, 0.0614) == '"a" is 6.12 % of events, normally 6.14 %'
    assert unlisted_change(0.06, 0.0) == (
        "values that the reference does not list are 6.0 % of events, normally 0.0 %"
    )
    assert rate_change("missing", 0.05, 0.001) == ("is missing in 5.0 % of events, normally 0.1 %")
    assert rate_change("invalid", 0.05, 0) == "is invalid in 5.0 % of events, normally 0.0 %"
    assert rate_change("unseen", 0.5, 0) == (
        "has a value that the reference does not list in 50.0 % of events, normally 0.0 %"
    )
    assert rate_change("out_of_range", 0.5, 0) == (
        "is outside the reference's range in 50.0 % of events, normally 0.0 %"
    )


def test_scope() -> None:
    assert scope([], None) == "Only this feature."
    assert scope(["a"], None) == "1 other feature changed too: a."
    assert scope(["a", "b"], None) == "2 other features changed too: a, b."
    assert scope([], "3.2") == "Only this feature. Began with version 3.2."


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


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ("m: a rose: median 43,485, normally 21,902, since 2019-03-27 00:00 UTC. Only ...",
         "median 43,485, normally 21,902"),
        ('m/tier=gold: b changed: "x" is 80.1 % of events, normally 55.1 %, since 2019-03-27 00:00'
         " UTC. Only this feature.", '"x" 80.1 %, normally 55.1 %'),
        ("m: c is missing in 5.0 % of events, normally 0.1 %, since 2019-03-27 00:00 UTC. Only ...",
         "missing in 5.0 %, normally 0.1 %"),
        ("m: accuracy fell to 0.915 (95 % interval 0.896 to 0.931), normally 0.944, on 991 "
         "labelled of 991 events, since 2019-04-08 00:00 UTC. 5 ...",
         "accuracy 0.915, normally 0.944"),
        ("m/tier=gold: estimated accuracy fell to 0.911 (95 % interval 0.895 to 0.927), normally "
         "0.944, estimated from 991 predictions without labels, since 2019-04-08 00:00 UTC. No ...",
         "estimated accuracy 0.911, normally 0.944"),
        ("m: mean absolute error rose to 12.3, normally 9.1, on 1,991 labelled events, since ...",
         "mean absolute error 12.3, normally 9.1"),
        ("m: estimated ROC AUC is 0.9 (95 % interval 0.8 to 0.95), as normally, estimated from ...",
         "estimated ROC AUC 0.9, as normally"),
        ("m: performance turned out 0.031 worse than estimated, normally 0, on 991 labelled of 991 "
         "events, since 2019-04-08 ...", "0.031 worse than estimated"),
        ("m: a fell: 0 in 12.0 % of events, normally 35.0 %, since 2019-04-08 00:00 UTC. Only ...",
         "0 in 12.0 %, normally 35.0 %"),
        ('m: b changed: "this is: x, since y" is 12.0 % of events, normally 35.0 %, since 2019-04'
         "-08 00:00 UTC. Only this feature.",
         '"this is: x, since y" 12.0 %, normally 35.0 %'),
        ("m: b changed: values that the reference does not list are 5.6 % of events, normally 0.0 %"
         ", since 2019-04-08 00:00 UTC. Only this feature.",
         "values that the reference does not list 5.6 %, normally 0.0 %"),
        ("m: mae rose to 12,345, normally 1,234, on 1,991 labelled events, since 2019-04-08 ...",
         "mae 12,345, normally 1,234"),
        ("m: estimate_gap fell to -0.031, normally 0, on 991 labelled of 991 events, since ...",
         "estimate_gap -0.031, normally 0"),
        ("m: labels became few: 12 for 991 predictions (1.2 %), normally 98.7 %, since 2019-04-08 "
         "00:00 UTC.", "became few: 12 for 991 predictions (1.2 %), normally 98.7 %"),
        ("m: labels do not come: not one within the horizon, since 2019-04-08 00:00 UTC.",
         "do not come: not one within the horizon"),
    ],
)  # fmt: skip
def test_the_change_alone(summary: str, said: str) -> None:
    stream, _, rest = summary.partition(": ")
    first = rest.partition(" ")[0]
    assert change(summary, stream, first if first in ("a", "b", "c") else None) == said


@pytest.mark.parametrize(
    "name",
    [
        "a: b",
        "x, since 2019-01",
        "labels",
        "labels stopped",
        "accuracy",
        "a\nb",
        "is",
        "rose: 1",
        "n" * 1000,
    ],
)
def test_the_change_alone_whatever_the_names(name: str) -> None:
    for text, said in (
        ("rose: median 2, normally 1", "median 2, normally 1"),
        ("is missing in 5.0 % of events, normally 0.1 %", "missing in 5.0 %, normally 0.1 %"),
        (f"changed: {category_change(name, 0.5, 0.25)}",
         f'"{named(name)}" 50.0 %, normally 25.0 %'),
    ):  # fmt: skip
        stream = f"m/t={name}"
        whole = f"{opening(stream)}{named(name)} {text}, since 2019-04-08 00:00 UTC. Only ..."
        assert whole.isprintable()
        assert len(whole) <= LONGEST
        assert change(whole, stream, name) == said


def sentence(features: list[str], head: str = "m: a rose") -> str:
    return f"{head}: median 2, normally 1, since 2019-03-27 00:00 UTC. {scope(features, None)}"


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
