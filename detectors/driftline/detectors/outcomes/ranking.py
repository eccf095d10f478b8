"""How positives and negatives are ranked by score, from counts per score bin.

Bins alone leave open who comes first within a bin. So each class's scores in a bin are taken as
evenly spaced, with the mean and the spread that its sums of positions tell. That is exact where a
bin holds at most two scores of a class, or only tied ones, and close where it holds many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray

GROUPS = 16  # of a bin's positives; each is one score, if there are at most this number
_SPREAD = 1e-4  # a smaller variance, in squared steps of position, is rounding
_SLACK = 1e-6


@dataclass(frozen=True)
class Ranking:
    """Positives in small groups, from the highest score down, G groups a bin.

    Attributes:
        positives: positives per bin, shape (B,).
        negatives: negatives per bin, shape (B,).
        group: positives in each group, shape (G, B), 0 where a bin has fewer groups.
        rank: positives whose score is at least the group's, on average over it, shape (G, B).
        above: negatives with a higher score, shape (G, B).
        at_least: negatives with a score at least as high, shape (G, B).
    """

    positives: FloatArray
    negatives: FloatArray
    group: FloatArray
    rank: FloatArray
    above: FloatArray
    at_least: FloatArray

    @classmethod
    def of(cls, count: IntArray, position: IntArray, position_squared: IntArray) -> Ranking:
        """Reconstruct the ranking.

        Args:
            count: pairs per [actual is positive][score bin], shape (2, B).
            position: sums of positions in the bin, in steps, shape (2, B).
            position_squared: sums of their squares, shape (2, B).

        Example:
            >>> count, steps = np.array([[0, 2], [1, 1]]), np.array([[0, 50], [9, 40]])
            >>> ranking = Ranking.of(count, steps, np.array([[0, 1700], [81, 1600]]))
            >>> ranking.at_least[0], ranking.rank[0]  # positives at 40 and, one bin below, at 9
            (array([2., 1.]), array([2., 1.]))
        """
        negatives, positives = count.astype(np.float64)
        n_mean, n_half = _spacing(negatives, position[0], position_squared[0])
        p_mean, p_half = _spacing(positives, position[1], position_squared[1])
        groups = np.clip(positives, 1.0, GROUPS)
        number = np.arange(GROUPS)[:, None]
        below = (number + 0.5) / groups  # share of the bin's positives before the group's middle
        at = p_mean + p_half * (1.0 - 2.0 * below)
        own = np.where(p_half > 0.0, positives * below + 0.5, np.maximum(positives, 1.0))
        width = np.where(n_half > 0.0, 2.0 * n_half, 1.0)
        place = negatives * (n_mean + n_half - at) / width + 0.5  # a whole number at a negative
        spaced = n_half > 0.0
        least = np.where(spaced, np.floor(place + _SLACK), negatives * (n_mean >= at))
        above = np.where(spaced, np.ceil(place - _SLACK) - 1.0, negatives * (n_mean > at))
        return cls(
            positives,
            negatives,
            np.where(number < groups, positives / groups, 0.0),
            own + higher(positives),
            np.clip(above, 0.0, negatives) + higher(negatives),
            np.clip(least, 0.0, negatives) + higher(negatives),
        )


def higher(per_bin: FloatArray) -> FloatArray:
    """Sum over all higher bins, shape (B,)."""
    rest: FloatArray = per_bin.sum() - np.cumsum(per_bin)
    return rest


def _spacing(
    count: FloatArray, position: IntArray, position_squared: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Mean, and half the width that evenly spaced scores of this variance take up."""
    some = np.maximum(count, 1.0)
    mean = position / some
    variance = np.maximum(position_squared / some - mean * mean, 0.0)
    spread = (count > 1.0) & (variance > _SPREAD)
    evenly = np.where(spread, 1.0 - 1.0 / (some * some), 1.0)
    return mean, np.where(spread, np.sqrt(3.0 * variance / evenly), 0.0)
