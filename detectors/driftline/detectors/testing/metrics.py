"""The suite that every metric of performance inherits: each must pass all of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import pytest

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes.counting import OutcomeRows, count_outcomes
from driftline.detectors.outcomes.figure import Figure
from driftline.detectors.outcomes.layout import OutcomeLayout
from driftline.detectors.outcomes.metrics import METRICS
from driftline.detectors.outcomes.performance import measure

PAIRS = 800
_WINDOWS = 250


@dataclass(frozen=True)
class Pairs:
    """Predictions with their ground truth, as an oracle takes them.

    Attributes:
        predicted: of a classifier: code of the predicted class, 1 is the positive one.
        score: of a classifier: the probability of class 1; of a regression: the prediction.
        actual: code of the actual class, or the actual value.
    """

    predicted: IntArray
    score: FloatArray
    actual: FloatArray

    @property
    def rows(self) -> OutcomeRows:
        """The same, as they are counted."""
        return OutcomeRows(self.predicted.astype(np.int32), self.score, self.actual)


class MetricContract:
    """Inherit it, and name the metrics: each is a line of the table, so it is installed.

    Attributes:
        names: of the metrics.
    """

    names: ClassVar[Collection[str]]

    def oracle(self, name: str, pairs: Pairs) -> float | None:
        """Return the value by another way; to be written for each metric. None: there is none."""
        return None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test for each metric."""
        if "name" in metafunc.fixturenames:
            metafunc.parametrize("name", list(self.names))

    @pytest.mark.parametrize("seed", range(3))
    def test_it_equals_its_oracle(self, name: str, seed: int) -> None:
        """Within its bounds, and resting on all pairs."""
        pairs = drawn(np.random.default_rng(seed), PAIRS, _of_errors(name))
        found = _figure(name, pairs)
        scale = METRICS[name].scale
        assert scale.least <= found.value <= scale.most
        assert found.n == PAIRS
        if (value := self.oracle(name, pairs)) is not None:
            # Scores are counted in bins, so what comes of their order is off by 0.0002 at most.
            assert found.value == pytest.approx(value, rel=1e-6, abs=2e-4)

    def test_merged_counts_give_the_same(self, name: str) -> None:
        """Panes add up in any order, and a pair that was wrong is taken out again."""
        layout = _layout(_of_errors(name))
        one, two, wrong = (
            _count(layout, drawn(np.random.default_rng(seed), n, _of_errors(name)))
            for seed, n in ((1, 300), (2, 500), (3, 1))
        )
        whole = measure(layout, one + two, (name,))[name]
        assert measure(layout, two + wrong + one - wrong, (name,))[name] == whole

    def test_no_pairs_have_no_value(self, name: str) -> None:
        """NaN, never 0."""
        layout = _layout(_of_errors(name))
        found = measure(layout, np.zeros(layout.size, np.int64), (name,))[name]
        assert np.isnan([found.value, found.low, found.high]).all()
        assert found.n == 0

    @pytest.mark.parametrize("n", [1, 40])
    def test_windows_of_one_sort_do_not_crash(self, name: str, n: int) -> None:
        """All right, all wrong, of one class, of one value."""
        regression = _of_errors(name)
        for predicted in (0, 1):
            for actual in (0.0, 1.0):
                pairs = Pairs(np.full(n, predicted), np.full(n, 0.3 + 0.4 * predicted),
                              np.full(n, actual))  # fmt: skip
                found = measure(_layout(regression), _count(_layout(regression), pairs), (name,))
                scale, value = METRICS[name].scale, found[name].value
                assert np.isnan(value) or scale.least <= value <= scale.most
                assert not np.isinf([found[name].low, found[name].high]).any()

    def test_its_interval_holds_the_value(self, name: str) -> None:
        """In 95 % of windows: 88 % of 250 are 5 standard deviations fewer."""
        figure = _figure(name, drawn(np.random.default_rng(1), PAIRS, _of_errors(name)))
        declared = METRICS[name].interval is not None
        assert np.isnan([figure.low, figure.high]).any() != declared
        assert not declared or figure.low <= figure.value <= figure.high
        assert not declared or _held(tuple(self.names))[name] >= 0.88


def drawn(rng: np.random.Generator, n: int, regression: bool) -> Pairs:
    """Draw predictions that are right as often as their scores say, or off by 2 on average."""
    if regression:
        actual = rng.normal(20.0, 6.0, n)
        return Pairs(np.zeros(n, np.int64), actual + rng.normal(0.5, 2.0, n), actual)
    score = rng.beta(2, 3, n)
    actual = (rng.random(n) < score).astype(np.float64)
    return Pairs((score > 0.4).astype(np.int64), score, actual)


@cache
def _held(names: tuple[str, ...]) -> dict[str, float]:
    """How often the interval of a window holds the value of all windows together."""
    found: dict[str, float] = {}
    for regression in {_of_errors(name) for name in names}:
        layout, rng = _layout(regression), np.random.default_rng(5)
        windows = [_count(layout, drawn(rng, PAIRS, regression)) for _ in range(_WINDOWS)]
        whole = measure(layout, sum(windows[1:], windows[0]), names)
        each = [measure(layout, window, names) for window in windows]
        for name in whole:
            inside = [one[name].low <= whole[name].value <= one[name].high for one in each]
            found[name] = float(np.mean(inside))
    return found


def _of_errors(name: str) -> bool:
    return METRICS[name].family == "errors"


@cache
def _layout(regression: bool) -> OutcomeLayout:
    pairs = drawn(np.random.default_rng(0), 20_000, regression)
    if regression:
        return OutcomeLayout.regression(pairs.score, pairs.actual)
    return OutcomeLayout.classification(["0", "1"], "1", True, pairs.score)


def _count(layout: OutcomeLayout, pairs: Pairs) -> IntArray:
    return count_outcomes(layout, pairs.rows)


def _figure(name: str, pairs: Pairs) -> Figure:
    layout = _layout(_of_errors(name))
    return measure(layout, _count(layout, pairs), (name,))[name]
