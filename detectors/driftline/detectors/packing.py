"""Counts in JSON: as they are, or where most are zero as cells and their counts."""

from __future__ import annotations

import numpy as np

from driftline.detectors.grid import IntArray


def packed(block: IntArray) -> list[int] | dict[str, list[int]]:
    """Return counts as a file has them.

    Example:
        >>> packed(np.array([3, 0, 4])), packed(np.array([0, 0, 0, 4]))
        ([3, 0, 4], {'cell': [3], 'count': [4]})
    """
    cells = np.flatnonzero(block)
    if 2 * cells.size > block.size:
        return [int(count) for count in block]
    return {"cell": cells.tolist(), "count": block[cells].tolist()}


def unpacked(written: list[int] | dict[str, list[int]], size: int) -> IntArray:
    """Read what `packed` wrote of `size` counts.

    Raises:
        ValueError, IndexError: they are of another size.
    """
    block = np.zeros(size, np.int64)
    if isinstance(written, dict):
        block[written["cell"]] = written["count"]
    elif len(written) != size:
        raise ValueError(f"{len(written)} counts, not {size}")
    else:
        block[:] = written
    return block
