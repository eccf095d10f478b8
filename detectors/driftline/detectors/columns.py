"""Columns of values as a user or a file has them, and how they become a batch to count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import (
    ABSENT,
    INVALID,
    MISSING,
    Columns,
    Feature,
    Layout,
)
from driftline.detectors.grid import FloatArray
from driftline.detectors.registry import FeatureType


@dataclass(frozen=True, eq=False)
class FeatureColumn:
    """One feature over all n events of the reference, in the same order for every feature.

    Attributes:
        type: numeric, categorical or boolean.
        values: numeric: float64, shape (n,), with NaN for missing, +inf for absent, -inf for
            invalid. Else n texts, None for missing; a boolean's texts are "false" and "true".
        absent: not numeric: True where the event has no such key, shape (n,); None if nowhere.
        invalid: not numeric: True where the value is of a wrong type, shape (n,); None if nowhere.
    """

    type: FeatureType
    values: FloatArray | Sequence[str | None]
    absent: NDArray[np.bool_] | None = None
    invalid: NDArray[np.bool_] | None = None


def encode(layout: Layout, features: Mapping[str, FeatureColumn]) -> Columns:
    """Turn columns into the batch that `count_columns` takes.

    Args:
        layout: what is counted; columns it does not name are left out, features without a column
            are absent in every event.
        features: columns of one length, at least one.

    Returns:
        The batch, in layout order.

    Raises:
        ValueError: a column's type is not the layout's.

    Example:
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("free", "paid"))])
        >>> encode(layout, {"plan": FeatureColumn("categorical", ["paid", None, "gold"])}).codes.T
        array([[1, 3, 2]], dtype=int32)
    """
    events = len(next(iter(features.values())).values)
    batch = Columns(
        numeric=np.full((events, layout.numeric), np.inf),
        codes=np.empty((events, len(layout.features) - layout.numeric), np.int32),
    )
    for f, feature in enumerate(layout.features):
        column = features.get(feature.name)
        if column is not None and column.type != feature.type:
            raise ValueError(
                f"{feature.name} is {column.type}, but {feature.type} in the reference"
            )
        if f >= layout.numeric:
            batch.codes[:, f - layout.numeric] = _codes(feature, column)
        elif column is not None:
            batch.numeric[:, f] = column.values
    return batch


def texts(column: FeatureColumn) -> Sequence[str | None]:
    """The values of a column that is not numeric."""
    return cast("Sequence[str | None]", column.values)


def _codes(feature: Feature, column: FeatureColumn | None) -> NDArray[np.int32] | int:
    unseen = len(feature.categories)
    if column is None:
        return unseen + 1 + ABSENT
    code: dict[str | None, int] = {name: i for i, name in enumerate(feature.categories)}
    code[None] = unseen + 1 + MISSING
    codes = np.fromiter((code.get(text, unseen) for text in texts(column)), np.int32)
    for cell, mask in ((ABSENT, column.absent), (INVALID, column.invalid)):
        if mask is not None:
            codes[mask] = unseen + 1 + cell
    return codes
