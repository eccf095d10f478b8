"""Wasserstein-1 distance from counts: how far the values moved, in the feature's own unit.

W = integral of |F - G| (Vallender 1974). A value inside an open gap counts at the gap's middle, one
beyond the reference's extremes at the extreme; ties are exact. No p-value: its law depends on the
distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.detectors.features.cells import Result
from driftline.detectors.grid import FloatArray

if TYPE_CHECKING:
    from driftline.detectors.samples import Samples


def wasserstein(area: FloatArray) -> Result:
    """Wrap the areas between two distribution functions, shape (F,); no p-value, no threshold.

    Example:
        >>> wasserstein(np.array([2.5])).value
        array([2.5])
    """
    none = np.full(area.shape, np.nan)
    return Result(area, none, none)


def figures(samples: Samples) -> Result:
    """Measure all features; NaN where not numeric."""
    return wasserstein(samples.distances[1])
