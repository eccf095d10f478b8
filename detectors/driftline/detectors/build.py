"""Build a reference from columns of prepared values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.columns import FeatureColumn, encode, texts
from driftline.detectors.counts import (
    Columns,
    Feature,
    Layout,
    count_columns,
    with_ks_error,
    with_ties,
)
from driftline.detectors.grid import (
    SMALLEST_LIMIT,
    FloatArray,
    choose_grid,
    merge_equal,
)
from driftline.detectors.listing import Listing, count_listed, most_frequent
from driftline.detectors.reference import OTHER, Reference, ReferenceCounts
from driftline.detectors.registry import BOOLEANS
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

MOST_SEGMENT_VALUES = 20
DEFAULT_GRID = 1024


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
    check_grid(grid)
    if not features:
        raise ReferenceError("there is no feature to build a reference from: check the mapping")
    events = len(next(iter(features.values())).values)
    if events == 0:
        raise ReferenceError("there are no events to build a reference from: check the input")

    listings: dict[str, Listing] = {}
    layout = Layout.of(_feature(name, column, grid, listings) for name, column in features.items())
    columns = encode(layout, features)
    members: list[NDArray[np.intp] | slice] = [slice(None)]
    listed = {}
    for tag, values in sorted((segments or {}).items()):
        listed[tag] = segment_values(Counter(values))
        code: dict[str | None, int] = {value: i for i, value in enumerate(listed[tag])}
        codes = np.fromiter((code.get(value, len(code)) for value in values), np.int64, events)
        members += [np.flatnonzero(codes == i) for i in range(len(code) + 1)]
    counts = np.array(
        [
            count_columns(layout, Columns(columns.numeric[rows], columns.codes[rows]))
            for rows in members
        ]
    )
    counts = count_listed(layout, listings, counts)
    return Reference(
        model=model,
        layout=with_ks_error(with_ties(layout, counts[0]), counts[0]),
        counted=ReferenceCounts(
            stream_names(listed),
            counts,
            np.array([columns.numeric[rows].shape[0] for rows in members], np.int64),
        ),
        segments=listed,
        positive_label=positive_label,
        outcome=outcome,
    )


def check_grid(grid: int | None) -> None:
    """Refuse a number of grid values that is too small; None is every distinct value.

    Raises:
        ReferenceError: it is.
    """
    if grid is not None and grid < SMALLEST_LIMIT:
        raise ReferenceError(
            f"a grid of {grid} values is too small: use at least {SMALLEST_LIMIT}, or exact"
        )


def stream_names(segments: Mapping[str, Sequence[str]]) -> tuple[str | None, ...]:
    """Return the streams of a reference with these segments; see `Reference.streams`.

    >>> stream_names({"channel": ("web",)})
    (None, 'channel=web', 'channel=__other__')
    """
    named = [f"{tag}={value}" for tag in segments for value in (*segments[tag], OTHER)]
    return (None, *named)


def numeric_feature(name: str, grid: FloatArray) -> Feature:
    """Return a feature that is counted against a grid of ascending distinct values."""
    values, ties = merge_equal(grid)
    return Feature(name, "numeric", values, ties=ties)


def segment_values(counted: Mapping[str | None, int]) -> tuple[str, ...]:
    """Return the values of a tag that are listed: the 20 most frequent, most frequent first.

    >>> segment_values({"app": 1, "web": 2, "__other__": 3, None: 4})
    ('web', 'app')
    """
    named = {
        value: count for value, count in counted.items() if value is not None and value != OTHER
    }
    return most_frequent(named, MOST_SEGMENT_VALUES)


def _feature(
    name: str, column: FeatureColumn, grid: int | None, listings: dict[str, Listing]
) -> Feature:
    if column.type == "numeric":
        values = np.asarray(column.values, np.float64) + 0.0  # -0.0 and 0.0 are one value
        return numeric_feature(name, choose_grid(np.sort(values[np.isfinite(values)]), grid))
    if column.type == "boolean":
        return Feature(name, "boolean", np.empty(0), BOOLEANS)
    unusable = np.zeros(len(column.values), np.bool_)
    for mask in (column.absent, column.invalid):
        if mask is not None:
            unusable |= mask
    usable = [text for text, bad in zip(texts(column), unusable, strict=True) if not bad]
    listings[name] = Listing.of(name, Counter(usable))
    return Feature(name, "categorical", np.empty(0), listings[name].categories)
