"""How much a share varies from pane to pane: against the formula on arrays, and on streams."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors.outcomes.share_variation import ShareVariation, chance_variance

VARIANCE = 0.16
PANES = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=4, max_size=30)


def added(panes: list[tuple[int, int]]) -> ShareVariation:
    variation = ShareVariation()
    for right, more in panes:
        variation = variation.add(right / (right + more), right + more, VARIANCE)
    return variation


@given(PANES)
def test_it_is_the_long_run_variance_of_the_recursive_residuals(
    panes: list[tuple[int, int]],
) -> None:
    n = np.array([right + more for right, more in panes], float)
    share = np.array([right for right, _ in panes]) / n
    before = np.cumsum(n)[:-1]
    expected = np.cumsum(share * n)[:-1] / before
    chance = VARIANCE * (1.0 / n[1:] + 1.0 / before)
    residual = (share[1:] - expected) / np.sqrt(chance) * np.sqrt(n[1:])
    near = [
        residual[lag:] @ residual[: max(residual.size - lag, 0)] / n[1:].sum() for lag in range(5)
    ]
    count = residual.size
    alone = near[0] * count / (count - 1)
    run = alone + 2.0 * sum((1 - lag / 5) * near[lag] for lag in range(1, 5))
    alike = min(max(near[1] / near[0], 0.0), 0.9) if near[0] else 0.0
    error = np.sqrt(2.0 * (n[1:] ** 2).sum()) / n[1:].sum()
    wanted = max(alone, run, alone * (1 + alike) / (1 - alike)) * (1 + 2 * error)
    assert added(panes).phi() == pytest.approx(max(wanted, 1.0))


def test_a_pane_without_events_and_the_first_ones_say_nothing() -> None:
    assert ShareVariation().add(0.0, 0, 0.25) == ShareVariation()
    assert ShareVariation().add_share((0, 0), (0, 0)) == ShareVariation()
    assert added([(1, 40), (40, 1)]).phi() == 1.0
    assert added([(30, 30)] * 9).phi() == 1.0  # no chance at all is no dispersion
    assert 0.0 < chance_variance((0, 0)) <= 0.25 >= chance_variance((9, 9)) > 0.0


@pytest.mark.parametrize(
    ("effect", "alike", "low", "high"),
    [(0.0, 0.0, 1.0, 1.4), (0.05, 0.0, 6.0, 12.0), (0.05, 0.5, 12.0, 30.0)],
)
def test_it_finds_what_a_stream_was_drawn_with(
    effect: float, alike: float, low: float, high: float
) -> None:
    """Of panes of 500 with effects of 0.05, phi is 1 + 500 * 0.05^2 / 0.16, about 9."""
    rng = np.random.default_rng(3)
    variation, own = ShareVariation(), 0.0
    right = events = 0
    for _ in range(300):
        own = alike * own + np.sqrt(1 - alike**2) * rng.standard_normal()
        pane = int(rng.binomial(500, min(0.8 + effect * own, 1.0))), 500
        variation = variation.add_share((right, events), pane)
        right, events = right + pane[0], events + pane[1]
    assert low <= variation.phi() <= high


def test_a_step_is_forgotten_slowly() -> None:
    rng = np.random.default_rng(4)
    shares = [0.8] * 40 + [0.74] * 400
    panes = [(right, 500 - right) for right in rng.binomial(500, shares).tolist()]
    soon, late = added(panes[:60]).phi(), added(panes).phi()
    assert 1.0 < late < soon / 2
