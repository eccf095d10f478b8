"""One JSON value as one double: what a feature or a tag reads, from a topic or a file.

Every value of an event becomes a double, so that an event is a row of doubles and a batch one
matrix. A number is itself; a category or a boolean is its code 0, 1, 2 ...; what is no value is one
of the doubles that JSON cannot carry: NaN for null, +inf for an absent key, -inf for a wrong type
or a number that is not finite.

Each kind of value has two readers, which must agree: `type` is what msgspec decodes to in C,
whose result is a `float` with the right value; `read` takes any decoded JSON value.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from driftline.detectors.counts import Feature
from driftline.producer.records.category import category_text

MISSING = math.nan
ABSENT = math.inf
INVALID = -math.inf

Read = Callable[[object], float]


@dataclass(frozen=True)
class Kind:
    """How one kind of value is read.

    Attributes:
        type: msgspec decodes it; None or a float whose value is the double. What it cannot decode
            raises there, and `read` decides. A boolean's may also be another number: see
            `driftline.consumer.sketch.compile`.
        read: any decoded JSON value to its double.
    """

    type: Any
    read: Read


def kind_of(feature: Feature) -> Kind:
    """Return how the values of `feature` are read."""
    if feature.type == "numeric":
        return NUMERIC
    if feature.type == "boolean":
        return BOOLEAN
    return categorical(feature.categories)


@lru_cache(maxsize=10_000)
def categorical(categories: tuple[str, ...]) -> Kind:
    """Return the kind whose code is the place in `categories`, or their number if not listed.

    Kept, because every partition's decoder reads the same features, and a kind takes 20 kB.

    >>> plan = categorical(("free", "3"))
    >>> [plan.read(value) for value in ("free", 3, 3.0, "paid", True, None, [])]
    [0.0, 1.0, 1.0, 2.0, 2.0, nan, -inf]
    """
    codes = {text: float(code) for code, text in enumerate(categories)}
    unseen = float(len(categories))

    def read(value: object) -> float:
        if value is None:
            return MISSING
        text = category_text(value)
        return INVALID if text is None else codes.get(text, unseen)

    numbers = {int(text): code for text, code in codes.items() if _is_integer(text)}
    texts = _coded(codes or {"": unseen}, read)
    integers = _coded(numbers or {0: unseen}, read)
    return Kind(texts | integers | None, read)


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


_BOOLEANS = {
    **dict.fromkeys(("false", "f", "no", "n", "0"), 0.0),
    **dict.fromkeys(("true", "t", "yes", "y", "1"), 1.0),
}


def _read_boolean(value: object) -> float:
    if value is None:
        return MISSING
    if isinstance(value, str):
        return _BOOLEANS.get(value.lower(), INVALID)
    if isinstance(value, int | float) and value in (0, 1):
        return float(value)
    return INVALID


NUMERIC = Kind(float | None, _read_number)
BOOLEAN = Kind(
    bool | float | _coded({"false": 0.0, "true": 1.0}, _read_boolean) | None, _read_boolean
)
