"""What is normal of features together, fitted to what each is by itself at present."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.detectors.joint.correlated import counted, drawn, normal

from driftline.detectors.joint.margins import fit_mean, fit_pairs
from driftline.detectors.sequential.pane_bins import PaneBins

CELLS = st.lists(st.floats(0.5, 500.0), min_size=18, max_size=18)
EVENTS = st.lists(st.integers(0, 200), min_size=18, max_size=18)


def odds(cells: np.ndarray) -> np.ndarray:
    """The four odds ratios of each table, which say how its features go together."""
    t = cells.reshape(-1, 3, 3)
    found: np.ndarray = t[:, :2, :2] * t[:, 1:, 1:] / (t[:, 1:, :2] * t[:, :2, 1:])
    return found


@given(CELLS, EVENTS)
def test_what_goes_together_stays_and_as_much_is_known(known: list[float], x: list[int]) -> None:
    before, events = np.array(known), np.array(x, float)
    after = fit_pairs(before, events)
    np.testing.assert_allclose(odds(after), odds(before), rtol=1e-6)
    np.testing.assert_allclose(
        after.reshape(2, 9).sum(axis=1), before.reshape(2, 9).sum(axis=1), rtol=1e-9
    )


def test_the_margins_are_those_of_the_events() -> None:
    bins = PaneBins(normal()[1].layout.table, normal()[1].counts, np.arange(1, 7))
    moved = drawn(np.random.default_rng(3), 5_000) + np.array([0.5, 0.0, -0.5, 1.0])
    x = bins.count(counted(moved)).astype(float)
    fitted = fit_pairs(bins.normal, x)
    for axis in (1, 2):
        wanted = x.reshape(-1, 3, 3).sum(axis=axis) / 5_000
        found = fitted.reshape(-1, 3, 3).sum(axis=axis)
        np.testing.assert_allclose(found / found.sum(axis=1, keepdims=True), wanted, atol=0.005)


def test_many_panes_are_fitted_as_one_by_one() -> None:
    known = np.arange(1.0, 19.0)
    panes = np.random.default_rng(1).integers(0, 9, (4, 18)).astype(float)
    each = np.stack([fit_pairs(known, pane) for pane in panes])
    np.testing.assert_allclose(fit_pairs(known, panes), each)
    scores = np.arange(18.0)
    each = np.stack([fit_mean(known, pane, scores) for pane in panes])
    np.testing.assert_allclose(fit_mean(known, panes, scores), each)


def test_the_radius_is_fitted_to_its_mean() -> None:
    known = normal()[1]
    bins = PaneBins(known.layout.table, known.counts, np.zeros(1, int))
    wider = drawn(np.random.default_rng(3), 3_000) * np.array([2.0, 1.0, 1.0, 1.0])
    x = bins.count(counted(wider)).astype(float)
    fitted = known.margins(bins, bins.normal, x)
    assert fitted.sum().round(6) == bins.normal.sum().round(6)
    places = np.arange(x.size)
    assert abs(fitted @ places / fitted.sum() - x @ places / x.sum()) < 0.03
