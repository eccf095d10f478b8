"""What differs between two references: what they count, and what is normal by them.

Features are compared in the bins of the first. Where both have one grid that is exact. Else the
events of the second up to a bin's end are known to within one gap of its own grid, of which half
are taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from driftline.detectors.baseline import Baseline
from driftline.detectors.counts import Feature, Layout
from driftline.detectors.features.cells import Cells
from driftline.detectors.features.psi import psi
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.reference import OTHER, Reference
from driftline.detectors.rounding import significant


@dataclass(frozen=True)
class FeatureDiff:
    """One feature that both have.

    Attributes:
        name: of the feature.
        types: in the one and in the other.
        psi: bias-corrected PSI of the second against the first, nats; None where the types differ,
            or one has no value.
        missing: share of events without a usable value, in each.
        new, gone: categories that the second alone lists, and those that it does not list any more.
        same_grid: whether both count it alike.
    """

    name: str
    types: tuple[str, str]
    psi: float | None
    missing: tuple[float, float]
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    same_grid: bool = True


@dataclass(frozen=True)
class ReferenceDiff:
    """What differs between two references.

    Attributes:
        same_layout: whether both count the same, so that panes of one fit the other.
        only: names of the features that one alone has.
        segments: streams of segments, `tag=value`, that one alone has.
        positive_labels: of each.
        features: those that both have, largest PSI first.
    """

    same_layout: bool
    only: tuple[tuple[str, ...], tuple[str, ...]]
    segments: tuple[tuple[str, ...], tuple[str, ...]]
    positive_labels: tuple[str | None, str | None]
    features: tuple[FeatureDiff, ...]


def diff_references(a: Reference, b: Reference) -> ReferenceDiff:
    """Return what differs between two references.

    Example:
        >>> from driftline.detectors import FeatureColumn, build_reference
        >>> def of(plans):
        ...     return build_reference("m", {"plan": FeatureColumn("categorical", plans)})
        >>> found = diff_references(of(["a", "b"] * 500), of(["a", "a", "a", "c"] * 250))
        >>> found.same_layout, found.features[0].new, found.features[0].gone
        (False, ('c',), ('b',))
    """
    names = a.layout.position.keys(), b.layout.position.keys()
    baseline = Baseline(a.layout, a.counts[0])
    found = [_feature(name, baseline, b) for name in sorted(names[0] & names[1])]
    segments = [{name for name in each.streams if name is not None} for each in (a, b)]
    return ReferenceDiff(
        a.layout_id == b.layout_id,
        (_less(names[0], names[1]), _less(names[1], names[0])),
        (_less(segments[0], segments[1]), _less(segments[1], segments[0])),
        (a.positive_label, b.positive_label),
        tuple(sorted(found, key=lambda each: -np.inf if each.psi is None else -each.psi)),
    )


def missing_share(layout: Layout, flat: IntArray, f: int) -> float:
    """Return the share of a feature's events without a usable value; 0 without events."""
    events = layout.events(flat, f)
    return (events - int(layout.slots(flat, f).sum())) / events if events else 0.0


def _less(a: Iterable[str], b: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(a) - set(b)))


def _feature(name: str, a: Baseline, b: Reference) -> FeatureDiff:
    f, g = a.layout.position[name], b.layout.position[name]
    own, other = a.layout.features[f], b.layout.features[g]
    counts = b.counts[0]
    missing = missing_share(a.layout, a.counts, f), missing_share(b.layout, counts, g)
    types = own.type, other.type
    if (own.type == "numeric") != (other.type == "numeric"):
        return FeatureDiff(name, types, None, missing, same_grid=False)
    if own.type == "numeric":
        same = np.array_equal(own.grid, other.grid) and np.array_equal(own.ties, other.ties)
        bins = _numbers(a, f, other, b.layout.slots(counts, g), same=same)
        return FeatureDiff(name, types, _psi(*bins), missing, same_grid=same)
    bins = _classes(own, a.layout.slots(a.counts, f), other, b.layout.slots(counts, g))
    new, gone = _less(other.categories, own.categories), _less(own.categories, other.categories)
    return FeatureDiff(name, types, _psi(*bins), missing, new, gone, not new and not gone)


def _numbers(
    a: Baseline, f: int, other: Feature, slots: IntArray, *, same: bool
) -> tuple[IntArray, IntArray]:
    """Return the events of both in the bins of the first."""
    if same:
        flat = np.zeros_like(a.counts)
        a.layout.slots(flat, f)[:] = slots
        both = a.bins(f, flat)
        return both.reference, both.window
    own = a.bins(f)
    ends = np.zeros(0) if own.upper is None else own.upper
    upto = np.concatenate([[0], _at_most(other, slots, ends), [slots.sum()]])
    return own.reference, np.maximum(np.diff(upto), 0)


def _at_most(feature: Feature, slots: IntArray, values: FloatArray) -> IntArray:
    """Return about how many events of a number are at most each value."""
    cumulative = np.concatenate([[0], np.cumsum(slots)])
    below = np.searchsorted(feature.grid, values, "right")
    exact = feature.grid[np.maximum(below - 1, 0)] == values if feature.grid.size else below > 0
    inside = np.where(exact & (below > 0), 0, slots[2 * below] // 2)
    found: IntArray = cumulative[2 * below] + inside
    return found


def _classes(
    own: Feature, mine: IntArray, other: Feature, theirs: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the events of both by class; those that neither lists come last."""
    a = dict(zip((*own.categories, OTHER), mine.tolist(), strict=True))
    b = dict(zip((*other.categories, OTHER), theirs.tolist(), strict=True))
    names = sorted({*a, *b})
    return np.array([a.get(n, 0) for n in names]), np.array([b.get(n, 0) for n in names])


def _psi(a: IntArray, b: IntArray) -> float | None:
    if not a.sum() or not b.sum():
        return None
    found = psi(Cells(np.zeros(a.size, np.intp), a, b, 1), np.full(1, np.nan)).value[0]
    return float(significant(found))
