"""A baseline of a mixture: what a stream expects whose events come in parts, each its own normal.

A part with the share w of the events, whose baseline has n events with the shares p, adds w p to
what is expected. The mixture is known as if by M events,

    1 / M = sum of w^2 / n

which is the variance of the mixed share over that of one event: of one part alone it is n, and it
is never more than all of them have together (Cauchy's inequality), which it is where the window's
shares are those of the baselines. A part with few events of its own that most of the window is of
makes the whole known by few, too. Inside a window the shares are given, so that its counts vary
less than independent events of the mixture would: tests of it are cautious.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from driftline.detectors.baseline import Baseline
from driftline.detectors.expected import ExpectedCells


def mixed_baseline(
    baseline: Baseline, parts: Sequence[Baseline], events: Sequence[int]
) -> Baseline:
    """Return the baseline of a mixture, in the bins of another one.

    Args:
        baseline: has the bins; returned as it is where nothing is known of the shares.
        parts: the baselines of the parts.
        events: the window's events of each.

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> old, new = (Baseline(layout, np.array([a, 800 - a, 0, 0, 0, 0])) for a in (600, 200))
        >>> mixed_baseline(old, [old, new], [900, 300]).counts.tolist()
        [800, 480, 0, 0, 0, 0]
    """
    known = [
        (each, many)
        for each, many in zip(parts, events, strict=True)
        if many and each.feature_events.all()
    ]
    total = sum(many for _, many in known)
    if not total:
        return baseline
    layout = baseline.layout
    sizes = np.diff(layout.starts)
    expected, error = np.zeros(layout.size), np.zeros(sizes.size)
    for each, many in known:
        weight = many / total
        expected += np.repeat(weight / each.feature_events, sizes) * each.counts
        error += weight * weight / each.feature_events
    cells = ExpectedCells(np.arange(layout.size), layout.starts, layout.numeric)
    sums = cells.sums(expected / np.repeat(error, sizes))
    cdf = baseline.cdf.copy()
    after_gap, after_tie, pairs = cells.distribution(sums)
    cdf[0, pairs], cdf[1, pairs] = after_gap, after_tie
    return baseline.with_counts(cells.rounded(sums), cdf)
