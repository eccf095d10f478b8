"""Total variation distance of binned counts: the share of events that would have to change bins.

TV = 1/2 sum over bins of |p - q|, on the PSI's bins: 0 (equal) to 1 (disjoint), and the largest
difference of the two probabilities that any set of bins has.

No p-value: its law in quiet windows depends on the shares themselves, not on their number alone.
By chance it is about 1/2 sum over bins of sqrt(2 v p (1 - p) / pi), v = 1/n + 1/m: 0.05 for
500 events in ten equal bins. Read it as an effect, beside a test.

Source: Levin and Peres, "Markov Chains and Mixing Times", American Mathematical Society 2017,
section 4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftline.detectors.features.cells import Cells, Result

if TYPE_CHECKING:
    from driftline.detectors.samples import Samples


def total_variation(cells: Cells) -> Result:
    """Total variation distance.

    Args:
        cells: bins or categories; shares are taken as they are, without smoothing.

    Returns:
        Value 0 to 1, NaN without events on either side; no p-value, no threshold.

    Example:
        >>> cells = Cells(np.zeros(2, int), np.array([500, 500]), np.array([70, 30]), 1)
        >>> total_variation(cells).value
        array([0.2])
    """
    p, q = cells.shares
    value = np.where(cells.judged, cells.total(np.abs(p - q)) / 2.0, np.nan)
    none = np.full(value.shape, np.nan)
    return Result(value, none, none)


def figures(samples: Samples) -> Result:
    """Measure all features."""
    return total_variation(samples.bins)
