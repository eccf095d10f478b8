"""The bins of scores and residuals, chosen on the reference.

Both mix quantiles of the reference, which are fine where its values are, with edges that do not
depend on them, so that a window that lies elsewhere is resolved as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.detectors.exact_sum import ExactSum
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.spread import Spread

MOST_EDGES = 255
TOP_EDGES, TOP_SHARE = 40, 0.04  # pr_auc depends most on who is ranked first
EVEN_BINS = 50  # a multiple of ten: calibration_error needs the edges 0.1, 0.2, ... 0.9
FEW_SCORES = MOST_EDGES - (EVEN_BINS + 1)
"""Up to this number of distinct scores no two share a bin."""
TAIL_SHARES = (*np.arange(1, 10) / 10, 0.95, 0.99, 0.998)
RESIDUAL_SHARES = (0.002, 0.005, 0.01, *np.arange(1, 50) / 50, 0.99, 0.995, 0.998)
MOST_RESIDUALS = 100
"""Up to this number of distinct residuals each has a bin of its own."""
OCTAVES = np.arange(-6, 15) / 2  # of residuals beyond the reference's, in half octaves
SMALLEST_SCALE = 2.0**-10
_MOST = 2.0**1000  # a larger residual counts as that, so that edges beyond it are finite


def score_edges(scores: FloatArray) -> FloatArray:
    """Choose the edges of at most 256 score bins.

    50 bins of even width over the range (0 to 1 if all scores are in it), 160 at even steps of
    rank, and 40 ever finer ones for the highest 4 % of the scores. A value that many scores share
    has a bin of its own. If there are at most 204 distinct values, no two share a bin.

    Args:
        scores: finite, in any order, shape (m,).

    Returns:
        Ascending, shape (k,), k at most 255; empty without scores.

    Example:
        >>> edges = score_edges(np.random.default_rng(7).beta(1, 20, 10_000))
        >>> edges.size, float(edges[0]), float(edges[-1]), float(np.median(edges).round(2))
        (251, 0.0, 1.0, 0.07)
    """
    if scores.size == 0:
        return np.empty(0)
    values = np.sort(scores)
    first = np.append(True, values[1:] != values[:-1])
    few = values[first] if int(first.sum()) <= FEW_SCORES else None
    ranks = score_ranks(values.size) if few is None else np.zeros(0, np.int64)
    return edges_of(few, values[ranks])


def score_ranks(m: int) -> IntArray:
    """Return the ranks, from 0, of the scores that are edges where more than `FEW_SCORES` differ.

    Args:
        m: how many scores there are.

    Returns:
        At even steps first, from the smallest score to the largest; then those of the highest 4 %.
    """
    ranks = np.linspace(0, m - 1, FEW_SCORES - TOP_EDGES)
    top = m - np.geomspace(1, max(TOP_SHARE * m, 1.0), TOP_EDGES)
    return np.concatenate([ranks, top]).round().astype(np.int64)


def edges_of(few: FloatArray | None, picked: FloatArray) -> FloatArray:
    """Return the edges that `score_edges` chooses.

    Args:
        few: the distinct scores, ascending; None where more than `FEW_SCORES` differ.
        picked: the scores at `score_ranks`, where there are as many.
    """
    room = FEW_SCORES
    if few is not None:
        low, high = float(few[0]), float(few[-1])
        chosen = few
        shared = chosen if 2 * chosen.size <= room else chosen[:0]
    else:
        low, high = float(picked[0]), float(picked.max())
        chosen, times = np.unique(picked, return_counts=True)
        shared = chosen[times > 1]
    if low >= 0.0 and high <= 1.0:
        low, high = 0.0, 1.0
    steps = np.arange(EVEN_BINS + 1) / EVEN_BINS
    even = low * (1.0 - steps) + high * steps
    edges = np.concatenate([even, chosen, np.nextafter(shared, -np.inf)])
    return np.unique(np.clip(edges, low, high) + 0.0)


@dataclass(frozen=True, eq=False)
class ResidualGrid:
    """Scales and bins of a regression's residuals (prediction - actual).

    Attributes:
        scale: a power of two near the root mean square residual; sums of residuals are kept in
            steps far below it, and a residual beyond 2**24 times of it counts as that.
        centre: about the mean of the actual values.
        actual_scale: a power of two near their standard deviation.
        tails: edges of the bins of |residual|: the deciles, 95, 99 and 99.8 %.
        edges: edges of the bins of the residual, about 100 (at most 245); a value that many
            residuals share, such as 0, has a bin of its own.
    """

    scale: float
    centre: float
    actual_scale: float
    tails: FloatArray
    edges: FloatArray

    @classmethod
    def of(cls, predicted: FloatArray, actual: FloatArray) -> Self:
        """Choose them on the reference's pairs.

        Raises:
            ValueError: no pair is finite.

        Example:
            >>> grid = ResidualGrid.of(np.array([1.0, 2.5, 3.0, 7.0]), np.arange(4.0))
            >>> grid.scale, grid.centre, grid.actual_scale, grid.tails.size
            (2.0, 1.5, 1.0, 3)
        """
        finite = np.isfinite(predicted) & np.isfinite(actual)
        y = actual[finite]
        if y.size == 0:
            raise ValueError("no pair of prediction and actual value is finite")
        with np.errstate(over="ignore"):
            residual = np.clip(predicted[finite] - y, -_MOST, _MOST)
        total = ExactSum()
        total.add(y)
        centre = total.mean(y.size)
        few = np.unique(residual)
        picked = None
        if few.size > MOST_RESIDUALS:
            picked = np.sort(residual)[share_ranks(residual.size, RESIDUAL_SHARES)]
        return cls.chosen(
            centre,
            Spread.of(residual),
            Spread.of(y - centre) if y.min() < y.max() else None,
            np.sort(np.abs(residual))[share_ranks(residual.size, TAIL_SHARES)],
            few if picked is None else picked,
            few=picked is None,
        )

    @classmethod
    def chosen(
        cls,
        centre: float,
        residual: Spread,
        actual: Spread | None,
        tails: FloatArray,
        picked: FloatArray,
        *,
        few: bool,
    ) -> Self:
        """Make the grid of what was found of the reference's pairs.

        Args:
            centre: mean of the actual values.
            residual: spread of the residuals.
            actual: of the actual values about their mean; None where all are equal.
            tails: |residual| at `TAIL_SHARES`.
            picked: the residuals at `RESIDUAL_SHARES`, or all that differ.
            few: these are all, as they are at most `MOST_RESIDUALS`.
        """
        actual_scale, scale = 1.0, residual.scale(1.0)
        if actual is not None:
            actual_scale = actual.scale(1.0)
            scale = max(residual.scale(actual_scale), actual_scale * SMALLEST_SCALE)
        beyond = scale * 2.0**OCTAVES
        edges = np.concatenate([-beyond, _residual_edges(picked, few=few), beyond])
        return cls(scale, centre, actual_scale, np.unique(tails), np.unique(edges + 0.0))

    def to_json(self) -> dict[str, Any]:
        """Return the grid as JSON-able values."""
        return {
            "scale": self.scale,
            "centre": self.centre,
            "actual_scale": self.actual_scale,
            "tails": self.tails.tolist(),
            "edges": self.edges.tolist(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            float(document["scale"]),
            float(document["centre"]),
            float(document["actual_scale"]),
            np.array([float(edge) for edge in document["tails"]]),
            np.array([float(edge) for edge in document["edges"]]),
        )


def share_ranks(n: int, shares: Sequence[float]) -> IntArray:
    """Return the ranks, from 0, of the values that shares of n values do not exceed.

    >>> share_ranks(100, (0.002, 0.5, 1.0)).tolist()
    [0, 49, 99]
    """
    return np.maximum(np.ceil(n * np.asarray(shares) - 1.0), 0.0).astype(np.int64)


def _residual_edges(picked: FloatArray, *, few: bool) -> FloatArray:
    """Quantiles, with a bin of its own for 0 and for a value that many residuals share.

    If there are at most 100 distinct values, each has its own: so quantiles of whole numbers are
    whole.
    """
    chosen, times = np.unique(picked, return_counts=True)
    own = np.append(chosen if few else chosen[times > 1], 0.0)
    return np.concatenate([chosen, own, np.nextafter(own, -np.inf)])
