"""phi of independent events, of those like their neighbours, and of panes with effects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter
from tests.detectors.sequential.simulated import numbers, panes_of, phi_of

from driftline.detectors.dispersion import (
    DIRECTIONS,
    JOINS,
    LOCATION,
    OTHER,
    SCALE,
    TAIL,
    UNKNOWN,
    Dispersion,
)
from driftline.detectors.grid import FloatArray
from driftline.detectors.sequential.variation import (
    LAGS,
    Directions,
    PaneVariation,
    deviations,
    reference_phi,
)


def slow_phi(y: FloatArray, chi_square: FloatArray) -> tuple[list[float], float]:
    """Return phi of each direction, and of any other, by the formulas one by one."""
    panes = y.shape[0]
    found = []
    for each in y.T:
        own = sum(value * value for value in each) / (panes - 1)
        run = own
        for lag in range(1, LAGS + 1):
            product = sum(each[r] * each[r - lag] for r in range(lag, panes)) / panes
            run += 2 * (1 - lag / (LAGS + 1)) * product
        most = max(own, run)
        errors = 1 if panes >= 100 and most < 5 else 2
        found.append(max(1.0, most * (1 + errors * (2 / panes) ** 0.5)))
    return found, max(*found[: TAIL + 1], chi_square.sum() / (panes - 1))


@given(st.integers(0, 2**32), st.integers(30, 130), st.floats(0.2, 3.0))
def test_phi_is_what_its_formula_says(seed: int, panes: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    y = spread * rng.normal(size=(panes, OTHER))
    other = rng.chisquare(15, panes) / 15 * spread
    variation = PaneVariation(1)
    cut = panes // 3
    for rows in (slice(0, cut), slice(cut, cut + 1), slice(cut + 1, panes)):
        variation.add(y[rows, :, None], other[rows, None], np.full((y[rows].shape[0], 1), 9.0))
    found, most = slow_phi(y, other)
    assert variation.phi()[:, 0] == pytest.approx([*found, most])


def test_phi_is_not_known_of_fewer_than_thirty_panes() -> None:
    variation = PaneVariation(1)
    variation.add(np.full((29, OTHER, 1), 5.0), np.full((29, 1), 5.0), np.ones((29, 1)))
    assert variation.phi().tolist() == [[1.0]] * len(DIRECTIONS)


def test_panes_without_events_are_not_counted() -> None:
    variation = PaneVariation(2)
    n = np.array([[10.0, 10.0], [0.0, 10.0]])
    variation.add(np.ones((2, OTHER, 2)) * (n > 0)[:, None], np.ones((2, 2)), n)
    assert (variation.panes.tolist(), variation.events.tolist()) == ([1, 2], [10, 20])


def test_a_pause_parts_neighbours() -> None:
    together, apart = PaneVariation(1), PaneVariation(1)
    y, one = np.full((5, OTHER, 1), 2.0), np.ones((5, 1))
    for variation in (together, apart):
        variation.add(y, one, one)
        if variation is apart:
            variation.pause()
        variation.add(y, one, one)
    assert (together.products[0, 0, 0], apart.products[0, 0, 0]) == (9 * 4, 8 * 4)


def test_what_panes_vary_at_least_is_seen_from_step_to_step() -> None:
    rng = np.random.default_rng(2)
    y, one = 3.0 * rng.normal(size=(400, OTHER, 1)), np.ones((400, 1))
    steady, changed, few = PaneVariation(1), PaneVariation(1), PaneVariation(1)
    steady.add(y, one, one)
    assert 6.0 < steady.least_phi().min() < steady.phi().min()
    changed.add(y / 3.0 + np.where(np.arange(400) < 200, 0.0, 5.0)[:, None, None], one, one)
    assert changed.least_phi().max() < 1.1 < 5.0 < changed.phi().min()
    few.add(y[:99], one[:99], one[:99])
    assert few.least_phi().max() == 1.0


def test_independent_events_have_a_phi_near_one() -> None:
    phi = phi_of(np.random.default_rng(1).normal(size=(20_000, 20)), 100)
    assert phi[:3].max() < 1.7
    assert phi[:3].mean() == pytest.approx(1.12, abs=0.05)  # one standard error is .1


@pytest.mark.parametrize("correlation", [0.2, 0.5])
def test_neighbours_that_resemble_each_other_have_the_long_run_variance(
    correlation: float,
) -> None:
    noise = np.random.default_rng(2).normal(size=(40_000, 12))
    values = lfilter([1.0], [1.0, -correlation], noise, axis=0)
    phi = phi_of(values, 100).mean(axis=1)
    theory = (1 + correlation) / (1 - correlation)
    assert phi[LOCATION] / (1 + np.sqrt(2 / 400)) == pytest.approx(theory, rel=0.1)
    # The squares of a Gaussian process correlate by the square.
    squares = (1 + correlation**2) / (1 - correlation**2)
    assert phi[SCALE] / (1 + np.sqrt(2 / 400)) == pytest.approx(squares, rel=0.1)
    assert phi[OTHER] == pytest.approx(phi[LOCATION], rel=0.05)


def test_what_the_events_of_a_pane_share_grows_with_their_number() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(40_000, 10)) + np.repeat(0.2 * rng.normal(size=(400, 10)), 100, 0)
    built, bins = numbers(values)
    panes = panes_of(built, bins, values, 100)
    phi, events = reference_phi(bins, Directions.of(bins, 10), panes, np.arange(400))
    location = phi[:, LOCATION].mean(axis=1)
    assert location[0] / (1 + np.sqrt(2 / 400)) == pytest.approx(1 + 100 * 0.04, rel=0.12)
    assert np.diff(location[:2]) < 1.0  # independent panes: two joined vary no more than one
    dispersion = Dispersion(60_000, 400, events, phi)
    half = dispersion.of(np.arange(10), np.full(10, 50.0), 0)
    assert half == pytest.approx(1 + (phi[0] - 1) / 2)


def test_as_many_panes_are_joined_as_leave_thirty() -> None:
    values = np.random.default_rng(3).normal(size=(6_100, 1))
    built, bins = numbers(values)
    panes = panes_of(built, bins, values, 100)
    phi, _ = reference_phi(bins, Directions.of(bins, 1), panes, np.arange(61))
    assert np.isfinite(phi[:, 0, 0]).tolist() == [True, True, False, False, False]
    dispersion = Dispersion(60_000, 61, np.array([100.0]), phi)
    assert dispersion.known().tolist() == [2]


def test_what_is_not_known_tells_nothing() -> None:
    phi = np.full((len(JOINS), len(DIRECTIONS), 1), np.nan)
    unknown = Dispersion(60_000, 5, np.array([100.0]), phi)
    assert unknown.of(np.array([0]), np.array([100.0]), 0).tolist() == [[UNKNOWN]] * 5


def test_gaps_in_time_part_panes() -> None:
    values = np.cumsum(np.random.default_rng(8).normal(size=(4_000, 1)), axis=0)
    built, bins = numbers(values)
    panes = panes_of(built, bins, values, 100)
    directions = Directions.of(bins, 1)
    whole, _ = reference_phi(bins, directions, panes, np.arange(40))
    parted, _ = reference_phi(bins, directions, panes, np.arange(0, 400, 10))
    assert parted[0, LOCATION, 0] < whole[0, LOCATION, 0]
    # Far apart, each joined pane is one.
    assert parted[:2].tolist() == [parted[0].tolist()] * 2


def test_more_panes_than_a_block_are_one_series() -> None:
    values = np.random.default_rng(8).normal(size=(6_000, 2))
    built, bins = numbers(values)
    panes = panes_of(built, bins, values, 10)
    directions = Directions.of(bins, 2)
    phi, events = reference_phi(bins, directions, panes, np.arange(600))
    variation = PaneVariation(2)
    x = panes[:, : bins.owner.size].astype(np.float64)
    variation.add(*deviations(bins, directions, bins.shares, x, np.zeros((600, 2))))
    assert phi[0] == pytest.approx(variation.phi())
    assert events.tolist() == [10.0, 10.0]
