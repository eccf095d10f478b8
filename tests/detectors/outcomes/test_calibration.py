from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows, count_outcomes
from driftline.detectors.outcomes.calibration import Calibration, calibrate
from driftline.detectors.rounding import significant


def calibrated(score: list[float], positive: list[bool]) -> tuple[OutcomeLayout, Calibration]:
    x, y = np.array(score), np.array(positive, np.float64)
    layout = OutcomeLayout.classification(["0", "1"], "1", False, x)
    rows = OutcomeRows(np.zeros(x.size, np.int32), x, y)
    calibration = calibrate(layout, count_outcomes(layout, rows))
    assert calibration is not None
    return layout, calibration


PAIRS = st.lists(
    st.tuples(st.integers(0, 100).map(lambda i: i / 100), st.booleans()), min_size=1, max_size=200
)


@given(PAIRS)
def test_equals_sklearn(pairs: list[tuple[float, bool]]) -> None:
    """At most 101 distinct scores, so each has a bin of its own."""
    score, positive = [s for s, _ in pairs], [p for _, p in pairs]
    layout, calibration = calibrated(score, positive)
    wanted = IsotonicRegression().fit(score, positive).predict(score)
    found = calibration.probability[layout.score_bins(np.array(score))]
    assert np.allclose(found, wanted, rtol=0, atol=1e-12)


@given(PAIRS)
def test_pools_hold_every_event_and_ascend(pairs: list[tuple[float, bool]]) -> None:
    _, calibration = calibrated([s for s, _ in pairs], [p for _, p in pairs])
    assert calibration.events.sum() == len(pairs)
    assert calibration.positives.sum() == sum(p for _, p in pairs)
    assert calibration.events.min() > 0
    assert (np.diff(calibration.positives / calibration.events) > 0).all()
    assert set(np.diff(calibration.block)) <= {0, 1}


def test_of_continuous_scores_the_binned_curve_is_sklearns_within_a_bin() -> None:
    rng = np.random.default_rng(1)
    score = rng.beta(2, 5, 20_000)
    positive = rng.random(20_000) < score**1.5
    layout, calibration = calibrated(score.tolist(), positive.tolist())
    wanted = IsotonicRegression().fit(score, positive).predict(score)
    found = calibration.probability[layout.score_bins(score)]
    assert np.abs(found - wanted).mean() < 0.005
    assert found.mean() == pytest.approx(positive.mean(), abs=1e-12)


def test_bins_without_events_follow_the_next_lower_one() -> None:
    layout, calibration = calibrated([0.3, 0.3, 0.6, 0.6], [False, True, True, True])
    at = calibration.probability[layout.score_bins(np.array([0.0, 0.29, 0.31, 0.59, 0.99]))]
    assert at.tolist() == [0.5, 0.5, 0.5, 0.5, 1.0]


def test_the_score_of_a_bin_is_the_references_mean() -> None:
    rng = np.random.default_rng(2)
    score = np.concatenate([[0.0, 1.0], rng.beta(0.5, 0.5, 10_000)])
    layout, calibration = calibrated(score.tolist(), (rng.random(10_002) < score).tolist())
    bins = layout.score_bins(score)
    wanted = np.bincount(bins, score) / np.maximum(np.bincount(bins), 1)
    used = np.unique(bins)
    assert np.allclose(calibration.score[used], wanted[used], rtol=0, atol=1e-6)


def test_margins_that_are_no_probabilities_stand_for_their_calibrated_ones() -> None:
    score = [-3.0, -1.0, 2.0, 5.0]
    layout, calibration = calibrated(score, [False, True, False, True])
    assert not layout.probability
    assert calibration.score.tolist() == calibration.probability.tolist()
    at = layout.score_bins(np.array(score))
    assert calibration.probability[at].tolist() == [0.0, 0.5, 0.5, 1.0]


def test_moments_are_those_of_the_beta_law() -> None:
    _, calibration = calibrated([0.1] * 4 + [0.9] * 3, [True] + [False] * 3 + [True] * 3)
    rng = np.random.default_rng(3)
    for pool, (positives, negatives) in enumerate([(1, 3), (3, 0)]):
        q = rng.beta(positives + 0.5, negatives + 0.5, 400_000)
        for power, moment in enumerate(calibration.moments, start=1):
            assert moment[pool] == pytest.approx(float(np.mean(q**power)), abs=0.002)


def test_nothing_to_calibrate() -> None:
    without_score = OutcomeLayout.classification(["a", "b"], "b", True)
    assert calibrate(without_score, np.zeros(without_score.size, np.int64)) is None
    without_events = OutcomeLayout.classification(["a", "b"], "b", True, [0.1, 0.7])
    assert calibrate(without_events, np.zeros(without_events.size, np.int64)) is None
    one_class = calibrated([0.1, 0.7], [False, False])[1]
    assert significant(one_class.probability).tolist() == [0.0] * one_class.block.size
