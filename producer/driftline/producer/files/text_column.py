r"""Columns of text cells: which type each has, and its cells as a column of a table.

The type of a column is found once, from some rows; then what a cell means depends on its text
alone, never on the rows around it. A cell that does not fit its column's type stays text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from driftline.producer.files.cells import Cells
from driftline.producer.records.number_text import (
    EXACT,
    NEARLY_ALL,
    TEXT_MARK,
    NumberStyle,
    is_mark,
    plain_number,
    style_of,
)
from driftline.producer.records.table import Coded, Column, Numbers

CellType = Literal["text", "boolean", "integer", "decimal"] | NumberStyle

Note = tuple[Literal["note", "warning"], str]
"""How much it matters, and a sentence."""

_BOOLEANS = {"true": True, "false": False}
_ENOUGH_TEXTS = 2_000
_MOST_MARKS = 5
_MOST_SHOWN = 40
_NUMERIC = ("integer", "decimal")


@dataclass
class CellCounts:
    """How many cells of each kind a column has, in the rows that decide its type.

    Attributes:
        comma: whether a comma between digits is rather a decimal one.
        integers: whole numbers.
        decimals: other numbers.
        booleans: `true` and `false`, in any case.
        marked: what stands for no value, beside the empty cell.
        names: digits that are no quantity, such as `00501`: one of them makes the column text.
        texts: everything else.
        first_text: the first of `texts`.
        seen: how often each cell is there, of those that were looked at one by one.
    """

    comma: bool
    integers: int = 0
    decimals: int = 0
    booleans: int = 0
    marked: set[str] = field(default_factory=set, init=False)
    names: int = 0
    texts: int = 0
    first_text: str = ""
    seen: Counter[str] = field(default_factory=Counter, init=False)

    def add(self, cells: Cells) -> None:
        """Count more cells of the column."""
        if self.names or self.texts > _ENOUGH_TEXTS + self.integers + self.decimals:
            return  # text, whatever comes
        if self.numbers and not self.texts and self._add_numbers(cells):
            return
        codes, texts = cells.coded()
        distinct = dict(zip(texts, np.bincount(codes).tolist(), strict=True))
        if len(self.seen) < _ENOUGH_TEXTS:
            self.seen.update(distinct)
        for text, times in distinct.items():
            number = plain_number(text)
            if is_mark(text):
                self.marked |= {text.strip()} - {""}
            elif number is not None:
                if isinstance(number, int):
                    self.integers += times
                else:
                    self.decimals += times
            elif text.strip().lower() in _BOOLEANS:
                self.booleans += times
            elif text.isascii() and text.strip().isdigit():
                self.names += times
            else:
                self.texts += times
                self.first_text = self.first_text or text

    def _add_numbers(self, cells: Cells) -> bool:
        """Count cells that are all numbers or empty; return whether they are."""
        whole = None if self.decimals else cells.numbers(whole=True)
        found = cells.numbers(whole=False) if whole is None else whole
        if found is None:
            return False
        values = len(cells) - (0 if found.null is None else int(found.null.sum()))
        if whole is None:
            self.decimals += values
        else:
            self.integers += values
        return True

    @property
    def numbers(self) -> int:
        """How many numbers there are."""
        return self.integers + self.decimals

    @property
    def values(self) -> int:
        """How many cells are not marks."""
        return self.numbers + self.booleans + self.names + self.texts

    @cached_property
    def type(self) -> CellType:
        """The column's type; asked when all cells are counted."""
        enough = NEARLY_ALL * self.values
        if self.names or not self.values:
            return "text"
        if self.numbers >= enough:
            return "decimal" if self.decimals else "integer"
        if self.booleans >= enough:
            return "boolean"
        return self._style[0] if self._style is not None else "text"

    @cached_property
    def _style(self) -> tuple[NumberStyle, float] | None:
        """How numbers are written that no program writes, and their share; None if there are none.

        >>> from driftline.producer.files.cells import ListCells
        >>> counts = CellCounts(comma=False)
        >>> counts.add(ListCells(["1,5", "2,25", "NA"]))
        >>> counts.type, column_of(ListCells(["1,5", "", "low"]), counts.type).values()
        (NumberStyle(decimal=',', percent=False), [1.5, None, 'low'])
        """
        return style_of(self.seen, self.comma)

    def notes(self, name: str) -> Iterator[Note]:
        """Yield what is to be told of a column of this name."""
        others = self.values - (self.booleans if self.type == "boolean" else self.numbers)
        first = self.first_text[:_MOST_SHOWN]
        if isinstance(self.type, NumberStyle) and self._style is not None:
            share, example = self._style[1], next(filter(self.type.read, self.seen), "0")
            yield (
                "note",
                f"{name}: {share:.1%} of the values are numbers, read with {self.type.said}"
                f" ({example!r} is {self.type.read(example):.12g})",
            )
        elif self.type == "text" and self.texts + self.booleans and self.numbers >= others > 0:
            yield (
                "warning",
                f"{name}: {others:,} of {self.values:,} values are not numbers ({first!r} is the"
                " first), so the column is read as text; where a number is missing, leave the cell"
                " empty",
            )
        elif others and self.type != "text":
            kind = "true or false" if self.type == "boolean" else "numbers"
            yield (
                "note",
                f"{name}: {1 - others / self.values:.1%} of the values are {kind}; the others"
                f" ({first!r} is the first) are invalid",
            )
        if self.marked and self.type != "text":
            marks = ", ".join(sorted(self.marked)[:_MOST_MARKS])
            verb = "stands" if len(self.marked) == 1 else "stand"
            yield "note", f"{name}: {marks} {verb} for missing values"


