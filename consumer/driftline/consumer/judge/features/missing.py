"""In how many events features are missing, pane by pane."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from driftline.consumer.judge.windows.panes import PaneStore
from driftline.detectors.counts import ABSENT, EXTRA_CELLS, MISSING, Layout
from driftline.detectors.grid import IntArray

Missing = Callable[[str, int, int], IntArray]
"""Returns in how many events a feature is missing, per pane from one time to another (ms)."""


def missing_of(layout: Layout, panes: PaneStore, segment: str | None, pane: int) -> Missing:
    """Return what counts the missing values of a stream: null, or no such key.

    Args:
        layout: its features.
        panes: where counts are; none comes meanwhile.
        segment: of the stream; None: the whole model.
        pane: length of a pane, ms.
    """
    extra = layout.starts[1:] - EXTRA_CELLS

    @lru_cache(maxsize=4)  # each of the features that are compared asks for the same times
    def counts(first: int, end: int) -> IntArray:
        flats = (panes.counts(at, at + pane, segment) for at in range(first, end, pane))
        return np.stack([flat[extra + MISSING] + flat[extra + ABSENT] for flat in flats], axis=1)

    def missing(name: str, first: int, end: int) -> IntArray:
        found: IntArray = counts(first, end)[layout.position[name]]
        return found

    return missing
