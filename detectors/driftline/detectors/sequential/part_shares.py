"""What is known of features' shares in the parts of a stream, each of which has its own normal.

Versions of a model that have a reference of their own are such parts of the whole model. A pane has
events of several. What is normal for it are the parts' shares, mixed by its own events of each, and
what is known of a part is its reference and all that came of it since: one part says nothing of
another. So a pane of which another part grew is no change, and one in which a part changed is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.sequential.cell_shares import Known, Mix, Since, mixture
from driftline.detectors.sequential.pane_bins import PaneBins

_HALF = 0.5  # of an event: what a bin is given, as one may come that the reference does not have


@dataclass(frozen=True, eq=False)
class PartShares:
    """The shares of some features in each part.

    Attributes:
        values: what the references know of each bin, as if events, shape (parts, M): positive.
        none: their events without a usable value, shape (parts, F).
        first: number of each feature's first bin, and the end of the last, shape (F + 1,).
        cycle: parts follow none.

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> counts = np.array([[900, 100, 0, 0, 0, 0], [100, 900, 0, 0, 0, 0]])
        >>> parts = PartShares.of(PaneBins(layout, counts[0]), counts[0], counts)
        >>> parts.mixed(Mix.of([0, 1], [300, 100])).values.round().tolist()
        [1121.0, 481.0, 1.0]
    """

    values: FloatArray
    none: FloatArray
    first: IntArray
    cycle: ClassVar[None] = None

    @classmethod
    def of(cls, bins: PaneBins, counts: IntArray, parts: IntArray) -> Self:
        """Return those of features with these bins.

        Args:
            bins: of the features.
            counts: flat counts of the reference that has the bins, shape (layout.size,).
            parts: those of the parts' references, shape (parts, layout.size).
        """
        # Where the bins lie between a part's own order statistics the law of its gaps is exact.
        own = (parts == counts).all(axis=1)[:, None]
        values: FloatArray = np.where(own, bins.normal, bins.count(parts) + _HALF)
        return cls(values, bins.count_none(parts).astype(np.float64), bins.first)

    @property
    def cells(self) -> int:
        """How many parts there are."""
        return int(self.values.shape[0])

    def only(self, i: int) -> Self:
        """Return those of the i-th feature alone."""
        own = slice(int(self.first[i]), int(self.first[i + 1]))
        first = self.first[i : i + 2] - own.start
        return type(self)(self.values[:, own], self.none[:, i : i + 1], first)

    def equals(self, other: PartShares | None) -> bool:
        """Return whether another one knows the same of the same parts."""
        return (
            other is not None
            and np.array_equal(self.values, other.values)
            and np.array_equal(self.none, other.none)
        )

    def of_cell(self, cell: int, since: Since | None = None) -> Known:
        """Return what is known of one part, with events of it that came since the reference."""
        values: FloatArray = self.values[cell]
        if since is not None:
            values = values + since.cells[cell]
        none = self.none[cell]
        mass = np.add.reduceat(values, self.first[:-1]) + none
        return Known(values, none, mass, np.diff(self.first))

    def mixed(self, mix: Mix, since: Since | None = None) -> Known:
        """Return what is known of a mixture of parts; `since`: as for one."""
        parts = zip(mix.cells.tolist(), mix.weights.tolist(), strict=True)
        known: Sequence[tuple[Known, float]] = [
            (self.of_cell(part, since), weight) for part, weight in parts
        ]
        return known[0][0] if len(known) == 1 else mixture(known)

    def of_panes(self, mix: Mix, since: Since | None = None) -> Known:
        """Return what is known of panes that are tested."""
        return self.mixed(mix, since)
