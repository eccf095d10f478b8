from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from driftline.detectors.features.cells import Result
from driftline.detectors.features.rates import rate


def one(bad: int, n: int, reference_bad: int, m: int, alpha: float = 0.01) -> Result:
    return rate(np.array([float(bad)]), n, np.array([float(reference_bad)]), m, np.array([alpha]))


CASES = [(n, r) for n in (50, 500, 5_000) for r in (0, 1, 30, 2_000, 5_000, 9_000, 9_999, 10_000)]


@pytest.mark.parametrize(("n", "r"), CASES)
def test_p_value_is_never_below_the_exact_tail(n: int, r: int) -> None:
    m = 10_000
    bad = np.unique(np.linspace(1, n, 60).astype(int))
    found = rate(bad.astype(float), n, np.full(bad.size, float(r)), m, np.full(bad.size, 0.01))
    exact = np.asarray(stats.hypergeom.sf(bad - 1, n + m, bad + r, n))
    tail = (exact < 0.05) & (exact > 1e-300)
    assert (found.p_value[tail] >= exact[tail] * (1 - 1e-3)).all()


@pytest.mark.parametrize(("n", "r"), CASES)
@pytest.mark.parametrize("alpha", [0.01, 1e-5])
def test_threshold_is_the_smallest_rate_that_is_significant(n: int, r: int, alpha: float) -> None:
    bad = np.arange(n + 1.0)
    rows = np.full(bad.size, float(r))
    found = rate(bad, n, rows, 10_000, np.full(bad.size, alpha))
    significant = np.flatnonzero((found.p_value <= alpha) & (bad / n >= r / 10_000))
    wanted = significant[0] / n if significant.size else np.nan
    assert found.threshold[0] == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize(
    ("bad", "r"), [(3, 20), (90, 600), (160, 1_000), (700, 6_000), (990, 9_500)]
)
def test_p_value_is_the_larger_of_pearson_and_the_binomial_bounds(bad: int, r: int) -> None:
    n, m = 1_000, 10_000
    pearson = stats.chi2_contingency([[bad, n - bad], [r, m - r]], correction=False).pvalue
    many = stats.binom.sf(bad - 1, bad + r, n / (n + m))
    few = stats.binom.cdf(n - bad, n + m - bad - r, n / (n + m))
    wanted = max(pearson, min(many, few))
    assert one(bad, n, r, m).p_value[0] == pytest.approx(wanted, rel=1e-9)


def test_one_bad_event_after_a_clean_reference_is_no_alarm() -> None:
    found = one(1, 1_000, 0, 50_000, 1e-5)
    assert found.p_value[0] > 0.01
    assert found.value[0] == 0.001
    assert found.threshold[0] == 0.003


def test_a_fall_is_no_alarm() -> None:
    assert one(0, 1_000, 25_000, 50_000).p_value[0] == 1.0
    assert one(300, 1_000, 25_000, 50_000).p_value[0] > 0.99


def test_all_bad_is_found_and_nothing_is_impossible() -> None:
    assert one(1_000, 1_000, 25_000, 50_000).p_value[0] < 1e-100
    assert one(1_000, 1_000, 50_000, 50_000).p_value[0] > 0.1
    assert np.isnan(one(1_000, 1_000, 50_000, 50_000).threshold[0])
    assert np.isnan(one(0, 0, 5, 100).value[0])
    assert np.isnan(one(0, 100, 0, 0).p_value[0])


@pytest.mark.parametrize("share", [0.0002, 0.01, 0.1, 0.5, 0.97])
@pytest.mark.parametrize("n", [100, 1_000])
def test_quiet_windows_keep_the_level(share: float, n: int) -> None:
    rng = np.random.default_rng(6)
    r, x = rng.binomial(10_000, share, 20_000), rng.binomial(n, share, 20_000)
    p_value = rate(x.astype(float), n, r.astype(float), 10_000, np.full(20_000, 0.01)).p_value
    for alpha in (0.05, 0.01, 0.001):
        expected = alpha * p_value.size
        assert (p_value <= alpha).sum() <= expected + 4 * np.sqrt(expected)


@pytest.mark.parametrize("alpha", [1.0, 0.5, 1e-12, 1e-30])
def test_extreme_levels_have_thresholds(alpha: float) -> None:
    found = one(3, 1_000, 200, 10_000, alpha)
    assert 0.0 < found.threshold[0] < 0.2


@pytest.mark.parametrize(("n", "m"), [(200, 2_000), (1_000, 1_000)])
def test_with_one_bad_event_added_it_is_the_law_of_events_outside_the_extremes(
    n: int, m: int
) -> None:
    """As many of a window's events lie outside as come before two of the reference's."""
    for outside in (1, 3, 8):
        exact = stats.binom.cdf(1, outside + 1, m / (n + m))
        assert one(outside, n, 1, m).p_value[0] >= exact * (1 - 1e-9)
    rng = np.random.default_rng(3)
    p_values = []
    for _ in range(3_000):
        reference, window = rng.normal(size=m), rng.normal(size=n)
        outside = int(((window < reference.min()) | (window > reference.max())).sum())
        p_values.append(one(outside, n, 1, m).p_value[0] if outside else 1.0)
    for alpha in (0.05, 0.01):
        assert (np.array(p_values) <= alpha).mean() <= alpha + 4 * np.sqrt(alpha / 3_000)
