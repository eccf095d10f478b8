"""Pearson's two-sample chi-square test on categories, the unseen one included.

Source: Pearson 1900; Cochran, "Some methods for strengthening the common chi-square tests",
Biometrics 10, 1954 (merging cells of small expectation).
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, chdtri

from .cells import Cells, Result
from .grid import FloatArray

SMALLEST_EXPECTED = 30


def merge_rare(cells: Cells) -> Cells:
    """Merge cells until each has at least 30 expected events in the window.

    A cell expects n t / (n + m) events, where t counts it in reference and window together. In
    ascending order of t (ties in the order given) cells are joined until the sum reaches 30; then
    the next merged cell begins, so that a cell of 30 or more stays alone unless rarer ones still
    lack. What is left over joins the last one.

    Given the t, nothing in the reference's or the window's own counts has a say. Merging by the
    reference's counts would join cells that happen to be small in it, and alarm on every quiet
    window. An unseen category has few events in both together, so it joins the rarest ones and
    shows as their rise.

    Args:
        cells: categories with the unseen cell.

    Returns:
        The merged cells, the rarest first.

    Example:
        >>> reference, window = np.array([880, 10, 110, 0]), np.array([300, 0, 0, 9])
        >>> cells = Cells(np.zeros(4, int), reference, window, 1)
        >>> merge_rare(cells).reference, merge_rare(cells).window
        (array([120, 880]), array([  9, 300]))
    """
    both = cells.reference + cells.window
    order = np.lexsort((both, cells.owner))
    sizes = np.bincount(cells.owner, minlength=cells.features)
    first = np.cumsum(sizes) - sizes
    expected = np.zeros(cells.features)  # times n + m: whole numbers, so compared exactly
    enough = SMALLEST_EXPECTED * (cells.n + cells.m)
    full = np.zeros(cells.features, np.intp)  # merged cells that have enough
    group = np.zeros(cells.owner.size, np.intp)
    for rank in range(int(sizes.max(initial=0))):
        features = np.flatnonzero(sizes > rank)
        members = order[first[features] + rank]
        group[members] = full[features]
        expected[features] += both[members] * cells.n[features]
        closed = features[expected[features] >= enough[features]]
        full[closed] += 1
        expected[closed] = 0.0
    kept = np.where(sizes > 0, np.maximum(full, 1), 0)
    target = (np.cumsum(kept) - kept)[cells.owner]
    target += np.minimum(group, kept[cells.owner] - 1)
    reference, window = (
        np.bincount(target, weights=counts, minlength=int(kept.sum())).astype(np.int64)
        for counts in (cells.reference, cells.window)
    )
    owner = np.repeat(np.arange(cells.features), kept)
    return Cells(owner, reference, window, cells.features)


def chi_square(cells: Cells, alpha: FloatArray) -> Result:
    """Test whether the window's categories come in the reference's shares.

    Args:
        cells: categories with the unseen cell; none for a feature it does not apply to.
        alpha: level of one test per feature, shape (F,).

    Returns:
        Value: the statistic over the merged cells; p-value and threshold isf(alpha) from the
        chi-square law. All NaN where merging leaves one cell: too few events to tell.

    Example:
        >>> cells = Cells(np.zeros(3, int), np.array([600, 400, 0]), np.array([90, 110, 0]), 1)
        >>> result = chi_square(cells, np.array([0.01]))
        >>> result.value.round(3), result.p_value.round(8), result.threshold.round(3)
        (array([15.345]), array([8.954e-05]), array([6.635]))
    """
    merged = merge_rare(cells)
    n, m = merged.n[merged.owner], merged.m[merged.owner]
    both = np.where(merged.occupied, merged.reference + merged.window, 1)
    terms = (m * merged.window - n * merged.reference) ** 2 / both
    freedom = merged.freedom
    scale = np.where(np.isnan(freedom), np.nan, merged.n * merged.m)
    value = merged.total(terms) / scale
    return Result(value, chdtrc(freedom, value), chdtri(freedom, alpha))
