"""The series of a comparison: how often each side was right, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan

from driftline.consumer.http.series import Series
from driftline.consumer.judge.comparison.judge import ComparisonJudge

_DECISIONS = {"worse": -1.0, "undecided": 0.0, "better": 1.0}


def comparison_series(judge: ComparisonJudge) -> Iterator[Series]:
    """Yield the series of a comparison; all their labels are in them."""
    standing = judge.standing
    figures = standing.figures(judge.config.traffic)
    for side, figure in zip(("champion", "challenger"), figures, strict=True):
        if not isnan(figure.value):
            yield Series("comparison", (judge.name, side, judge.metric), figure.value)
    yield Series("comparison_decision", (judge.name,), _DECISIONS[standing.decision])
