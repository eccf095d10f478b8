"""How much panes vary around what is known of their cells: what a cycle leaves of the noise.

A shift is found the sooner, the less panes vary around what is normal for them. They vary for three
reasons: their own events are few; so are those that tell what is normal in a cell (1 + n / A); and
cells differ that are taken for alike (phi). The less the other cells lend to a cell, the less of
the third and the more of the second. Their product is what `noise` returns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import Cycle
from driftline.detectors.sequential.variation import LAGS


def noise(
    scores: FloatArray, events: FloatArray, times: IntArray, cycle: Cycle, kappas: Sequence[float]
) -> FloatArray:
    """Return by how many times panes vary as much as their own events make them, shape (K, F).

    Each block is compared with other occurrences of its cell, as in `pane_cells`; phi is that of
    `variation`, without what is added for its error.

    Args:
        scores: sums of the events' scores, which have mean 0 and variance 1, in each direction,
            shape (R, D, F).
        events: of the blocks, shape (R, F).
        times: what the clocks show at their start, ms, ascending, shape (R,).
        cycle: of whose cells they are.
        kappas: as how many events the other cells count, K of them; infinite: as all there are.

    Example:
        >>> from driftline.detectors.seasons import CYCLES, HOUR
        >>> rng, hours = np.random.default_rng(1), np.arange(240)
        >>> cycle = 60.0 * np.sin(hours / 12 * np.pi)
        >>> scores = (10.0 * rng.normal(size=240) + cycle)[:, None, None]
        >>> events = np.full((240, 1), 100.0)
        >>> found = noise(scores, events, hours * HOUR, CYCLES["hour_of_day"], [10.0, np.inf])
        >>> found.round(1).ravel().tolist()
        [1.1, 81.3]
    """
    numbers = cycle.occurrence_of(times)
    place = numbers % cycle.cells
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    occurrence = np.cumsum(np.diff(numbers, prepend=numbers[0] - 1) != 0) - 1
    left, left_n = (np.add.reduceat(each, starts, axis=0)[occurrence] for each in (scores, events))
    own, own_n = (
        np.zeros((cycle.cells, *scores.shape[1:])),
        np.zeros((cycle.cells, events.shape[1])),
    )
    np.add.at(own, place, scores)
    np.add.at(own_n, place, events)
    cell, cell_n = own[place] - left, own_n[place] - left_n
    rest = scores.sum(axis=0) - own[place]
    rest_n = events.sum(axis=0) - own_n[place]
    n = np.maximum(events, 1.0)
    found = np.empty((len(kappas), events.shape[1]))
    for i, kappa in enumerate(kappas):
        part = np.minimum(kappa / np.maximum(rest_n, 1.0), 1.0)
        known = np.maximum(cell_n + part * rest_n, 1.0)
        mean = (cell + part[:, None] * rest) / known[:, None]
        more = 1.0 + n / known
        y = (scores - events[:, None] * mean) / np.sqrt(n * more)[:, None]
        run = own_part = (y * y).mean(axis=0)
        for lag in range(1, LAGS + 1):
            weight = 2.0 * (1.0 - lag / (LAGS + 1.0))
            run = run + weight * (y[lag:] * y[:-lag]).sum(axis=0) / y.shape[0]
        phi = np.maximum(np.maximum(own_part, run), 1.0).max(axis=0)
        found[i] = phi * more.mean(axis=0)
    return found
