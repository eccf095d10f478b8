"""Events of a reference as the batches that are counted, whole and by stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from driftline.detectors.counts import Columns, Layout, count_columns
from driftline.detectors.grid import IntArray
from driftline.producer.records.column_values import feature_columns
from driftline.producer.records.values import ABSENT, categorical, kind_of
from driftline.producer.reference.events import Events
from driftline.producer.reference.field import Bools


def columns_of(layout: Layout, events: Events) -> Columns:
    """Return events as the batch that `count_columns` takes."""
    matrix = np.full((len(layout.features), events.rows), ABSENT)
    for f, feature in enumerate(layout.features):
        found = events.field(feature.name)
        if found is not None:
            matrix[f] = found.doubles(kind_of(feature, found.texts))
    return feature_columns(layout, matrix)


def uncounted(layout: Layout, events: Events) -> Bools | None:
    """Return which events do not count in which features, shape (n, F); None: all count in all."""
    if not events.uncounted:
        return None
    found = np.zeros((events.rows, len(layout.features)), bool)
    for name, rows in events.uncounted.items():
        if name in layout.position:
            found[:, layout.position[name]] = rows
    return found


def count_rows(
    layout: Layout, columns: Columns, events: Events, rows: slice | IntArray
) -> IntArray:
    """Count events, but in no feature those that do not count in it."""
    counts = count_columns(layout, rows_of(columns, rows))
    skip = uncounted(layout, events)
    if skip is None:
        return counts
    own = np.arange(events.rows)[rows]
    cells = np.repeat(np.arange(len(layout.features)), np.diff(layout.starts))
    # Features that were fitted on the same events are counted together.
    kinds, place = np.unique(skip[own], axis=1, return_inverse=True)
    place = place.ravel()
    for kind, left_out in enumerate(kinds.T):
        if left_out.any():
            ignored = count_columns(layout, rows_of(columns, own[left_out]))
            counts -= np.where(place[cells] == kind, ignored, 0)
    return counts


def stream_rows(
    events: Events, segments: Mapping[str, tuple[str, ...]]
) -> Iterable[slice | IntArray]:
    """Yield the events of each stream, in the order of `stream_names`."""
    yield slice(None)
    for tag, values in segments.items():
        found = events.tags.get(tag)
        codes = np.full(events.rows, ABSENT)
        if found is not None:
            codes = found.doubles(categorical(values, found.texts.marks))
        for code in range(len(values)):
            yield np.flatnonzero(codes == code)
        yield np.flatnonzero(~((codes >= 0) & (codes < len(values))))


def rows_of(columns: Columns, rows: slice | IntArray) -> Columns:
    """Return some of the events."""
    return Columns(columns.numeric[rows], columns.codes[rows])
