"""Find columns of numbers in other clothes: `12.5 kg`, `<5`, `~3`, `="1"`, `0:02:35`, `60-70`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from driftline.producer.records.number_text import NEARLY_ALL, is_mark, plain_number

_AROUND = re.compile(
    r"(?P<before>[^0-9A-Za-z]{0,3}?)[+-]?(?P<number>[0-9][0-9,'_ ]*(?:\.[0-9]+)?)"
    r"(?P<after>(?:[^0-9]{0,12})|[DdEe][+-]?[0-9]{1,3})"
)
_DURATION = re.compile(r"(?:[0-9]+ days?,? )?[0-9]{1,3}:[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?")
_DURATIONS = "durations as text"
_OF_A_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?")
_RANGE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(?:-|\u2013|to|\.\.) ?([0-9]+(?:\.[0-9]+)?)")
_FRACTION = re.compile(r"[0-9]+(?:\.[0-9]+)? ?/ ?[0-9]+(?:\.[0-9]+)?")
_MOST_SHOWN = 40
_MOST_KINDS = 5  # of what stands around: more are names, such as those of houses
_CLASSES = 20  # different texts, up to which they may be classes


def numbers_with_others(columns: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Yield a sentence for each column of texts that are numbers but for what stands around them.

    Args:
        columns: name to values that are not null.

    >>> [*numbers_with_others({"size": [f"{i}.5 MB" for i in range(40)]})]
    ["size: texts with numbers in them ('0.5 MB' is the first), compared as texts; for numbers \
write the number alone"]
    """
    for name, values in columns.items():
        texts = Counter(value for value in values if isinstance(value, str) and not is_mark(value))
        others = sum(not isinstance(value, str) for value in values)
        if len(texts) <= _CLASSES or others > (1 - NEARLY_ALL) * len(values):
            continue
        for kind, is_one, advice in _CLOTHES:
            fit = [text for text in texts if is_one(text.strip())]
            if sum(map(texts.__getitem__, fit)) >= NEARLY_ALL * texts.total():
                if kind == _DURATIONS and all(_OF_A_DAY.fullmatch(text.strip()) for text in fit):
                    kind = "times of day, or durations, as text"
                yield _sentence(name, kind, fit[0], advice)
                break
        else:
            amount = _first_amount(texts)
            if amount is not None:
                yield _sentence(name, "texts with numbers in them", amount, "the number alone")


def _sentence(name: str, kind: str, first: str, advice: str) -> str:
    return (
        f"{name}: {kind} ({first[:_MOST_SHOWN]!r} is the first), compared as texts; for numbers"
        f" write {advice}"
    )


def _first_amount(texts: Counter[str]) -> str | None:
    """Return the first text with something around a number, where nearly all are numbers."""
    found = {text: _AROUND.fullmatch(text.strip()) for text in texts}
    fit = {text: match for text, match in found.items() if match is not None}
    many = sum(texts[text] for text in fit)
    kinds = {(match["before"], match["after"].strip(" +-0123456789")) for match in fit.values()}
    around = [text for text in fit if plain_number(text) is None]
    if many < NEARLY_ALL * texts.total() or not around or len(kinds) > _MOST_KINDS:
        return None
    return around[0] if _are_amounts(fit) else None


def _is_duration(text: str) -> bool:
    return _DURATION.fullmatch(text) is not None


def _is_range(text: str) -> bool:
    """Whether a text has a lower and a higher number; a name such as `12-7` may have any two."""
    found = _RANGE.fullmatch(text)
    return found is not None and float(found[1]) < float(found[2])


def _is_fraction(text: str) -> bool:
    return _FRACTION.fullmatch(text) is not None


_CLOTHES = (
    (_DURATIONS, _is_duration, "the seconds"),
    ("ranges as text", _is_range, "one number, such as the middle"),
    ("fractions, or two numbers each, as text", _is_fraction, "each in a column of its own"),
)


def _are_amounts(found: Mapping[str, re.Match[str]]) -> bool:
    """Whether texts have decimals or a blank before the unit, or signs: names have none of them."""
    signs = sum(
        "." in match["number"]
        or "," in match["number"]
        or "_" in match["number"]
        or match["before"] not in ("", "#")
        or match["after"][:1] in (" ", "%", "\u00b0", "*")
        for match in found.values()
    )
    return 2 * signs > len(found)
