"""A regression's errors without ground truth: what errors the inputs let expect.

Direct loss estimation (DLE; NannyML's documentation, "Estimation of Performance of the Monitored
Model"): a second model h, fitted on the reference, estimates the size of the error of each
event. Here h is a constant and a weight per bin of every feature, the prediction among them. So its
mean over a window is a function of the counts that are there already, and is known without seeing
an event. It follows errors that depend on the inputs one by one, and is constant beyond the
outermost percent of the reference; as any estimate it is wrong once the same inputs have other
errors than before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import frexp, sqrt
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import (
    ABSENT,
    EXTRA_CELLS,
    INVALID,
    MISSING,
    CodeArray,
    Columns,
    Feature,
    Layout,
    count_columns,
)
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.error_sums import ErrorSums
from driftline.detectors.outcomes.figure import Figure, mean_figure
from driftline.detectors.outcomes.metrics import names_of
from driftline.detectors.reference import content_hash
from driftline.detectors.rounding import significant

SHARES = (0.01, 0.05, *np.arange(1, 10) / 10, 0.95, 0.99)
RIDGE = 1.0
DIGITS = 6  # of the weights: they are estimates, and files stay small

ErrorArray = NDArray[np.float32]

_EXACT_BITS = 53


@dataclass(frozen=True, eq=False)
class ErrorModel:
    """h for the absolute and for the squared error, in this order; all arrays begin with the two.

    Attributes:
        events: events of the reference it was fitted on.
        cells: flat index (of the reference's layout) of the first cell of each bin, shape (bins,).
        held: the events in each bin, shape (bins,).
        mean: the mean errors of these events, in the prediction's unit and its square, shape (2,).
        variance: of the errors about h, shape (2,).
        weights: what an event in a bin adds to the mean error, shape (2, bins); the mean over the
            reference's events is 0 for each feature.
    """

    events: int
    cells: IntArray
    held: IntArray
    mean: FloatArray
    variance: FloatArray
    weights: FloatArray

    @cached_property
    def id(self) -> str:
        """The hash of everything, 16 hexadecimal digits."""
        return content_hash(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the model as JSON-able values."""
        return {
            "events": self.events,
            "cells": self.cells.tolist(),
            "held": self.held.tolist(),
            "mean": self.mean.tolist(),
            "variance": self.variance.tolist(),
            "weights": self.weights.tolist(),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: fields are missing or wrong.
        """
        cells = np.array(document["cells"], np.int64)
        return cls(
            int(document["events"]),
            cells,
            np.array(document["held"], np.int64).reshape(cells.size),
            np.array(document["mean"], np.float64).reshape(2),
            np.array(document["variance"], np.float64).reshape(2),
            np.array(document["weights"], np.float64).reshape(2, cells.size),
        )


def fit_errors(layout: Layout, columns: Columns, residual: FloatArray) -> ErrorModel:
    """Fit the expected errors by ridge regression, once, when the reference is built.

    Each weight is held to 0 as if by one event more, so what a few events say moves little. All
    sums are exact, so the order of the events does not matter.

    Args:
        layout: the reference's.
        columns: its events with ground truth, shape (n, ...).
        residual: prediction - actual of each, finite, below 1e75 in size, shape (n,), n at least 1.

    Example:
        >>> layout = Layout.of([Feature("km", "numeric", np.arange(1.0, 101.0))])
        >>> km = np.tile(np.arange(1.0, 101.0), 20)
        >>> events = Columns(km[:, None], np.empty((2_000, 0), np.int32))
        >>> model = fit_errors(layout, events, np.where(km > 50.0, 3.0, -1.0))
        >>> from driftline.detectors import count_columns
        >>> far = Columns(np.full((500, 1), 80.0), np.empty((500, 0), np.int32))
        >>> estimate_errors(layout, model, count_columns(layout, far))["mae"].value
        2.995024
    """
    sums = ErrorSums()
    sums.add(residual)
    fit = ErrorFit(layout, count_columns(layout, columns), sums)
    fit.add(columns, residual)
    return fit.model()


class ErrorFit:
    """`fit_errors` in parts: of events that come some at a time, in any order.

    Args:
        layout: the reference's.
        counts: the flat counts of its events with ground truth, shape (layout.size,).
        sums: of prediction - actual of these events, as in `fit_errors`.

    Example:
        >>> layout = Layout.of([Feature("km", "numeric", np.arange(1.0, 101.0))])
        >>> km = np.tile(np.arange(1.0, 101.0), 20)
        >>> events = Columns(km[:, None], np.empty((2_000, 0), np.int32))
        >>> residual = np.where(km > 50.0, 3.0, -1.0)
        >>> sums = ErrorSums()
        >>> sums.add(residual)
        >>> fit = ErrorFit(layout, count_columns(layout, events), sums)
        >>> for half in (slice(1_000), slice(1_000, None)):
        ...     fit.add(Columns(events.numeric[half], events.codes[half]), residual[half])
        >>> whole = fit_errors(layout, events, residual)
        >>> fit.model().to_json() == whole.to_json()
        True
    """

    def __init__(self, layout: Layout, counts: IntArray, sums: ErrorSums) -> None:
        self._layout = layout
        blocks = [slice(*pair) for pair in pairwise(layout.starts.tolist())]
        self._starts = [
            _bin_starts(feature, counts[block])
            for feature, block in zip(layout.features, blocks, strict=True)
        ]
        self._first = np.cumsum([0, *(each.size for each in self._starts)])
        bins = int(self._first[-1])
        self._owner = np.repeat(np.arange(len(self._starts)), np.diff(self._first))
        self._held = np.zeros(bins, np.int64)
        self._together = np.zeros((bins, bins))
        self._sums = np.zeros((2, bins))  # of the two errors, in whole units
        n = self._events = sums.events
        self._units = [_unit(largest, n) for largest in (sums.largest, sums.largest * sums.largest)]
        square = sums.square.value()
        self._mean = np.array([sums.size.value(), square]) / n
        self._squares = np.array([square, sums.fourth.value()])

    def add(self, columns: Columns, residual: FloatArray) -> None:
        """Add some of the events.

        Args:
            columns: their features, shape (n, ...).
            residual: of each, shape (n,).
        """
        bins = np.empty((len(self._starts), residual.size), np.int32)
        for f, starts in enumerate(self._starts):
            own = cells_of(self._layout, columns, f)
            bins[f] = self._first[f] + np.searchsorted(starts, own, "right") - 1
        self._held += np.bincount(bins.ravel(), minlength=self._held.size)
        self._together += _pairs(bins, self._owner)
        size = np.abs(residual)
        for sums, target, unit in zip(self._sums, (size, size * size), self._units, strict=True):
            whole = np.rint(np.ldexp(target, -unit))
            for column in bins:
                sums += np.bincount(column, weights=whole, minlength=self._held.size)

    def merge(self, other: Self) -> None:
        """Add what another has of the same fit; its events are others."""
        self._held += other._held
        self._together += other._together
        self._sums += other._sums

    def model(self) -> ErrorModel:
        """Return what was fitted, once all events were added."""
        owner, held, mean, events = self._owner, self._held, self._mean, self._events
        firsts = zip(self._starts, self._layout.starts[:-1], strict=True)
        cells = np.concatenate([starts + at for starts, at in firsts])
        n = held.astype(np.float64)
        together = self._together - np.outer(n, n) / events
        deviation = np.ldexp(self._sums, np.array(self._units)[:, None]) - mean[:, None] * n
        inverse = np.linalg.inv(together + RIDGE * np.eye(cells.size))
        w = deviation @ inverse
        freedom = 1.0 + cells.size - RIDGE * float(np.trace(inverse))
        rest = self._squares - events * mean**2 - 2.0 * (w * deviation).sum(1)
        rest += ((w @ together) * w).sum(1)
        variance = np.maximum(rest, 0.0) / max(events - freedom, 1.0)
        centre = np.stack([np.bincount(owner, row * n, len(self._starts)) / events for row in w])
        unit = np.where(mean > 0.0, mean, 1.0)[:, None]  # far below it is only noise
        weights = np.where(held > 0, np.round((w - centre[:, owner]) / unit, DIGITS) * unit, 0.0)
        return ErrorModel(
            events,
            cells,
            held,
            significant(mean),
            significant(variance, DIGITS),
            significant(weights, DIGITS),
        )


def estimate_errors(layout: Layout, model: ErrorModel, counts: IntArray) -> dict[str, Figure]:
    """Estimate the mean absolute and the root mean square error of a window from its inputs.

    Args:
        layout: the reference's.
        model: fitted on it.
        counts: the window's flat counts of features, shape (layout.size,).

    Returns:
        `mae` and `rmse` in the prediction's unit, with the interval in which the realised value
        will lie in 95 % of windows, and the window's events; NaN without events. The interval
        holds the spread of the errors, taken as proportional to their size, and how well the
        weights are known, which matters far from the reference; features count as independent.
    """
    n = int(counts[: layout.starts[1]].sum()) if counts.size else 0
    if n == 0:
        return dict.fromkeys(names_of(["errors"], estimated=True), Figure.none())
    shares = np.add.reduceat(counts, model.cells) / n
    value = np.maximum(model.mean + model.weights @ shares, 0.0)
    scale = np.divide(value, model.mean, out=np.ones(2), where=model.mean > 0.0)
    moved = shares - model.held / model.events
    known = 1.0 / model.events + float(np.sum(moved**2 / (model.held + RIDGE)))
    error = scale * np.sqrt(model.variance * (1.0 / n + known))
    mae = mean_figure(float(value[0]), float(error[0]), n, least=0.0)
    mse = mean_figure(float(value[1]), float(error[1]), n, least=0.0)
    return {"mae": mae, "rmse": Figure.of(sqrt(mse.value), sqrt(mse.low), sqrt(mse.high), n)}


class EventErrors:
    """h of single events: what `estimate_errors` is the mean of, for the absolute error.

    Not cut at 0, as means are: so h of some events adds up to what it is of their counts.

    Args:
        layout: the reference's.
        model: fitted on it.
        unit: of the result, in the prediction's.

    Attributes:
        model_id: of the model.

    Example:
        >>> layout = Layout.of([Feature("km", "numeric", np.arange(1.0, 101.0))])
        >>> km = np.tile(np.arange(1.0, 101.0), 20)
        >>> events = Columns(km[:, None], np.empty((2_000, 0), np.int32))
        >>> model = fit_errors(layout, events, np.where(km > 50.0, 3.0, -1.0))
        >>> some = Columns(np.array([[80.0], [np.nan]]), np.empty((2, 0), np.int32))
        >>> [round(h, 2) for h in EventErrors(layout, model, 0.5).of(some).tolist()]
        [5.99, 4.0]
    """

    def __init__(self, layout: Layout, model: ErrorModel, unit: float) -> None:
        self.model_id = model.id
        self._numeric, self._mean, self._unit = layout.numeric, float(model.mean[0]), unit
        self._features: list[tuple[int, FloatArray, FloatArray]] = []
        ends = np.searchsorted(model.cells, layout.starts)
        for f, feature in enumerate(layout.features):
            own = slice(int(ends[f]), int(ends[f + 1]))
            weights = model.weights[0, own]
            if not weights.any():
                continue
            edges = np.zeros(0)
            if f < layout.numeric:
                # A bin begins in the gap behind the grid's value that ends the one before.
                begins = (model.cells[own] - layout.starts[f])[1:-EXTRA_CELLS]
                edges = feature.tie_ends[1][begins // 2 - 1]
            self._features.append((f, edges, weights))

    def of(self, columns: Columns) -> ErrorArray:
        """Return h of each event, in units, shape (n,), float32."""
        found = np.full(len(columns.numeric), self._mean)
        for f, edges, weights in self._features:
            if f >= self._numeric:
                found += weights[columns.codes[:, f - self._numeric]]
                continue
            column = columns.numeric[:, f]
            bins = np.searchsorted(edges, column)
            special = np.flatnonzero(~np.isfinite(column))
            if special.size:
                other = column[special]
                cell = np.where(np.isnan(other), MISSING, np.where(other > 0.0, ABSENT, INVALID))
                bins[special] = edges.size + 1 + cell
            found += weights[bins]
        with np.errstate(over="ignore"):
            return (found / self._unit).astype(np.float32)


def cells_of(layout: Layout, columns: Columns, f: int) -> IntArray:
    """Return the cell, in its block, at which the f-th feature of each event counts, shape (n,)."""
    if f >= layout.numeric:
        return columns.codes[:, f - layout.numeric].astype(np.int64)
    (lower, upper), column = layout.features[f].tie_ends, columns.numeric[:, f]
    below = np.searchsorted(upper, column).astype(np.int64)
    if upper.size:
        tied = (below < upper.size) & (lower[np.minimum(below, upper.size - 1)] <= column)
        below = 2 * below + tied
    for cell, which in (
        (MISSING, np.isnan(column)),
        (ABSENT, np.isposinf(column)),
        (INVALID, np.isneginf(column)),
    ):
        below[which] = layout.features[f].slots + cell
    return below


def _bin_starts(feature: Feature, counts: IntArray) -> IntArray:
    """First cell of each bin in a feature's block: quantile bins that end with a grid value.

    One bin each for a category, unseen, missing, absent and invalid.
    """
    extra = np.arange(feature.slots, feature.slots + EXTRA_CELLS, dtype=np.int64)
    if feature.type != "numeric":
        return np.concatenate([np.arange(feature.slots, dtype=np.int64), extra])
    cumulative = np.cumsum(counts[: feature.slots])[1::2]
    total = float(counts[: feature.slots].sum())
    ends = np.searchsorted(cumulative, np.array(SHARES) * total)
    ends = ends[ends < cumulative.size] if total else ends[:0]
    return np.unique(np.concatenate([[0], 2 * ends + 2, extra]))


def _pairs(bins: CodeArray, owner: IntArray) -> FloatArray:
    """How many events each two bins have in common, shape (bins, bins)."""
    together = np.zeros((owner.size, owner.size))
    ends = np.searchsorted(owner, np.arange(len(bins) + 1))
    blocks = [slice(*pair) for pair in pairwise(ends.tolist())]
    for f, rows in enumerate(blocks):
        for g, columns in enumerate(blocks[: f + 1]):
            width = columns.stop - columns.start
            joint = (bins[f].astype(np.int64) - rows.start) * width + (bins[g] - columns.start)
            counted = np.bincount(joint, minlength=(rows.stop - rows.start) * width)
            together[rows, columns] = counted.reshape(-1, width)
            together[columns, rows] = together[rows, columns].T
    return together


def _unit(largest: float, events: int) -> int:
    """Return a power of two, as its exponent: in whole such units sums of floats are exact."""
    return frexp(largest)[1] - (_EXACT_BITS - events.bit_length()) if largest > 0.0 else 0
