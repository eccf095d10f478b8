r"""Numbers that are written as text, and what is written where there is no value.

A number is what a program writes: `-1.5`, `1e3`. Numbers with leading zeros (`00501`) or of 19
digits and more are names, not quantities.
"""

from __future__ import annotations

import re
from typing import Final

NEARLY_ALL: Final = 0.95
"""The share of a column's values that have to be numbers for it to be one of numbers."""

MARKS: Final = ("NA", "N/A", "null", "NULL", r"\N", "?", "nan", "-")
"""What stands for no value in a column that is otherwise numbers, booleans or times."""

TEXT_MARK: Final = r"\N"
"""What stands for no value in every column, beside the empty cell."""

_LOWER_MARKS = frozenset({*map(str.lower, MARKS), "", "none", "#n/a", "nat"})
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+|(?:0|[1-9][0-9]{0,17}))(?:[eE][+-]?[0-9]+)?"
)
_NOT_FINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)


def is_mark(text: str) -> bool:
    """Return whether a text stands for no value, in any case of its letters.

    >>> [is_mark(text) for text in ("", "NA", "n/a", "NaN", "0")]
    [True, True, True, True, False]
    """
    return text.strip().lower() in _LOWER_MARKS


def plain_number(text: str) -> int | float | None:
    """Return the number that a program wrote as text, None if it is none.

    >>> [plain_number(text) for text in ("3", " 2.5 ", "1e3", "-inf", "007", "1,5", "")]
    [3, 2.5, 1000.0, -inf, None, None, None]
    """
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        return float(text)
    return None
