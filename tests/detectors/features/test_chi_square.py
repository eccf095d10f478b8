from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftline.detectors.features.cells import Cells
from driftline.detectors.features.chi_square import chi_square, merge_rare, pearson
from driftline.detectors.grid import IntArray


def one_feature(reference: list[int] | IntArray, window: list[int] | IntArray) -> Cells:
    r, w = np.asarray(reference, np.int64), np.asarray(window, np.int64)
    return Cells(np.zeros(r.size, np.intp), r, w, 1)


def merge_by_hand(reference: list[int], window: list[int]) -> list[tuple[int, int]]:
    """The rule, cell by cell."""
    n, m = sum(window), sum(reference)
    merged: list[tuple[int, int]] = []
    r = w = 0
    for i in sorted(range(len(reference)), key=lambda i: reference[i] + window[i]):
        r, w = r + reference[i], w + window[i]
        if min(n, m) * (r + w) >= 30 * (n + m):
            merged.append((r, w))
            r = w = 0
    if r + w:
        last = merged.pop() if merged else (0, 0)
        merged.append((last[0] + r, last[1] + w))
    return merged


COUNTS = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 200)), min_size=1, max_size=12
).filter(lambda cells: sum(r for r, _ in cells) > 0 and sum(w for _, w in cells) > 0)


@given(st.lists(COUNTS, min_size=1, max_size=4))
def test_cells_are_merged_as_the_rule_says(features: list[list[tuple[int, int]]]) -> None:
    cells = Cells(
        np.repeat(np.arange(len(features)), [len(f) for f in features]),
        np.array([r for f in features for r, _ in f]),
        np.array([w for f in features for _, w in f]),
        len(features),
    )
    merged = merge_rare(cells)
    for i, feature in enumerate(features):
        own = merged.owner == i
        wanted = merge_by_hand([r for r, _ in feature], [w for _, w in feature])
        assert [*zip(merged.reference[own], merged.window[own], strict=True)] == wanted


@given(COUNTS)
def test_pearson_equals_scipy_on_the_merged_cells(feature: list[tuple[int, int]]) -> None:
    reference, window = [r for r, _ in feature], [w for _, w in feature]
    found = pearson(one_feature(reference, window), np.array([0.01]))
    table = np.array(merge_by_hand(reference, window)).T
    if table.shape[1] == 1:
        assert np.isnan([found.value[0], found.p_value[0], found.threshold[0]]).all()
        return
    wanted = stats.chi2_contingency(table, correction=False)
    assert found.value[0] == pytest.approx(wanted.statistic, rel=1e-9, abs=1e-9)
    assert found.p_value[0] == pytest.approx(wanted.pvalue, rel=1e-6)
    assert found.threshold[0] == pytest.approx(stats.chi2.isf(0.01, table.shape[1] - 1))


@given(COUNTS)
def test_rare_cells_have_exact_bounds(feature: list[tuple[int, int]]) -> None:
    """The rule cell by cell, with the binomial laws of scipy: of two the one of fewer trials."""
    r, w = np.array(feature).T
    n, m, both = int(w.sum()), int(r.sum()), r + w
    fewer, here = (n, w) if n <= m else (m, r)
    rare = np.flatnonzero((both > 0) & (both * fewer < 30 * (n + m)))
    p_value = stats.chi2_contingency(
        np.array(merge_by_hand(r.tolist(), w.tolist())).T, correction=False
    ).pvalue
    one_cell = len(merge_by_hand(r.tolist(), w.tolist())) == 1
    if rare.size:
        ends = [sorted((int(both[i]), fewer)) for i in rare]
        law = [stats.binom(trials, other / (n + m)) for trials, other in ends]
        tails = [
            min(each.sf(here[i] - 1), each.cdf(here[i])) for each, i in zip(law, rare, strict=True)
        ]
        tests = 1 if np.count_nonzero(both) == 2 else rare.size
        exact = min(1.0, 2 * tests * min(tails))
        p_value = exact if one_cell else min(1.0, 2 * min(exact, p_value))
    found = chi_square(one_feature(r, w), np.array([0.01]))
    assert found.p_value[0] == pytest.approx(p_value, rel=1e-6, abs=1e-12)
    assert np.isnan(found.threshold[0]) == one_cell


