"""The baseline of a window of features that follow a cycle."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detectors.sequential.simulated import Seasonal, cycling, numbers, panes_of, reference

from driftline.detectors import Baseline, compare, normal_rates
from driftline.detectors.counts import EXTRA_CELLS
from driftline.detectors.features.distance import cumulate
from driftline.detectors.grid import IntArray
from driftline.detectors.seasonal_baseline import SeasonalBaseline
from driftline.detectors.seasons import DAY, HOUR
from driftline.detectors.sequential.cell_shares import Mix
from driftline.detectors.sequential.pane_bins import PaneBins

BUILT = reference()
LAYOUT, COUNTS = BUILT.layout, BUILT.counts[0]
BINS = PaneBins(LAYOUT, COUNTS)


@cache
def panes() -> IntArray:
    """The events of the reference in 14 days: at night many booleans are true and many missing."""
    rng = np.random.default_rng(2)
    whole = np.concatenate([BINS.count(COUNTS), BINS.count_none(COUNTS)])
    even = rng.multinomial(whole, np.full(336, 1 / 336)).T
    return even


def seasonal(kappa: float, cycle: str = "hour_of_day") -> SeasonalBaseline:
    made = Seasonal(BINS, panes(), np.arange(336) * HOUR, cycle, kappa)
    return SeasonalBaseline(Baseline(LAYOUT, COUNTS), made.features)


@given(st.lists(st.integers(0, 23), min_size=1, unique=True), st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
def test_cells_that_count_all_others_have_the_whole_baseline(cells: list[int], seed: int) -> None:
    weights = np.random.default_rng(seed).random(len(cells)) + 0.1
    found = seasonal(1e12).at({"hour_of_day": Mix.of(cells, weights.tolist())})
    whole = Baseline(LAYOUT, COUNTS)
    np.testing.assert_array_equal(found.counts, COUNTS)
    np.testing.assert_allclose(found.cdf, whole.cdf, rtol=1e-12)


@given(st.integers(0, 23), st.floats(1.0, 1e4))
@settings(max_examples=12, deadline=None)
def test_bins_have_the_shares_of_the_cell_and_keep_their_proportions(
    cell: int, kappa: float
) -> None:
    made = Seasonal(BINS, panes(), np.arange(336) * HOUR, "hour_of_day", kappa)
    found = seasonal(kappa).at({"hour_of_day": Mix.of([cell], [1.0])})
    shares = replace(made.shares, every=BINS.count(COUNTS).astype(float))
    known = shares.of_cell(cell)
    np.testing.assert_allclose(BINS.count(found.counts), known.values, atol=1.01)
    np.testing.assert_allclose(BINS.count_none(found.counts), known.none, atol=1.01)
    np.testing.assert_allclose(found.cdf, cumulate(LAYOUT, found.counts), atol=1 / known.mass.min())
    age = LAYOUT.position["age"]
    bins = np.diff(np.append(BINS.cells, LAYOUT.starts[-1]))
    slots = LAYOUT.slots(found.counts, age)
    first = int(np.flatnonzero(bins[: BINS.first[1]] > 50)[0])
    begin = int(BINS.cells[first] - LAYOUT.starts[age])
    own, before = (
        each[begin : begin + int(bins[first])] for each in (slots, LAYOUT.slots(COUNTS, age))
    )
    share = own.sum() / before.sum()
    assert np.abs(np.cumsum(own - share * before)).max() <= 1.5


def test_only_features_with_a_season_change() -> None:
    made = Seasonal(BINS, panes(), np.arange(336) * HOUR, "hour_of_day", 5.0)
    paid = LAYOUT.position["paid"]
    one = SeasonalBaseline(Baseline(LAYOUT, COUNTS), {paid: made.features[paid]})
    found = one.at({"hour_of_day": Mix.of([3], [1.0])})
    whole = Baseline(LAYOUT, COUNTS)
    changed = np.flatnonzero(found.counts != COUNTS)
    assert changed.size
    assert (changed >= LAYOUT.starts[paid]).all()
    assert (changed < LAYOUT.starts[paid + 1]).all()
    np.testing.assert_array_equal(found.cdf, whole.cdf)
    both = SeasonalBaseline(whole, made.features).at({"hour_of_day": Mix.of([3], [1.0])})
    block = slice(int(LAYOUT.starts[paid]), int(LAYOUT.starts[paid + 1]))
    assert both.counts[block].tolist() == found.counts[block].tolist()


def test_a_window_of_one_hour_is_compared_with_that_hour() -> None:
    rng = np.random.default_rng(3)
    starts = np.arange(20 * DAY // HOUR) * HOUR
    values = cycling(rng, starts, 100, 1, 1.0)
    built, bins = numbers(values)
    counted = panes_of(built, bins, values, 100)
    made = Seasonal(bins, counted, starts, "hour_of_day", 30.0)
    whole = Baseline(built.layout, built.counts[0])
    found = SeasonalBaseline(whole, made.features)
    now = np.zeros(built.layout.size, np.int64)
    noon = np.sort(rng.normal(1.0, 1.0, 500))  # six o'clock: the top of the cycle
    grid = built.layout.features[0].grid
    np.add.at(now, 2 * np.searchsorted(grid, noon), 1)
    at_six = found.at({"hour_of_day": Mix.of([6], [1.0])})
    whole_p, six_p = (
        float(compare(each, now, 0.001).detectors["ks"].p_value[0]) for each in (whole, at_six)
    )
    assert whole_p < 1e-12
    assert six_p > 1e-3
    assert at_six.quantile(0, 0.5) == pytest.approx(1.0, abs=0.1)
    # Of whole days it is the reference as it is, and as much is known.
    day = found.at({"hour_of_day": Mix.of(range(24), [1.0] * 24)})
    np.testing.assert_allclose(day.cdf, whole.cdf, atol=0.01)
    assert day.feature_events[0] == pytest.approx(48_000, rel=0.01)
    assert at_six.feature_events[0] == pytest.approx(2_030, rel=0.01)


def test_missing_values_of_an_hour_are_normal_at_it() -> None:
    few = LAYOUT.position["few"]
    made = Seasonal(BINS, panes(), np.arange(336) * HOUR, "hour_of_day", 5.0).features[few]
    counts = made.counts.copy()
    none = counts[:, -1].sum()
    counts[:, -1], counts[2, -1] = 0, none  # all at two o'clock
    season = type(made)("hour_of_day", 5.0, counts)
    found = SeasonalBaseline(Baseline(LAYOUT, COUNTS), {few: season})
    rates = [
        float(normal_rates(found.at({"hour_of_day": Mix.of([cell], [1.0])}))["missing"][few])
        for cell in (2, 3)
    ]
    assert rates[0] > 0.6
    assert rates[1] < 0.05
    kinds = Baseline(LAYOUT, COUNTS)
    assert float(normal_rates(kinds)["missing"][few]) == pytest.approx(0.1, abs=0.02)
    assert EXTRA_CELLS == 3
