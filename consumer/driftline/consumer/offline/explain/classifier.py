"""A classifier that learns from half of the rows which are of now, and is asked of the rest.

Rows and their halves are chosen once, by a fixed seed. scikit-learn is imported here alone, when a
classifier is made: the service path never loads it. Source of the idea: Lopez-Paz and Oquab,
"Revisiting classifier two-sample tests", ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from driftline.consumer.offline.explain.columns import Column
from driftline.consumer.offline.explain.ranks import Bools, Ranks, mean_ranks
from driftline.detectors.grid import FloatArray, IntArray

_SEED = 20_260_101
_PERMUTED = 5
_TREES, _LEAVES, _FEWEST = 60, 8, 30
_SOME = 1.0  # a row added to each bin, at the share of all rows


@dataclass(frozen=True)
class Halves:
    """The halves of the rows.

    Attributes:
        learned: places of the rows that are learned from.
        held_out: of those that are asked.
    """

    learned: IntArray
    held_out: IntArray

    @classmethod
    def of(cls, rows: int, seed: int = _SEED) -> Halves:
        """Split rows in two.

        >>> halves = Halves.of(5)
        >>> sorted([*halves.learned, *halves.held_out]) == [0, 1, 2, 3, 4]
        True
        """
        order = np.random.default_rng(seed).permutation(rows)
        return cls(np.sort(order[: rows // 2]), np.sort(order[rows // 2 :]))


class Classifier:
    """Tells rows of now from quiet ones by all columns together.

    Args:
        columns: of all rows.
        now: which rows are of now, bool (n,).
        halves: which rows are learned from.

    Attributes:
        scores: of the held-out rows, the natural logarithm of the odds that they are of now, less
            that of all rows.
        ranks: of the held-out rows.
    """

    def __init__(self, columns: Sequence[Column], now: Bools, halves: Halves) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import ThreadpoolController

        # Many small steps: where others use the processors, too, threads wait for each other.
        self._threads = partial(ThreadpoolController().limit, limits=1, user_api="openmp")
        self._table = np.column_stack([column.values for column in columns])
        self._halves, self._now = halves, now[halves.held_out]
        learned = halves.learned
        model = HistGradientBoostingClassifier(
            learning_rate=0.1,
            max_iter=_TREES,
            max_leaf_nodes=_LEAVES,
            min_samples_leaf=_FEWEST,
            l2_regularization=1.0,
            early_stopping=False,
            categorical_features=[column.numbers is None for column in columns],
            random_state=0,
        )
        with self._threads():
            self._model: Any = model.fit(self._table[learned], now[learned])
        share = float(now[learned].mean())
        self._prior = float(np.log(share / (1.0 - share)))
        self.scores = self._ask(self._table[halves.held_out])
        self.ranks = Ranks.of(self.scores, self._now)

    def without(self, column: int) -> Ranks:
        """Return the ranks where the values of a column are shuffled: the mean of five times."""
        rng = np.random.default_rng([_SEED, column])
        table = np.tile(self._table[self._halves.held_out], (_PERMUTED, 1))
        own = table[: len(self._now), column].copy()
        table[:, column] = np.concatenate([rng.permutation(own) for _ in range(_PERMUTED)])
        found = np.split(self._ask(table), _PERMUTED)
        return mean_ranks([Ranks.of(scores, self._now) for scores in found])

    def _ask(self, table: FloatArray) -> FloatArray:
        with self._threads():
            odds: FloatArray = self._model.decision_function(table) - self._prior
        return odds


def alone(column: Column, now: Bools, halves: Halves) -> Ranks:
    """Return how well one column alone tells the held-out rows apart.

    A row's score is the share of now among the learned rows of its bin or category.
    """
    bins = column.missing + 1
    learned = column.codes[halves.learned]
    of_now = np.bincount(learned, now[halves.learned].astype(np.float64), bins)
    share = float(now[halves.learned].mean())
    shares = (of_now + _SOME * share) / (np.bincount(learned, minlength=bins) + _SOME)
    return Ranks.of(shares[column.codes[halves.held_out]], now[halves.held_out])
