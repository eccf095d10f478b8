"""What is normal of features together, fitted to what each of them is by itself at present.

A shift of one feature changes the counts of all its pairs. That is no change of how it goes
together with others, so the normal cells of a pair are scaled by rows and columns until each of the
two features is low, middle and high as often as in the events that they are compared with
(iterative proportional fitting; Deming and Stephan 1940). Odds ratios stay, which are what goes
together. The normal radius is tilted, p exp(t r), until its mean is theirs: the mean is the sum of
what each feature's extremes are by themselves.
"""

from __future__ import annotations

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.joint.layout import CELLS
from driftline.detectors.sequential.pane_bins import PaneBins

_STEPS = 6
_PRIOR = 3.0  # events that what is known of a margin counts as, beside a pane's own
_MOST_TILT = 3.0


class Margins:
    """Fits what is normal of a reference's pairs, or of its radius, to other events.

    Args:
        counts: the reference's, as `JointLayout.table` has them.
        features: how many are counted together, J.
    """

    def __init__(self, counts: IntArray, features: int) -> None:
        self._slots = counts[: 2 * features + 3].astype(np.float64)

    def __call__(self, bins: PaneBins, known: FloatArray, x: FloatArray) -> FloatArray:
        """Return what is known at the margins of other events.

        Args:
            bins: all of pairs, or the radius alone.
            known: as if events, of some of the bins, shape (B,).
            x: events, shape (..., B).
        """
        if not bins.ordered[0]:
            return fit_pairs(known, x)
        values = (np.arange(self._slots.size) - 1.0) / 2.0
        weights = self._slots + 1e-9
        added = (np.add.reduceat(each, bins.cells) for each in (weights * values, weights))
        return fit_mean(known, x, np.divide(*added))


def fit_pairs(known: FloatArray, x: FloatArray) -> FloatArray:
    """Scale what is known of pairs to the margins of other events.

    Args:
        known: as if events, of the cells of P pairs, shape (9 P,): positive.
        x: events, shape (..., 9 P).

    Returns:
        What is known, of as many events as before, shape (..., 9 P).

    Example:
        >>> known = np.array([40.0, 10, 10, 10, 40, 10, 10, 10, 40])
        >>> x = np.array([0, 0, 0, 0, 0, 0, 200.0, 200, 200])
        >>> fit_pairs(known, x).reshape(3, 3).sum(axis=1).round(1)
        array([  0.3,   0.3, 179.4])
    """
    table = known.reshape(-1, 3, 3)
    events = x.reshape(*x.shape[:-1], x.shape[-1] // CELLS, 3, 3)
    total = table.sum(axis=(1, 2))
    wanted = []
    for axis in (-1, -2):
        own = table.sum(axis=axis)
        margin = events.sum(axis=axis) + _PRIOR * own / total[:, None]
        wanted.append(margin * (total[:, None] / margin.sum(axis=-1, keepdims=True)))
    fitted = np.broadcast_to(table, events.shape).copy()
    for _ in range(_STEPS):
        fitted *= (wanted[0] / fitted.sum(axis=-1))[..., :, None]
        fitted *= (wanted[1] / fitted.sum(axis=-2))[..., None, :]
    return fitted.reshape(x.shape)


def fit_mean(known: FloatArray, x: FloatArray, scores: FloatArray) -> FloatArray:
    """Tilt what is known of a number so that its mean is that of other events.

    Args:
        known: as if events, per bin, shape (B,): positive.
        x: events, shape (..., B).
        scores: the value that stands for each bin, ascending, shape (B,).

    Returns:
        What is known, of as many events as before, shape (..., B).

    Example:
        >>> fitted = fit_mean(np.full(3, 100.0), np.array([0.0, 100.0, 200.0]), np.arange(3.0))
        >>> bool(fitted.sum().round(6) == 300.0), (fitted @ np.arange(3.0) / 300.0).round(2)
        (True, np.float64(1.66))
    """
    p = known / known.sum()
    n = x.sum(axis=-1) + _PRIOR
    wanted = (x @ scores + _PRIOR * (p @ scores)) / n
    spread = np.sqrt(p @ (scores - p @ scores) ** 2) or 1.0
    z = (scores - p @ scores) / spread
    tilt = np.zeros(wanted.shape)
    for _ in range(2 * _STEPS):
        weights = p * np.exp(tilt[..., None] * z)
        weights /= weights.sum(axis=-1, keepdims=True)
        mean = weights @ scores
        slope = (weights * (z - (weights @ z)[..., None]) ** 2).sum(axis=-1) * spread
        moved = tilt + (wanted - mean) / np.maximum(slope, 1e-9)
        tilt = np.clip(moved, -_MOST_TILT, _MOST_TILT)
    weights = p * np.exp(tilt[..., None] * z)
    fitted: FloatArray = known.sum() * weights / weights.sum(axis=-1, keepdims=True)
    return fitted
