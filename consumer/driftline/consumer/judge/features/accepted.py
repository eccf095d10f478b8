"""Features of a stream whose present was accepted as normal, in windows that began before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.judge.accepted_state import AcceptedFeature
from driftline.consumer.judge.features.rules import Ruling
from driftline.consumer.wire.axis import Axis
from driftline.detectors.counts import Layout
from driftline.detectors.grid import IntArray

_ALWAYS = -(1 << 62)


class AcceptedFeatures:
    """From when on the events of each feature may be compared with what is normal now.

    A window that began before holds events that were normal then: nothing follows from it.

    Args:
        layout: of the features.
        accepted: those whose present was accepted, by name.
        axis: along which windows lie.

    Attributes:
        begins: of each feature, ms, shape (F,).
    """

    def __init__(self, layout: Layout, accepted: Mapping[str, AcceptedFeature], axis: Axis) -> None:
        self.begins: IntArray = np.full(len(layout.features), _ALWAYS)
        self._axis = axis
        for name, feature in accepted.items():
            if name in layout.position:
                self.begins[layout.position[name]] = feature.since

    def rulings(self, rulings: list[Ruling], start: int) -> list[Ruling]:
        """Return what rules say of a window that begins at `start` (ms): nothing of those."""
        early = self._early(start)
        if not early.any():
            return rulings
        return [replace(each, levels=np.where(early, 0, each.levels)) for each in rulings]

    def untested(self, untested: Sequence[str | None], start: int) -> list[str | None]:
        """Return why features could not be tested in such a window; None: they were."""
        early = self._early(start).tolist()
        return [
            self._reason(f) if before else reason
            for f, (reason, before) in enumerate(zip(untested, early, strict=True))
        ]

    def _early(self, start: int) -> NDArray[np.bool_]:
        early: NDArray[np.bool_] = self.begins > start
        return early

    def _reason(self, f: int) -> str:
        since = self._axis.moment(int(self.begins[f]))
        return f"what is normal was accepted as it is since {since}, and this window began before"
