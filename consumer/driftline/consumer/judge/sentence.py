"""The sentence of an alert, for an operator who knows the model but not statistics.

In this order: model, feature, what changed in the feature's own unit, now against normal, since
when, how far it reaches. No statistic's name, no p-value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from driftline.consumer.wire.axis import TIME, Axis
from driftline.consumer.wire.records import FeatureEffect, Number, TypeChange
from driftline.detectors.registry import RATES
from driftline.detectors.tags import VERSION

LONGEST = 240
NORMALLY = "normally"
_PLAIN = 1e15  # from here on numbers have an exponent
_MOST_DIGITS = 16
_MOST_DECIMALS = 6

_LONGEST_NAME = 40
_LONGEST_STREAM = 60


@dataclass(frozen=True)
class Wording:
    """A sentence about a subject.

    Attributes:
        text: as the sentence has it.
        row: what a row of a table shows of it: what changed, now and normally.
        about: whether a share in it is that of a sample of the events.
        types: how the type of the values changed; None where it did not.
        features: where many changed at once, all of them; None where it is about one.
        effect: PSI of the finer bins that it speaks of; None where it speaks of no others.
    """

    text: str
    row: str
    about: bool = False
    types: TypeChange | None = None
    features: list[FeatureEffect] | None = None
    effect: float | None = None


def amount(value: float, digits: int = 3) -> str:
    """Return a number as a person writes it: `digits` significant ones, or all before the dot.

    Example:
        >>> amount(43485.0), amount(0.6412), amount(16.0), amount(-1234.5)
        ('43,485', '0.641', '16', '-1,234')
        >>> amount(-1234.5, 5), amount(1.7e308)
        ('-1,234.5', '1.7e+308')
    """
    value += 0.0  # of the two zeros the one without a sign
    if 1000 <= abs(value) < _PLAIN:
        decimals = max(digits - len(f"{abs(value):.0f}"), 0)
        text = f"{value:,.{decimals}f}"
        return text.rstrip("0").rstrip(".") if decimals else text
    return f"{float(f'{value:.{digits}g}'):.{digits}g}"


def figure(value: Number) -> str:
    """Return a statistic as people compare it with its limit.

    Example:
        >>> figure(0.430551), figure(0.0516913), figure(99.7874), figure(0.00274874), figure(None)
        ('0.431', '0.052', '99.8', '0.0027', 'none')
    """
    if value is None:
        return "none"
    if 0.01 <= abs(value) < 1:
        return f"{value:.3f}"
    return amount(value) if abs(value) >= 1 else f"{value:.2g}"


def amounts(now: float, normal: float) -> tuple[str, str]:
    """Return two numbers with the digits that it takes to tell them apart, three or more.

    Example:
        >>> amounts(43485.0, 21902.4), amounts(-118.24, -118.31), amounts(1016.2, 1016.4)
        (('43,485', '21,902'), ('-118.2', '-118.3'), ('1,016.2', '1,016.4'))
    """
    for digits in range(3, _MOST_DIGITS):
        texts = amount(now, digits), amount(normal, digits)
        if texts[0] != texts[1]:
            return texts
    return (amount(now), amount(normal)) if now == normal else (repr(now), repr(normal))


def digits_apart(value: float, normal: float) -> int:
    """Return how many significant digits tell how far two numbers are apart: 3 to 6.

    Example:
        >>> digits_apart(0.915237, 0.94364), digits_apart(0.99942, 0.99981)
        (3, 4)
    """
    apart = abs(value - normal)
    for digits in (3, 4, 5):
        said = abs(float(f"{value:.{digits}g}") - float(f"{normal:.{digits}g}"))
        if abs(said - apart) <= apart / 5:
            return digits
    return 6


def clean(text: str) -> str:
    r"""Return a name from the stream without what could forge a line or turn the text around.

    Example:
        >>> clean("3.2"), clean("1\n2019 FIRING"), clean("a\u202eb")
        ('3.2', '1\\n2019 FIRING', 'a\\u202eb')
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def named(name: str, longest: int = _LONGEST_NAME) -> str:
    r"""Return a name as a sentence has it: on one line, and not so long that it hides the rest.

    Example:
        >>> named("rating (1-5)"), named("a\nb"), named("x" * 1000, 8)
        ('rating (1-5)', 'a\\nb', 'xxxxx...')
    """
    text = clean(name)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def opening(stream: str) -> str:
    """Return how every sentence about a stream begins.

    Example:
        >>> opening("churn/tier=gold")
        'churn/tier=gold: '
    """
    return f"{named(stream, _LONGEST_STREAM)}: "


