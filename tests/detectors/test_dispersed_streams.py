"""The promise of a budget on streams whose values resemble those near in time.

Seeded; the limits are those of 50 features in windows of an hour and a budget of 1 in 30 days. At
36,000 tests in 30 days one alarm of the 1,200 that are made here would be 30 of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
from scipy.signal import lfilter

from driftline.detectors import Baseline, Feature, Layout, choose_grid, compare, level
from driftline.detectors.dispersion import OTHER
from driftline.detectors.grid import FloatArray, IntArray, count_sorted
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.variation import Directions, reference_phi

FEATURES, PANE, PANES, EVENTS, WINDOWS = 20, 100, 100, 1_000, 60
HOUR = 3_600_000
ALPHA = level(1, 720 * HOUR, 100, HOUR)
MIN_EFFECT = 0.02

Draw = Callable[[np.random.Generator, int], FloatArray]


def neighbours(correlation: float) -> Draw:
    """Values of all features in the order of time, each of which correlates with the one before."""

    def draw(rng: np.random.Generator, events: int) -> FloatArray:
        noise = rng.standard_normal((FEATURES, events + 200)) * np.sqrt(1 - correlation**2)
        values: FloatArray = lfilter([1], [1, -correlation], noise, axis=1)[:, 200:]
        return values

    return draw


def pane_effects(size: float) -> Draw:
    """Values that share what is special about their pane."""

    def draw(rng: np.random.Generator, events: int) -> FloatArray:
        own = np.repeat(rng.standard_normal((FEATURES, events // PANE)), PANE, axis=1)
        return rng.standard_normal((FEATURES, events)) + size * own

    return draw


class Normal(NamedTuple):
    """A reference, and the phi of its panes."""

    features: list[Feature]
    baseline: Baseline
    phi: FloatArray


def counts(features: list[Feature], values: FloatArray) -> IntArray:
    none = np.zeros(3, np.int64)
    parts = [
        (count_sorted(feature.grid, feature.grid, np.sort(own)), none)
        for feature, own in zip(features, values, strict=True)
    ]
    return np.concatenate([part for pair in parts for part in pair])


def normal(draw: Draw, rng: np.random.Generator) -> Normal:
    values = draw(rng, PANES * PANE)
    features = [
        Feature(f"f{f:02}", "numeric", choose_grid(np.sort(own), 256))
        for f, own in enumerate(values)
    ]
    layout, flat = Layout.of(features), counts(features, values)
    bins = PaneBins(layout, flat)
    panes = [counts(features, own) for own in np.split(values, PANES, axis=1)]
    counted = np.stack([np.concatenate([bins.count(p), bins.count_none(p)]) for p in panes])
    directions = Directions.of(bins, FEATURES)
    phi, _ = reference_phi(bins, directions, counted.astype(np.int64), np.arange(PANES))
    return Normal(features, Baseline(layout, flat), phi[0])


def alarms(known: Normal, windows: list[FloatArray], phi: FloatArray | None) -> int:
    found = 0
    for values in windows:
        result = compare(known.baseline, counts(known.features, values), ALPHA, phi=phi)
        p_value = result.detectors["ks"].p_value
        found += int(((p_value <= ALPHA) & (result.effect >= MIN_EFFECT)).sum())
    return found


@pytest.mark.parametrize(
    ("draw", "least", "phi"),
    [(neighbours(0.5), 1, 2.5), (neighbours(0.8), 40, 6.0), (pane_effects(0.1), 0, 1.5)],
    ids=["AR .5", "AR .8", "pane effects .1"],
)
def test_tempered_windows_keep_the_budget(draw: Draw, least: int, phi: float) -> None:
    rng = np.random.default_rng(41)
    known = normal(draw, rng)
    windows = np.split(draw(rng, WINDOWS * EVENTS), WINDOWS, axis=1)
    assert np.median(known.phi[OTHER]) > phi
    assert alarms(known, windows, None) >= least
    assert alarms(known, windows, known.phi) == 0


def test_independent_events_lose_hardly_any_power() -> None:
    rng, draw = np.random.default_rng(43), neighbours(0.0)
    known = normal(draw, rng)
    assert np.median(known.phi[OTHER]) < 1.4
    quiet = np.split(draw(rng, 30 * EVENTS), 30, axis=1)
    assert alarms(known, quiet, known.phi) == 0
    for moved, least in ((0.25, 0.75), (0.3, 0.97)):
        windows = [values + moved for values in quiet]
        plain, tempered = (alarms(known, windows, phi) for phi in (None, known.phi))
        assert tempered >= least * plain > 0
