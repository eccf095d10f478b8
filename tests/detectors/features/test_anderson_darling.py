from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

from driftline.detectors.features.anderson_darling import anderson_darling
from driftline.detectors.features.cells import Cells, Result
from driftline.detectors.grid import FloatArray


def judged(old: FloatArray, new: FloatArray, level: float = 0.01) -> Result:
    distinct, which = np.unique(np.concatenate([old, new]), return_inverse=True)
    owner = np.zeros(distinct.size, np.intp)
    sides = which[: old.size], which[old.size :]
    old_counts, new_counts = (np.bincount(side, minlength=distinct.size) for side in sides)
    return anderson_darling(Cells(owner, old_counts, new_counts, 1), np.array([level]))


def scipys(old: FloatArray, new: FloatArray) -> tuple[float, float]:
    """A^2 and p-value of scipy, which sets the statistic to the mean 0 and the variance 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of p-values beyond its table
        found = stats.anderson_ksamp([old, new], variant="right")
    n, m = new.size, old.size
    both, sides = n + m, 1 / n + 1 / m
    j = np.arange(1, both)
    h = (1 / j).sum()
    g = (np.cumsum(1 / j[::-1])[:-1] / j[1:]).sum()  # over i < j of 1 / ((N - i) j)
    a = (4 * g - 6) + (10 - 6 * g) * sides
    b = (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * sides - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * sides + 4 * h
    d = (2 * h + 6) * 4 - 8 * h
    variance = (a * both**3 + b * both**2 + c * both + d) / (
        (both - 1.0) * (both - 2.0) * (both - 3.0)
    )
    return float(found.statistic * np.sqrt(variance) + 1), float(found.pvalue)


@pytest.mark.parametrize(("n", "m"), [(3, 4), (7, 30), (100, 100), (500, 3_000)])
@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_untied_values_equal_scipy(n: int, m: int, shift: float) -> None:
    rng = np.random.default_rng(n)
    for _ in range(20):
        old, new = rng.normal(size=m), rng.normal(shift, size=n)
        found, (value, p_value) = judged(old, new), scipys(old, new)
        assert found.value[0] == pytest.approx(value, rel=1e-9)
        if n >= 100 and 0.001 < p_value < 0.25:  # between the values of scipy's table, on a curve
            assert found.p_value[0] == pytest.approx(p_value, rel=0.06)
        assert judged(old, new, found.p_value[0]).threshold == pytest.approx(found.value, rel=1e-6)


def test_critical_values_are_the_published_ones() -> None:
    """Of the limit law: Marsaglia and Marsaglia, Journal of Statistical Software 9, 2004."""
    one = np.array([1.0, 2.0])
    levels = (0.1, 0.05, 0.01)
    found = [judged(one, one, level).threshold[0].round(4) for level in levels]
    assert found == [1.9330, 2.4924, 3.8781]


@pytest.mark.parametrize("kind", ["plain", "rounded", "one value of 95 %"])
def test_quiet_values_keep_the_level(kind: str) -> None:
    rng = np.random.default_rng(5)

    def draw(n: int) -> FloatArray:
        if kind == "one value of 95 %":
            return rng.choice(3, n, p=[0.95, 0.03, 0.02]).astype(np.float64)
        return rng.normal(size=n).round(1 if kind == "rounded" else 15)

    p_values = np.array([judged(draw(2_000), draw(200)).p_value[0] for _ in range(1_000)])
    assert (p_values <= 0.05).sum() <= 1_000 * 0.05 + 4 * np.sqrt(1_000 * 0.05 * 0.95)
    assert kind == "one value of 95 %" or (p_values <= 0.05).sum() >= 20
