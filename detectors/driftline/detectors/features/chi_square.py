"""Chi-square test of the shares of categories, with exact bounds for those of few events.

Pearson's law holds where at least some 30 events of the window and of the reference are expected in
every cell, so cells are merged until that is so. What merging hides is tested by itself: each rare
cell against all the others. Given the t events of a cell in reference and window together, those in
the window follow a hypergeometric law; the binomial law of t trials with probability n / (n + m)
bounds both of its tails (Hoeffding 1963, section 6; Uhlmann 1966), however few they are. So do laws
of n or m trials with probability t / (n + m); of the fewest trials is the closest.

The level of the feature's test is shared, so what is promised of it holds for all together:

* no cell is rare: Pearson's test has all of it;
* merging leaves one cell: the rare cells share it alike, half of each part for either tail;
* otherwise Pearson's test has one half and the rare cells share the other.

Which cells are rare follows from the t alone, which say nothing of a change.

Of events that vary phi times as much as independent ones a phi-th is counted: when cells are
merged, in Pearson's statistic, and as the events and trials of the bounds.

Unseen categories are one cell with those that came once in window and reference together, which is
what most of them are, too: each of these is as likely in either by its number of events. Then they
are merged like all others, and `features/rates.py` tests their share. They are a rare cell only
where merging leaves one. That they have no event in the reference is why they are called unseen,
and no finding: they are given as many as there are categories with one event, see `Baseline.once`.

Sources: Pearson 1900; Cochran, "Some methods for strengthening the common chi-square tests",
Biometrics 10, 1954 (merging cells of small expectation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from driftline.detectors import special
from driftline.detectors.features.cells import Cells, Result, chi_square_share
from driftline.detectors.grid import FloatArray

if TYPE_CHECKING:
    from driftline.detectors.quiet import QuietWindow
    from driftline.detectors.samples import Samples

SMALLEST_EXPECTED = 30


def merge_rare(cells: Cells) -> Cells:
    """Merge cells until each has at least 30 expected events on either side.

    A cell expects n t / (n + m) events in the window and m t / (n + m) in the reference, where t
    counts it in both together; a phi-th of the smaller of the two counts. In ascending order of t
    (ties in the order given) cells are joined until the sum reaches 30; then the next merged cell
    begins, so that a cell of 30 or more stays alone unless rarer ones still lack. What is left over
    joins the last one.

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
    owner, n, m = cells.owner[order], cells.n.astype(np.int64), cells.m.astype(np.int64)
    expected = both[order] * np.minimum(n, m)[owner]  # times n + m: whole, so compared exactly
    enough = np.ceil(SMALLEST_EXPECTED * cells.phi * (n + m)).astype(np.int64)
    summed = np.concatenate([[0], np.cumsum(expected)])
    sizes = np.bincount(owner, minlength=cells.features)
    end = np.cumsum(sizes)
    begins = np.zeros(owner.size, np.bool_)  # whether a merged cell begins there
    large = end.copy()  # from where on each cell has enough
    f = np.flatnonzero(sizes)
    at = first = end[f] - sizes[f]
    begins[first] = True
    while f.size:
        alone = expected[at] >= enough[f]
        large[f[alone]] = at[alone]
        last = np.searchsorted(summed, summed[at] + enough[f]) - 1
        more = ~alone & (last < end[f] - 1)
        f, at = f[more], last[more] + 1
        whole = summed[end[f]] - summed[at] >= enough[f]
        f, at = f[whole], at[whole]
        begins[at] = True
    begins |= np.arange(owner.size) >= large[owner]
    first = np.flatnonzero(begins)
    reference, window = (
        np.add.reduceat(counts[order], first) for counts in (cells.reference, cells.window)
    )
    return Cells(owner[first], reference, window, cells.features, cells.phi)


def pearson(cells: Cells, alpha: FloatArray) -> Result:
    """Pearson's test on the merged cells alone; all NaN where that is one.

    Args:
        cells: as for `chi_square`.
        alpha: level of one test per feature, shape (F,).

    Example:
        >>> cells = Cells(np.zeros(2, int), np.array([9800, 200]), np.array([460, 40]), 1)
        >>> pearson(cells, np.array([0.01])).p_value
        array([nan])
    """
    return _pearson(merge_rare(cells), alpha)


