"""How much more the reference's panes vary than independent events would: phi.

phi = 3 says that a pane of 300 events tells as much as 100 independent ones: values near in time
resemble each other. `sequential.variation` estimates it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray

DIRECTIONS = ("location", "scale", "tail", "none", "other")
"""In which panes vary: numbers in location, scale and tails, categories in the three most frequent;
the share of events without a usable value; and values in any other way, which is the largest.
"""
LOCATION, SCALE, TAIL, NONE, OTHER = range(len(DIRECTIONS))

JOINS = (1, 2, 5, 10, 20)
"""How many panes may be joined where one alone holds too few events."""

UNKNOWN = 1e9
"""phi while it is not known: a pane tells nothing."""


@dataclass(frozen=True, eq=False)
class Dispersion:
    """phi of the reference's features, as `sequential.variation.reference_phi` finds it.

    Attributes:
        pane: length of a pane, ms.
        panes: how many there were.
        events: mean events of a pane of the whole model, of each feature, shape (F,).
        phi: shape (len(JOINS), 5, F); NaN where too few panes were left.
    """

    pane: int
    panes: int
    events: FloatArray
    phi: FloatArray

    @classmethod
    def independent(cls, features: int) -> Dispersion:
        """Return that of events that tell nothing of each other: phi is 1."""
        return cls(1, 1, np.ones(features), np.ones((len(JOINS), len(DIRECTIONS), features)))

    def known(self) -> IntArray:
        """Return how many of `JOINS` each feature's phi is known for, shape (F,)."""
        known: IntArray = (~np.isnan(self.phi[:, 0])).sum(axis=0)
        return known

    def of(self, places: IntArray, n: FloatArray, joined: int, longer: float = 1.0) -> FloatArray:
        """Return phi of panes of n events, shape (5, F of the places).

        It grows with the events that share a stretch of time. A longer stretch has more of them,
        but is like several panes of the reference, and these are joined as far as they are known.

        Args:
            places: of the features.
            n: events of each.
            joined: place in `JOINS` of how many panes of the stream are joined.
            longer: how many times as long they are as the reference's, at least 1.

        Example:
            >>> phi = np.full((5, 5, 1), np.nan)
            >>> phi[:2] = 3.0
            >>> found = Dispersion(60_000, 70, np.array([100.0]), phi)
            >>> place = np.zeros(1, int)
            >>> for n, joined, longer in ((100, 0, 1), (50, 0, 1), (200, 1, 1), (1500, 0, 15)):
            ...     print(found.of(place, np.array([n]), joined, longer)[OTHER])
            [3.]
            [2.]
            [3.]
            [3.]
        """
        together = JOINS[joined] * longer
        wanted = int(np.searchsorted(JOINS, together, "right")) - 1
        at = np.minimum(wanted, self.known()[places] - 1)
        found = self.phi[np.maximum(at, 0), :, places].T
        panes = np.array(JOINS)[np.maximum(at, 0)]
        whole = np.maximum(self.events[places] * panes, 1.0)
        scaled = 1.0 + (found - 1.0) * (n * (panes / together)) / whole
        return np.where(at >= 0, np.nan_to_num(scaled, nan=UNKNOWN), UNKNOWN)
