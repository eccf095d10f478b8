"""Area under the ROC curve: how often a positive's score is above a negative's, ties half.

Sources: Hanley and McNeil, "The meaning and use of the area under a receiver operating
characteristic (ROC) curve", Radiology 143, 1982; DeLong, DeLong and Clarke-Pearson, "Comparing the
areas under two or more correlated receiver operating characteristic curves", Biometrics 44, 1988
(variance, here over score bins).
"""

from __future__ import annotations

from math import nan

import numpy as np

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes.figure import Figure, share_figure
from driftline.detectors.outcomes.ranking import Ranking, higher


def roc_auc(ranking: Ranking) -> Figure:
    """Measure the area, 0 to 1; NaN unless there are positives and negatives.

    Args:
        ranking: the window's.
    """
    positives, negatives = float(ranking.positives.sum()), float(ranking.negatives.sum())
    n = int(positives + negatives)
    if positives == 0 or negatives == 0:
        return Figure.none(n)
    beaten = negatives - (ranking.above + ranking.at_least) / 2.0
    area = float((ranking.group * beaten).sum()) / (positives * negatives)
    of_positives, of_negatives = components(ranking)
    variance = of_positives / positives + of_negatives / negatives
    return share_figure(area, variance, n, min(positives, negatives))


def components(ranking: Ranking) -> tuple[float, float]:
    """Return DeLong's variances of one positive's and of one negative's part in the area.

    NaN where there are fewer than two positives or negatives. Divided by the numbers of positives
    and negatives they add up to the variance of the area.
    """
    p, n = ranking.positives, ranking.negatives
    if p.sum() < 2 or n.sum() < 2:
        return nan, nan
    beaten = (n.sum() - higher(n) - n / 2.0) / n.sum()
    beating = (higher(p) + p / 2.0) / p.sum()
    return _variance(p, beaten), _variance(n, beating)


def _variance(count: FloatArray, part: FloatArray) -> float:
    total = count.sum()
    mean = np.sum(count * part) / total
    return float(np.sum(count * (part - mean) ** 2) / (total - 1.0))
