"""What is watched pane by pane of a model's performance, as features whose values are counted.

* A model that names classes: is it right or wrong? And, if it gives scores, the score's decile with
  the actual class: that a score means something else shows there first.
* One that only gives scores: the score's decile with the actual class.
* A regression: the size of the residual, in the bins of `tails`.

So what adds up evidence on features does it on performance, too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from driftline.detectors.counts import EXTRA_CELLS, Feature, Layout
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.counting import LARGEST
from driftline.detectors.outcomes.layout import OutcomeLayout
from driftline.detectors.outcomes.metrics import GAP
from driftline.detectors.outcomes.watched import watched_metric

_DECILES = 10


class ChangingCells:
    """The cells of a model's performance.

    Args:
        outcomes: what is counted of its outcomes.
        reference: the reference's flat counts of the whole model, shape (outcomes.size,).

    Attributes:
        layout: features named as the metric that speaks of them, or `estimate_gap`.

    Example:
        >>> outcomes = OutcomeLayout.classification(["no", "yes"], None, True)
        >>> cells = ChangingCells(outcomes, np.array([440, 60, 0, 40, 460, 0]))
        >>> cells.layout.features[0].name, cells.layout.features[0].categories
        ('accuracy', ('right', 'wrong'))
        >>> cells.count(np.array([44, 6, 0, 4, 45, 1])).tolist()
        [89, 11, 0, 0, 0, 0]
    """

    def __init__(self, outcomes: OutcomeLayout, reference: IntArray) -> None:
        self._outcomes = outcomes
        self._parts: dict[str, Callable[[IntArray], IntArray]] = {}
        features = []
        metric = watched_metric(outcomes)
        if metric == "accuracy":
            features.append(_classes("accuracy", ("right", "wrong")))
            self._parts["accuracy"] = self._right
        if outcomes.bins:
            name = GAP.name if metric == "accuracy" else str(metric)
            events = outcomes.view(reference, "joint").sum(axis=(0, 1))
            middle = np.cumsum(events) - events / 2.0
            decile = (_DECILES * middle / max(int(events.sum()), 1)).astype(np.int64)
            self._decile = np.minimum(decile, _DECILES - 1)
            names = [f"{actual} {d}" for actual in ("no", "yes") for d in range(_DECILES)]
            features.append(_classes(name, tuple(names)))
            self._parts[name] = self._scored
        if outcomes.grid is not None:
            edges = outcomes.grid.tails
            # The last edge is beyond everything: larger residuals are cut there.
            end = edges[-1] + outcomes.grid.scale * 2.0 ** (LARGEST + 1)
            features.append(Feature("mae", "numeric", np.append(edges, end)))
            self._parts["mae"] = self._sizes
        self.layout = Layout.of(features)

    def count(self, counts: IntArray) -> IntArray:
        """Return the cells of flat counts of outcomes, shape (layout.size,)."""
        nothing = np.zeros(EXTRA_CELLS, np.int64)
        parts = [self._parts[feature.name](counts) for feature in self.layout.features]
        return np.concatenate(
            [np.zeros(0, np.int64), *(p for part in parts for p in (part, nothing))]
        )

    def _right(self, counts: IntArray) -> IntArray:
        confusion = self._outcomes.view(counts, "confusion")
        right = int(np.trace(confusion))
        return np.array([right, int(confusion.sum()) - right, 0])

    def _scored(self, counts: IntArray) -> IntArray:
        joint = self._outcomes.view(counts, "joint").sum(axis=1)
        found = np.zeros((2, _DECILES), np.int64)
        for actual in (0, 1):
            np.add.at(found[actual], self._decile, joint[actual])
        return np.append(found.ravel(), 0)

    def _sizes(self, counts: IntArray) -> IntArray:
        tails = self._outcomes.view(counts, "tails")
        found = np.zeros(2 * tails.size + 1, np.int64)
        found[: 2 * tails.size : 2] = tails  # up to an edge: the gap before it
        return found


def _classes(name: str, categories: tuple[str, ...]) -> Feature:
    return Feature(name, "categorical", np.empty(0), categories)
