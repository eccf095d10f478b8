"""Every detector and metric of the tables passes the suite that is offered for those of others.

A new detector joins by its line in the table and an oracle in `oracles.py`.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from driftline.detectors import (
    DETECTORS,
    RATES,
    Baseline,
    Bins,
    Columns,
    FeatureColumn,
    Reference,
    build_reference,
    count_columns,
    encode,
    significant,
)
from driftline.detectors import compare as compare_some
from driftline.detectors.features.distance import distances
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import METRICS
from driftline.detectors.testing import Case, DetectorContract, Figures, MetricContract
from driftline.detectors.testing.data import CHANGED, DATA, NORMAL, cases, columns_of, window_of

from .oracles import ORACLES

compare = partial(compare_some, also=DETECTORS)


class TestDetectors(DetectorContract):
    """Ours."""

    names = tuple(DETECTORS)

    def oracle(self, name: str, case: Case) -> Figures:
        return ORACLES[name](case)

    def cells(self, name: str, bins: Bins) -> int:
        # What chi_square merges: the rarest category, and the one that is unseen.
        return bins.window.size - (name == "chi_square" and bins.window.size == 5)


class TestMetrics(MetricContract):
    """Ours; tests/detectors/outcomes holds their oracles."""

    names = tuple(METRICS)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_reference("contract", columns_of(1, 4_000, 0.0, NORMAL), grid=None)


@pytest.fixture(scope="module")
def baseline(reference: Reference) -> Baseline:
    return Baseline(reference.layout, reference.counts[0])


@pytest.mark.parametrize("kind", DATA)
@pytest.mark.parametrize("seed", range(20))
def test_ks_equals_scipy_for_every_window(
    reference: Reference, baseline: Baseline, kind: str, seed: int
) -> None:
    f, n, shift = reference.layout.position[kind], 100 + 60 * seed, 0.05 * (seed % 5)
    window = window_of(reference, seed, n, shift)
    found = compare(baseline, window, 0.01).detectors["ks"]
    case = cases(reference, baseline, seed, n, shift)[f]
    value, p_value = ORACLES["ks"](case)
    valid = np.array([reference.layout.slots(window, i).sum() for i in range(len(DATA))], float)
    exact, _ = distances(reference.layout, baseline.cdf, window, valid)
    assert exact[f] == pytest.approx(value, rel=0, abs=1e-12)
    assert found.value[f] == significant(value)
    assert found.p_value[f] == pytest.approx(p_value, rel=1e-7)
    effective = np.sqrt(case.old.size * case.new.size / (case.old.size + case.new.size))
    assert found.threshold[f] == pytest.approx(stats.kstwobign.isf(0.01) / effective, rel=1e-9)


@pytest.fixture(scope="module")
def few_and_many(reference: Reference) -> tuple[IntArray, IntArray]:
    """4,000 events with every kind of bad value, far ones and unseen categories, twice: in the
    second of some features there are more."""
    return window_of(reference, 2, 4_000, 1.6), window_of(reference, 3, 4_000, 1.7)


@pytest.mark.parametrize("name", RATES)
def test_large_rates_equal_scipy_chi_square(
    reference: Reference, few_and_many: tuple[IntArray, IntArray], name: str
) -> None:
    normal = Baseline(reference.layout, few_and_many[0])
    old, found = (compare(normal, window, 0.01).detectors[name] for window in few_and_many)
    rose = np.flatnonzero((4_000 * old.value > 30) & (found.value > old.value))
    assert rose.size
    for f in rose:
        bad = np.array([4_000 * old.value[f] + RATES[name].added, 4_000 * found.value[f]])
        table = np.stack([bad, 4_000 - bad], axis=1)
        wanted = stats.chi2_contingency(table, correction=False).pvalue
        assert found.p_value[f] == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("name", [n for n, each in DETECTORS.items() if each.direction == "rise"])
def test_a_rate_that_fell_is_not_significant(
    reference: Reference, few_and_many: tuple[IntArray, IntArray], name: str
) -> None:
    few, many = few_and_many
    normal = Baseline(reference.layout, many)
    found, old = (compare(normal, window, 0.01).detectors[name] for window in (few, many))
    fell = found.value < old.value
    assert fell.any()
    assert (found.p_value[fell] > 0.3).all()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_merging_is_associative_and_free_of_order(
    reference: Reference, data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, 300))
    whole = encode(reference.layout, columns_of(n, n, 0.3, CHANGED))
    order = np.array(data.draw(st.permutations(range(n))))
    cuts = sorted(data.draw(st.lists(st.integers(0, n), max_size=4)))
    parts = [
        count_columns(reference.layout, Columns(whole.numeric[rows], whole.codes[rows]))
        for rows in np.split(order, cuts)
    ]
    at_once = count_columns(reference.layout, whole)
    assert np.array_equal(sum(parts[1:], parts[0]), at_once)
    assert np.array_equal(parts[0] + sum(reversed(parts[1:])), at_once)


@pytest.mark.parametrize("name", RATES)
def test_unusable_values_count_only_as_such(
    reference: Reference, baseline: Baseline, name: str
) -> None:
    window = np.zeros(reference.layout.size, np.int64)
    for start in reference.layout.starts[1:]:
        window[start - 3 : start] = 100, 50, 10  # missing, absent, invalid
    found = compare(baseline, window, 0.01)
    value = found.detectors[name].value
    wanted = {"missing": 150 / 160, "invalid": 10 / 160}.get(name, 0.0)
    assert np.allclose(value[~np.isnan(value)], wanted)
    assert (found.valid == 0).all()
    assert (found.events == 160).all()


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != "unseen"])
def test_what_is_constant_is_at_no_distance(name: str) -> None:
    built = build_reference(
        "m",
        {
            "n": FeatureColumn("numeric", np.full(9, 5.0)),
            "c": FeatureColumn("categorical", ["x"] * 9),
        },
    )
    found = compare(Baseline(built.layout, built.counts[0]), 1000 * built.counts[0], 0.01)
    value = found.detectors[name].value
    assert (value[~np.isnan(value)] == 0.0).all()
