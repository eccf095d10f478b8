"""scikit-learn is the oracle; `labels` are the layout's, and what has no value is left out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from driftline.detectors.outcomes import Figure, OutcomeLayout, count_outcomes, measure

from .windows import classes

NAMES = ("accuracy", "precision", "recall", "f1")
ORACLES = (metrics.precision_score, metrics.recall_score, metrics.f1_score)


def measured(
    count: int, positive: str | None, predicted: np.typing.ArrayLike, actual: np.typing.ArrayLike
) -> dict[str, Figure]:
    layout = OutcomeLayout.classification([str(i) for i in range(count)], positive, True)
    found = measure(layout, count_outcomes(layout, classes(predicted, actual)))
    assert tuple(found) == NAMES
    return found


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("n", [1, 3, 20, 1_000])
def test_binary_equals_scikit_learn(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    actual, predicted = rng.random(n) < 0.3, rng.random(n) < rng.random()
    found = measured(2, "1", predicted, actual)
    wanted = [metrics.accuracy_score(actual, predicted)]
    wanted += [oracle(actual, predicted, zero_division=np.nan) for oracle in ORACLES]
    assert [found[name].value for name in NAMES] == pytest.approx(wanted, rel=1e-9, nan_ok=True)
    for figure in found.values():
        assert figure.n == n
        assert math.isnan(figure.value) or 0 <= figure.low <= figure.value <= figure.high <= 1


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("count", "n"), [(2, 50), (3, 5), (3, 400), (10, 40), (100, 3_000)])
def test_macro_averages_equal_scikit_learn(seed: int, count: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    actual = rng.zipf(1.5, n) % count
    predicted = np.where(rng.random(n) < 0.6, actual, rng.integers(0, count + 1, n))
    found = measured(count, None, predicted, actual)
    wanted = [metrics.accuracy_score(actual, predicted)] + [
        oracle(actual, predicted, labels=range(count), average="macro", zero_division=np.nan)
        for oracle in ORACLES
    ]
    assert [found[name].value for name in NAMES] == pytest.approx(wanted, rel=1e-9, nan_ok=True)
    for figure in found.values():
        assert 0 <= figure.low <= figure.value <= figure.high <= 1


def test_the_known_positive_of_many_classes_changes_nothing() -> None:
    predicted, actual = [0, 1, 2, 1], [0, 1, 1, 2]
    assert measured(3, "2", predicted, actual) == measured(3, None, predicted, actual)


@pytest.mark.parametrize("positive", [None, "1"])
def test_an_empty_window_has_no_value(positive: str | None) -> None:
    for figure in measured(2, positive, [], []).values():
        assert figure.n == 0
        assert all(map(math.isnan, (figure.value, figure.low, figure.high)))


def test_what_never_happens_has_no_value_and_not_zero() -> None:
    never_said = measured(2, "1", [0, 0, 0], [0, 1, 1])
    assert math.isnan(never_said["precision"].value)
    assert never_said["recall"].value == never_said["f1"].value == 0.0
    never_true = measured(2, "1", [0, 0], [0, 0])
    assert math.isnan(never_true["recall"].value)
    assert math.isnan(never_true["f1"].value)
    assert never_true["accuracy"].value == 1.0


@pytest.mark.parametrize("positive", [None, "1"])
def test_a_perfect_window_is_not_taken_as_certain(positive: str | None) -> None:
    codes = [0] * 15 + [1] * 5
    for figure in measured(2, positive, codes, codes).values():
        assert figure.value == figure.high == 1.0
        assert 0.4 < figure.low < 0.9


def test_accuracy_has_wilsons_interval() -> None:
    found = measured(2, None, [0] * 8 + [1] * 2, [0] * 10)["accuracy"]
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.8, 0.4902, 0.9433)


def test_f1_interval_is_that_of_the_share_of_hits() -> None:
    # 6 hits of 10 pairs in which class or prediction is positive: Wilson 0.3127 to 0.8318.
    found = measured(2, "1", [1] * 8 + [0] * 4, [1] * 6 + [0] * 2 + [1] * 2 + [0] * 2)["f1"]
    assert found.value == pytest.approx(0.75)
    assert found.low == pytest.approx(2 * 0.3127 / 1.3127, abs=1e-4)
    assert found.high == pytest.approx(2 * 0.8318 / 1.8318, abs=1e-4)