def chi_square(cells: Cells, alpha: FloatArray, unseen: NDArray[np.bool_] | None = None) -> Result:
    """Test whether the window's events come in the reference's shares.

    Args:
        cells: categories with the unseen cell, or the bins of a number of few values; none for a
            feature it does not apply to.
        alpha: level of one test per feature, shape (F,).
        unseen: which cells are those of unseen categories, shape (M,); None: none.

    Returns:
        Value: the statistic over the merged cells, or where that is one over the cells as they
        are; threshold: the value at which Pearson's test alarms, NaN where the exact bounds alone
        do; p-value of both together. A feature with all its events in one cell has 0 and 1.

    Example:
        >>> cells = Cells(np.zeros(3, int), np.array([600, 400, 0]), np.array([90, 110, 0]), 1)
        >>> result = chi_square(cells, np.array([0.01]))
        >>> result.value.round(3), result.p_value.round(8), result.threshold.round(3)
        (array([15.345]), array([8.954e-05]), array([6.635]))

        A class of 2 % that becomes 8 %:

        >>> cells = Cells(np.zeros(2, int), np.array([9800, 200]), np.array([460, 40]), 1)
        >>> chi_square(cells, np.array([0.01])).p_value.round(13)
        array([1.25e-11])
    """
    merged = merge_rare(cells if unseen is None else _with_their_like(cells, unseen))
    one_cell = cells.judged & (merged.used < 2)
    rare, exact = _exact(cells, unseen, one_cell)
    # Where both tests are made, each has half of the level.
    shares = np.where((rare > 0) & ~one_cell, 2.0, 1.0)
    found = _pearson(merged, alpha / shares)
    value = np.where(one_cell, _statistic(cells), found.value)
    p_value = np.fmin(found.p_value, np.where(cells.judged, exact, np.nan))
    return Result(value, np.minimum(shares * p_value, 1.0), found.threshold)


def _with_their_like(cells: Cells, unseen: NDArray[np.bool_]) -> Cells:
    """Return the cells with the events of categories that came once in the unseen cell.

    >>> cells = Cells(np.zeros(3, int), np.array([9, 1, 0]), np.array([5, 0, 2]), 1)
    >>> _with_their_like(cells, np.array([False, False, True])).reference.tolist()
    [9, 0, 1]
    """
    some = cells.total(unseen)[cells.owner] > 0  # numbers of few values have none
    once = some & ~unseen & (cells.reference + cells.window == 1)
    reference, window = (
        np.where(once, 0, own) + np.where(unseen, cells.total(own * once)[cells.owner], 0)
        for own in (cells.reference, cells.window)
    )
    return Cells(
        cells.owner, reference.astype(np.int64), window.astype(np.int64), cells.features, cells.phi
    )


def figures(samples: Samples) -> Result:
    """Judge all features; NaN for numbers of many values."""
    bins, few = samples.bins, samples.few
    owner, reference, window = (part[few] for part in (bins.owner, bins.reference, bins.window))
    cells = Cells(owner, reference, window, bins.features, bins.phi)
    return chi_square(cells, samples.shared_level, samples.baseline.unseen[few])


def quiet_share(level: float, window: QuietWindow) -> float:
    """Share of quiet windows whose statistic is `level` or more."""
    return chi_square_share(window.bins, level / window.phi)


def _pearson(merged: Cells, alpha: FloatArray) -> Result:
    freedom = merged.freedom
    value, phi = np.where(np.isnan(freedom), np.nan, _statistic(merged)), merged.phi
    p_value = special.chdtrc(freedom, value / phi)
    return Result(value, p_value, phi * special.chdtri(freedom, alpha))


def _statistic(cells: Cells) -> FloatArray:
    """Pearson's statistic of each feature, shape (F,); NaN without events on both sides."""
    n, m = cells.n[cells.owner], cells.m[cells.owner]
    both = np.where(cells.occupied, cells.reference + cells.window, 1)
    terms = (m * cells.window - n * cells.reference) ** 2 / both
    return cells.total(terms) / np.where(cells.judged, cells.n * cells.m, np.nan)


def _exact(
    cells: Cells, unseen: NDArray[np.bool_] | None, one_cell: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Count each feature's rare cells, and bound the p-value of all of them together.

    Returns:
        The number, shape (F,), and the p-value; 1 without rare cells.
    """
    x, r = cells.window, cells.reference
    n, m = cells.n[cells.owner], cells.m[cells.owner]
    phi = np.broadcast_to(cells.phi, cells.features)[cells.owner]
    usable = cells.occupied & cells.judged[cells.owner]
    if unseen is not None:
        usable &= ~unseen | one_cell[cells.owner]
        once = cells.total(~unseen & (r == 1))[cells.owner]
        r = np.where(unseen, r + once, r)
    t, fewer = x + r, np.minimum(n, m)  # events of the cell, and of the smaller side
    rare = usable & (t * fewer < SMALLEST_EXPECTED * phi * (n + m))
    owner = cells.owner[rare]
    count = np.bincount(owner, minlength=cells.features).astype(np.float64)
    here, both = np.where(n <= m, x, r)[rare], (n + m)[rare]
    t, fewer = t[rare], fewer[rare]
    # Of the two binomial laws the one of fewer trials is the closer bound.
    trials, share = np.minimum(t, fewer), np.maximum(t, fewer) / both
    more = here * both >= t * fewer
    here, trials = here / phi[rare], trials / phi[rare]
    rest = trials - here
    tail = special.betainc(np.where(more, here, rest), np.where(more, rest, here) + 1.0,
                   np.where(more, share, 1.0 - share))  # fmt: skip
    smallest = np.ones(cells.features)
    np.minimum.at(smallest, owner, tail)
    # Of two cells, what one has too many the other has too few: they are one test of two tails.
    tests = np.where(cells.used == 2.0, np.minimum(count, 1.0), count)
    return count, np.minimum(2.0 * np.maximum(tests, 0.5) * smallest, 1.0)
