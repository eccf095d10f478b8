"""One JSON value as one double: what a feature or a tag reads, from a topic or a file.

Every value of an event becomes a double, so that an event is a row of doubles and a batch one
matrix. A number is itself; a category or a boolean is its code 0, 1, 2 ...; what is no value is one
of the doubles that JSON cannot carry: NaN for null, +inf for an absent key, -inf for a wrong type
or a number that is not finite.

Each kind of value has two readers, which must agree: `type` is what msgspec decodes to in C,
whose result is a `float` with the right value; `read` takes any decoded JSON value. What texts are
read as, the mapping of the records says too (`text_form`).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import Feature
from driftline.detectors.registry import FeatureType
from driftline.producer.records.category import category_text
from driftline.producer.records.number_text import EXACT, LEADING_ZERO, is_mark, plain_number
from driftline.producer.records.text_form import AS_WRITTEN, TextForm

MISSING = math.nan
ABSENT = math.inf
INVALID = -math.inf

Read = Callable[[object], float]
ReadTexts = Callable[[Sequence[str]], NDArray[np.float64]]


@dataclass(frozen=True)
class Kind:
    """How one kind of value is read.

    Attributes:
        of: the type of feature.
        type: msgspec decodes it; None or a float whose value is the double. What it cannot decode
            raises there, and `read` decides. A boolean's may also be another number, and a
            number's a text: see `driftline.consumer.sketch.compile`.
        read: any decoded JSON value to its double.
        texts: many texts to their doubles, where `type` leaves texts what they are; else None.
    """

    of: FeatureType
    type: Any
    read: Read
    texts: ReadTexts | None = None


def kind_of(feature: Feature, texts: TextForm = AS_WRITTEN) -> Kind:
    """Return how the values of `feature` are read.

    >>> number = kind_of(Feature("age", "numeric", np.array([20.0])), TextForm(("?",), True))
    >>> [number.read(value) for value in (31, "31", "?", "NA", "old")]
    [31.0, 31.0, nan, nan, -inf]
    """
    if feature.type == "categorical":
        return categorical(feature.categories, texts.marks)
    if feature.type != "numeric":
        return boolean(texts)
    grid = feature.grid
    return flag(texts) if grid.size and np.isin(grid, (0.0, 1.0)).all() else numeric(texts)


@lru_cache(maxsize=10_000)
def categorical(categories: tuple[str, ...], marks: frozenset[str] = frozenset()) -> Kind:
    """Return the kind whose code is the place in `categories`, or their number if not listed.

    Of `marks`, those that are not listed are missing values.

    Kept, because every partition's decoder reads the same features, and a kind takes 20 kB.

    >>> plan = categorical(("free", "3"), frozenset({"free", "?"}))
    >>> [plan.read(value) for value in ("free", 3, 3.0, "paid", True, None, [], "?")]
    [0.0, 1.0, 1.0, 2.0, 2.0, nan, -inf, nan]
    """
    codes = dict.fromkeys(sorted(marks), MISSING)
    codes |= {text: float(code) for code, text in enumerate(categories)}
    unseen = float(len(categories))

    def read(value: object) -> float:
        if value is None:
            return MISSING
        text = category_text(value)
        if text is None:
            return INVALID
        code = codes.get(text, unseen)
        return code if code == code or isinstance(value, str) else unseen

    numbers = {
        int(text): code for text, code in codes.items() if code == code and _is_integer(text)
    }
    texts = _coded(codes or {"": unseen}, read)
    integers = _coded(numbers or {0: unseen}, read)
    return Kind("categorical", texts | integers | None, read)


def open_text(code_of: Callable[[str], int], marks: frozenset[str] = frozenset()) -> Kind:
    """Return the kind of texts that nobody listed, each read as its code.

    Args:
        code_of: gives a text its code; always the same one to the empty text and to 0.
        marks: texts that stand for no value.

    >>> names = ["", "0", "3f2a"]
    >>> image = open_text(names.index, frozenset({"?"}))
    >>> [image.read(value) for value in ("3f2a", 0, None, [], "?")]
    [2.0, 1.0, nan, -inf, nan]
    """

    def read(value: object) -> float:
        if value is None or (isinstance(value, str) and value in marks):
            return MISSING
        text = category_text(value)
        return INVALID if text is None else float(code_of(text))

    texts = _coded({"": read("")}, read)
    integers = _coded({0: read(0)}, read)
    return Kind("categorical", texts | integers | None, read)


@lru_cache(maxsize=1_000)
def numeric(texts: TextForm = AS_WRITTEN) -> Kind:
    """Return the kind of numbers; texts are none unless `texts` says so."""
    if texts == AS_WRITTEN:
        return Kind("numeric", float | None, _read_number)
    marks, coerce = texts.marks, texts.coerce
    only_numbers = coerce and not any(plain_number(mark) is not None for mark in marks)

    def read(value: object) -> float:
        if not isinstance(value, str):
            return _read_number(value)
        if value in marks:
            return MISSING
        return _read_text(value) if coerce else INVALID

    def read_texts(values: Sequence[str]) -> NDArray[np.float64]:
        numbers = plain_numbers(values) if only_numbers else None
        if numbers is not None:
            return numbers
        distinct = {text: read(text) for text in set(values)}
        return np.fromiter(map(distinct.__getitem__, values), np.float64, len(values))

    return Kind("numeric", float | str | None, read, read_texts)


@lru_cache(maxsize=1_000)
def flag(texts: TextForm = AS_WRITTEN) -> Kind:
    """Return the kind of numbers of which there are 0 and 1 alone: booleans are such numbers too.

    Of texts `true` and `false` are, in any case; others as `texts` says.

    >>> [flag().read(value) for value in (1, True, "false", 3, "1", "yes", None)]
    [1.0, 1.0, 0.0, 3.0, -inf, -inf, nan]
    """
    number = numeric(texts).read
    truths = _BOOLEANS if texts.coerce else _TRUE_AND_FALSE

    def read(value: object) -> float:
        if isinstance(value, str) and value not in texts.marks:
            truth = truths.get(value.lower())
            return number(value) if truth is None else truth
        return float(value) if isinstance(value, bool) else number(value)

    return Kind("numeric", bool | float | _truths(texts, read) | None, read)


@lru_cache(maxsize=1_000)
def boolean(texts: TextForm = AS_WRITTEN) -> Kind:
    """Return the kind of booleans, whose texts are read whatever `texts` says of others."""
    marks, coerce = texts.marks, texts.coerce

    def read(value: object) -> float:
        if isinstance(value, str):
            if value in marks:
                return MISSING
            truth = _BOOLEANS.get(value.lower())
            if truth is None and coerce:
                return _truth(_read_text(value))
            return INVALID if truth is None else truth
        return float(value) if isinstance(value, bool) else _truth(_read_number(value))

    return Kind("boolean", bool | float | _truths(texts, read) | None, read)


def _is_integer(text: str) -> bool:
    """Whether a JSON integer of 64 bits has this text."""
    if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 19:
        return False
    return str(int(text)) == text and -(2**63) <= int(text) < 2**63


def _coded(codes: Mapping[Any, float], read: Read) -> Any:
    """Return an enumeration that msgspec decodes `codes`' keys to, whose members are floats.

    The decoder then finds a category's code in C, without making a string of it. Values that are
    not listed are read by `read`.
    """

    class Coded(float, enum.Enum):
        def __new__(cls, value: object, code: float) -> Coded:
            member = float.__new__(cls, code)
            member._value_ = value
            return member

        @classmethod
        def _missing_(cls, value: object) -> Coded:
            return float.__new__(cls, read(value))

    members = [(f"code_{i}", pair) for i, pair in enumerate(codes.items())]
    functional: Any = Coded
    return functional("Coded", members)


def _truths(texts: TextForm, read: Read) -> Any:
    """Return `_coded` of the texts that programs write booleans, 0 and 1 as, and of the marks."""
    known = (*sorted(texts.marks), *_BOOLEANS, "False", "True", "0.0", "1.0")
    return _coded({text: read(text) for text in known}, read)


def _read_number(value: object) -> float:
    if value is None:
        return MISSING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return INVALID
    try:
        number = float(value)
    except OverflowError:
        return INVALID
    return number if math.isfinite(number) else INVALID


def _read_text(text: str) -> float:
    """Return the number that a text is; missing where it stands for no value."""
    number = plain_number(text)
    if number is not None:
        return float(number) if math.isfinite(number) else INVALID
    return MISSING if is_mark(text) and text != _NOT_A_NUMBER else INVALID


def plain_numbers(texts: Sequence[str]) -> NDArray[np.float64] | None:
    """Return the numbers that programs wrote as texts, (n,); None if one is perhaps none.

    >>> plain_numbers(["3", " 2.5 ", "1e3"]).tolist(), plain_numbers(["3", "007"])
    ([3.0, 2.5, 1000.0], None)
    """
    try:
        numbers = np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return None
    joined = "\n".join(["", *texts])
    plain = joined.isascii() and "_" not in joined and LEADING_ZERO.search(joined) is None
    return numbers if plain and bool(np.all(np.abs(numbers) < EXACT)) else None


def _truth(number: float) -> float:
    return number if number in (0, 1) or number != number else INVALID


_NOT_A_NUMBER = "NaN"  # how events write such a number (`Mapping.to_event`)
_TRUE_AND_FALSE = {"false": 0.0, "true": 1.0}
_BOOLEANS = {
    **dict.fromkeys(("false", "f", "no", "n", "0"), 0.0),
    **dict.fromkeys(("true", "t", "yes", "y", "1"), 1.0),
}

NUMERIC = numeric()
BOOLEAN = boolean()
