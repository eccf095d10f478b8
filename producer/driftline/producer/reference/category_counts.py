"""How many events have each category of a feature or a tag."""

from __future__ import annotations

from collections import Counter
from typing import Self

import numpy as np

from driftline.producer.reference.field import Field


class CategoryCounts:
    """Counts categories, of events in any order and in any parts.

    >>> from driftline.producer.records.text_form import TextForm
    >>> from driftline.producer.reference.field import field_of
    >>> counts = CategoryCounts()
    >>> counts.add(field_of(["1", "?", 1]).read_by(TextForm(("1", "?"))))
    >>> dict(counts.counted())
    {'1': 2}
    """

    def __init__(self) -> None:
        self._values: Counter[str | None] = Counter()
        self._marks: Counter[str | None] = Counter()

    def add(self, found: Field | None) -> None:
        """Count the values of some events."""
        if found is None:
            return
        each = found.categories()
        counts = np.bincount(each.codes, minlength=len(each.texts)).tolist()
        for text, marked, number in zip(each.texts, each.marked, counts, strict=True):
            if number and text is not None:
                (self._marks if marked else self._values)[text] += number

    def merge(self, other: Self) -> None:
        """Add the counts of other events."""
        self._values.update(other._values)
        self._marks.update(other._marks)

    def __len__(self) -> int:
        """Return how many categories there are."""
        return len(self._values) + len(self._marks)

    def counted(self) -> Counter[str | None]:
        """Return the events of each category; a text that stands for no value is none of them."""
        listed = {text: n for text, n in self._marks.items() if text in self._values}
        return self._values + Counter(listed)
