"""The cells of one column of a text file, as Python's texts; `arrow_cells` holds them in Arrow.

What a column is read into asks its cells three things only: their numbers, the place of each among
the distinct ones, and a part of them. Both forms answer alike; Arrow's does it in C.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.number_text import EXACT, LEADING_ZERO
from driftline.producer.records.table import Numbers

_LARGEST = 10**18


class Cells(ABC):
    """The cells of a column in some rows."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of cells."""

    @abstractmethod
    def first(self, rows: int) -> Cells:
        """Return the first cells, not more than there are."""

    @abstractmethod
    def coded(self) -> tuple[NDArray[Any], list[str]]:
        """Return each cell's place among the distinct ones, and those as they appear."""

    @abstractmethod
    def parsed(self, *, whole: bool) -> Numbers | None:
        """Return what a library reads as numbers, empty cells as null; None if it reads not all.

        Args:
            whole: read whole numbers only.
        """

    def numbers(self, *, whole: bool) -> Numbers | None:
        """Return plain numbers, empty cells as null; None if one is another text, or a name.

        Args:
            whole: read whole numbers only.

        >>> ListCells(["1.5", ""]).numbers(whole=False).values()
        [1.5, None]
        >>> ListCells(["1", "007"]).numbers(whole=True) is None
        True
        """
        found = self.parsed(whole=whole)
        if found is None:
            return None
        held = found.data if found.null is None else found.data[~found.null]
        return found if bool(np.all(np.abs(held) < (_LARGEST if whole else EXACT))) else None


class ListCells(Cells):
    """Cells as Python's texts.

    >>> cells = ListCells(["a", "", "a"])
    >>> cells.coded()[0].tolist(), cells.coded()[1], len(cells.first(2))
    ([0, 1, 0], ['a', ''], 2)
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.texts)

    def first(self, rows: int) -> ListCells:
        """Return the first cells, not more than there are."""
        return ListCells(self.texts[:rows])

    def coded(self) -> tuple[NDArray[Any], list[str]]:
        """Return each cell's place among the distinct ones, and those as they appear."""
        places = dict(zip(dict.fromkeys(self.texts), count(), strict=False))
        codes = np.fromiter(map(places.__getitem__, self.texts), np.int64, len(self.texts))
        return codes, list(places)

    def parsed(self, *, whole: bool) -> Numbers | None:
        """Return what Python reads as numbers, but what it takes for one and we do not."""
        texts, null = self.texts, None
        if "" in texts:
            null = np.fromiter((not text for text in texts), bool, len(texts))
            texts = [text or "0" for text in texts]
        read: Any = int if whole else float
        data: NDArray[Any]
        try:
            data = np.fromiter(map(read, texts), np.int64 if whole else np.float64, len(texts))
        except (ValueError, OverflowError):
            return None
        joined = "\n".join(["", *texts])
        if "_" in joined or not joined.isascii() or LEADING_ZERO.search(joined):
            return None
        return Numbers(data, null)
