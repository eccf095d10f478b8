"""The text of a category, the same wherever a JSON value is counted as one."""

from __future__ import annotations

from collections.abc import Iterable

ZERO_ONE, BOOLEAN = ("0", "1"), ("false", "true")
_WRITTEN = (BOOLEAN, ("no", "yes"), ("f", "t"), ("n", "y"))
_FORMS = (
    ZERO_ONE,
    *((case(no), case(yes)) for no, yes in _WRITTEN for case in (str, str.capitalize, str.upper)),
)
_EXACT = 2**63


def category_text(value: object) -> str | None:
    """Return the category that a JSON value names.

    Text is itself, a boolean `true` or `false`, a whole number has no decimals whether it was
    written 3 or 3.0, other numbers are written in the shortest form that reads back the same.

    Args:
        value: any decoded JSON value.

    Returns:
        The text; None if the value is no category (null, a list, an object, NaN, infinity).

    >>> [category_text(value) for value in (True, 3, 3.0, 2.5, "3", None)]
    ['true', '3', '3', '2.5', '3', None]
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if -_EXACT < value < _EXACT:
            return str(int(value)) if value == int(value) else repr(value)
        try:
            text = repr(float(value))  # beyond 64 bits 10**30 and 1e30 are the same
        except OverflowError:
            return None
        return None if text in ("nan", "inf", "-inf") else text
    return None


def named_class(name: str, classes: Iterable[str]) -> str | None:
    """Return the class that somebody means, who may write it in another form; None for none.

    Args:
        name: as it was written.
        classes: those there are.

    >>> named_class("1.0", ["-1", "1"]), named_class("1", ["false", "true"]), named_class("2", [])
    ('1', 'true', None)
    """
    known = set(classes)
    if name in known:
        return name
    try:
        number = category_text(float(name))
    except ValueError:
        number = None
    if number in known:
        return number
    forms = other_forms(known)
    return forms.get(name) or forms.get(number or "")


def other_forms(classes: Iterable[str]) -> dict[str, str]:
    """Return how else two classes are written that are 0 and 1, or false and true.

    Args:
        classes: those of a model; one of the two may be lacking.

    Returns:
        Other text to its class; empty for other classes.

    >>> other_forms(["0", "1"])["true"], other_forms(["false", "true"])["No"]
    ('1', 'false')
    >>> other_forms(["0", "1", "2"])
    {}
    """
    known = set(classes)
    own = next((form for form in (ZERO_ONE, BOOLEAN) if known and known <= {*form}), None)
    if own is None:
        return {}
    pairs = [(text, name) for form in _FORMS for text, name in zip(form, own, strict=True)]
    return {text: name for text, name in pairs if text not in own}
