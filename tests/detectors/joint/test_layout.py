"""Counts of features together: exact, the same for any split of the events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.detectors.joint.correlated import NAMES, columns, counted, drawn, normal

from driftline.detectors.counts import Columns, Feature, Layout, count_columns
from driftline.detectors.joint import layout as layout_module
from driftline.detectors.joint.layout import JointLayout

# Both values of a tie, the grid's own, what is far away, and every kind of no value.
VALUES = [-9.0, -0.4, 0.0, 0.1, float(np.float32(0.1)), 0.4, 9.0, np.nan, np.inf, -np.inf]


def events(most: int) -> Any:
    shape = st.tuples(st.integers(0, most), st.just(len(NAMES)))
    return arrays.arrays(np.float64, shape, elements=st.sampled_from(VALUES))


@settings(max_examples=60, deadline=None)
@given(events(40), st.lists(st.integers(0, 40), max_size=4), st.sampled_from([1, 7, 1 << 16]))
def test_counts_are_those_of_a_histogram_for_any_split(
    values: Any, cuts: list[int], at_once: int
) -> None:
    layout, known = normal()
    joint = known.layout
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout_module, "_AT_ONCE", at_once)
        parts = [counted(part) for part in np.split(values, sorted(cuts))]
    flat = np.sum(parts, axis=0)
    low, high = joint.cuts(layout).T[1:3]
    for (a, b), table in zip(joint.pairs.tolist(), joint.tables(flat).tolist(), strict=True):
        both = values[np.isfinite(values[:, [a, b]]).all(axis=1)]
        edges = [
            [-np.inf, np.nextafter(low[f], np.inf), np.nextafter(high[f], np.inf), np.inf]
            for f in (a, b)
        ]
        wanted = np.histogram2d(both[:, a], both[:, b], bins=edges)[0]
        assert table == wanted.tolist()
    whole = np.add.reduceat(flat, joint.table.starts[:-1])
    assert whole.tolist() == [len(values)] * whole.size  # each event is once in every block


@given(events(30))
def test_the_radius_is_how_many_features_are_extreme(values: Any) -> None:
    layout, known = normal()
    cuts = known.layout.cuts(layout)
    seen = np.isfinite(values)
    outer = seen & ((values <= cuts[:, 0]) | (values > cuts[:, 3]))
    wanted = np.bincount(outer.sum(axis=1)[seen.any(axis=1)], minlength=len(NAMES) + 1)
    assert counted(values)[1 : 2 * len(NAMES) + 2 : 2].tolist() == wanted.tolist()


def test_thirds_hold_a_third_each_and_ends_a_twentieth() -> None:
    flat = normal()[1].counts
    tables = normal()[1].layout.tables(flat)
    assert np.abs(tables.sum(axis=1) - 10_000 / 3).max() < 40
    radius = flat[1 : 2 * len(NAMES) + 2 : 2]
    assert radius @ np.arange(len(NAMES) + 1) == pytest.approx(0.1 * 10_000 * len(NAMES), rel=0.02)


def test_a_value_that_is_nearly_one_that_many_share_counts_as_it() -> None:
    feature = Feature("a", "numeric", np.array([0.1, 0.2, 0.3]), ties=np.array([0]))
    layout = Layout.of([feature, Feature("b", "numeric", np.array([1.0, 2.0, 3.0]))])
    joint = JointLayout(("a", "b"), np.array([[-1, 0, 1, 2]] * 2))
    values = np.array([[0.1, 2.0], [np.float32(0.1), 2.0]])
    assert joint.tables(joint.count(layout, columns(values)))[0].tolist()[0] == [0, 2, 0]


def test_the_most_important_that_vary_are_chosen() -> None:
    rng = np.random.default_rng(2)
    values = np.stack([np.repeat(5.0, 300), rng.normal(size=300), rng.integers(0, 2, 300)], axis=1)
    values[:6, 0] = 6.0  # in 2 % of the events
    names = ("constant", "flag", "x")
    grids = (np.array([5.0, 6.0]), np.unique(values[:, 1]), np.array([0.0, 1.0]))
    layout = Layout.of(
        Feature(name, "numeric", grid)
        for name, grid in zip(("constant", "x", "flag"), grids, strict=True)
    )
    counts = count_columns(layout, Columns(values[:, [0, 2, 1]], np.empty((300, 0), np.int32)))
    assert JointLayout.of(layout, counts, names).names == ("flag", "x")
    assert JointLayout.of(layout, counts, ["x", "flag"], most=1).names == ("x",)
    places = JointLayout.of(layout, counts, names).places
    assert places[0].tolist() == [-1, 0, 0, 1]  # of two values there is no middle, and no extreme


def test_fifty_features_have_1225_pairs() -> None:
    names = tuple(f"f{i:02}" for i in range(50))
    layout = Layout.of(Feature(name, "numeric", np.arange(4.0)) for name in names)
    joint = JointLayout(names, np.tile([0, 1, 2, 3], (50, 1)))
    assert len(joint.pairs) == 1_225
    values = drawn(np.random.default_rng(1), 200).repeat(13, axis=1)[:, :50]
    assert joint.tables(joint.count(layout, columns(values))).sum() == 1_225 * 200
