"""Accepting how features go together: pairs of accepted features are normal as they are now.

What was counted of a feature with each of the others, and of extremes, takes the place of what the
reference has of these pairs. It is kept apart from what is accepted of the features themselves,
because a reference that moves learns those by itself, and pairs never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from driftline.consumer.judge.accepted_state import AcceptedPairs
from driftline.consumer.judge.windows.track import Track
from driftline.consumer.wire.codec import pack_integers, unpack_integers
from driftline.detectors.grid import IntArray
from driftline.detectors.reference import Reference


class PairAcceptances:
    """What was accepted of features together, of one model.

    Args:
        kept: as it was kept.
    """

    def __init__(self, kept: Sequence[AcceptedPairs] = ()) -> None:
        self._found = {each.feature: each for each in kept}

    def state(self) -> list[AcceptedPairs] | msgspec.UnsetType:
        """Return what has to be kept."""
        return [self._found[name] for name in sorted(self._found)] or msgspec.UNSET

    def clear(self) -> None:
        """Forget all."""
        self._found.clear()

    def take(
        self,
        reference: Reference,
        names: Sequence[str],
        starts: Sequence[int],
        track: Track,
        length: int,
        pane: int,
    ) -> None:
        """Let the pairs of some features be normal as they are in some panes.

        Args:
            reference: says what is counted together.
            names: of the features.
            starts: of the panes, ms.
            track: has them.
            length: of a pane, ms.
            pane: start of the first that is compared with them, ms.
        """
        if reference.joint is None:
            return
        layout, begin = reference.joint.layout, reference.layout.size
        flat = np.zeros(layout.size, np.int64)
        for start in starts:
            counts = track.panes.counts(start, start + length, None)
            flat += counts[begin : begin + layout.size]
        if not flat.any():  # nobody counts them
            return
        for name in sorted({*names} & {*layout.names}):
            places = np.flatnonzero((flat > 0) & self._cells(reference, name))
            packed = pack_integers(places), pack_integers(flat[places])
            self._found[name] = AcceptedPairs(name, pane, *packed)

    def over(self, reference: Reference) -> Reference:
        """Return a reference in which what was accepted is normal, of a pair the newest."""
        if not self._found or reference.joint is None:
            return reference
        counts = reference.joint.counts.copy()
        for each in sorted(self._found.values(), key=lambda each: (each.start, each.feature)):
            if each.feature in reference.joint.layout.names:
                counts[self._cells(reference, each.feature)] = 0
                counts[unpack_integers(each.places)] = unpack_integers(each.counts)
        joint = replace(reference.joint, counts=counts)
        origin = reference.origin or reference
        return replace(reference, counted=replace(reference.counted, joint=joint, origin=origin))

    @staticmethod
    def _cells(reference: Reference, name: str) -> IntArray:
        """Return which cells are of extremes, or of pairs of a feature, bool (layout.size,)."""
        layout = reference.joint.layout if reference.joint is not None else None
        if layout is None:
            raise AssertionError("nothing is counted together")
        own = np.concatenate([[True], (layout.pairs == layout.names.index(name)).any(axis=1)])
        cells: IntArray = np.repeat(own, np.diff(layout.table.starts))
        return cells
