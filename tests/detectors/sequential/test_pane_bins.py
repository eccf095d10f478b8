"""The bins of panes: what they hold, of counts and of events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.detectors.sequential.simulated import columns, numbers, reference

from driftline.detectors import Columns, FeatureColumn, build_reference
from driftline.detectors.columns import encode
from driftline.detectors.counts import count_columns
from driftline.detectors.grid import FloatArray
from driftline.detectors.sequential.pane_bins import SHARES, PaneBins

REFERENCE = reference()
BINS = PaneBins(REFERENCE.layout, REFERENCE.counts[0])


@given(st.integers(0, 2**32), st.integers(1, 40), st.floats(-2, 2))
def test_bins_of_events_are_the_bins_of_their_counts(seed: int, n: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    values = columns(rng, n, shift)
    # Values of the grid, beside them, and beyond it.
    grid = REFERENCE.layout.features[0].grid
    ages = np.concatenate([rng.choice(grid, n), [-9.0, 9.0, np.nan, np.inf, grid[0], grid[-1]]])
    values["age"] = FeatureColumn("numeric", rng.permutation(ages)[:n])
    values["plan"] = FeatureColumn("categorical", [*values["plan"].values[:-1], "other"])
    encoded = encode(REFERENCE.layout, values)
    found = BINS.of_events(REFERENCE.layout, encoded)
    counts = count_columns(REFERENCE.layout, encoded)
    expected = np.bincount(found[found >= 0], minlength=BINS.owner.size)
    assert BINS.count(counts).tolist() == expected.tolist()
    assert BINS.count_none(counts).tolist() == (found < 0).sum(axis=0).tolist()


@given(st.integers(0, 2**32))
def test_panes_add_up_to_the_bins_of_their_summed_counts(seed: int) -> None:
    first = np.random.default_rng(seed).integers(0, 5, REFERENCE.layout.size)
    second = np.roll(first, 7)
    joined = BINS.count(first) + BINS.count(second)
    assert joined.tolist() == BINS.count(first + second).tolist()
    assert BINS.count(np.stack([first, second])).sum(axis=0).tolist() == joined.tolist()
    none = BINS.count_none(first + second)
    assert (BINS.total(joined.astype(np.float64)) + none).sum() == (first + second).sum()


def test_a_number_without_ties_has_bins_at_order_statistics() -> None:
    values = np.random.default_rng(5).normal(size=(5_000, 1))
    built, bins = numbers(values)
    assert bins.owner.size == len(SHARES) + 1
    assert bins.normal.sum() == 5_001  # gaps between order statistics
    upto = np.cumsum(bins.shares)[:-1]
    assert np.abs(upto - SHARES).max() < 0.002
    # A bin ends with a value of the reference, which is in it.
    counted = bins.count(built.counts[0])
    assert counted.tolist() == [*bins.normal[:-1].tolist(), bins.normal[-1] - 1]


def test_a_value_that_many_share_has_a_bin_of_its_own() -> None:
    rng = np.random.default_rng(5)
    values = np.where(rng.random(2_000) < 0.3, 0.0, rng.normal(size=2_000))[:, None]
    built, bins = numbers(values)
    at_zero = bins.of_events(
        built.layout, Columns(np.array([[0.0], [1e-9], [-1e-9]]), np.zeros((3, 0), np.int32))
    )
    assert len(set(at_zero.ravel().tolist())) == 3
    zeros = int((values == 0).sum())
    assert bins.normal[at_zero[0, 0]] == zeros + 0.5


@pytest.mark.parametrize(
    ("values", "sizes"),
    [
        (np.full(50, 7.0), [0.5, 50.5, 0.5]),  # a constant: below, at, above
        (np.array([0.0] * 97 + [1.0] * 3), [0.5, 97.5, 0.5, 3.5, 0.5]),  # a rare flag
        (np.full(20, np.nan), [0.5]),
    ],
)
def test_few_values_have_bins_to_move_to(values: FloatArray, sizes: list[float]) -> None:
    _, bins = numbers(values[:, None])
    assert bins.normal.tolist() == sizes


def test_categories_have_a_bin_each_and_one_for_what_is_not_listed() -> None:
    plan = FeatureColumn("categorical", ["a"] * 7 + ["b"] * 3)
    built = build_reference("m", {"plan": plan})
    assert PaneBins(built.layout, built.counts[0]).normal.tolist() == [7.5, 3.5, 0.5]


def test_features_can_be_chosen() -> None:
    few = PaneBins(REFERENCE.layout, REFERENCE.counts[0], np.array([1, 3]))
    for i, f in enumerate((1, 3)):
        own = slice(few.first[i], few.first[i + 1])
        assert few.normal[own].tolist() == BINS.normal[BINS.owner == f].tolist()
        assert few.none_share[i] == BINS.none_share[f]
