"""From the false alarms that a model may raise to the level of one test.

The expected number of false alarms in a period is the sum of the levels of all tests in it,
whatever their dependence and however much windows overlap (linearity of expectation). So a budget
of X alarms per period, shared by the tests of every look, gives each test X / (tests x looks).
Evidence that is added up reaches log(T / X) at most X times in T panes, on average. `SHARES` says
what part of the budget is whose; a smaller part costs only a little more time.

For the same reason what belongs to one test may be shared again: a number of few values gives half
of it to `ks` and half to `chi_square`, `chi_square` shares its own among Pearson's test and the
exact bounds of rare classes (see there), and the rates share one test's level.
"""

from __future__ import annotations

from math import log

CHANGE, WINDOW, PERFORMANCE = 0.6, 0.2, 0.2
"""Parts of the budget: evidence pane by pane, windows as a whole, and performance.

Of performance each half is for one of the two: evidence pane by pane, and windows as a whole."""

JOINT = 0.1
"""The part of features that belong together, where these are watched; the others lose it."""


WHOLE = 0.75
"""The whole model's part of the budget where there are segments, which share the rest alike."""


def stream_share(segments: int, *, whole: bool, joint: bool = False) -> float:
    """Return a stream's part of the budget: segments never add false alarms.

    Args:
        segments: how many are judged.
        whole: whether the stream is the whole model, else it is one of them.
        joint: whether features that belong together have a part of it.

    Example:
        >>> stream_share(0, whole=True), stream_share(10, whole=True), stream_share(10, whole=False)
        (1.0, 0.75, 0.025)
        >>> stream_share(0, whole=True, joint=True)
        0.9
    """
    share = (WHOLE if segments else 1.0) if whole else (1.0 - WHOLE) / segments
    return share * (1.0 - JOINT) if joint else share


def level(budget: float, period: int, tests: float, every: int) -> float:
    """Return the level of one test: the p-value at which it spends its part of the budget.

    Args:
        budget: false alarms allowed per `period`, for the whole model.
        period: ms of event time.
        tests: tests in one look: two a feature and stream, one a
            performance metric.
        every: ms of event time between two looks.

    Returns:
        A probability, at most 1.

    Example:
        >>> day = 86_400_000
        >>> level(1, 30 * day, 18, 6 * day) == 1 / 90
        True
    """
    looks = period / every
    return min(1.0, budget / (tests * looks))


def evidence_limit(budget: float, period: int, share: float, pane: int) -> float:
    """Return the evidence at which a feature alarms: a natural logarithm.

    Args:
        budget: false alarms allowed per `period`, for the whole model.
        period: ms of event time.
        share: of the budget, that is the feature's in one stream; above 0.
        pane: ms of event time between two looks.

    Example:
        >>> day = 86_400_000
        >>> round(evidence_limit(1, 30 * day, CHANGE / 50, day // 24), 2)
        11.0
    """
    return max(log(period / pane / (budget * share)), 0.0)
