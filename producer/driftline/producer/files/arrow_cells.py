"""The cells of a CSV file in Arrow: split, read as numbers and coded in C.

Numbers that Arrow reads and we do not are refused here, so that cells mean the same without Arrow.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from numpy.typing import NDArray

from driftline.producer.files.arrow_arrays import nulls, numbers
from driftline.producer.files.cells import Cells
from driftline.producer.records.table import Numbers

_BEHIND_ZERO = np.zeros(256, bool)
_BEHIND_ZERO[list(b".eE")] = True


def split(
    text: str, separator: str, width: int, places: list[int], *, quoted: bool
) -> dict[int, Cells] | None:
    r"""Return the cells of some columns; None if not every line is a row of this width.

    Args:
        text: lines that end with a newline; of quotes, only such around whole cells.
        separator: between cells.
        width: cells of a row.
        places: the columns.
        quoted: whether there are quotes.

    >>> [cells] = split("a,1\nb,2\n", ",", 2, [1], quoted=False).values()
    >>> cells.numbers(whole=True).values()
    [1, 2]
    """
    raw = text.encode()
    names = [f"f{place}" for place in range(width)]
    wanted = [names[place] for place in places]
    try:
        table = pc.read_csv(
            pa.py_buffer(raw),
            pc.ReadOptions(use_threads=False, block_size=len(raw) + 1, column_names=names),
            pc.ParseOptions(delimiter=separator, quote_char='"' if quoted else False),
            pc.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(wanted, pa.string()),
                include_columns=wanted,
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != text.count("\n"):
        return None
    return {
        place: ArrowCells(column.combine_chunks())
        for place, column in zip(places, table.columns, strict=True)
    }


class ArrowCells(Cells):
    """Cells as an Arrow array of texts, in which an empty cell is null.

    >>> cells = ArrowCells(pa.array(["a", None, "a"]))
    >>> cells.coded()[0].tolist(), cells.coded()[1], len(cells.first(2))
    ([0, 1, 0], ['a', ''], 2)
    """

    def __init__(self, array: pa.StringArray) -> None:
        self._array = array

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self._array)

    def first(self, rows: int) -> ArrowCells:
        """Return the first cells, not more than there are."""
        return ArrowCells(self._array[:rows])

    def coded(self) -> tuple[NDArray[Any], list[str]]:
        """Return each cell's place among the distinct ones, and those as they appear."""
        found = self._array.dictionary_encode("encode")
        return numbers(found.indices), [text or "" for text in found.dictionary.to_pylist()]

    def parsed(self, *, whole: bool) -> Numbers | None:
        """Return what Arrow reads as numbers, but what it takes for one and we do not."""
        try:
            found = self._array.cast(pa.int64() if whole else pa.float64())
        except pa.ArrowInvalid:
            return None
        null = nulls(found)
        return None if self._has_names(null) else Numbers(numbers(found), null)

    def _has_names(self, null: NDArray[np.bool_] | None) -> bool:
        """Whether a number begins with zeros (`007`, `0x1F`)."""
        _, ends, texts = self._array.buffers()
        begin, rows = self._array.offset, len(self._array)
        places = np.frombuffer(ends, np.int32)[begin : begin + rows + 1]
        starts, after = places[:-1], places[1:]
        if null is not None:
            starts, after = starts[~null], after[~null]
        if not starts.size:
            return False
        letters = np.frombuffer(texts, np.uint8)
        first = letters[starts]
        signed = (first == ord("-")) | (first == ord("+"))
        if signed.any():
            starts = starts + signed
            first = letters[starts]
        behind = starts[(first == ord("0")) & (after - starts > 1)] + 1
        return not _BEHIND_ZERO[letters[behind]].all()
