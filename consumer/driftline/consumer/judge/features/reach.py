"""How far a change reaches: into all segments of a tag, or into one of them alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from driftline.consumer.judge.windows.panes import PaneStore
from driftline.detectors import Baseline
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.likeness import likeness
from driftline.detectors.reference import Reference
from driftline.detectors.sequential.pane_bins import PaneBins


@dataclass(frozen=True)
class Reach:
    """In which segments a change is.

    Attributes:
        everywhere: tags in all segments of which it is.
        only: the segment that it is in alone; None: not in one alone, or nobody knows.
    """

    everywhere: tuple[str, ...] = ()
    only: str | None = None

    @property
    def text(self) -> str:
        """The same in words; empty where nothing is known.

        Example:
            >>> Reach(("channel", "region")).text, Reach(only="channel=app").text
            ('all of channel and region', 'only in channel=app')
        """
        if self.only is not None:
            return f"only in {self.only}"
        return f"all of {' and '.join(self.everywhere)}" if self.everywhere else ""


NOWHERE = Reach()

Cells = Callable[[str], tuple[FloatArray, FloatArray]]
"""Returns the events of a segment per bin, shape (B,): those of now, and of the reference."""


def reach_of(
    tags: Mapping[str, Sequence[str]], cells: Cells, phi: float = 1.0, known: str | None = None
) -> Reach:
    """Return how far a change reaches.

    Args:
        tags: the segments of each tag.
        cells: what is counted of them.
        phi: how many events tell as much as one independent one.
        known: a segment of which an alert says already that it changed there.
    """
    everywhere, only, most = [], None, 0.0
    for tag, segments in tags.items():
        counted = [cells(segment) for segment in segments]
        now, normal = (np.array(each) for each in zip(*counted, strict=True))
        place = segments.index(known) if known in segments else None
        found = likeness(now, normal, phi, place)
        if found.alike:
            everywhere.append(tag)
        if found.only is not None and (only is None or found.by > most):
            only, most = segments[found.only], found.by
    return Reach((), only) if only is not None else Reach(tuple(everywhere))


class SegmentReach:
    """Compares the segments of a model in the panes in which a feature changed.

    Args:
        reference: what is normal in each of them.
        tags: the segments of each tag, as the reference names its streams.
    """

    def __init__(self, reference: Reference, tags: Mapping[str, Sequence[str]]) -> None:
        self._layout, self._tags = reference.layout, tags
        self._reference = reference

    def knows(self, segment: str, f: int) -> bool:
        """Return whether the reference has events of the f-th feature in a segment."""
        begin, end = self._layout.starts[f : f + 2]
        return bool(self._reference.held_counts_of(segment)[begin:end].any())

    def of(
        self,
        f: int,
        rate: str | None,
        times: tuple[int, int],
        panes: PaneStore,
        phi: float = 1.0,
        known: str | None = None,
    ) -> Reach:
        """Return how far a change of the f-th feature reaches.

        Args:
            f: its place in the layout.
            rate: name of the rate that rose; None: its values changed.
            times: the panes in which it did, from and to, ms.
            panes: where their counts are.
            phi: how many events tell as much as one independent one.
            known: a segment of which an alert says already that it changed there.
        """

        def cells(segment: str) -> tuple[FloatArray, FloatArray]:
            now = panes.counts(*times, segment)[: self._layout.size]
            normal = self._reference.counts_of(segment)
            return self._cells(f, rate, now), self._cells(f, rate, normal)

        return reach_of(self._tags, cells, phi, known)

    def _cells(self, f: int, rate: str | None, flat: IntArray) -> FloatArray:
        if rate is None:
            own = slice(int(self._bins.first[f]), int(self._bins.first[f + 1]))
            return self._bins.count(flat)[own].astype(np.float64)
        base = self._baseline
        kinds = base.count_kinds(flat, base.bin_counts(flat))
        bad = float(base.bad_events(kinds)[rate][f])
        return np.array([bad, float(kinds["events"][f]) - bad])

    @cached_property
    def _bins(self) -> PaneBins:
        return PaneBins(self._layout, self._reference.counts_of(None))

    @cached_property
    def _baseline(self) -> Baseline:
        return Baseline(self._layout, self._reference.held_counts_of(None))
