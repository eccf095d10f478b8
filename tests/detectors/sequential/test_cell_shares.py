"""What is known of the cells of a cycle, and how much panes vary around it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detectors.sequential.simulated import Seasonal, cycling, numbers, panes_of, reference

from driftline.detectors.dispersion import LOCATION, OTHER
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import DAY, HOUR, FeatureSeason
from driftline.detectors.sequential.cell_shares import CellShares, Mix, Since
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.pane_cells import PaneCells
from driftline.detectors.sequential.variation import Directions, reference_phi

BUILT = reference()
BINS = PaneBins(BUILT.layout, BUILT.counts[0])
MANY = 1e12
NUMBERS = BUILT.layout.numeric


def split(rng: np.random.Generator, cells: int) -> IntArray:
    """Deal the events of the reference out to cells, shape (cells, M + F)."""
    whole = np.concatenate([f(BUILT.counts[0]) for f in (BINS.count, BINS.count_none)])
    return rng.multinomial(whole, rng.dirichlet(np.ones(cells))).T


def seasons(counts: IntArray, kappa: float, cycle: str = "day_of_week") -> list[FeatureSeason]:
    parts = np.split(counts[:, : BINS.owner.size], BINS.first[1:-1], axis=1)
    none = counts[:, BINS.owner.size :].T[:, :, None]
    return [
        FeatureSeason(cycle, kappa, np.concatenate([own, extra], axis=1))
        for own, extra in zip(parts, none, strict=True)
    ]


def split_shares(
    own: FloatArray, rest: FloatArray, kappa: float, known: FloatArray, *, number: bool
) -> FloatArray:
    """Shares of bins, split by split."""
    if own.size == 1:
        return np.ones(1)
    order = np.arange(own.size)
    if number:
        halves = [abs(known[:at].sum() - known.sum() / 2) for at in range(1, own.size)]
        one = order[: 1 + int(np.argmin(halves))]
    else:
        one = order[known == known.max()][:1]
    others = np.setdiff1d(order, one)
    lent = min(kappa, rest.sum())
    part = (own[one].sum() + lent * rest[one].sum() / rest.sum()) / (own.sum() + lent)
    shares = np.empty(own.size)
    for side, share in ((one, part), (others, 1.0 - part)):
        each = split_shares(own[side], rest[side], kappa, known[side], number=number)
        shares[side] = share * each
    return shares


@given(st.integers(0, 2**32), st.floats(1.0, 1e5))
@settings(max_examples=30)
def test_what_is_known_is_what_the_formula_says(seed: int, kappa: float) -> None:
    rng = np.random.default_rng(seed)
    counts = split(rng, 7)
    size = BINS.owner.size
    added = rng.integers(0, 9, (7, size))
    since = Since(added, added.sum(axis=0).astype(float))
    shares, cell = CellShares.of(BINS, seasons(counts, kappa)), int(rng.integers(7))
    found = shares.of_cell(cell, since)
    for f in range(BINS.features):
        bins = slice(int(BINS.first[f]), int(BINS.first[f + 1]))
        own = np.append(counts[cell, bins] + added[cell, bins], counts[cell, size + f])
        every = np.append(BINS.normal[bins] + since.total[bins], BINS.none[f])
        rest = every - own
        expected = own + min(kappa, rest.sum()) * rest / rest.sum()
        split_up = split_shares(own[:-1], rest[:-1], kappa, BINS.normal[bins], number=f < NUMBERS)
        assert found.values[bins] == pytest.approx(split_up * expected[:-1].sum())
        assert found.none[f] == pytest.approx(expected[-1])
        assert found.mass[f] == pytest.approx(expected.sum())


@given(st.integers(0, 2**32), st.integers(1, 7))
@settings(max_examples=30)
def test_cells_that_count_all_the_others_know_what_the_reference_does(
    seed: int, together: int
) -> None:
    rng = np.random.default_rng(seed)
    shares = CellShares.of(BINS, seasons(split(rng, 7), MANY))
    cells = rng.permutation(7)[:together]
    found = shares.mixed(Mix(cells, rng.dirichlet(np.ones(together))))
    if together == 1:
        np.testing.assert_array_equal(found.values, BINS.normal)
    np.testing.assert_allclose(found.values, BINS.normal, rtol=1e-12)
    np.testing.assert_allclose(found.none_share, BINS.none / (BINS.total(BINS.normal) + BINS.none))


def test_the_cells_by_their_events_know_what_the_reference_does() -> None:
    counts = split(np.random.default_rng(4), 7)
    shares = CellShares.of(BINS, seasons(counts, 1.0))
    found = shares.mixed(Mix(np.arange(7), np.full(7, 1 / 7)))
    events = BINS.total(counts[:, : BINS.owner.size].astype(float)) + counts[:, BINS.owner.size :]
    assert (found.mass <= BINS.total(BINS.normal) + BINS.none + 1e-6).all()
    weights = events[:, 0] / events[:, 0].sum()
    found = shares.mixed(Mix(np.arange(7), weights))
    own = BINS.first[1]
    expected = BINS.normal[:own] / (BINS.normal[:own].sum() + BINS.none[0])
    np.testing.assert_allclose(found.values[:own] / found.mass[0], expected, atol=2e-3)


def test_leaving_events_out_is_as_if_they_had_not_been() -> None:
    rng = np.random.default_rng(5)
    counts = split(rng, 7)
    left_out = rng.binomial(counts[3], 0.2)
    size = BINS.owner.size
    found = CellShares.of(BINS, seasons(counts, 50.0)).without(
        np.array([3]), left_out[None, :size], left_out[None, size:]
    )
    fewer = counts.copy()
    fewer[3] -= left_out
    bins = PaneBins(BUILT.layout, BUILT.counts[0])
    bins.normal, bins.none = BINS.normal - left_out[:size], BINS.none - left_out[size:]
    expected = CellShares.of(bins, seasons(fewer, 50.0)).of_cell(3)
    np.testing.assert_allclose(found.mass[0], expected.mass)
    classes = slice(int(BINS.first[NUMBERS]), None)  # numbers are split elsewhere
    np.testing.assert_allclose(found.values[0, classes], expected.values[classes])
    np.testing.assert_allclose(found.none[0], expected.none)


def test_seasons_of_other_bins_are_refused() -> None:
    season = FeatureSeason("day_of_week", 9.0, np.ones((7, 9), np.int64))
    with pytest.raises(ValueError, match="other bins"):
        CellShares.of(BINS, [season] * BINS.features)


@pytest.mark.parametrize("pane", [HOUR, HOUR // 4])
def test_a_cycle_is_no_dispersion_where_it_is_known(pane: int) -> None:
    rng = np.random.default_rng(6)
    starts = np.arange(20 * DAY // pane) * pane
    values = cycling(rng, starts, 100, 2, 0.5)
    built, bins = numbers(values)
    panes = panes_of(built, bins, values, 100)
    directions = Directions.of(bins, bins.features)
    pooled, _ = reference_phi(bins, directions, panes, starts // pane)
    shares = Seasonal(bins, panes, starts, "hour_of_day", 100.0).shares
    cells = PaneCells(bins, shares, panes, starts)
    known, events = reference_phi(bins, directions, panes, starts // pane, cells)
    assert (pooled[0, LOCATION] > 8.0).all()
    assert (known[0, [LOCATION, OTHER]] < 1.5).all()
    assert (known[1, LOCATION] < 2.0).all()  # of two panes that are joined, of two hours or one
    assert events.tolist() == [100.0, 100.0]


def test_what_is_special_about_one_hour_is_dispersion_not_season() -> None:
    rng = np.random.default_rng(7)
    starts = np.arange(20 * DAY // HOUR * 4) * HOUR // 4
    effects = np.repeat(rng.normal(0.0, 0.3, starts.size // 4), 400)
    values = rng.normal(size=(starts.size * 100, 1)) + effects[:, None]
    built, bins = numbers(values)
    panes = panes_of(built, bins, values, 100)
    shares = Seasonal(bins, panes, starts, "hour_of_day", 100.0).shares
    directions, number = Directions.of(bins, 1), np.arange(starts.size)
    plain, _ = reference_phi(bins, directions, panes, number)
    seasonal, _ = reference_phi(
        bins, directions, panes, number, PaneCells(bins, shares, panes, starts)
    )
    assert float(seasonal[0, LOCATION, 0]) > 0.8 * float(plain[0, LOCATION, 0]) > 8.0
