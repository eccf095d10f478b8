"""Describes how features go together in some panes, for verdicts and alerts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from driftline.consumer.judge.features.changes import ChangeWatch
from driftline.consumer.wire.axis import Axis
from driftline.consumer.wire.records import Extremes, Number, Pair, Sequential, number
from driftline.detectors.counts import Layout
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.joint.layout import CELLS
from driftline.detectors.joint.normal import JointNormal


class JointFigures:
    """Describes pairs and extremes.

    Args:
        layout: of the reference.
        normal: what is normal of features together.
        changes: the evidence.
        axis: what times lie along.
    """

    def __init__(
        self, layout: Layout, normal: JointNormal, changes: ChangeWatch, axis: Axis
    ) -> None:
        self._normal, self._changes, self._axis = normal, changes, axis
        self._cuts = normal.layout.cuts(layout)[:, 1:3]
        self._first = normal.layout.table.starts

    def effects(self, places: Sequence[int], counts: IntArray) -> list[float]:
        """Return the effect of pairs, or of extremes, by their places; NaN without events."""
        return [self._compared(f, counts)[2] for f in places]

    def pair(self, f: int, counts: IntArray) -> Pair:
        """Return the pair at a place in the table of counts.

        Args:
            f: place.
            counts: flat, of the events that are described.
        """
        first, second = self._normal.layout.pairs[f - 1].tolist()
        now, normal, effect = self._compared(f, counts)
        names = self._normal.layout.names
        return Pair(
            features=(names[first], names[second]),
            cuts=(self._cut(first), self._cut(second)),
            reference=_table(normal),
            window=_table(now),
            effect=number(effect),
            sequential=self._sequential(f),
        )

    def extremes(self, counts: IntArray) -> Extremes:
        """Return how many features are extreme at once; `counts`: as for a pair."""
        return Extremes(
            features=len(self._normal.layout.names),
            reference=_shares(self._together(self._normal.counts)),
            window=_shares(self._together(counts)),
            effect=number(self._compared(0, counts)[2]),
            sequential=self._sequential(0),
        )

    def _compared(self, f: int, counts: IntArray) -> tuple[FloatArray, FloatArray, float]:
        now = self._changes.counted(f, counts)
        normal, effect = self._changes.compared(f, now)
        return now, normal, effect

    def _together(self, counts: IntArray) -> IntArray:
        return counts[1 : 2 * len(self._normal.layout.names) + 2 : 2]

    def _cut(self, j: int) -> tuple[Number, Number]:
        low, high = self._cuts[j].tolist()
        return number(low), number(high)

    def _sequential(self, f: int) -> Sequential | None:
        known = self._changes.of(f)
        if known is None:
            return None
        onset = self._axis.time(known.onset)
        return Sequential(number(known.evidence), number(known.limit), onset)


def _shares(counts: IntArray) -> list[Number]:
    shares = counts / max(int(counts.sum()), 1)
    return [number(share) for share in shares.tolist()]


def _table(events: FloatArray) -> list[list[Number]]:
    shares = (events / max(float(events.sum()), 1e-9)).reshape(3, CELLS // 3)
    return [[number(share) for share in row] for row in shares.tolist()]


def worst(effects: Sequence[float], places: Sequence[int]) -> list[int]:
    """Return places by their effects, the largest first; those without one last."""
    order = sorted(range(len(places)), key=lambda i: (-np.nan_to_num(effects[i], nan=-1.0), i))
    return [places[i] for i in order]
