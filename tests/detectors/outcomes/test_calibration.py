from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows, count_outcomes
from driftline.detectors.outcomes.calibration import FEWEST, GROUPS, Calibration, calibrate
from driftline.detectors.rounding import significant

PAIRS = st.lists(
    st.tuples(st.integers(0, 100).map(lambda i: i / 100), st.booleans()), min_size=1, max_size=400
)


def calibrated(
    score: list[float], positive: list[bool], limit: float = np.inf
) -> tuple[OutcomeLayout, Calibration]:
    x, y = np.array(score), np.array(positive, np.float64)
    layout = OutcomeLayout.classification(["0", "1"], "1", True, x)
    rows = OutcomeRows((x > limit).astype(np.int32), x, y)
    calibration = calibrate(layout, count_outcomes(layout, rows))
    assert calibration is not None
    return layout, calibration


@given(PAIRS, st.sampled_from([np.inf, -np.inf, 0.3, 0.75]))
def test_each_group_has_the_share_of_its_events(
    pairs: list[tuple[float, bool]], limit: float
) -> None:
    """At most 101 distinct scores, so each has a bin of its own."""
    score, positive = np.array([s for s, _ in pairs]), np.array([p for _, p in pairs])
    layout, calibration = calibrated(score.tolist(), positive.tolist(), limit)
    group = calibration.group[layout.score_bins(score)]
    assert set(np.diff(calibration.group)) <= {0, 1}
    assert calibration.events.tolist() == np.bincount(group).tolist()
    assert calibration.positives.tolist() == np.bincount(group, positive).tolist()
    for number in np.unique(group):
        own = group == number
        at = calibration.probability[layout.score_bins(score[own])]
        assert np.allclose(at, positive[own].mean(), rtol=0, atol=1e-12)
        assert len({bool(s > limit) for s in score[own]}) == 1
    for side in (score > limit, score <= limit):  # small only where all of them are few
        assert calibration.events[np.unique(group[side])].min(initial=FEWEST) >= min(
            FEWEST, side.sum() or FEWEST
        )


def test_groups_do_not_depend_on_what_happened() -> None:
    rng = np.random.default_rng(0)
    score = rng.beta(2, 5, 3_000)
    groups = [
        calibrated(score.tolist(), (rng.random(3_000) < share).tolist(), 0.5)[1].group
        for share in (0.01, 0.5, score)
    ]
    assert np.array_equal(groups[0], groups[1])
    assert np.array_equal(groups[0], groups[2])
    assert 30 <= np.unique(groups[0]).size <= GROUPS + 1


def test_of_continuous_scores_the_curve_is_the_true_one() -> None:
    rng = np.random.default_rng(1)
    score = rng.beta(2, 5, 200_000)
    positive = rng.random(200_000) < score**1.5
    layout, calibration = calibrated(score.tolist(), positive.tolist())
    found = calibration.probability[layout.score_bins(score)]
    assert np.abs(found - score**1.5).mean() < 0.01
    assert found.mean() == pytest.approx(positive.mean(), abs=1e-12)


def test_bins_without_events_follow_the_next_lower_one() -> None:
    layout, calibration = calibrated([0.3] * 40 + [0.6] * 20, [False, True] * 20 + [True] * 20)
    at = calibration.probability[layout.score_bins(np.array([-2, 0.0, 0.29, 0.31, 0.59, 0.99, 7]))]
    assert at.tolist() == [0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0]


def test_the_score_of_a_bin_is_the_references_mean() -> None:
    rng = np.random.default_rng(2)
    score = np.concatenate([[0.0, 1.0], rng.beta(0.5, 0.5, 10_000)])
    layout, calibration = calibrated(score.tolist(), (rng.random(10_002) < score).tolist())
    bins = layout.score_bins(score)
    wanted = np.bincount(bins, score) / np.maximum(np.bincount(bins), 1)
    used = np.unique(bins)
    assert np.allclose(calibration.score[used], wanted[used], rtol=0, atol=1e-6)


def test_margins_that_are_no_probabilities_stand_for_their_calibrated_ones() -> None:
    score = np.repeat([-3.0, -1.0, 2.0, 5.0], FEWEST)
    positive = np.repeat([0, 1, 0, 1], FEWEST) * (np.arange(4 * FEWEST) % 2)
    layout, calibration = calibrated(score.tolist(), (positive > 0).tolist())
    assert not layout.probability
    assert calibration.score.tolist() == calibration.probability.tolist()
    at = layout.score_bins(np.array([-3.0, -1.0, 2.0, 5.0]))
    assert calibration.probability[at].tolist() == [0.0, 0.5, 0.0, 0.5]


def test_moments_are_those_of_a_beta_law() -> None:
    positive = [True] * 5 + [False] * 25 + [True] * 30
    _, calibration = calibrated([0.1] * 30 + [0.9] * 30, positive)
    rng = np.random.default_rng(3)
    for group, positives in enumerate([5, 30]):
        mean = (positives + 0.5) / 31
        q = rng.beta(29 * mean, 29 * (1 - mean), 400_000)
        assert q.var() == pytest.approx(mean * (1 - mean) / 30, rel=0.02)
        for power, moment in enumerate(calibration.moments, start=1):
            assert moment[group] == pytest.approx(float(np.mean(q**power)), abs=0.002)


def test_nothing_to_calibrate() -> None:
    without_score = OutcomeLayout.classification(["a", "b"], "b", True)
    assert calibrate(without_score, np.zeros(without_score.size, np.int64)) is None
    without_events = OutcomeLayout.classification(["a", "b"], "b", True, [0.1, 0.7])
    assert calibrate(without_events, np.zeros(without_events.size, np.int64)) is None
    one_class = calibrated([0.1, 0.7], [False, False])[1]
    assert significant(one_class.probability).tolist() == [0.0] * one_class.group.size
