"""One field of some events: a column, and where it has no value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.category import category_text
from driftline.producer.records.column_values import as_coded, doubles
from driftline.producer.records.mapping import finite_or_text
from driftline.producer.records.table import ABSENT, Coded, Column, column_of
from driftline.producer.records.text_form import AS_WRITTEN, TextForm
from driftline.producer.records.values import ABSENT as NO_KEY
from driftline.producer.records.values import Kind

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Categories:
    """The categories of n events.

    Attributes:
        codes: int64 (n,): the place of each event's in `texts`.
        texts: the categories; None for no value. The last is None.
        marked: of each, whether it is a text that stands for no value. It does unless a value that
            is no text names the same category, in any event: then that is listed, and what is
            listed is a value (`values.categorical`).
    """

    codes: NDArray[np.int64]
    texts: list[str | None]
    marked: list[bool]


@dataclass(frozen=True, eq=False)
class Field:
    """The values of one field of n events.

    Attributes:
        column: the values.
        absent: bool (n,), where there is none whatever the column has; None for nowhere.
        texts: what its texts stand for.
    """

    column: Column
    absent: Bools | None = None
    texts: TextForm = AS_WRITTEN

    def gone(self) -> Bools:
        """Return where there is no value, bool (n,); null is one."""
        gone = np.zeros(len(self.column), bool)
        if self.absent is not None:
            gone |= self.absent
        if isinstance(self.column, Coded):
            flags = np.array([value is ABSENT for value in self.column.distinct], bool)
            gone |= flags[self.column.codes]
        return gone

    def anywhere(self) -> bool:
        """Return whether any event has a value."""
        return not bool(self.gone().all())

    def doubles(self, kind: Kind) -> NDArray[np.float64]:
        """Return the values as doubles of a kind, shape (n,)."""
        values = doubles(self.column, kind)
        return values if self.absent is None else np.where(self.absent, NO_KEY, values)

    def take(self, rows: Bools) -> Field:
        """Return the chosen events."""
        absent = None if self.absent is None else self.absent[rows]
        return Field(self.column.take(rows), absent, self.texts)

    def read_by(self, texts: TextForm) -> Field:
        """Return the field with what its texts stand for."""
        return Field(self.column, self.absent, texts)

    def used(self) -> tuple[Coded, NDArray[np.int64]]:
        """Return the distinct values, and how many events have each."""
        found = as_coded(self.column)
        codes = found.codes if self.absent is None else found.codes[~self.absent]
        return found, np.bincount(codes, minlength=len(found.distinct))

    def categories(self) -> Categories:
        """Return the categories of the events."""
        found, counts = self.used()
        texts = [
            _writable(category_text(finite_or_text(value))) if count else None
            for value, count in zip(found.distinct, counts.tolist(), strict=True)
        ]
        codes = found.codes.astype(np.int64)
        if self.absent is not None:
            codes[self.absent] = len(texts)
        marks = self.texts.marks
        marked = [type(value) is str and value in marks for value in found.distinct]
        return Categories(codes, [*texts, None], [*marked, False])


def _writable(text: str | None) -> str | None:
    """Return a text; None for half a surrogate pair, which JSON can hold but no file."""
    if text is None or text.isascii():
        return text
    return text if text == text.encode("utf-8", "replace").decode() else None


def field_of(values: Sequence[Any]) -> Field:
    """Return values, `ABSENT` among them, as a field: numbers stay an array.

    >>> found = field_of([1.5, ABSENT])
    >>> found.column.values(), found.absent.tolist()
    ([1.5, None], [False, True])
    """
    absent = np.array([value is ABSENT for value in values])
    if not absent.any():
        return Field(column_of(values))
    return Field(column_of([None if value is ABSENT else value for value in values]), absent)
