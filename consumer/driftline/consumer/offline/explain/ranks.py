"""How well scores tell two groups apart: the area under the ROC curve, with its interval.

Source: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated
receiver operating characteristic curves", Biometrics 44, 1988.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes.figure import Figure, share_figure

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Ranks:
    """Each row's part in the area.

    Attributes:
        now: of the rows of now, how often a quiet one's score is lower, ties half.
        quiet: of the quiet rows, how often the score of one of now is higher, ties half.
    """

    now: FloatArray
    quiet: FloatArray

    @classmethod
    def of(cls, scores: FloatArray, now: Bools) -> Ranks:
        """Rank scores, shape (n,); `now`: which rows are of now.

        >>> Ranks.of(np.array([0.1, 0.9, 0.5]), np.array([False, True, False])).area
        1.0
        """
        high, low = np.sort(scores[now]), np.sort(scores[~now])
        return cls(_beaten(low, scores[now]), 1.0 - _beaten(high, scores[~now]))

    @property
    def area(self) -> float:
        """How often a row of now has a higher score than a quiet one, ties half."""
        return float(self.now.mean())

    @property
    def error(self) -> float:
        """Standard error of the area."""
        return sqrt(_variance(self.now) + _variance(self.quiet))

    def less(self, other: Ranks) -> Ranks:
        """Return the differences to other ranks of the same rows; `area` is that of the areas."""
        return Ranks(self.now - other.now, self.quiet - other.quiet)

    def figure(self) -> Figure:
        """Return the area with its 95 % interval."""
        sizes = len(self.now), len(self.quiet)
        return share_figure(self.area, self.error**2, sum(sizes), min(sizes))


def mean_ranks(ranks: list[Ranks]) -> Ranks:
    """Return the mean of several ranks of the same rows."""
    return Ranks(
        np.mean([each.now for each in ranks], axis=0),
        np.mean([each.quiet for each in ranks], axis=0),
    )


def _beaten(ordered: FloatArray, scores: FloatArray) -> FloatArray:
    """Return which share of ordered scores is lower than each score, ties half."""
    below = np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right")
    share: FloatArray = below / (2.0 * len(ordered))
    return share


def _variance(parts: FloatArray) -> float:
    return float(parts.var(ddof=1)) / len(parts) if len(parts) > 1 else 0.0
