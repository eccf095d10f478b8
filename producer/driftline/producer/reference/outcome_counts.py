"""The outcome as the reference holds it: what is counted, and the counts of every stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.columns import FeatureColumn, encode
from driftline.detectors.counts import Columns
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import OutcomeRows, count_outcomes
from driftline.detectors.outcomes.counting import LARGEST
from driftline.detectors.outcomes.error_model import ErrorModel, fit_errors
from driftline.detectors.reference import Reference
from driftline.producer.reference.outcome import MeasuredOutcome


def outcome_content(
    reference: Reference,
    measured: MeasuredOutcome,
    features: Mapping[str, FeatureColumn],
    segments: Mapping[str, Sequence[str | None]],
) -> dict[str, Any] | None:
    """Make the `outcome` of a reference.

    Args:
        reference: built from the same events, its outcome not looked at.
        measured: how well the model did on them.
        features: the columns it was built from.
        segments: the tags it was built from.

    Returns:
        None if nothing was measured; else the summary and `layout`, `counts` (per stream of the
        reference its cells that are not empty, `{"cell": [...], "count": [...]}`) and
        `error_model`, which is null for a classifier.
    """
    layout, rows = measured.layout, measured.rows
    if measured.summary is None or layout is None or rows is None:
        return None
    counts = [
        count_outcomes(layout, OutcomeRows(rows.predicted[own], rows.score[own], rows.actual[own]))
        for own in _members(reference, segments)
    ]
    model = None
    if layout.grid is not None:
        model = _error_model(reference, layout.grid.scale, rows, features).to_json()
    return {
        **measured.summary,
        "layout": layout.to_json(),
        "counts": [_sparse(flat) for flat in counts],
        "error_model": model,
    }


def _members(
    reference: Reference, segments: Mapping[str, Sequence[str | None]]
) -> Iterator[NDArray[np.bool_] | slice]:
    """The events of each stream, in the order of `reference.streams`."""
    yield slice(None)
    for tag, listed in reference.segments.items():
        code: dict[str | None, int] = {value: i for i, value in enumerate(listed)}
        other = len(code)
        codes = np.fromiter((code.get(value, other) for value in segments[tag]), np.int64)
        for i in range(other + 1):
            yield codes == i


def _error_model(
    reference: Reference, scale: float, rows: OutcomeRows, features: Mapping[str, FeatureColumn]
) -> ErrorModel:
    pairs = np.flatnonzero(~np.isnan(rows.actual))
    columns = encode(reference.layout, features)
    largest = scale * 2.0**LARGEST  # a residual counts as no more than that
    return fit_errors(
        reference.layout,
        Columns(columns.numeric[pairs], columns.codes[pairs]),
        np.clip(rows.score[pairs] - rows.actual[pairs], -largest, largest),
    )


def _sparse(flat: IntArray) -> dict[str, list[int]]:
    cells = np.flatnonzero(flat)
    return {"cell": cells.tolist(), "count": flat[cells].tolist()}
