"""Area under the precision-recall curve, as the average precision.

The mean over the positives of the precision of all scores from the highest down to the positive's.

Sources: Boyd, Eng and Page, "Area under the precision-recall curve: point estimates and confidence
intervals", ECML PKDD 2013; the variance is that of the influence of each pair on the average
(Hampel, "The influence curve and its role in robust estimation", Journal of the American
Statistical Association 69, 1974), over score bins.
"""

from __future__ import annotations

import numpy as np

from driftline.detectors.outcomes.figure import Figure, share_figure
from driftline.detectors.outcomes.ranking import Ranking, higher


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
