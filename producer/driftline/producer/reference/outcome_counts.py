"""The outcome as the reference holds it: what is counted, and the counts of every stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.error_model import ErrorModel
from driftline.producer.reference.outcome import MeasuredOutcome


def outcome_content(
    measured: MeasuredOutcome, counts: Sequence[IntArray] | None, model: ErrorModel | None
) -> dict[str, Any] | None:
    """Make the `outcome` of a reference.

    Args:
        measured: how well the model did on its events.
        counts: what is counted of that, per stream of the reference.
        model: of a regression's errors; None for a classifier.

    Returns:
        None if nothing was measured; else the summary and `layout`, `counts` (per stream of the
        reference its cells that are not empty, `{"cell": [...], "count": [...]}`) and
        `error_model`, which is null for a classifier.
    """
    if measured.summary is None or measured.layout is None or counts is None:
        return None
    return {
        **measured.summary,
        "layout": measured.layout.to_json(),
        "counts": [_sparse(flat) for flat in counts],
        "error_model": None if model is None else model.to_json(),
    }


def _sparse(flat: IntArray) -> dict[str, list[int]]:
    cells = np.flatnonzero(flat)
    return {"cell": cells.tolist(), "count": flat[cells].tolist()}
