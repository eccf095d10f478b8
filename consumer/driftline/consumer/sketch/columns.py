"""Rows of doubles to the columns that are counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.fields import VERSION, EventFields
from driftline.consumer.sketch.scalars import ABSENT, INVALID
from driftline.detectors.counts import Columns, Layout
from driftline.detectors.grid import FloatArray

CodeArray = NDArray[np.int32]


def feature_columns(layout: Layout, matrix: FloatArray) -> Columns:
    """Return the features of a matrix of doubles, shape (scalars, n), as columns."""
    coded = matrix[layout.numeric : len(layout.features)]
    if not np.isfinite(coded).all():
        categories = [len(feature.categories) for feature in layout.features[layout.numeric :]]
        unseen = np.array(categories, dtype=np.float64)[:, np.newaxis]
        coded = np.where(np.isnan(coded), unseen + 1, coded)
        coded = np.where(coded == ABSENT, unseen + 2, coded)
        coded = np.where(coded == INVALID, unseen + 3, coded)
    return Columns(matrix[: layout.numeric].T, coded.astype(np.int32).T)


def segment_codes(
    fields: EventFields, matrix: FloatArray, versions: CodeArray
) -> dict[str, CodeArray]:
    """Return each tag's codes, int32 (n,): the value's place, or their number for any other."""
    tags = iter(matrix[len(fields.schema.layout.features) :])
    codes = {}
    for tag, values in fields.schema.segments.items():
        found = versions.astype(np.float64) if tag == VERSION else next(tags)
        listed = (found >= 0) & (found < len(values))
        codes[tag] = np.where(listed, found, len(values)).astype(np.int32)
    return codes
