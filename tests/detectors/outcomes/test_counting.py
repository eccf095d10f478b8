from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import (
    OutcomeLayout,
    OutcomeRows,
    count_outcomes,
    counting,
    measure,
)
from driftline.detectors.outcomes.counting import POSITION_STEPS

from .windows import binary, classes, scored, values

RNG = np.random.default_rng(5)
LAYOUTS = {
    "labels": OutcomeLayout.classification(["a", "b", "c"], None, True),
    "probabilities": binary(RNG.beta(1, 3, 3_000)),
    "margins": binary(RNG.normal(size=3_000), labelled=False),
    "regression": OutcomeLayout.regression(RNG.normal(5, 2, 500), RNG.normal(5, 2, 500)),
}


def draw(layout: OutcomeLayout, seed: int, n: int) -> OutcomeRows:
    """Rows as they come: some without score, some of classes that the layout does not have."""
    rng = np.random.default_rng(seed)
    score = rng.normal(0.4, 0.5, n) * 10.0 ** rng.integers(-2, 3, n)
    score[rng.random(n) < 0.1] = np.nan
    if layout.grid is None:
        actual = rng.integers(-1, len(layout.classes) + 1, n).astype(np.float64)
    else:
        actual = rng.normal(5, 2, n) * 10.0 ** rng.integers(-2, 9, n)
        actual[rng.random(n) < 0.05] = np.inf
    return OutcomeRows(rng.integers(-1, 4, n).astype(np.int32), score, actual)


def take(rows: OutcomeRows, at: IntArray) -> OutcomeRows:
    return OutcomeRows(rows.predicted[at], rows.score[at], rows.actual[at])


@pytest.mark.parametrize("name", LAYOUTS)
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31), n=st.integers(0, 200), parts=st.integers(1, 5))
def test_any_order_and_any_batches_count_the_same(name: str, seed: int, n: int, parts: int) -> None:
    layout = LAYOUTS[name]
    rows = draw(layout, seed, n)
    whole = count_outcomes(layout, rows)
    shuffled = np.random.default_rng(seed).permutation(n)
    pieces = [take(rows, piece) for piece in np.array_split(shuffled, parts)]
    merged = sum((count_outcomes(layout, piece) for piece in pieces), np.zeros_like(whole))
    assert np.array_equal(merged, whole)


@pytest.mark.parametrize("name", LAYOUTS)
@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31), n=st.integers(0, 200))
def test_weight_minus_one_takes_pairs_out_again(name: str, seed: int, n: int) -> None:
    layout = LAYOUTS[name]
    rows = draw(layout, seed, n)
    out = np.random.default_rng(seed).random(n) < 0.4
    kept = count_outcomes(layout, take(rows, np.flatnonzero(~out)))
    removed = count_outcomes(
        layout, take(rows, np.flatnonzero(out)), np.full(int(out.sum()), -1, np.int64)
    )
    assert np.array_equal(count_outcomes(layout, rows) + removed, kept)
    weight = np.where(out, -1, 1).astype(np.int64)
    assert np.array_equal(count_outcomes(layout, rows, weight), kept + removed)


@pytest.mark.parametrize("name", LAYOUTS)
def test_large_batches_are_counted_in_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = LAYOUTS[name]
    rows = draw(layout, 3, 1_000)
    whole = count_outcomes(layout, rows)
    monkeypatch.setattr(counting, "_BATCH", 77)
    assert np.array_equal(count_outcomes(layout, rows), whole)
    weight = np.ones(1_000, np.int64)
    assert np.array_equal(count_outcomes(layout, rows, weight), whole)


def test_each_pair_has_its_cell() -> None:
    layout = OutcomeLayout.classification(["a", "b"], None, True)
    counts = count_outcomes(layout, classes([0, 1, 2, -1, 0, 1], [0, 0, 0, 1, 1, 1]))
    assert layout.view(counts, "confusion").tolist() == [[1, 1, 1], [1, 1, 1]]


