"""Columns to the doubles of `values`: what a feature or a tag reads of many rows at once.

Numbers are taken over as they are; of every other column each distinct value is read once, as
`Kind.read` reads it. Numbers that are not finite are the texts that `Mapping.to_event` makes them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import Columns, Layout
from driftline.producer.records.event_fields import split_outcome
from driftline.producer.records.mapping import finite_or_text
from driftline.producer.records.table import ABSENT as NO_KEY
from driftline.producer.records.table import (
    Coded,
    Column,
    Numbers,
    Struct,
    Times,
    Vectors,
    coded,
)
from driftline.producer.records.values import ABSENT, INVALID, MISSING, Kind, Read

Doubles = NDArray[np.float64]

_SPARE = 1_024  # room for integers that are looked up by their distance from the smallest


def doubles(column: Column, kind: Kind) -> Doubles:
    """Return the values of a column as doubles of a kind, shape (n,); perhaps its own, not a copy.

    >>> from driftline.producer.records.values import NUMERIC
    >>> doubles(Numbers(np.array([1.5, np.inf]), np.array([False, False])), NUMERIC).tolist()
    [1.5, -inf]
    """
    if kind.of == "numeric" and isinstance(column, Numbers):
        values = column.data.astype(np.float64, copy=False)
        usable = np.isfinite(values)
        if column.null is None and usable.all():
            return values
        values = column.data.astype(np.float64)
        if not usable.all():
            values[~usable] = _read_some(values[~usable], kind.read)
        if column.null is not None:
            values[column.null] = MISSING
        return values
    if kind.of == "numeric" and isinstance(column, Times | Struct | Vectors):
        values = np.full(len(column), INVALID)
        if column.null is not None:
            values[column.null] = MISSING
        return values
    found = as_coded(column)
    return np.array([_read(value, kind) for value in found.distinct], np.float64)[found.codes]


def outcome_doubles(column: Column, name: str, kind: Kind, numbers: bool = False) -> Doubles:
    """Return a part of the predictions, or actuals, in a column, each bare or an object.

    Args:
        column: of any form but `Struct`.
        name: `score` or `label`.
        kind: how the part is read.
        numbers: whether a bare text that is a number is the score.

    >>> from driftline.producer.records.values import NUMERIC
    >>> column = Coded(np.array([0, 1, 2]), [0.5, "fraud", {"score": 1}])
    >>> outcome_doubles(column, "score", NUMERIC).tolist()
    [0.5, inf, 1.0]
    """
    if isinstance(column, Numbers):
        usable = np.isfinite(column.data)
        if column.null is not None:
            usable &= ~column.null
        if name == "score" and kind.of == "numeric" and (not numbers or usable.all()):
            return np.where(usable, column.data.astype(np.float64), ABSENT)
        if name != "score" and usable.all():
            return np.full(len(column), ABSENT)
    found = as_coded(column)
    parts = [
        split_outcome(None if value is NO_KEY else finite_or_text(value), numbers)
        for value in found.distinct
    ]
    read = [_read(part[name], kind) if name in part else ABSENT for part in parts]
    return np.array(read, np.float64)[found.codes]


def feature_columns(layout: Layout, matrix: Doubles) -> Columns:
    """Return the features of a matrix of doubles, shape (scalars, n), as columns."""
    coded = matrix[layout.numeric : len(layout.features)]
    if not np.isfinite(coded).all():
        categories = [len(feature.categories) for feature in layout.features[layout.numeric :]]
        unseen = np.array(categories, dtype=np.float64)[:, np.newaxis]
        coded = np.where(np.isnan(coded), unseen + 1, coded)
        coded = np.where(coded == ABSENT, unseen + 2, coded)
        coded = np.where(coded == INVALID, unseen + 3, coded)
    return Columns(matrix[: layout.numeric].T, coded.astype(np.int32).T)


def as_coded(column: Column) -> Coded:
    """Return a column as its distinct values and their places; null is one of them.

    >>> as_coded(Numbers(np.array([3, 1, 3]))).distinct
    [1, 3]
    """
    if isinstance(column, Coded):
        return column
    if isinstance(column, Numbers):
        places, distinct = _distinct(column.data)
        return _with_null(places, distinct.tolist(), column.null)
    if isinstance(column, Times):
        ms = column.ms if column.null is None else np.where(column.null, 0, column.ms)
        places, distinct = _distinct(ms)
        return _with_null(places, column.texts(distinct), column.null)
    return coded(column.values())


def held(column: Column) -> NDArray[np.bool_]:
    """Return the rows that have a value, neither null nor absent, shape (n,).

    >>> held(Coded(np.array([0, 1, 2]), ["a", None, NO_KEY])).tolist()
    [True, False, False]
    """
    if isinstance(column, Coded):
        return np.array([v is not None and v is not NO_KEY for v in column.distinct], bool)[
            column.codes
        ]
    null = column.null if isinstance(column, Numbers | Times | Vectors | Struct) else None
    return np.ones(len(column), bool) if null is None else ~null


def null_where(column: Column, gone: NDArray[np.bool_]) -> Column:
    """Return a column whose values are null in some rows.

    >>> null_where(Numbers(np.array([1, 2])), np.array([True, False])).values()
    [None, 2]
    """
    if isinstance(column, Coded):
        codes = np.where(gone, len(column.distinct), column.codes)
        return Coded(codes, [*column.distinct, None])
    if isinstance(column, Numbers | Times | Vectors | Struct):
        return replace(column, null=gone if column.null is None else gone | column.null)
    return column


def _distinct(data: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.generic]]:
    """Return the place of each value among the distinct ones, and those, ascending."""
    if data.dtype.kind in "iu" and data.size:
        least, largest = int(data.min()), int(data.max())
        if largest - least < len(data) + _SPARE and largest < 2**62:
            distance = data.astype(np.int64) - least
            known = np.zeros(largest - least + 1, bool)
            known[distance] = True
            values = np.flatnonzero(known) + least
            return (np.cumsum(known) - 1)[distance], values.astype(data.dtype)
    values, places = np.unique(data, return_inverse=True)
    return places, values


def _with_null(
    places: NDArray[np.int64], distinct: list[object], null: NDArray[np.bool_] | None
) -> Coded:
    if null is None:
        return Coded(places, distinct)
    return Coded(np.where(null, len(distinct), places), [*distinct, None])


def _read_some(numbers: Doubles, read: Read) -> Doubles:
    """Return what numbers that are not finite are read as: the texts that they become."""
    distinct, places = np.unique(numbers, return_inverse=True)
    return np.array([read(finite_or_text(value)) for value in distinct.tolist()])[places]


def _read(value: object, kind: Kind) -> float:
    return ABSENT if value is NO_KEY else kind.read(finite_or_text(value))