@pytest.mark.parametrize(
    ("reference", "window"),
    [
        ([9_800, 200], [460, 40]),  # a rare class that grows
        ([5_000, 4_800, 200], [250, 210, 40]),  # beside two large ones
        ([9_700, 200, 100], [455, 40, 5]),  # of two rare ones one
        ([9_990, 10], [490, 10]),
        ([9_500, 500], [500, 0]),  # one that vanishes
        ([10_000, 0], [490, 10]),  # one that never was
    ],
)
def test_a_rare_class_is_tested(reference: list[int], window: list[int]) -> None:
    found = chi_square(one_feature(reference, window), np.array([1e-5]))
    assert found.p_value[0] <= 1e-5
    assert found.p_value[0] >= 0.5 * min(
        stats.fisher_exact(np.array([[a, b], [10_000 - a, sum(window) - b]])).pvalue
        for a, b in zip(reference, window, strict=True)
    )  # never smaller than the exact test of any one class
    same = [round(r * 500 / 10_000) for r in reference]
    assert chi_square(one_feature(reference, same), np.array([1e-5])).p_value[0] == 1.0


def test_unseen_categories_are_tested_alone_only_where_merging_leaves_one_cell() -> None:
    unseen, level = np.array([False, False, True]), np.array([1e-5])

    def p_value(reference: list[int], window: list[int]) -> float:
        return float(chi_square(one_feature(reference, window), level, unseen).p_value[0])

    assert p_value([6_000, 4_000, 0], [294, 196, 10]) > 0.5  # `rates.py` tests them
    assert p_value([10_000, 0, 0], [490, 0, 10]) < 1e-9
    assert p_value([9_999, 1, 0], [490, 0, 10]) > p_value([10_000, 0, 0], [490, 0, 10])


def test_all_events_in_one_cell_are_no_change() -> None:
    found = chi_square(one_feature([5_000, 0], [500, 0]), np.array([0.01]))
    assert (found.value[0], found.p_value[0]) == (0.0, 1.0)
    nothing = chi_square(one_feature([5_000, 10], [0, 0]), np.array([0.01]))
    assert np.isnan([nothing.value[0], nothing.p_value[0], nothing.threshold[0]]).all()


@pytest.mark.parametrize(("reference_events", "events"), [(5_000, 500), (50, 5_000)])
def test_quiet_rare_classes_keep_the_level(reference_events: int, events: int) -> None:
    rng = np.random.default_rng(4)
    for shares in ([0.98, 0.02], [0.999, 0.001], [0.6, 0.38, 0.02], [0.95, 0.03, *[0.002] * 10]):
        small = 0
        for _ in range(100):
            reference = rng.multinomial(reference_events, shares)
            for window in rng.multinomial(events, shares, 20):
                found = chi_square(one_feature(reference, window), np.array([0.01]))
                small += int(found.p_value[0] <= 0.01)
        assert small <= 20 + 4 * 20**0.5


def test_unseen_categories_raise_the_statistic() -> None:
    reference = [40_000, 8_000, 2_000, 0]
    quiet = chi_square(one_feature(reference, [800, 160, 40, 0]), np.array([1e-5]))
    unseen = chi_square(one_feature(reference, [770, 150, 40, 40]), np.array([1e-5]))
    assert quiet.value[0] == pytest.approx(0.0)
    assert unseen.p_value[0] < 1e-5
    assert unseen.value[0] > unseen.threshold[0]


def test_quiet_windows_of_many_equal_classes_keep_the_level() -> None:
    """Merged by the reference's own counts this fires in nearly every window."""
    rng = np.random.default_rng(3)
    p_values = []
    for _ in range(40):
        reference = rng.multinomial(10_000, np.full(150, 1 / 150))
        for _ in range(10):
            window = rng.multinomial(1_000, np.full(150, 1 / 150))
            found = chi_square(one_feature(reference, window), np.array([0.01]))
            p_values.append(found.p_value[0])
    assert np.mean(np.array(p_values) <= 0.05) < 0.09  # 3.7 standard deviations above 0.05


def test_categories_that_came_once_are_with_the_unseen_and_numbers_keep_theirs() -> None:
    number = ([500, 1, 300], [100, 0, 60])
    categories = ([700, 90, 1, 1, 1, 0], [180, 25, 0, 0, 0, 2])
    owner = np.repeat([0, 1], [3, 6])
    reference, window = (np.array([*number[i], *categories[i]]) for i in range(2))
    unseen = np.zeros(9, bool)
    unseen[-1] = True
    both = chi_square(Cells(owner, reference, window, 2), np.full(2, 0.01), unseen)
    alone = chi_square(one_feature(*number), np.array([0.01]))
    assert both.p_value[0] == alone.p_value[0]
    assert both.value[0] == alone.value[0]
    together = one_feature([700, 90, 3], [180, 25, 2])
    mask = np.array([False, False, True])
    assert both.p_value[1] == chi_square(together, np.array([0.01]), mask).p_value[0]