def test_unusable_ground_truth_counts_nowhere() -> None:
    for layout in LAYOUTS.values():
        n = 4 if layout.grid is None else 2
        actual = np.array([np.nan, np.inf, -1.0, 99.0])[:n]
        rows = OutcomeRows(np.zeros(n, np.int32), np.full(n, 0.5), actual)
        assert not count_outcomes(layout, rows).any()


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_pair_without_score_counts_in_the_confusion_matrix_only(score: float) -> None:
    layout = LAYOUTS["probabilities"]
    rows = OutcomeRows(np.ones(1, np.int32), np.array([score]), np.ones(1))
    counts = count_outcomes(layout, rows)
    assert layout.view(counts, "confusion")[1, 1] == 1
    assert counts.sum() == 1
    regression = LAYOUTS["regression"]
    assert not count_outcomes(regression, values(np.array([score]), np.ones(1))).any()


def test_joint_cells_are_actual_predicted_and_bin() -> None:
    layout = binary(np.array([0.1, 0.2, 0.3]))
    rows = scored(np.array([0.2, 0.7, 0.7, 0.2]), [0, 0, 1, 1])
    joint = layout.view(count_outcomes(layout, rows), "joint")
    low, high = layout.score_bins(np.array([0.2, 0.7]))
    assert joint[0, 0, low] == joint[0, 1, high] == joint[1, 1, high] == joint[1, 0, low] == 1
    assert joint.sum() == 4


def test_without_labels_nothing_is_predicted_positive() -> None:
    layout = LAYOUTS["margins"]
    joint = layout.view(count_outcomes(layout, scored(np.array([3.0, -3.0]), [1, 0])), "joint")
    assert joint[:, 1].sum() == 0
    assert joint.sum() == 2


def test_probabilities_beyond_the_ends_are_lost_as_the_ends_but_ranked_as_they_are() -> None:
    layout = LAYOUTS["probabilities"]
    beyond, ends = (
        count_outcomes(layout, scored(np.array(own), [0, 1])) for own in ([-0.5, 1.5], [0.0, 1.0])
    )
    for name in ("log_loss", "log_loss_squared", "brier", "brier_squared"):
        assert np.array_equal(layout.view(beyond, name), layout.view(ends, name))
    found, wanted = measure(layout, beyond), measure(layout, ends)
    assert found["calibration_error"] == wanted["calibration_error"]
    below = count_outcomes(layout, scored(np.array([1.5, 1.25, 1.0]), [1, 0, 0]))
    above = count_outcomes(layout, scored(np.array([1.5, 1.25, 1.0]), [0, 0, 1]))
    assert measure(layout, below)["roc_auc"].value == 1.0
    assert measure(layout, above)["roc_auc"].value == 0.0


def test_positions_keep_the_order_of_scores_even_beyond_the_reference() -> None:
    layout = LAYOUTS["margins"]
    scores = np.concatenate([RNG.normal(0, 3, 300), [-1e308, 1e308, layout.edges[0]]])
    steps = []
    for score in np.sort(scores):
        counts = count_outcomes(layout, scored(np.array([score]), [1]))
        place = int(layout.score_bins(np.array([score]))[0])
        step = int(layout.view(counts, "position")[1, place])
        assert 0 <= step <= POSITION_STEPS
        assert layout.view(counts, "position_squared")[1, place] == step * step
        steps.append((place, step))
    assert steps == sorted(steps)


def test_residuals_beyond_all_measure_are_cut() -> None:
    layout = LAYOUTS["regression"]
    counts = count_outcomes(layout, values(np.array([1e308, -1e308]), np.array([-1e308, 1e308])))
    assert layout.grid is not None
    moments = layout.view(counts, "moments")
    assert (moments[0] == 0).all()  # they cancel
    assert moments[1].any()
    assert counts[layout.sections["residuals"]].sum() == 2


def test_input_is_not_changed() -> None:
    for layout in LAYOUTS.values():
        rows, weight = draw(layout, 1, 50), np.ones(50, np.int64)
        before = rows.score.copy(), rows.actual.copy()
        count_outcomes(layout, rows, weight)
        assert np.array_equal(rows.score, before[0], equal_nan=True)
        assert np.array_equal(rows.actual, before[1], equal_nan=True)
        assert (weight == 1).all()
