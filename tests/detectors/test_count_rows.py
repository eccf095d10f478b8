"""Counts that are held in little memory are the same counts, and give the same everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from driftline.detectors import FeatureColumn, Reference, build_reference
from driftline.detectors.baseline import Baseline
from driftline.detectors.count_rows import CountRows
from driftline.detectors.grid import IntArray
from driftline.detectors.replaced_counts import with_counts

LARGEST = 2**40


@pytest.fixture(scope="module")
def reference() -> Reference:
    """Numbers, a category and a flag, in two tags."""
    rng = np.random.default_rng(3)
    n = 3_000
    return build_reference(
        "m",
        {
            "x": FeatureColumn("numeric", rng.normal(size=n)),
            "few": FeatureColumn("numeric", rng.poisson(0.1, n).astype(np.float64)),
            "c": FeatureColumn("categorical", rng.choice(["p", "q"], n).tolist()),
        },
        {
            "tier": rng.choice(["gold", "tin"], n).tolist(),
            "shop": rng.choice(["a", "b", "c"], n).tolist(),
        },
        grid=100,
    )


@given(arrays(np.int64, (3, 7), elements=st.integers(0, LARGEST)), st.sets(st.integers(0, 2)))
def test_what_is_held_is_what_was_given(counts: IntArray, held: set[int]) -> None:
    rows = CountRows.of(counts, held)
    assert len(rows) == 3
    assert [rows[row].tolist() for row in range(3)] == counts.tolist()
    assert np.array_equal(rows.whole(), counts)
    assert rows.whole().dtype == rows[0].dtype == np.int64
    for row in held:
        small = counts[row].max() < 2**31
        assert rows.held(row).dtype == (np.int32 if small else np.int64)
        assert rows.held(row) is rows.held(row)  # not unpacked anew
    other = rows.with_rows({1: counts[0]})
    assert [other[row].tolist() for row in range(3)] == counts[[0, 0, 2]].tolist()
    assert np.array_equal(rows.whole(), counts)


def test_a_reference_keeps_its_ids_and_its_bytes(reference: Reference) -> None:
    watched = reference.watched_by([None, "tier=gold"])
    assert watched.to_json() == reference.to_json()
    assert replace(watched).id == reference.id  # computed anew
    assert (watched.layout_id, watched.streams) == (reference.layout_id, reference.streams)
    for stream in reference.streams:
        assert np.array_equal(watched.counts_of(stream), reference.counts_of(stream))
    kinds = [watched.held_counts_of(stream).dtype.name for stream in (None, "tier=gold")]
    assert kinds == ["int32", "int32"]


def test_what_is_derived_of_it_has_the_same_id(reference: Reference) -> None:
    f = reference.layout.position["c"]
    begin, end = reference.layout.starts[f : f + 2]
    own = np.arange(end - begin)
    replaced = {None: {"c": own}, "tier=tin": {"c": own * 2}}
    plain = with_counts(reference, replaced, {None: 5_000})
    packed = with_counts(reference.watched_by([None, "tier=tin"]), replaced, {None: 5_000})
    assert packed.id == plain.id != reference.id
    assert packed.to_json() == plain.to_json()
    again = with_counts(packed, {"shop=a": {"c": own}})
    assert again.to_json() == with_counts(plain, {"shop=a": {"c": own}}).to_json()


@pytest.mark.parametrize("times", [1, 700_000])  # sums, and ten times a count, beyond 32 bits
def test_a_baseline_in_32_bits_adds_up_in_64(reference: Reference, times: int) -> None:
    counts = reference.counts * times
    own = replace(reference, counted=replace(reference.counted, counts=counts))
    held = own.watched_by(own.streams).held_counts_of(None)
    assert held.dtype == np.int32
    small, large = Baseline(own.layout, held), Baseline(own.layout, counts[0])
    assert small.events == large.events == 3_000 * times
    window = reference.counts[2]
    for name in ("feature_events", "cells", "first", "binned", "owner", "cdf", "few", "counts"):
        assert np.array_equal(getattr(small, name), getattr(large, name)), name
    for f in range(len(own.layout.features)):
        for given_window in (None, window):
            one, other = small.bins(f, given_window), large.bins(f, given_window)
            assert one.reference.tolist() == other.reference.tolist()
            assert one.window.tolist() == other.window.tolist()
            assert np.array_equal(small.occupied(f), large.occupied(f))
        if f < own.layout.numeric:
            quantiles = [(small.quantile(f, q), large.quantile(f, q)) for q in (0.0, 0.5, 0.97)]
            assert all(one == other for one, other in quantiles)
            one_value, other_value = (each.only_values(f, window) for each in (small, large))
            assert np.array_equal(one_value, other_value, equal_nan=True)