def percent(share: float, decimals: int = 1) -> str:
    """Return a share as per cent, with one decimal if no other number is given.

    Example:
        >>> percent(0.80123)
        '80.1 %'
    """
    return f"{100 * share:.{decimals}f} %"


def percents(now: float, normal: float) -> tuple[str, str]:
    """Return two shares as per cent with the decimals that it takes to tell them apart.

    Example:
        >>> percents(0.12, 0.35), percents(0.0004, 0.0001)
        (('12.0 %', '35.0 %'), ('0.04 %', '0.01 %'))
    """
    for decimals in range(1, _MOST_DECIMALS):
        texts = percent(now, decimals), percent(normal, decimals)
        if texts[0] != texts[1]:
            return texts
    return percent(now), percent(normal)


def category_change(category: str, now: float, normal: float, normally: str = NORMALLY) -> Wording:
    """Return the change of a category's share of the valid events.

    Example:
        >>> category_change("true", .801, .551).text
        'changed: "true" is 80.1 % of events, normally 55.1 %'
    """
    return _share_change(f'"{named(category)}"', "is", now, normal, normally)


def unlisted_change(now: float, normal: float, normally: str = NORMALLY) -> Wording:
    """Return the change of the share of values that the reference does not list.

    Example:
        >>> unlisted_change(.06, 0).row
        'values that the reference does not list 6.0 %, normally 0.0 %'
    """
    what = "values that the reference does not list"
    return _share_change(what, "are", now, normal, normally)


def _share_change(what: str, verb: str, now: float, normal: float, normally: str) -> Wording:
    present, before = percents(now, normal)
    return Wording(
        f"changed: {what} {verb} {present} of events, {normally} {before}",
        f"{what} {present}, {normally} {before}",
    )


def rate_change(name: str, now: float, normal: float, normally: str = NORMALLY) -> Wording:
    """Return the change of a rate.

    Example:
        >>> found = rate_change("missing", 0.05, 0.001)
        >>> found.text, found.row
        ('is missing in 5.0 % of events, normally 0.1 %', 'missing in 5.0 %, normally 0.1 %')
    """
    present, before = percents(now, normal)
    rate = RATES[name]
    phrase = f"{rate.verb} {rate.state}"
    return Wording(
        f"{phrase} in {present} of events, {normally} {before}",
        f"{rate.state if rate.verb == 'is' else phrase} in {present}, {normally} {before}",
    )


def roughly(share: float, *, about: bool) -> str:
    """Return a share as per cent; one that was estimated from a sample says so.

    Example:
        >>> roughly(0.0512, about=True), roughly(0.0512, about=False)
        ('about 5 %', '5.1 %')
    """
    return f"about {percent(share, 0)}" if about else percent(share)


def new_field(share: float, *, about: bool) -> Wording:
    """Return that a field is new, in which share of the events.

    Example:
        >>> new_field(0.31, about=True).text
        'is a new field, which the reference does not list, in about 31 % of events'
    """
    events = f"in {roughly(share, about=about)}"
    return Wording(
        f"is a new field, which the reference does not list, {events} of events",
        f"new field {events}",
        about,
    )


def disappeared(normal: float) -> Wording:
    """Return that no event has a field any more; `normal`: the share that has normally.

    Example:
        >>> disappeared(1.0).text
        'has disappeared: in 0.0 % of events, normally 100.0 %'
    """
    row = f"in 0.0 % of events, normally {percent(normal)}"
    return Wording(f"has disappeared: {row}", f"disappeared: {row}")


