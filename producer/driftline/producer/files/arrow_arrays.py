"""Arrow arrays as arrays of numpy, by their buffers: Arrow's own way loads pandas where it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.table import Bools


def numbers(array: Any) -> NDArray[Any]:
    """Return the values of an Arrow array of integers or floats; where null, any number.

    >>> import pyarrow as pa
    >>> numbers(pa.array([1.5, 2.5, 3.5])[1:]).tolist()
    [2.5, 3.5]
    """
    held = array.buffers()[1]
    if held is None:
        return np.zeros(len(array), array.type.to_pandas_dtype())
    begin = array.offset
    return np.frombuffer(held, array.type.to_pandas_dtype())[begin : begin + len(array)]


def nulls(array: Any) -> Bools | None:
    """Return where an Arrow array is null; None for nowhere.

    >>> import pyarrow as pa
    >>> nulls(pa.array([1, None, 3])[1:]).tolist(), nulls(pa.array([1]))
    ([True, False], None)
    """
    if not array.null_count:
        return None
    bits = np.frombuffer(array.buffers()[0], np.uint8)
    begin, end = array.offset, array.offset + len(array)
    known = np.unpackbits(bits[begin // 8 : -(-end // 8)], bitorder="little")
    null: Bools = known[begin % 8 : begin % 8 + len(array)] == 0
    return null