def column_of(cells: Cells, cell_type: CellType) -> Column:
    """Return some cells of a column of this type.

    >>> from driftline.producer.files.cells import ListCells
    >>> column_of(ListCells(["1", "", "2"]), "integer").values()
    [1, None, 2]
    >>> column_of(ListCells(["1", "NA", "two"]), "integer").values()
    [1, None, 'two']
    >>> column_of(ListCells(["a", "", "NA"]), "text").values()
    ['a', None, 'NA']
    """
    if cell_type == "integer" and (found := cells.numbers(whole=True)) is not None:
        return found
    if cell_type in _NUMERIC and (found := cells.numbers(whole=False)) is not None:
        return found
    codes, distinct = cells.coded()
    if isinstance(cell_type, NumberStyle):
        return _with_numbers(codes, [_styled(text, cell_type) for text in distinct])
    values = [_READ[cell_type](text) for text in distinct]
    if cell_type not in _NUMERIC:
        return Coded(codes, values)
    return _with_numbers(codes, values, whole=cell_type == "integer")


def _text(text: str) -> str | None:
    return None if text in ("", TEXT_MARK) else text


def _boolean(text: str) -> bool | str | None:
    return None if is_mark(text) else _BOOLEANS.get(text.strip().lower(), text)


def _number(text: str) -> int | float | str | None:
    number = plain_number(text)
    if number is None:
        return None if is_mark(text) else text
    return number


def _styled(text: str, style: NumberStyle) -> float | str | None:
    number = style.read(text)
    if number is None:
        return None if is_mark(text) else text
    return number


_READ: dict[str, Callable[[str], Any]] = {
    "text": _text,
    "boolean": _boolean,
    "integer": _number,
    "decimal": _number,
}


def _with_numbers(codes: NDArray[Any], values: list[Any], *, whole: bool = False) -> Column:
    """Return numbers and nulls as numbers if every value is one, and a double holds it."""
    if not all(value is None or (not isinstance(value, str) and _fits(value)) for value in values):
        return Coded(codes, values)
    null = np.array([value is None for value in values], bool)
    whole = whole and all(value is None or isinstance(value, int) for value in values)
    held = np.array([value or 0 for value in values], np.int64 if whole else np.float64)
    return Numbers(held[codes], null[codes])


def _fits(value: int | float) -> bool:
    return isinstance(value, float) or -EXACT < value < EXACT
