"""Small references and panes for the tests of sequential detection."""

from __future__ import annotations

import numpy as np

from driftline.detectors import Columns, FeatureColumn, Reference, build_reference
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import CYCLES, HOUR, FeatureSeason
from driftline.detectors.sequential.cell_shares import CellShares
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


def cycling(
    rng: np.random.Generator, starts: IntArray, events: int, features: int, amount: float
) -> FloatArray:
    """Values of panes whose mean follows the hour of the day, shape (panes * events, features)."""
    mean = amount * np.sin(2.0 * np.pi * (starts // HOUR) / 24.0)
    values: FloatArray = rng.normal(size=(starts.size * events, features))
    values += np.repeat(mean, events)[:, None]
    return values


class Seasonal:
    """Seasons of one cycle for all features, from panes of the reference.

    Args:
        bins: of the features; `panes`: as `panes_of` counts them.
        starts: of the panes, ms, in local time.
        cycle: that all follow; `kappa`: as how many events the other cells count.
    """

    def __init__(
        self, bins: PaneBins, panes: IntArray, starts: IntArray, cycle: str, kappa: float
    ) -> None:
        cells = CYCLES[cycle].cell_of(starts)
        counts = np.zeros((CYCLES[cycle].cells, panes.shape[1]), np.int64)
        np.add.at(counts, cells, panes)
        size = bins.owner.size
        parts = np.split(counts[:, :size], bins.first[1:-1], axis=1)
        self.features = {
            int(f): FeatureSeason(
                cycle, kappa, np.concatenate([own, counts[:, size + i, None]], axis=1)
            )
            for i, (f, own) in enumerate(zip(bins.places, parts, strict=True))
        }
        self.shares = CellShares.of(bins, [*self.features.values()])