def type_change(now: str, normal: str, share: float, before: float) -> Wording:
    """Return that a feature's values changed their type, in which share of the events.

    Example:
        >>> type_change("text", "a number", 0.4, 0.0).text
        'is now text, normally a number: in 40.0 % of events, normally 0.0 %'
    """
    present, usual = percents(share, before)
    return Wording(
        f"is now {now}, normally {normal}: in {present} of events, normally {usual}",
        f"now {now}, normally {normal}, in {present}",
        types=TypeChange(now, normal),
    )


def new_value(value: str, share: float, now: float, normal: float, *, about: bool) -> Wording:
    """Return that a value is new, and in which share of the events all such values are.

    Example:
        >>> new_value("XX", 0.05, 0.052, 0.0, about=True).text
        'has a new value: "XX" is new in about 5 % of events; values that the reference does not \
list are 5.2 % of events, normally 0.0 %'
    """
    present, before = percents(now, normal)
    new = f'"{named(value)}" is new in {roughly(share, about=about)}'
    rest = f"values that the reference does not list are {present} of events, normally {before}"
    return Wording(f"has a new value: {new} of events; {rest}", new, about)


def unjudged(
    subject: str, since: int, reason: str, axis: Axis = TIME, *, several: bool = False
) -> Wording:
    """Return the sentence of an alert that still fires while nothing is known of it.

    `several`: whether the subject is more than one.

    Example:
        >>> unjudged("accuracy", 0, "12 labelled events, 500 needed").text
        'accuracy is amiss since 1970-01-01 00:00 UTC and cannot be judged now: \
12 labelled events, 500 needed.'
    """
    verb, since_when = "are" if several else "is", axis.moment(since)
    text = f"{subject} {verb} amiss since {since_when} and cannot be judged now: {reason}."
    return Wording(text, text)


def back_to_normal(
    subject: str, since: int, quiet: int, axis: Axis = TIME, *, several: bool = False
) -> Wording:
    """Return the sentence of an alert that is resolved, which was quiet from `quiet` on.

    `several`: whether the subject is more than one.

    Example:
        >>> back_to_normal("age", 0, 86_400_000).text
        'age is back to normal since 1970-01-02 00:00 UTC, after 1 day.'
    """
    lasted = axis.length(quiet - since)
    verb = "are" if several else "is"
    text = f"{subject} {verb} back to normal since {axis.moment(quiet)}, after {lasted}."
    return Wording(text, text)


def scope(also_firing: Sequence[str], began: Mapping[str, str], *, several: bool = False) -> str:
    """Return how far an alert reaches: which other features of the stream fire too.

    `several`: whether it is about more than one feature.

    Example:
        >>> scope([], {}), scope(["a"], {"model_version": "3.2"})
        ('Only this feature.', '1 other feature changed too: a. Began with version 3.2.')
    """
    if also_firing:
        many = "feature" if len(also_firing) == 1 else "features"
        text = f"{len(also_firing)} other {many} changed too: {', '.join(also_firing)}."
    else:
        text = "Only these features." if several else "Only this feature."
    return text + began_with(began)


def began_with(began: Mapping[str, str]) -> str:
    """Return what was released when a change began, as a sentence of its own; empty for nothing.

    Args:
        began: tag to the value of it that came up first.

    Example:
        >>> began_with({"model_version": "3.2", "image": "3f2a"}), began_with({})
        (' Began with version 3.2, image 3f2a.', '')
    """
    if not began:
        return ""
    parts = [
        f"{'version' if tag == VERSION else named(tag)} {named(value)}"
        for tag, value in began.items()
    ]
    return f" Began with {', '.join(parts)}."


def fit(sentence: str, also_firing: Sequence[str] = ()) -> str:
    """Return `sentence` within the limit: of a list of features the last become ``and 7 more``."""
    listed = ", ".join(also_firing)
    keep = len(also_firing)
    short = sentence
    while len(short) > LONGEST and keep > 1:
        keep -= 1
        some = f"{', '.join(also_firing[:keep])} and {len(also_firing) - keep} more"
        short = sentence.replace(listed, some)
    return short if len(short) <= LONGEST else short[: LONGEST - 3] + "..."
