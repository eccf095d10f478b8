"""Guess what the texts of sample records stand for: numbers, or no value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftline.detectors.counts import Feature
from driftline.detectors.registry import FeatureType
from driftline.producer.records.number_text import NEARLY_ALL, is_mark
from driftline.producer.records.text_form import TextForm
from driftline.producer.records.values import INVALID, Read, boolean, numeric
from driftline.producer.reference.field import field_of
from driftline.producer.reference.look import Look

_NAMIBIA = "NA"
_CODE = re.compile("[A-Z]{2}")
_PERHAPS = frozenset(
    (
        *("none", "unknown", "unk", "missing", "undefined", "unspecified", "n.a.", "nil", "<na>"),
        *(
            "<null>",
            "(null)",
            "--",
            ".",
            "s/d",
            "n.d.",
            "n/d",
            "empty",
            "(blank)",
            "not available",
            "not applicable",
        ),
        *("not known", "no value", "no data"),
    )
)
"""What stands for no value where no other meaning is known."""
_MOST_LISTED = 5


@dataclass(frozen=True)
class TextGuess:
    """What texts stand for.

    Attributes:
        coerce: the columns in which numbers, or what stands for none, are written as text.
        marks: texts that surely stand for no value, to the columns of text that they are in.
    """

    coerce: tuple[str, ...]
    marks: Mapping[str, Sequence[str]]

    @property
    def said(self) -> tuple[str, ...]:
        """What was guessed of numbers, as sentences."""
        if not self.coerce:
            return ()
        more = len(self.coerce) - _MOST_LISTED
        listed = ", ".join(self.coerce[:_MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")
        return (f"numbers as text: {listed}",)


def guess_texts(columns: Mapping[str, Sequence[Any]]) -> TextGuess:
    """Guess what texts stand for.

    Args:
        columns: features, and other values that may be numbers: those that are not null.

    >>> guess = guess_texts({"km": ["1", "2.5", "NA"], "fuel": ["gas", "NA", "oil", "none"]})
    >>> guess.coerce, guess.marks
    (('km',), {'NA': ['fuel']})
    """
    coerce: list[str] = []
    marks: dict[str, list[str]] = {}
    codes = False
    for name, values in columns.items():
        texts = dict.fromkeys(value for value in values if isinstance(value, str))
        if not texts:
            continue
        kind = type_of(values, coerce=True)
        if kind in ("numeric", "boolean"):
            plain, coerced = _reader(kind, coerce=False), _reader(kind, coerce=True)
            if any(plain(text) == INVALID != coerced(text) for text in texts):
                coerce.append(name)
        elif kind is not None:
            if _NAMIBIA in texts and _are_codes([*texts]):
                codes = True
            for text in surely_missing(texts):
                marks.setdefault(text, []).append(name)
    if codes:  # a mark is one in every column
        marks.pop(_NAMIBIA, None)
    return TextGuess(tuple(coerce), marks)


def type_of(values: Sequence[Any], *, coerce: bool) -> FeatureType | None:
    """Return the type that values have; None where they say nothing."""
    look = Look(texts=TextForm(coerce=coerce))
    look.add(field_of(values))
    return look.infer()


def surely_missing(texts: Iterable[str]) -> list[str]:
    """Return those of a column's texts that surely stand for no value, sorted.

    >>> surely_missing(["oil", "NA", "none", ""]), surely_missing(["DE", "FR", "NA"])
    (['', 'NA'], [])
    """
    known = list(texts)
    marks = {text for text in known if is_mark(text) and not _is_perhaps(text)}
    others = [text for text in known if text not in marks]
    if _are_codes(others):
        marks.discard(_NAMIBIA)
    return sorted(marks) if others else []


def _are_codes(texts: Sequence[str]) -> bool:
    """Whether texts are those of countries, among which `NA` is Namibia."""
    codes = sum(_CODE.fullmatch(text) is not None for text in texts)
    return bool(texts) and codes >= NEARLY_ALL * len(texts)


def perhaps_missing(features: Iterable[Feature], texts: TextForm) -> list[str]:
    """Return the categories of a reference that may stand for no value, sorted.

    >>> import numpy as np
    >>> fuel = Feature("fuel", "categorical", np.empty(0), ("gas", "oil", "unknown"))
    >>> perhaps_missing([fuel], TextForm())
    ['unknown']
    """
    classes = (each.categories for each in features if each.type == "categorical")
    return sorted(
        text
        for text in set().union(*classes)
        if text not in texts.marks and (is_mark(text) or _is_perhaps(text))
    )


def _is_perhaps(text: str) -> bool:
    return " ".join(text.lower().split()) in _PERHAPS


def _reader(kind: FeatureType, *, coerce: bool) -> Read:
    form = TextForm(coerce=coerce)
    return (numeric(form) if kind == "numeric" else boolean(form)).read
