"""Small references and panes for the tests of sequential detection."""

from __future__ import annotations

import numpy as np

from driftline.detectors import Columns, FeatureColumn, Reference, build_reference
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.variation import Directions, reference_phi

EVENTS = 3_000


def columns(rng: np.random.Generator, events: int, shift: float = 0.0) -> dict[str, FeatureColumn]:
    """A number, a number of few values with gaps, classes and a boolean."""
    few = rng.integers(0, 4, events).astype(np.float64)
    few[rng.random(events) < 0.1] = np.nan
    plans = rng.choice(["a", "b", "c"], events, p=[0.6, 0.3, 0.1]).tolist()
    paid = np.where(rng.random(events) < 0.2 + shift, "true", "false").tolist()
    return {
        "age": FeatureColumn("numeric", rng.normal(shift, 1.0, events)),
        "few": FeatureColumn("numeric", few),
        "plan": FeatureColumn("categorical", plans),
        "paid": FeatureColumn("boolean", paid),
    }


def reference(events: int = EVENTS, seed: int = 3) -> Reference:
    """The reference of `columns`."""
    return build_reference("m", columns(np.random.default_rng(seed), events))


def numbers(values: FloatArray) -> tuple[Reference, PaneBins]:
    """A reference of numbers, shape (n, F), and its bins."""
    named = {f"f{i:03}": FeatureColumn("numeric", each) for i, each in enumerate(values.T)}
    built = build_reference("m", named)
    return built, PaneBins(built.layout, built.counts[0])


def panes_of(built: Reference, bins: PaneBins, values: FloatArray, events: int) -> IntArray:
    """Count panes of so many events: per bin, and 0 for events without a value."""
    panes, size = values.shape[0] // events, bins.owner.size
    empty = np.zeros((values.shape[0], 0), np.int32)
    found = bins.of_events(built.layout, Columns(values, empty)).reshape(panes, -1)
    rows = [np.bincount(each, minlength=size + bins.features) for each in found]
    return np.array(rows, np.int64)


def phi_of(values: FloatArray, events: int) -> FloatArray:
    """phi of each direction and feature by panes of the reference itself, not joined."""
    built, bins = numbers(values)
    panes = panes_of(built, bins, values, events)
    directions = Directions.of(bins, bins.features)
    phi, _ = reference_phi(bins, directions, panes, np.arange(panes.shape[0]))
    one: FloatArray = phi[0]
    return one
