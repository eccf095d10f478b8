r"""Columns of text cells: which type each has, and its cells as a column of a table.

The type of a column is found once, from some rows; then what a cell means depends on its text
alone, never on the rows around it. A cell that does not fit its column's type stays text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.number_text import (
    NEARLY_ALL,
    TEXT_MARK,
    is_mark,
    plain_number,
)
from driftline.producer.records.table import Coded, Column, Numbers

CellType = Literal["text", "boolean", "integer", "decimal"]

_BOOLEANS = {"true": True, "false": False}
_EXACT = 2.0**53
_ENOUGH_TEXTS = 2_000
_MOST_DIGITS = 18
_LEADING_ZERO = re.compile(r"\n\s*[+-]?0[0-9]")


@dataclass
class CellCounts:
    """How many cells of each kind a column has, in the rows that decide its type.

    Attributes:
        integers: whole numbers.
        decimals: other numbers.
        booleans: `true` and `false`, in any case.
        marks: what stands for no value.
        names: digits that are no quantity, such as `00501`: one of them makes the column text.
        texts: everything else.
        first_text: the first of `texts`.
    """

    integers: int = 0
    decimals: int = 0
    booleans: int = 0
    marks: int = 0
    names: int = 0
    texts: int = 0
    first_text: str = ""

    def add(self, cells: Sequence[str]) -> None:
        """Count more cells of the column."""
        if self.names or self.texts > _ENOUGH_TEXTS + self.integers + self.decimals:
            return  # text, whatever comes
        if self.numbers and not self.texts and (whole := _are_numbers(cells)) is not None:
            self.integers += len(cells) if whole else 0
            self.decimals += 0 if whole else len(cells)
            return
        for text, times in Counter(cells).items():
            number = plain_number(text)
            if is_mark(text):
                self.marks += times
            elif number is not None:
                if isinstance(number, int):
                    self.integers += times
                else:
                    self.decimals += times
            elif text.strip().lower() in _BOOLEANS:
                self.booleans += times
            elif text.strip().isdigit():
                self.names += times
            else:
                self.texts += times
                self.first_text = self.first_text or text

    @property
    def numbers(self) -> int:
        """How many numbers there are."""
        return self.integers + self.decimals

    @property
    def values(self) -> int:
        """How many cells are not marks."""
        return self.numbers + self.booleans + self.names + self.texts

    @property
    def type(self) -> CellType:
        """The column's type."""
        enough = NEARLY_ALL * self.values
        if self.names or not self.values:
            return "text"
        if self.numbers >= enough:
            return "decimal" if self.decimals else "integer"
        return "boolean" if self.booleans >= enough else "text"


def column_of(cells: Sequence[str], cell_type: CellType) -> Column:
    """Return some cells of a column of this type.

    >>> column_of(["1", "", "2"], "integer").values()
    [1, None, 2]
    >>> column_of(["1", "NA", "two"], "integer").values()
    [1, None, 'two']
    >>> column_of(["a", "", "NA"], "text").values()
    ['a', None, 'NA']
    """
    if cell_type == "integer" and (whole := _numbers(int, cells, np.int64)) is not None:
        return Numbers(whole)
    if cell_type in ("integer", "decimal"):
        plain = _numbers(float, cells, np.float64)
        if plain is not None and _are_exact(plain):
            return Numbers(plain)
    distinct: dict[str, int] = dict(zip(dict.fromkeys(cells), count(), strict=False))
    codes = np.fromiter(map(distinct.__getitem__, cells), np.int64, len(cells))
    values = [_READ[cell_type](text) for text in distinct]
    if cell_type in ("integer", "decimal"):
        return _with_numbers(codes, values)
    return Coded(codes, values)


def _text(text: str) -> str | None:
    return None if text in ("", TEXT_MARK) else text


def _boolean(text: str) -> bool | str | None:
    return None if is_mark(text) else _BOOLEANS.get(text.strip().lower(), text)


def _number(text: str) -> int | float | str | None:
    number = plain_number(text)
    if number is None:
        return None if is_mark(text) else text
    return number


_READ: dict[CellType, Callable[[str], Any]] = {
    "text": _text,
    "boolean": _boolean,
    "integer": _number,
    "decimal": _number,
}


def _numbers(read: Any, cells: Sequence[str], dtype: Any) -> NDArray[Any] | None:
    """Return what Python reads as numbers, None if it does not, or reads more than we do."""
    try:
        found = np.fromiter(map(read, cells), dtype, len(cells))
    except (ValueError, OverflowError):
        return None
    joined = "".join(cells)
    return found if joined.isascii() and "_" not in joined else None


def _are_exact(numbers: NDArray[np.float64]) -> bool:
    """Whether no cell may be NaN, or a whole number with more digits than a double has."""
    return bool(np.all(np.abs(numbers) < _EXACT))


def _are_numbers(cells: Sequence[str]) -> bool | None:
    """Return whether all cells are whole numbers, None if one is no number or may be a name."""
    if len(max(cells, key=len)) > _MOST_DIGITS or _LEADING_ZERO.search("\n" + "\n".join(cells)):
        return None
    if _numbers(int, cells, np.int64) is not None:
        return True
    numbers = _numbers(float, cells, np.float64)
    return None if numbers is None or not _are_exact(numbers) else False


def _with_numbers(codes: NDArray[np.int64], values: list[Any]) -> Column:
    """Return numbers and nulls as numbers if every value is one, and a double holds it."""
    if not all(value is None or (not isinstance(value, str) and _fits(value)) for value in values):
        return Coded(codes, values)
    null = np.array([value is None for value in values], bool)
    if all(value is None or isinstance(value, int) for value in values):
        whole = np.array([value or 0 for value in values], np.int64)
        return Numbers(whole[codes], null[codes])
    return Numbers(np.array([value or 0 for value in values], np.float64)[codes], null[codes])


def _fits(value: int | float) -> bool:
    return isinstance(value, float) or -_EXACT < value < _EXACT
