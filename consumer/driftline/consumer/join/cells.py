"""Cells that the join counts beside the outcomes: the delays of labels, and predictions expired."""

from __future__ import annotations

import numpy as np

from driftline.detectors.grid import IntArray

_STEPS = 60
# From one second on, each is the square root of two times the last: up to 24 years.
DELAYS: IntArray = (1_000 * 2 ** (np.arange(_STEPS) / 2)).astype(np.int64)
"""Upper bounds of the delays' cells, ms; the last cell holds all above."""
EXPIRED = _STEPS + 1
"""The cell behind the delays: predictions whose label did not come in time."""
EXTRA_CELLS = _STEPS + 2


def labelled(extra: IntArray) -> int:
    """Return how many predictions got their label, of the cells behind the outcomes."""
    return int(extra[:EXPIRED].sum())


def delay(extra: IntArray, share: float) -> int | None:
    """Return the delay (ms, an upper bound) within which a share of the labels came; None of none.

    >>> extra = np.zeros(EXTRA_CELLS, np.int64)
    >>> extra[0], extra[10] = 3, 7
    >>> delay(extra, 0.25), delay(extra, 0.5)
    (1000, 32000)
    """
    total = labelled(extra)
    if not total:
        return None
    cell = int(np.searchsorted(np.cumsum(extra[:EXPIRED]), share * total))
    return int(DELAYS[min(cell, _STEPS - 1)])
