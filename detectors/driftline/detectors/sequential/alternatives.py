"""What a change may look like: the alternatives whose likelihood a pane is tested for.

For numbers the shares are tilted, p exp(h) with h a multiple of a score: the location moves, the
spread grows or shrinks, the middle or the tails hold more. For categories one of them comes more
or less often.
Beside them stand laws that learn what changed from the panes before; see `evidence`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from driftline.detectors import special
from driftline.detectors.dispersion import LOCATION, OTHER, SCALE, TAIL
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.variation import standardised

LOCATIONS = (0.05, 0.1, 0.2, 0.5)
SCALES = (0.07, 0.2, 0.5)
MIDDLES = (0.35,)
_FLANK = 2.0  # standard scores: where the middle ends, and tails begin
TAILS = ((0.01, (3.0,)), (0.002, (4.0,)))  # share of the events beyond, and how many times it
_ABOUT = 1.2  # bins end with a value of the reference, near the share
_MORE_TIMES = (30.0, 100.0)
CLASSES = (-1.5, -0.5, -0.2, 0.2, 0.5, 1.5)
LEARNERS = ((50.0, 0.0), (100.0, 0.8), (300.0, 0.95), (1000.0, 0.99))
"""Of each law that learns: events that the normal shares weigh, and its share of older panes."""
ALL = (LOCATIONS, SCALES, MIDDLES, TAILS, CLASSES, LEARNERS)
"""What evidence is added up for: what was added up for others is no evidence for these."""


@dataclass(frozen=True, eq=False)
class Tilts:
    """Alternatives of numbers: multiples of a few scores.

    Attributes:
        scores: location, scale, distance from the middle without the tails (a law with heavy tails
            has more in the middle, too), and of each share of `TAILS` whether a bin is above, below
            or either, shape (S, M).
        which: the score of each alternative, shape (K,).
        step: what it is multiplied by, shape (K,).
        direction: by whose phi the evidence of each is divided, shape (K,).
    """

    scores: FloatArray
    which: IntArray
    step: FloatArray
    direction: IntArray

    @classmethod
    def of(cls, bins: PaneBins, *, upwards: bool = False) -> Tilts:
        """Return the tilts of features that all are numbers.

        Args:
            bins: of the features.
            upwards: only those that say that values became larger, and by up to 100 times more in
                the tails: for the size of errors.
        """
        p = bins.shares
        before = np.concatenate([[0.0], np.cumsum(p)])
        upto = np.cumsum(p) - before[bins.first[:-1]][bins.owner]
        z = special.ndtri(np.clip(upto - p / 2.0, 1e-6, 1.0 - 1e-6))
        raw = np.stack([z, z * z - 1.0, np.minimum(np.abs(z), _FLANK)])
        scores = [*standardised(bins, raw, p)]
        signs = (1,) if upwards else (1, -1)
        found = [(0, sign * step, LOCATION) for step in LOCATIONS for sign in signs]
        found += [(1, sign * step, SCALE) for step in SCALES for sign in signs]
        found += [(2, sign * step, SCALE) for step in MIDDLES for sign in signs]
        for share, times in TAILS:
            least = share * _ABOUT
            above = (1.0 - (upto - p) <= least).astype(np.float64)
            below = (upto <= least).astype(np.float64)
            sides = [above] if upwards else [above, below, np.maximum(above, below)]
            more = (*times, *_MORE_TIMES) if upwards else times
            found += [
                (len(scores) + side, float(np.log(factor)), TAIL)
                for factor in more
                for side in range(len(sides))
            ]
            scores += sides
        which, step, direction = zip(*found, strict=True)
        return cls(np.stack(scores), np.array(which), np.array(step), np.array(direction))

    @cached_property
    def factors(self) -> FloatArray:
        """What each alternative multiplies the share of a bin by, before it is normed, (K, M)."""
        return np.exp(self.scores[self.which] * self.step[:, None])

    def gains(self, bins: PaneBins, x: FloatArray, p: FloatArray) -> FloatArray:
        """Return log-likelihood ratios of a pane against the shares `p`, shape (K, F)."""
        gained = bins.total(self.scores * x)[self.which] * self.step[:, None]
        gained -= bins.total(x) * np.log(bins.total(self.factors * p))
        return gained


def class_gains(bins: PaneBins, x: FloatArray, p: FloatArray) -> FloatArray:
    """Return the same where one category comes more or less often, shape (len(CLASSES), M)."""
    steps = np.array(CLASSES)[:, None]
    n = bins.total(x)[bins.owner]
    gained: FloatArray = steps * x - n * np.log1p(p * np.expm1(steps))
    return gained


OF_CLASSES = OTHER
"""By which phi the evidence for a category is divided."""
