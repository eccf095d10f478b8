"""Tests of windows whose events vary more than independent ones would."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from driftline.detectors import Baseline, Comparison, Feature, Layout, compare
from driftline.detectors.dispersion import DIRECTIONS, NONE
from driftline.detectors.features.rates import rate
from driftline.detectors.registry import DETECTORS

IntArray = NDArray[np.int64]

GRID = np.arange(1.0, 41.0)
LAYOUT = Layout.of(
    [
        Feature("age", "numeric", GRID),
        Feature("plan", "categorical", np.empty(0), ("a", "b", "c")),
        Feature("rare", "categorical", np.empty(0), ("often", "seldom")),
    ]
)
ALPHA = np.full(3, 0.003)
THRICE = np.full((len(DIRECTIONS), 3), 3.0)


def flat(age: IntArray, plan: list[int], rare: list[int], missing: int) -> IntArray:
    """Return the counts of a window: events of the ages, of the plans, and of the rare class."""
    ages = np.zeros(2 * GRID.size + 1, np.int64)
    ages[1::2] = age
    none = [missing, 0, 0]
    return np.concatenate([ages, none, plan, [0], none, rare, [0], none])


def counts(seed: int = 3) -> tuple[IntArray, IntArray]:
    """Return a reference of 6,000 events and a window of 300 that has changed a little."""
    rng = np.random.default_rng(seed)
    normal, now = (
        np.bincount(np.clip(np.round(rng.normal(mean, 8, n)), 1, 40).astype(int), minlength=41)[1:]
        for mean, n in ((20, 6_000), (21, 288))
    )
    reference = flat(normal, [2_100, 1_998, 1_902], [5_880, 120], 60)
    return reference, flat(now, [84, 111, 93], [270, 18], 12)


def judged(reference: IntArray, window: IntArray, phi: float) -> Comparison:
    everywhere = np.full((len(DIRECTIONS), 3), phi)
    return compare(Baseline(LAYOUT, reference), window, ALPHA, also=DETECTORS, phi=everywhere)


def test_independent_events_have_a_dispersion_of_1() -> None:
    reference, window = counts()
    plain = compare(Baseline(LAYOUT, reference), window, ALPHA, also=DETECTORS)
    tempered = judged(reference, window, 1.0)
    for name, result in plain.detectors.items():
        for field in ("value", "p_value", "threshold"):
            mine, theirs = (getattr(r, field) for r in (tempered.detectors[name], result))
            assert mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize(
    "name", ["ks", "chi_square", "jensen_shannon", "hellinger", "kuiper", "missing"]
)
@pytest.mark.parametrize("phi", [3, 7])
def test_phi_times_the_events_tell_as_much_as_independent_ones(name: str, phi: int) -> None:
    reference, window = counts()
    once = judged(reference, window, 1.0).detectors[name]
    often = judged(reference * phi, window * phi, float(phi)).detectors[name]
    np.testing.assert_allclose(often.p_value, once.p_value, rtol=1e-8)
    if name == "chi_square":  # a statistic grows with the events
        np.testing.assert_allclose(often.threshold, once.threshold * phi)
    elif name != "missing":  # whose threshold is a whole number of events
        np.testing.assert_allclose(often.threshold, once.threshold, rtol=1e-8)


@pytest.mark.parametrize("phi", [1.0, 3.0])
def test_laws_are_those_of_scipy_for_a_phi_th_of_the_events(phi: float) -> None:
    reference, window = counts()
    found = judged(reference, window, phi).detectors
    n, m = 288, 6_000
    normal, now = (each[1:80:2] for each in (reference, window))
    distance = np.abs(np.cumsum(now) / n - np.cumsum(normal) / m).max()
    scale = sqrt(n * m / (n + m) / phi)
    assert found["ks"].p_value[0] == pytest.approx(stats.kstwobign.sf(distance * scale))
    assert found["ks"].threshold[0] == pytest.approx(stats.kstwobign.isf(0.003) / scale)

    plans = np.array([[2_100, 1_998, 1_902], [84, 111, 93]])
    statistic = stats.chi2_contingency(plans, correction=False).statistic
    pearson = found["chi_square"]
    assert pearson.value[1] == pytest.approx(statistic)
    assert pearson.p_value[1] == pytest.approx(stats.chi2.sf(statistic / phi, 2))
    assert pearson.threshold[1] == pytest.approx(phi * stats.chi2.isf(0.003, 2))

    p, q = (plans[0] + 0.5) / 6_001.5, (plans[1] + 0.5) / 289.5
    raw, v = float(((q - p) * np.log(q / p)).sum()), phi * (1 / n + 1 / m)
    assert found["psi"].value[1] == pytest.approx(raw - 2 * v)
    assert found["psi"].p_value[1] == pytest.approx(stats.chi2.sf(raw / v, 2))
    assert found["psi"].threshold[1] == pytest.approx(v * (stats.chi2.isf(0.003, 2) - 2))


@pytest.mark.parametrize("phi", [1.0, 3.0])
def test_rare_classes_are_bounded_by_a_phi_th_of_their_events(phi: float) -> None:
    reference, window = counts()
    found = judged(reference, window, phi).detectors["chi_square"]
    t, share = 138 / phi, 288 / 6_288
    tail = stats.binom.sf(18 / phi - 1, t, share)
    assert found.p_value[2] == pytest.approx(2 * tail * 0.5 * 2, rel=1e-9)


def test_squared_distances_grow_phi_times_as_large_by_chance() -> None:
    reference, window = counts()
    once, often = judged(reference, window, 1.0), judged(reference * 3, window * 3, 3.0)
    same = judged(reference, window, 3.0)
    for name in ("cramer_von_mises", "anderson_darling"):
        limits = [found.detectors[name].threshold[0] for found in (once, often)]
        assert limits[1] == pytest.approx(3 * limits[0])
        plain, tempered = once.detectors[name], same.detectors[name]
        assert tempered.value[0] == plain.value[0]
        assert tempered.p_value[0] > plain.p_value[0]
        level = plain.p_value[0]
        at = compare(Baseline(LAYOUT, reference), window, level, also=[name], phi=THRICE)
        # What one independent window shows, three times as much is as likely.
        if name == "anderson_darling":
            assert at.detectors[name].threshold[0] == pytest.approx(3 * plain.value[0])


@pytest.mark.parametrize("phi", [1.0, 3.0])
def test_the_rate_without_values_has_a_dispersion_of_its_own(phi: float) -> None:
    reference, window = counts()
    own = np.ones((len(DIRECTIONS), 3))
    own[NONE] = phi
    found = compare(Baseline(LAYOUT, reference), window, ALPHA, phi=own).detectors
    assert found["missing"].value.tolist() == [0.04] * 3
    bound = stats.binom.sf(12 / phi - 1, 72 / phi, 300 / 6_360)
    good = stats.binom.cdf(288 / phi, (6_360 - 72) / phi, 300 / 6_360)
    table = np.array([[12, 288], [60, 6_000]])
    statistic = stats.chi2_contingency(table, correction=False).statistic
    wanted = max(min(bound, good), stats.chi2.sf(statistic / phi, 1))
    assert found["missing"].p_value[0] == pytest.approx(wanted, rel=1e-9)
    plain = compare(Baseline(LAYOUT, reference), window, ALPHA).detectors
    assert found["ks"].p_value.tobytes() == plain["ks"].p_value.tobytes()
    assert found["out_of_range"].threshold.tobytes() == plain["out_of_range"].threshold.tobytes()


@pytest.mark.parametrize("phi", [1.0, 2.5, 40.0])
@pytest.mark.parametrize("normally", [0, 60, 5_990])
@pytest.mark.parametrize("added", [0, 1])
def test_a_rate_at_its_threshold_is_significant(phi: float, normally: int, added: int) -> None:
    bad = np.arange(301.0)
    rows = np.full(bad.size, float(normally))
    found = rate(bad, 300, rows, 6_000, np.full(bad.size, 0.003), phi, added)
    significant = np.flatnonzero((found.p_value <= 0.003) & (bad / 300 > normally / 6_000))
    wanted = significant[0] / 300 if significant.size else np.nan
    assert found.threshold[0] == pytest.approx(wanted, nan_ok=True)


def test_events_beyond_extremes_follow_their_law() -> None:
    reference, window = counts()
    outside = window.copy()
    outside[80] += 6
    found = judged(reference, outside, 3.0).detectors["out_of_range"]
    assert found.value[0] == pytest.approx(6 / 306)
    # Of a phi-th of the events two come beyond the extremes of a phi-th, and before one of them.
    assert found.p_value[0] >= stats.binom.sf(1, 3, 306 / (306 + 6_060)) * (1 - 1e-9)


def test_the_effect_loses_what_dispersion_adds_by_chance() -> None:
    reference, window = counts()
    once, often = (judged(reference, window, phi).effect for phi in (1.0, 4.0))
    v = 1 / 288 + 1 / 6_000
    np.testing.assert_allclose(once - often, np.array([9, 2, 1]) * 3 * v, rtol=1e-8)
    assert log(2) > once[1] > 0
