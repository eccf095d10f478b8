"""The effect gate, and which other features changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors.grid import FloatArray
from driftline.detectors.sequential.also_changed import FALSE_SHARE, also_changed
from driftline.detectors.sequential.gate import change_psi, pane_psi, surely, tails_doubled

NORMAL = np.array([21.0, 79.0, 400.0, 9_000.0, 400.0, 79.0, 21.0])


def test_psi_of_quiet_panes_is_zero_on_average() -> None:
    rng = np.random.default_rng(1)
    shares = np.full(16, 1 / 16)
    found = [
        pane_psi(
            rng.multinomial(1_000, shares).astype(np.float64),
            rng.multinomial(10_000, shares).astype(np.float64),
        )
        for _ in range(300)
    ]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(300) + 5e-4


@given(st.integers(0, 2**32), st.floats(1.0, 5.0))
def test_the_sure_bound_is_below_what_is_found(seed: int, phi: float) -> None:
    rng = np.random.default_rng(seed)
    window = rng.multinomial(500, rng.dirichlet(np.full(7, 5.0))).astype(np.float64)
    found = pane_psi(window, NORMAL, phi)
    assert not surely(window, NORMAL, found + 1e-9, phi)
    assert pane_psi(window, NORMAL, phi) <= pane_psi(window, NORMAL, 1.0)


def test_a_large_change_is_sure_of_many_events_only() -> None:
    share = np.array([21.0, 79, 400, 8_000, 1_200, 250, 50]) / 10_000
    assert surely(5_000 * share, NORMAL, 0.02)
    assert not surely(50 * share, NORMAL, 0.02)


@pytest.mark.parametrize(
    ("window", "doubled"),
    [
        (NORMAL / 10, False),
        (np.array([2.0, 8, 40, 882, 40, 8, 20]), True),  # the upper .2 % are 2 %
        (np.array([20.0, 8, 40, 882, 40, 8, 2]), True),
        (np.array([2.0, 23, 40, 870, 40, 23, 2]), True),  # the outer 1 % doubled on both sides
        (np.array([2.0, 8, 400, 500, 80, 8, 2]), False),  # what moved is not at the ends
        (np.array([0.2, 0.8, 4.0, 88.4, 4.0, 0.8, 1.0]), False),  # of a hundred events
    ],
)
def test_tails_alarm_where_an_end_has_twice_its_share(window: FloatArray, doubled: bool) -> None:
    assert tails_doubled(window, NORMAL) is doubled


def test_tails_of_neighbours_that_resemble_each_other_need_more() -> None:
    window = np.array([2.0, 8, 40, 894, 40, 8, 8])
    assert tails_doubled(window, NORMAL)
    assert not tails_doubled(window, NORMAL, phi=4.0)


def slow_e_bh(e_values: list[float]) -> list[int]:
    features = len(e_values)
    for k in range(features, 0, -1):
        largest = sorted(range(features), key=lambda f: -e_values[f])[:k]
        if all(e_values[f] >= features / (k * FALSE_SHARE) for f in largest):
            return sorted(largest)
    return []


@given(st.lists(st.floats(-5, 15, width=16), min_size=1, max_size=8))
def test_also_changed_is_e_bh(logs: list[float]) -> None:
    evidence = np.array(logs) + np.log(20.0)
    expected = slow_e_bh(np.exp(logs).tolist())
    assert also_changed(evidence, np.full(len(logs), 20.0)).tolist() == expected


def test_nothing_is_named_before_the_first_pane() -> None:
    assert also_changed(np.full(3, -np.inf), np.zeros(3)).size == 0


@pytest.mark.parametrize("ties", [1, 21])
def test_bins_that_are_empty_on_both_sides_change_nothing(ties: int) -> None:
    """Between every two tied values lies a bin that nothing was ever in."""
    rng = np.random.default_rng(4)
    normal: FloatArray = rng.integers(500, 5_000, ties + 1).astype(np.float64) + 0.5
    window: FloatArray = rng.integers(3, 30, ties + 1).astype(np.float64)
    places = np.arange(1, ties + 1)
    all_normal, all_window = np.insert(normal, places, 0.5), np.insert(window, places, 0.0)
    assert pane_psi(all_window, all_normal, 1.2) == pane_psi(window, normal, 1.2)
    for least in (0.0, 0.01, 0.02, 0.05):
        assert surely(all_window, all_normal, least) == surely(window, normal, least)


def test_a_bin_that_was_empty_tells_when_something_is_in_it() -> None:
    normal = np.array([5_000.5, 0.5, 5_000.5])
    quiet, new = np.array([100.0, 0.0, 100.0]), np.array([95.0, 10.0, 95.0])
    assert pane_psi(quiet, normal) < 0.0
    assert pane_psi(new, normal) > 0.2


SCORES = np.array([[-1.5, -0.5, 0.5, 1.5], [1.0, -1.0, -1.0, 1.0]]) / np.sqrt([[1.25], [1.0]])
EVEN = np.full(4, 2_500.0)


def test_a_direction_that_varies_much_hides_no_change_in_another() -> None:
    narrower = np.array([170.0, 330.0, 330.0, 170.0])
    phi = np.array([40.0, 1.0, 40.0])  # of location, scale, all together
    assert pane_psi(narrower, EVEN, 40.0) < 0.02 < change_psi(narrower, EVEN, SCORES, phi)
    moved = np.array([200.0, 230.0, 270.0, 300.0])
    assert change_psi(moved, EVEN, SCORES, phi) < 0.0


@given(st.integers(0, 2**32), st.floats(1.0, 20.0), st.floats(1.0, 20.0))
def test_the_size_of_a_change_is_between_its_psi_with_phi_and_without(
    seed: int, location: float, scale: float
) -> None:
    window = np.random.default_rng(seed).multinomial(300, [0.4, 0.3, 0.2, 0.1]).astype(np.float64)
    phi = np.array([location, scale, max(location, scale)])
    found = change_psi(window, EVEN, SCORES, phi)
    assert pane_psi(window, EVEN, phi[-1]) <= found <= pane_psi(window, EVEN)
    flat = change_psi(window, EVEN, 0.0 * SCORES, phi)  # no direction has a score
    assert flat == pane_psi(window, EVEN, phi[-1])
