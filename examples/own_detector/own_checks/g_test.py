"""The likelihood ratio G of two samples of categories or bins.

G = 2 sum over both samples and all cells of count ln(count / expected). Without a change it follows
a chi-square law with B - 1 degrees of freedom, B the cells that hold an event.

Source: Sokal and Rohlf, "Biometry", 4th edition, Freeman 2012, chapter 17.
"""

import numpy as np
from scipy.special import chdtrc, chdtri, xlogy

from driftline.detectors import Detector, QuietWindow, Result
from driftline.detectors.registry import Scale
from driftline.detectors.samples import Samples

DETECTOR = Detector(
    "g_test",
    when="how much likelier are two distributions than one?",
    types=("numeric", "categorical", "boolean"),
    scale=Scale("statistic", 0.0, np.inf),
    law="chi-square of G",
)


def figures(samples: Samples) -> Result:
    """Measure all features at once: arrays of shape (F,), NaN where there is nothing to say."""
    cells = samples.bins
    p, q = cells.shares
    m, n = cells.m[cells.owner], cells.n[cells.owner]
    expected = np.where(cells.occupied, (m * p + n * q) / (m + n), 1.0)
    terms = xlogy(cells.reference, p / expected) + xlogy(cells.window, q / expected)
    g = np.where(cells.judged, np.maximum(2.0 * cells.total(terms), 0.0), np.nan)
    # Of events that vary phi times as much as independent ones, a phi-th is counted.
    p_value = np.where(g == 0.0, 1.0, chdtrc(cells.freedom, g / cells.phi))
    return Result(g, p_value, cells.phi * chdtri(cells.freedom, samples.level))


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows that reach a level: what `check` says of a threshold."""
    if window.bins < 2:
        return 0.0
    return float(chdtrc(window.bins - 1, max(level, 0.0) / window.phi))
