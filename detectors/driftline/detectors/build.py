"""Build a reference from columns of prepared values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.columns import FeatureColumn, encode, texts
from driftline.detectors.counts import Columns, Feature, Layout, count_columns
from driftline.detectors.grid import SMALLEST_LIMIT, IntArray, choose_grid
from driftline.detectors.reference import OTHER, Reference
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

MOST_CATEGORIES = 200
MOST_SEGMENT_VALUES = 20
DEFAULT_GRID = 1024
BOOLEANS = ("false", "true")


def build_reference(
    model: str,
    features: Mapping[str, FeatureColumn],
    segments: Mapping[str, Sequence[str | None]] | None = None,
    grid: int | None = DEFAULT_GRID,
    positive_label: str | None = None,
    outcome: dict[str, Any] | None = None,
) -> Reference:
    """Freeze columns into a reference. The order of the events does not matter.

    Args:
        model: the model's name.
        features: at least one feature; every column has one entry per event.
        segments: tag to its value per event; None (no such tag) counts as `__other__`, and so does
            a value of that name. The 20 most frequent values of each tag are listed, ties by name.
        grid: most grid values of a numeric feature, at least 11; None keeps every distinct value.
        positive_label: the class that `prediction.score` speaks of.
        outcome: how well the model did, as JSON-able counts.

    Returns:
        The reference, with its id.

    Raises:
        ReferenceError: there are no events or features, or `grid` is too small.

    Example:
        >>> ages = FeatureColumn("numeric", np.array([20.0, 30.0, 30.0, np.nan]))
        >>> plans = FeatureColumn("categorical", ["free", "paid", "free", None])
        >>> reference = build_reference("churn", {"plan": plans, "age": ages})
        >>> reference.counts.tolist()
        [[0, 1, 0, 2, 0, 1, 0, 0, 2, 1, 0, 1, 0, 0]]
        >>> Reference.from_json(reference.to_json()).id == reference.id
        True
    """
    if grid is not None and grid < SMALLEST_LIMIT:
        raise ReferenceError(
            f"a grid of {grid} values is too small: use at least {SMALLEST_LIMIT}, or exact"
        )
    if not features:
        raise ReferenceError("there is no feature to build a reference from: check the mapping")
    events = len(next(iter(features.values())).values)
    if events == 0:
        raise ReferenceError("there are no events to build a reference from: check the input")

    layout = Layout.of(_feature(name, column, grid) for name, column in features.items())
    columns = encode(layout, features)
    streams: list[str | None] = [None]
    members: list[NDArray[np.intp] | slice] = [slice(None)]
    listed = {}
    for tag, values in sorted((segments or {}).items()):
        named = [None if value == OTHER else value for value in values]
        listed[tag] = _most_frequent(named, MOST_SEGMENT_VALUES)
        code: dict[str | None, int] = {value: i for i, value in enumerate(listed[tag])}
        codes = np.fromiter((code.get(value, len(code)) for value in values), np.int64, events)
        streams += [f"{tag}={value}" for value in (*listed[tag], OTHER)]
        members += [np.flatnonzero(codes == i) for i in range(len(code) + 1)]
    counts = np.array(
        [
            count_columns(layout, Columns(columns.numeric[rows], columns.codes[rows]))
            for rows in members
        ]
    )
    return Reference(
        model=model,
        layout=_with_ks_error(layout, counts[0]),
        streams=tuple(streams),
        counts=counts,
        stream_events=np.array([columns.numeric[rows].shape[0] for rows in members], np.int64),
        segments=listed,
        positive_label=positive_label,
        outcome=outcome,
    )


def _feature(name: str, column: FeatureColumn, grid: int | None) -> Feature:
    if column.type == "numeric":
        values = np.asarray(column.values, np.float64) + 0.0  # -0.0 and 0.0 are one value
        return Feature(name, "numeric", choose_grid(np.sort(values[np.isfinite(values)]), grid))
    if column.type == "boolean":
        return Feature(name, "boolean", np.empty(0), BOOLEANS)
    unusable = np.zeros(len(column.values), np.bool_)
    for mask in (column.absent, column.invalid):
        if mask is not None:
            unusable |= mask
    usable = [text for text, bad in zip(texts(column), unusable, strict=True) if not bad]
    categories = sorted(_most_frequent(usable, MOST_CATEGORIES))
    return Feature(name, "categorical", np.empty(0), tuple(categories))


def _most_frequent(values: Sequence[str | None], most: int) -> tuple[str, ...]:
    """The `most` frequent values that are not None, most frequent first, ties by name."""
    counted = Counter(values)
    counted.pop(None, None)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0] or ""))
    return tuple(value for value, _ in ranked[:most] if value is not None)


def _with_ks_error(layout: Layout, counts: IntArray) -> Layout:
    """State how much of the whole model's reference lies inside one open gap, at most."""

    def measured(f: int, feature: Feature) -> Feature:
        slots = layout.slots(counts, f)
        if feature.type != "numeric" or slots.sum() == 0:
            return feature
        return replace(feature, ks_error=float(slots[::2].max() / slots.sum()))

    return Layout(tuple(measured(f, feature) for f, feature in enumerate(layout.features)))
