"""What a score means: how often the positive class followed it in the reference.

A monotone step function of the score, fitted by pooling adjacent violators (Ayer, Brunk, Ewing,
Reid and Silverman, "An empirical distribution function for sampling with incomplete information",
Annals of Mathematical Statistics 26, 1955; for classifiers: Zadrozny and Elkan, KDD 2002).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..grid import FloatArray, IntArray
from .counting import POSITION_STEPS
from .layout import OutcomeLayout


@dataclass(frozen=True, eq=False)
class Calibration:
    """The calibrated probability of each score bin, and how well it is known.

    Attributes:
        block: the pool that each of the B score bins is in, ascending, shape (B,).
        positives: positive events of the reference in each pool, shape (blocks,).
        events: all events of the reference in each pool, shape (blocks,); none is empty.
        score: the score that stands for each bin, shape (B,): the mean of the reference's, where
            scores are probabilities; else the calibrated probability.
    """

    block: NDArray[np.intp]
    positives: IntArray
    events: IntArray
    score: FloatArray

    @cached_property
    def probability(self) -> FloatArray:
        """Share of positives in each bin's pool, ascending, shape (B,)."""
        shares: FloatArray = self.positives / self.events
        return shares[self.block]

    @cached_property
    def moments(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Mean of each pool's probability, of its square and its cube, as far as it is known.

        Of the Beta law that Jeffreys' prior leaves, with half an event more of either class, so
        that a pool of one class only is not taken as certain.
        """
        a = self.positives + 0.5
        total = self.events + 1.0
        first = a / total
        second = first * (a + 1.0) / (total + 1.0)
        return first, second, second * (a + 2.0) / (total + 2.0)

    def pooled(self, per_bin: FloatArray) -> FloatArray:
        """Sum over each pool's bins, shape (blocks,)."""
        return np.bincount(self.block, per_bin, self.events.size).astype(np.float64)


def calibrate(layout: OutcomeLayout, counts: IntArray) -> Calibration | None:
    """Fit the probability of the positive class to the score bins of the reference.

    Args:
        layout: what is counted.
        counts: the reference's flat counts, shape (layout.size,).

    Returns:
        The calibration; None where no score with ground truth is counted. A bin without events of
        the reference is in the pool of the next lower one that has some, or of the lowest.

    Example:
        >>> from driftline.detectors.outcomes import OutcomeRows, count_outcomes
        >>> score = np.array([0.1, 0.1, 0.3, 0.3, 0.9, 0.9])
        >>> layout = OutcomeLayout.classification(["no", "yes"], "yes", False, score)
        >>> truth = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0])
        >>> rows = OutcomeRows(np.full(6, 2, np.int32), score, truth)
        >>> calibration = calibrate(layout, count_outcomes(layout, rows))
        >>> calibration.positives, calibration.events
        (array([1, 2]), array([4, 2]))
        >>> calibration.probability[layout.score_bins(score)]
        array([0.25, 0.25, 0.25, 0.25, 1.  , 1.  ])
    """
    if not layout.bins:
        return None
    negatives, positives = layout.view(counts, "joint").sum(axis=1)
    events = negatives + positives
    used = np.flatnonzero(events)
    if used.size == 0:
        return None
    pools = _pool(positives[used], events[used])
    pool_of_used = np.repeat(np.arange(pools.shape[1]), pools[2])
    block = pool_of_used[np.clip(np.cumsum(events > 0) - 1, 0, None)]
    score = (pools[0] / pools[1])[block]
    if layout.probability:
        score = _scores(layout, counts, events)
    return Calibration(block, pools[0], pools[1], score)


def _pool(positives: IntArray, events: IntArray) -> IntArray:
    """Join neighbours until the shares ascend: positives, events and bins, shape (3, pools)."""
    pools: list[tuple[int, int, int]] = []
    for p, n in zip(positives.tolist(), events.tolist(), strict=True):
        pool = p, n, 1
        while pools and pools[-1][0] * pool[1] >= pool[0] * pools[-1][1]:  # whole numbers: exact
            last = pools.pop()
            pool = last[0] + pool[0], last[1] + pool[1], last[2] + pool[2]
        pools.append(pool)
    return np.array(pools, np.int64).T


def _scores(layout: OutcomeLayout, counts: IntArray, events: IntArray) -> FloatArray:
    """Mean score of each bin in the reference; the middle of one that it does not reach."""
    edges = np.concatenate([[0.0], layout.edges, [1.0]])
    steps = layout.view(counts, "position").sum(axis=0)
    share = np.where(events > 0, steps / np.maximum(events, 1) / POSITION_STEPS, 0.5)
    scores: FloatArray = np.clip(edges[:-1] + share * np.diff(edges), 0.0, 1.0)
    return scores
