"""How much metrics vary from pane to pane, and what that does to their intervals and tests."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors.outcomes import (
    Figure,
    OutcomeLayout,
    OutcomeRows,
    calibrate,
    correctness,
    count_outcomes,
    error_gap,
    gap,
    gap_figure,
)
from driftline.detectors.outcomes.figure import mean_figure, share_figure
from driftline.detectors.outcomes.metric_variation import MetricVariation


def learnt(shares: np.ndarray, events: int, seed: int) -> MetricVariation:
    rng, found = np.random.default_rng(seed), MetricVariation()
    for right in rng.binomial(events, np.clip(shares, 0.0, 1.0)).tolist():
        share = right / events
        found = found.add(share_figure(share, share * (1 - share) / events, events, events))
    return found


def cautious(found: MetricVariation) -> float:
    assert found.phi() is not None
    value = found.cautious_phi()
    assert value is not None
    return value


def test_it_finds_what_a_stream_was_drawn_with() -> None:
    """With hours of 500 events and effects of 0.05, phi is 1 + 500 * 0.05^2 / 0.16, about 9."""
    normal = np.random.default_rng(1).standard_normal(300)
    quiet = [learnt(np.full(300, 0.8), 500, seed).phi() or 0.0 for seed in range(20)]
    assert np.mean(quiet) < 1.3
    assert 5.0 < (learnt(0.8 + 0.05 * normal, 500, 2).phi() or 0.0) < 14.0


def test_a_change_for_good_does_not_hide_itself() -> None:
    """Nine standard errors of a pane's share."""
    step = np.where(np.arange(60) < 50, 0.9, 0.78)
    assert cautious(learnt(step, 500, 3)) < 9.0
    later = np.where(np.arange(300) < 50, 0.9, 0.78)
    assert cautious(learnt(later, 500, 3)) < 2.5


def test_it_takes_panes_to_know() -> None:
    for panes, cautiously, known in ((9, False, False), (10, True, False), (30, True, True)):
        found = learnt(np.full(panes, 0.8), 200, 1)
        assert (found.cautious_phi() is not None, found.phi() is not None) == (cautiously, known)
    perfect = learnt(np.ones(40), 200, 1)
    assert perfect.phi() == 1.0 <= cautious(perfect) < 2.0
    assert MetricVariation().add(Figure.none(9)) == MetricVariation()
    assert MetricVariation().add(Figure(0.5, float("nan"), float("nan"), 9)) == MetricVariation()


@given(st.lists(st.integers(0, 9), max_size=20))
def test_it_is_unknown_while_no_pane_is_compared_with_another(runs: list[int]) -> None:
    """Streams whose alerts begin anew every few panes never compare one with another."""
    found, compared, added = MetricVariation(), 0, 0
    for panes in [*runs, 40]:
        found = found.apart()
        for pane in range(panes):
            found = found.add(share_figure(0.8 + 0.01 * (pane % 3), 0.0016, 100, 100))
            compared, added = compared + (pane >= 4), added + 1
            assert (found.cautious_phi() is not None) == (added >= 10 and compared > 0)
            assert (found.phi() is not None) == (added >= 30 and compared > 0)


@given(st.integers(0, 400), st.integers(1, 400), st.floats(1.0, 50.0))
def test_the_interval_of_a_share_is_that_of_a_part_of_the_events(
    right: int, wrong: int, phi: float
) -> None:
    n = right + wrong
    share = right / n
    plain = share_figure(share, share * (1 - share) / n, n, n)
    wide = share_figure(share, phi * share * (1 - share) / n, n, n / phi)
    found = plain.widened(phi)
    assert found.low == pytest.approx(wide.low, abs=1e-6)
    assert found.high == pytest.approx(wide.high, abs=1e-6)
    assert plain.variance == pytest.approx(share * (1 - share) / n, rel=1e-5, abs=1e-9)


def test_the_interval_of_a_mean_is_wider_by_the_root() -> None:
    plain = mean_figure(2.0, 0.5, 100, least=0.0)
    assert plain.variance == pytest.approx(0.25)
    assert plain.widened(1.0) == plain
    wide = plain.widened(9.0, least=0.0)
    assert wide.low == 0.0
    assert wide.high == pytest.approx(2.0 + 3 * (plain.high - 2.0))
    assert isnan(Figure.none().widened(4.0).low)


def test_a_part_of_the_events_is_counted_in_tests() -> None:
    layout = OutcomeLayout.classification(["no", "yes"], None, True)
    window, normal = np.array([440, 60, 0, 40, 460, 0]), np.array([4700, 300, 0, 300, 4700, 0])
    few = correctness(layout, window // 4, normal // 4, 1e-4)["accuracy"]
    tempered = correctness(layout, window, normal, 1e-4, 4.0)["accuracy"]
    assert tempered.p_value == pytest.approx(few.p_value)
    assert tempered.threshold == pytest.approx(few.threshold, abs=0.005)


def test_scores_and_numbers_are_tempered_too() -> None:
    rng = np.random.default_rng(2)
    score = rng.random(2_000).round(2)
    layout = OutcomeLayout.classification(["no", "yes"], "yes", False, np.arange(0.05, 1.0, 0.05))
    codes = np.zeros(2_000, np.int32)
    normal = count_outcomes(
        layout, OutcomeRows(codes, score, (rng.random(2_000) < score).astype(float))
    )
    other = count_outcomes(
        layout, OutcomeRows(codes, score, (rng.random(2_000) < 0.8 * score + 0.1).astype(float))
    )
    calibration = calibrate(layout, normal)
    assert calibration is not None
    p_values = [
        [
            correctness(layout, other, normal, 0.01, phi)["roc_auc"].p_value,
            gap(layout, calibration, other, phi)[1],
        ]
        for phi in (1.0, 4.0, 16.0)
    ]
    assert (np.diff(p_values, axis=0) > 0).all()
    assert max(p_values[0]) < 0.05
    figure = gap_figure(layout, calibration, other)
    assert figure.value == gap(layout, calibration, other)[0] < figure.high
    assert isnan(gap_figure(layout, calibration, np.zeros_like(other)).value)
    truth, size = rng.standard_normal(2_000), np.abs(rng.standard_normal(2_000))
    numbers = OutcomeLayout.regression(truth + size, truth)
    before, after = (
        count_outcomes(numbers, OutcomeRows(codes, truth + times * size, truth))
        for times in (1.0, 1.2)
    )
    found = [correctness(numbers, after, before, 0.01, phi)["mae"].p_value for phi in (1.0, 9.0)]
    assert found[0] < found[1] < 1.0


def test_the_gap_of_a_regression_is_tempered() -> None:
    size, codes = np.tile([1.0, 2.0, 3.0], 200), np.zeros(600, np.int32)
    plain = OutcomeLayout.regression(size, np.zeros(600))
    layout = type(plain)(**{**plain.__dict__, "errors": "0" * 16})
    assert layout.grid is not None
    normal, now = (
        count_outcomes(layout, OutcomeRows(codes, own, np.zeros(600), expected))
        for own in (size, 1.1 * size)
        for expected in [np.full(600, 2.0) / layout.grid.scale]
    )
    found = [error_gap(layout, now, normal, phi).p_value for phi in (1.0, 4.0, 1e6)]
    assert found == sorted(found)
    assert found[0] < 1e-4 < 0.4 < found[2]
