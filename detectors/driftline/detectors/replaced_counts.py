"""References of which the counts of some features are replaced by others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from driftline.detectors.count_rows import CountRows
from driftline.detectors.counts import with_ks_error
from driftline.detectors.grid import IntArray
from driftline.detectors.reference import Reference
from driftline.detectors.seasons import FeatureSeason, Seasons

Replaced = Mapping[str | None, Mapping[str, IntArray]]
"""By stream and name of a feature its counts, as they lie in the layout, shape (slots + extra,)."""


def with_counts(
    reference: Reference,
    counts: Replaced,
    events: Mapping[str | None, int] | None = None,
    seasons: Mapping[str | None, Mapping[str, FeatureSeason]] | None = None,
) -> Reference:
    """Return a reference of the same layout in which other counts of some features are normal.

    How much panes vary beyond chance (phi) stays: it is of how values resemble those near them in
    time, not of where they lie. What is normal at each hour or day does not: it was of the counts
    that are gone, so a replaced feature follows no cycle unless `seasons` says of which. How many
    events come, and how well the model does, stay those of `reference`, see `Reference.origin`.

    Args:
        reference: what everything else is taken from.
        counts: that are replaced; streams and features that it does not name stay as they are.
        events: of the streams, where they change too.
        seasons: by stream and name, of features that are replaced.

    Raises:
        KeyError: it has no such stream or feature.
        ValueError: counts have another shape than the layout says.

    Example:
        >>> import numpy as np
        >>> from driftline.detectors.counts import Feature, Layout
        >>> from driftline.detectors.reference import ReferenceCounts
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> whole = ReferenceCounts((None,), np.array([[6, 4, 0, 0, 0, 0]]), np.array([10]))
        >>> reference = Reference("loan", layout, whole, {})
        >>> other = with_counts(reference, {None: {"plan": np.array([1, 9, 0, 0, 0, 0])}})
        >>> other.counts.tolist(), other.layout_id == reference.layout_id, other.id == reference.id
        ([[1, 9, 0, 0, 0, 0]], True, False)
    """
    layout, found = reference.layout, dict[int, IntArray]()
    for stream, features in counts.items():
        row = reference.counts_of(stream).copy()
        for name, own in features.items():
            f = layout.position[name]
            row[layout.starts[f] : layout.starts[f + 1]] = own
        found[reference.position[stream]] = row
    many = reference.stream_events.copy()
    for stream, number in (events or {}).items():
        many[reference.position[stream]] = number
    counted = replace(
        reference.counted,
        counts=_with_rows(reference.counted.counts, found),
        events=many,
        seasons=_seasons(reference, counts, seasons or {}),
        origin=reference.origin or reference,
    )
    whole = counted.counts[reference.position[None]]
    return replace(reference, layout=with_ks_error(layout, whole), counted=counted)


def _with_rows(counts: IntArray | CountRows, rows: Mapping[int, IntArray]) -> IntArray | CountRows:
    """Return counts with those of some streams replaced, held as they were."""
    if isinstance(counts, CountRows):
        return counts.with_rows(rows)
    found = counts.copy()
    for row, own in rows.items():
        found[row] = own
    return found


def _seasons(
    reference: Reference,
    counts: Replaced,
    seasons: Mapping[str | None, Mapping[str, FeatureSeason]],
) -> Seasons | None:
    """Return the seasons of features that are not replaced, and those given."""
    before, position = reference.seasons, reference.layout.position
    if before is None:
        return None
    streams = []
    for stream, known in zip(reference.streams, before.streams, strict=True):
        gone = {position[name] for name in counts.get(stream, {})}
        own = {f: season for f, season in known.items() if f not in gone}
        own |= {position[name]: season for name, season in seasons.get(stream, {}).items()}
        streams.append(own)
    return Seasons(before.timezone, tuple(streams)) if any(streams) else None
