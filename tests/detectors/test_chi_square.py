from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftline.detectors.cells import Cells
from driftline.detectors.chi_square import chi_square, merge_rare
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
        if n * (r + w) >= 30 * (n + m):
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
def test_equals_scipy_on_the_merged_cells(feature: list[tuple[int, int]]) -> None:
    reference, window = [r for r, _ in feature], [w for _, w in feature]
    found = chi_square(one_feature(reference, window), np.array([0.01]))
    table = np.array(merge_by_hand(reference, window)).T
    if table.shape[1] == 1:
        assert np.isnan([found.value[0], found.p_value[0], found.threshold[0]]).all()
        return
    wanted = stats.chi2_contingency(table, correction=False)
    assert found.value[0] == pytest.approx(wanted.statistic, rel=1e-9, abs=1e-9)
    assert found.p_value[0] == pytest.approx(wanted.pvalue, rel=1e-6)
    assert found.threshold[0] == pytest.approx(stats.chi2.isf(0.01, table.shape[1] - 1))


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
