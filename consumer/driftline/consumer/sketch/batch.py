"""Events of a model between reading and counting: rows of doubles, fields as they are, columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.decoded import TagCodes
from driftline.consumer.sketch.exact import Row
from driftline.consumer.sketch.fields import EVENT_ID, VERSION, EventFields
from driftline.detectors.counts import CodeArray
from driftline.detectors.grid import FloatArray, IntArray

RAW = ("model", "timestamp", VERSION)
"""Fields that are read as they are; the event's id too, where labels are to find it."""


@dataclass
class Batch:
    """Events of one model, as far as they were read.

    Attributes:
        places: int64 (n,), ascending: where the values were in what was polled.
        matrix: shape (scalars, n), doubles as in `scalars`.
        raw: `model`, `timestamp`, `model_version`, and `event_id` where it is read: n values each,
            None where there is none.
        new: fields that the reference does not list, with the places of events that hold each;
            also of events that are not here.
        derived: fields that features are derived from, while they are read: n values each.
    """

    places: IntArray
    matrix: FloatArray
    raw: dict[str, list[Any]]
    new: Sequence[tuple[IntArray, str]] = ()
    derived: dict[str, list[Any]] = field(default_factory=dict)


def select(batch: Batch, chosen: NDArray[np.bool_]) -> Batch:
    """Return the chosen events of a batch."""
    flags = chosen.tolist()
    raw = {name: list(compress(values, flags)) for name, values in batch.raw.items()}
    return Batch(batch.places[chosen], batch.matrix[:, chosen], raw, batch.new)


def concatenate(batches: list[Batch]) -> Batch:
    """Put batches, at least one, behind one another."""
    if len(batches) == 1:
        return batches[0]
    return Batch(
        np.concatenate([batch.places for batch in batches]),
        np.concatenate([batch.matrix for batch in batches], axis=1),
        {name: [v for batch in batches for v in batch.raw[name]] for name in batches[0].raw},
        [each for batch in batches for each in batch.new],
    )


def merge(batch: Batch | None, rows: Sequence[tuple[int, Row]]) -> Batch:
    """Put events that were read exactly, each with its place, among those of a batch."""
    if batch is not None and not rows:
        return batch
    exact = Batch(
        np.array([place for place, _ in rows], np.int64),
        np.array([row.doubles for _, row in rows]).T,
        {
            "timestamp": [row.timestamp for _, row in rows],
            VERSION: [row.version for _, row in rows],
            EVENT_ID: [row.event_id for _, row in rows],
        },
        [(np.array([place]), name) for place, row in rows for name in row.new],
    )
    if batch is None:
        return exact
    places = np.concatenate([batch.places, exact.places])
    order = np.argsort(places)
    raw = {}
    for name in exact.raw.keys() & batch.raw.keys():
        joined = batch.raw[name] + exact.raw[name]
        raw[name] = [joined[i] for i in order.tolist()]
    matrix = np.concatenate([batch.matrix, exact.matrix], axis=1)
    return Batch(places[order], matrix[:, order], raw, [*batch.new, *exact.new])


def tag_codes(fields: EventFields, matrix: FloatArray, versions: CodeArray) -> TagCodes:
    """Return the codes of the tags' values."""
    schema = fields.schema
    read = dict(zip(schema.tags, matrix[len(schema.layout.features) :], strict=True))
    segments = {}
    for tag, values in schema.segments.items():
        found = versions.astype(np.float64) if tag == VERSION else read[tag]
        listed = (found >= 0) & (found < len(values))
        segments[tag] = np.where(listed, found, len(values)).astype(np.int32)
    releases = {
        tag: (np.where(np.isfinite(read[tag]), read[tag], -1).astype(np.int32), names.names)
        for tag, names in schema.releases.items()
    }
    return TagCodes(segments, releases)
