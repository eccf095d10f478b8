"""Counts a reference's features together, and how much that varies from pane to pane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np

from driftline.detectors.counts import Columns, Layout
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.grid import IntArray
from driftline.detectors.joint import MOST_FEATURES
from driftline.detectors.joint.layout import JointLayout
from driftline.detectors.joint.normal import JointNormal
from driftline.detectors.pane_lengths import LEAST_PANES
from driftline.detectors.rounding import significant
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.variation import Directions, reference_phi
from driftline.producer.errors import InputError
from driftline.producer.reference.field import Bools
from driftline.producer.reference.pane_plan import KeptPanes, PanePlan
from driftline.producer.reference.panes import DIGITS
from driftline.producer.reference.settings import Together

_PAIRS_AT_ONCE = 100


def most_important(names: Iterable[str], weights: Mapping[str, float]) -> list[str]:
    """Return features by their weight, 1 unless given, the largest first; ties by name.

    >>> most_important(["b", "a", "c"], {"c": 2.0})
    ['c', 'a', 'b']
    """
    return sorted(names, key=lambda name: (-weights.get(name, 1.0), name))


def joint_counts(
    layout: Layout,
    counts: IntArray,
    plan: PanePlan | None,
    together: Together | JointNormal | None,
) -> JointCounts | None:
    """Return what counts the most important numbers of a reference together; None: nothing does.

    Args:
        layout: of the reference.
        counts: of the whole model.
        plan: how panes are cut; None: events have no times, or are too few.
        together: which they are; those of another reference where its layout is counted in.

    Raises:
        InputError: fewer than two numbers vary.
    """
    if together is None:
        return None
    if isinstance(together, JointNormal):
        return JointCounts(layout, together.layout, plan)
    numbers = [feature.name for feature in layout.features[: layout.numeric]]
    names = most_important(numbers, together.weights)
    joint = JointLayout.of(layout, counts, names, min(together.most, MOST_FEATURES))
    if len(joint.names) < 2:
        raise InputError(
            "features are counted together by low, middle and high values, and fewer than two"
            " numbers have these: leave out --joint, or joint of the model"
        )
    return JointCounts(layout, joint, plan)


class JointCounts:
    """Counts features together, of all events and by panes, in one reading.

    Args:
        layout: of the reference.
        joint: what is counted.
        plan: how panes are cut; None: events have no times, or are too few.
    """

    def __init__(self, layout: Layout, joint: JointLayout, plan: PanePlan | None) -> None:
        self._layout, self._joint, self._plan = layout, joint, plan
        self._counts = np.zeros(joint.size, np.int64)
        self._panes = None if plan is None else KeptPanes(plan, joint.size)

    def add(self, times: IntArray | None, columns: Columns, skip: Bools | None = None) -> None:
        """Count events.

        Args:
            times: ms, shape (n,); None: they are not known.
            columns: n events.
            skip: which of them do not count in which feature, shape (n, F); None: all count.
        """
        if not len(columns.numeric):
            return
        if skip is not None:
            left_out = skip[:, : columns.numeric.shape[1]]
            columns = Columns(np.where(left_out, np.nan, columns.numeric), columns.codes)
        if self._plan is None or self._panes is None or times is None:
            self._counts += self._joint.count(self._layout, columns)
            return
        numbers = self._plan.numbers(times)
        order = np.argsort(numbers, kind="stable")
        panes, begins = np.unique(numbers[order], return_index=True)
        for pane, rows in zip(panes.tolist(), np.split(order, begins[1:]), strict=True):
            own = Columns(columns.numeric[rows], columns.codes[rows])
            counts = self._joint.count(self._layout, own)
            self._counts += counts
            if pane >= 0:
                self._panes.add(np.array([pane]), counts[None])

    def merge(self, other: Self) -> None:
        """Add the counts of other events."""
        self._counts += other._counts
        if self._panes is not None and other._panes is not None:
            self._panes.merge(other._panes)

    def normal(self) -> JointNormal:
        """Return what was counted."""
        return JointNormal(self._joint, self._counts, self._dispersion())

    def _dispersion(self) -> Dispersion | None:
        if self._plan is None or self._panes is None:
            return None
        rows, numbers = self._panes.filled()
        if rows.size < LEAST_PANES:
            return None
        table = self._joint.table
        size = len(table.features)
        phi = np.full((len(JOINS), len(DIRECTIONS), size), np.nan)
        events = np.zeros(size)
        own = self._panes.counts[rows].astype(np.int64)
        margins = JointNormal(self._joint, self._counts).margins
        for first in (0, *range(1, size, _PAIRS_AT_ONCE)):
            places = np.arange(first, min(first + _PAIRS_AT_ONCE, size) if first else 1)
            bins = PaneBins(table, self._counts, places)
            directions = Directions.of(bins, 0 if first else 1)
            panes = np.concatenate([bins.count(own), bins.count_none(own)], axis=1)
            found = reference_phi(bins, directions, panes, numbers + self._plan.first, fit=margins)
            phi[:, :, places], events[places] = found
        rounded = (significant(each, DIGITS) for each in (events, phi))
        return Dispersion(self._plan.length, rows.size, *rounded)
