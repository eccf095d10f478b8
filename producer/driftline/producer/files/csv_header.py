"""Whether the first line of a CSV file names its columns, or is a row already."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from driftline.producer.records.number_text import is_mark, plain_number

_REPEATED = 0.5  # share of the columns of text, more of which have their first cell again


def holds_values(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first line is a row like those that follow.

    It is none if it has text above a column of numbers. Numbers above numbers are values, unless
    they are whole and sorted, as those are that name columns (`2019,2020,2021`). Of text, most
    cells have to be values of their columns.

    Args:
        first: the cells of the first line.
        rows: the cells of the next ones; those of another length are not looked at.

    >>> rows = [["5.1", "setosa"], ["4.9", "setosa"]]
    >>> holds_values(["5.4", "setosa"], rows), holds_values(["length", "setosa"], rows)
    (True, False)
    >>> holds_values(["country", "2019", "2020"], [["FR", "1.5", "2"], ["DE", "3", "1"]])
    False
    """
    columns = list(zip(*(row for row in rows if len(row) == len(first)), strict=True))
    numbers, texts, repeated = [], 0, 0
    for cell, column in zip(first, columns, strict=False):
        values = {value.strip() for value in column if not is_mark(value)}
        if not values or is_mark(cell):
            continue
        others = values - {
            cell.strip(),
            f"\ufeff{cell.strip()}",
        }  # files that were joined have their header again
        if all(_number(value) is not None for value in others or values):
            number = _number(cell)
            if number is None:
                return False
            numbers.append(number)
        else:
            texts += 1
            repeated += cell.strip() in values
    whole = all(isinstance(number, int) for number in numbers)
    pairs = list(pairwise(numbers))
    orders = (
        all(a < b for a, b in pairs),
        all(a > b for a, b in pairs),
        all(str(a) < str(b) for a, b in pairs),
    )
    if numbers and not (whole and any(orders)):
        return True
    return repeated > _REPEATED * texts


def _number(text: str) -> int | float | None:
    """Return a number, with a decimal comma too."""
    number = plain_number(text)
    return plain_number(text.replace(",", ".", 1)) if number is None else number
