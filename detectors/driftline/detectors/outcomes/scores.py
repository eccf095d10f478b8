"""Metrics of scores: the areas under the ROC curve and under the precision-recall curve.

ROC AUC is how often a positive's score is above a negative's, ties half. PR AUC is the average
precision: the mean over the positives of the precision of all scores from the highest down to the
positive's.

Sources: Hanley and McNeil, "The meaning and use of the area under a receiver operating
characteristic (ROC) curve", Radiology 143, 1982; DeLong, DeLong and Clarke-Pearson, "Comparing the
areas under two or more correlated receiver operating characteristic curves", Biometrics 44, 1988
(variance, here over score bins). Boyd, Eng and Page, "Area under the precision-recall curve: point
estimates and confidence intervals", ECML PKDD 2013; its variance is that of the influence of each
pair on the average (Hampel, "The influence curve and its role in robust estimation", Journal of the
American Statistical Association 69, 1974), over score bins.
"""

from __future__ import annotations

from math import nan

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.figure import Figure, share_figure
from driftline.detectors.outcomes.layout import OutcomeLayout
from driftline.detectors.outcomes.ranking import Ranking, higher


def score_metrics(layout: OutcomeLayout, counts: IntArray) -> dict[str, Figure]:
    """Measure both, 0 to 1.

    Args:
        layout: one with scores.
        counts: flat counts, shape (layout.size,).

    Returns:
        `roc_auc`, NaN unless there are positives and negatives; `pr_auc`, NaN without positives.
    """
    ranking = rank(layout, counts)
    return {"roc_auc": roc_auc(ranking), "pr_auc": pr_auc(ranking)}


def rank(layout: OutcomeLayout, counts: IntArray) -> Ranking:
    """Reconstruct how a window's scores rank."""
    return Ranking.of(
        layout.view(counts, "joint").sum(axis=1),
        layout.view(counts, "position"),
        layout.view(counts, "position_squared"),
    )


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


def pr_auc(ranking: Ranking) -> Figure:
    """Measure the average precision, 0 to 1; NaN without positives.

    Args:
        ranking: the window's.
    """
    positives, negatives = ranking.positives, ranking.negatives
    total, n = float(positives.sum()), int(positives.sum() + negatives.sum())
    if total == 0:
        return Figure.none(n)
    precision = ranking.rank / (ranking.rank + ranking.at_least)
    found = (ranking.group * precision).sum(axis=0)  # per bin
    value = float(found.sum()) / total

    # One more pair lowers or raises the precision of every positive below it: a positive by
    # b / (a + b)**2, a negative by -a / (a + b)**2, with a positives and b negatives above.
    a = higher(positives) + positives / 2.0
    b = higher(negatives) + negatives / 2.0
    squared = np.maximum((a + b) ** 2, 0.25)
    gain, loss = positives * b / squared, positives * a / squared
    own = found / np.maximum(positives, 1.0)
    of_positive = own + np.cumsum(gain) - gain / 2.0 - value
    of_negative = np.cumsum(loss) - loss / 2.0
    variance = np.sum(positives * of_positive**2) + np.sum(negatives * of_negative**2)
    return share_figure(value, float(variance) / total**2, n, total)


def _variance(count: FloatArray, part: FloatArray) -> float:
    total = count.sum()
    mean = np.sum(count * part) / total
    return float(np.sum(count * (part - mean) ** 2) / (total - 1.0))
