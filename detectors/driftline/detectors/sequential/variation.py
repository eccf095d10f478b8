"""Dispersion: how many times as much panes vary as independent events would.

Values that are near in time resemble each other, or share what is special about their hour. Then a
pane of n events tells no more than n / phi independent ones. phi is estimated from panes in the
order of time, for each direction in which panes vary: location, scale, tails, and any other.

For scores h over the bins with shares p, the pane r has y_r = h (x_r - n_r p) / sqrt(n_r p h^2),
which varies like a standard normal number if events are independent. phi is the long-run variance
of y, g_0 + 2 sum over l = 1..4 of (1 - l / 5) g_l (Bartlett's weights; Newey and West 1987), at
least g_0 and at least 1, and as much more as its own error may make it too small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from driftline.detectors import special
from driftline.detectors.dispersion import DIRECTIONS, JOINS, NONE, OTHER
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.pane_lengths import LEAST_PANES
from driftline.detectors.sequential.cell_shares import Known
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.pane_cells import PaneCells

LAGS = 4
MANY_PANES, _LARGE = 100, 5.0
_TAIL = 0.0101
_SCORED = 3  # the directions of values that have scores
_BLOCK = 512  # panes at a time


@dataclass(frozen=True, eq=False)
class Directions:
    """The scores of the bins in each direction.

    Attributes:
        scores: location, scale and tail of numbers; of categories which are the three most
            frequent. Each has mean 0 and variance 1 under the shares, or is all 0; shape (3, M).
        freedom: bins less one, of each feature, shape (F,); at least 1.
    """

    scores: FloatArray
    freedom: FloatArray

    @classmethod
    def of(cls, bins: PaneBins, numeric: int) -> Directions:
        """Return the scores of `bins`, of which the first `numeric` features are numbers.

        Example:
            >>> from driftline.detectors.counts import Feature, Layout
            >>> layout = Layout.of([Feature("age", "numeric", np.arange(1.0, 201.0))])
            >>> bins = PaneBins(layout, np.array([0, 3] * 200 + [0] * 4))
            >>> location = Directions.of(bins, 1).scores[0]
            >>> bool((np.diff(location) > 0).all()), float((bins.shares @ location**2).round(9))
            (True, 1.0)
        """
        p = bins.shares
        numbers = bins.owner < numeric
        upto = np.cumsum(p)
        upto = upto - np.concatenate([[0.0], upto])[bins.first[:-1]][bins.owner]
        z = special.ndtri(np.clip(upto - p / 2.0, 1e-6, 1.0 - 1e-6))
        outer = ((upto <= _TAIL) | (upto - p >= 1.0 - _TAIL)).astype(np.float64)
        raw = np.stack([z, z * z - 1.0, outer]) * numbers
        for f in range(numeric, bins.features):
            own = slice(int(bins.first[f]), int(bins.first[f + 1]))
            for row, place in enumerate(np.argsort(-p[own], kind="stable")[:_SCORED]):
                raw[row, own.start + place] = 1.0
        return cls(standardised(bins, raw, p), np.maximum(np.diff(bins.first) - 1.0, 1.0))


def standardised(bins: PaneBins, raw: FloatArray, p: FloatArray) -> FloatArray:
    """Return scores with mean 0 and variance 1 under the shares `p`, shape (..., M); 0 if flat."""
    centred = raw - bins.total(raw * p)[..., bins.owner]
    spread = np.sqrt(bins.total(centred * centred * p))
    spread = np.where(spread > 1e-9, spread, np.inf)
    scaled: FloatArray = centred / spread[..., bins.owner]
    return scaled


class PaneVariation:
    """Sums over panes in the order of time, from which phi is estimated.

    Args:
        features: how many, F.

    Attributes:
        panes: how many of each feature were added, shape (F,).
        events: of these panes, shape (F,).
        squares: sums of y^2 in each direction, shape (5, F).
        products: of y and y some panes before, shape (LAGS, OTHER, F).
        last: y of the last panes, newest first, shape (LAGS, OTHER, F).

    Example:
        >>> variation = PaneVariation(1)
        >>> rng = np.random.default_rng(5)
        >>> y, ones = rng.normal(size=(2000, 4, 1)), np.ones((2000, 1))
        >>> variation.add(y, ones, ones)
        >>> bool((variation.phi() < 1.3).all())
        True
    """

    def __init__(self, features: int) -> None:
        self.panes = np.zeros(features)
        self.events = np.zeros(features)
        self.squares = np.zeros((len(DIRECTIONS), features))
        self.products = np.zeros((LAGS, OTHER, features))
        self.last = np.zeros((LAGS, OTHER, features))

    def add(self, y: FloatArray, other: FloatArray, n: FloatArray) -> None:
        """Add panes that follow those added before.

        Args:
            y: in all directions but the last, shape (panes, OTHER, F); 0 without events.
            other: chi-square of the bins over its degrees of freedom, shape (panes, F).
            n: events of each feature, shape (panes, F).
        """
        self.panes += (n > 0).sum(axis=0)
        self.events += n.sum(axis=0)
        self.squares[:OTHER] += (y * y).sum(axis=0)
        self.squares[OTHER] += other.sum(axis=0)
        line = np.concatenate([self.last[::-1], y])
        for lag in range(1, LAGS + 1):
            self.products[lag - 1] += (y * line[LAGS - lag : line.shape[0] - lag]).sum(axis=0)
        self.last = line[: -LAGS - 1 : -1].copy()

    def carry(self, other: PaneVariation, mine: IntArray, theirs: IntArray) -> None:
        """Go on with what is known elsewhere of some features; their places here and there."""
        for name in ("panes", "events", "squares", "products", "last"):
            getattr(self, name)[..., mine] = getattr(other, name)[..., theirs]

    def reset(self, f: int) -> None:
        """Let no pane of the f-th feature have been added."""
        for name in ("panes", "events", "squares", "products", "last"):
            getattr(self, name)[..., f] = 0.0

    def round(self) -> None:
        """Round everything to 32 bits, so that what is kept is what is worked with."""
        for name in ("panes", "events", "squares", "products", "last"):
            setattr(self, name, getattr(self, name).astype(np.float32).astype(np.float64))

    def forget(self, f: int, panes: int) -> None:
        """Take the last panes of the f-th feature out again, of which the last four are known.

        Of a change that takes longer to find a pane is no great part.

        Args:
            f: number of the feature.
            panes: how many, if they all were added.

        Example:
            >>> variation, ones = PaneVariation(1), np.ones((40, 1))
            >>> variation.add(np.ones((40, 4, 1)), ones, ones)
            >>> variation.add(np.full((2, 4, 1), 9.0), ones[:2], ones[:2])
            >>> variation.forget(0, 2)
            >>> variation.panes.tolist(), variation.squares[:4, 0].tolist()
            ([40.0], [40.0, 40.0, 40.0, 40.0])
        """
        last = self.last[:, :, f]
        known = min(int(np.count_nonzero(last.any(axis=1))), LAGS)
        gone = min(panes, known)
        if gone <= 0:
            return
        mean = self.events[f] / max(self.panes[f], 1.0)
        self.panes[f] = max(self.panes[f] - gone, 0.0)
        self.events[f] = mean * self.panes[f]
        squares = self.squares[:OTHER, f] - (last[:gone] ** 2).sum(axis=0)
        self.squares[:OTHER, f] = np.maximum(squares, 0.0)
        for pane in range(gone):
            for lag in range(1, LAGS - pane):
                self.products[lag - 1, :, f] -= last[pane] * last[pane + lag]
        self.last[:, :, f] = 0.0
        self.round()

    def pause(self) -> None:
        """Note that panes are missing: the next ones do not follow those added before."""
        self.last = np.zeros_like(self.last)

    def phi(self) -> FloatArray:
        """Estimate phi in each direction, shape (5, F); 1 where there are fewer than 30 panes."""
        panes = np.maximum(self.panes, 2.0)
        squares = self.squares / (panes - 1.0)
        weights = 1.0 - np.arange(1, LAGS + 1) / (LAGS + 1.0)
        run = squares[:OTHER] + 2.0 * np.tensordot(weights, self.products, 1) / panes
        found = np.maximum(squares[:OTHER], run)
        error = np.sqrt(2.0 / panes)
        # Where the panes are many and phi is small one standard error will do.
        few = (panes < MANY_PANES) | (found >= _LARGE)
        phi = np.maximum(found * (1.0 + np.where(few, 2.0, 1.0) * error), 1.0)
        other = np.maximum(phi[:NONE].max(axis=0), squares[OTHER])
        known = self.panes >= LEAST_PANES
        whole: FloatArray = np.where(known, np.concatenate([phi, other[None]]), 1.0)
        return whole

    def least_phi(self) -> FloatArray:
        """Estimate what phi is at least, from the steps between neighbouring panes, shape (5, F).

        Half their mean square, less two standard errors (von Neumann 1941). A lasting change is one
        step among many, so that it does not hide itself, as it would in `phi`. What neighbouring
        panes share is not seen. 1 where there are fewer than 100 panes.
        """
        panes = np.maximum(self.panes, 2.0)
        steps = self.squares[:OTHER] / (panes - 1.0) - self.products[0] / panes
        found = np.maximum(steps * (1.0 - 2.0 * np.sqrt(3.0 / panes)), 1.0)
        whole = np.concatenate([found, found[:NONE].max(axis=0)[None]])
        least: FloatArray = np.where(self.panes >= MANY_PANES, whole, 1.0)
        return least


def deviations(
    bins: PaneBins,
    directions: Directions,
    p: FloatArray,
    x: FloatArray,
    none: FloatArray,
    season: Known | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return how far panes are from the shares `p`, as `PaneVariation.add` takes it.

    Args:
        bins: of the panes.
        directions: of the bins.
        p: shares, of all panes or of each, shape (M,) or (panes, M): positive.
        x: events of the panes per bin, shape (panes, M).
        none: their events without a usable value, shape (panes, F).
        season: what is known of their cells, where they follow a cycle. As little is known of some
            cells as a pane tells, so that panes vary more without a dispersion.

    Returns:
        y, chi-square over its degrees of freedom, and events.
    """
    n = bins.total(x)
    expected = n[..., bins.owner] * p
    away = x - expected
    scores = directions.scores
    # The scores have mean 0 under the reference's shares; under `p` they may not.
    each = p[..., None, :]
    mean = bins.total(scores * each)
    # Where all values are of one bin, rounding may leave less than none.
    variance = np.maximum(bins.total(scores * scores * each) - mean * mean, 0.0)
    y = bins.total(scores * away[..., None, :])
    norm = n[..., None, :] * variance
    share, whole = bins.none_share if season is None else season.none_share, n + none
    y = np.concatenate([y, (none - whole * share)[..., None, :]], axis=-2)
    norm = np.concatenate([norm, (whole * share * (1.0 - share))[..., None, :]], axis=-2)
    if season is None:
        square = np.divide(away * away, expected, out=np.zeros_like(away), where=expected > 0.0)
        other = bins.total(square) / directions.freedom
    else:
        # A bin that is empty in the cell's other occurrences is rarely as improbable as that: it
        # counts by its share in all cells, where that is larger.
        least = np.maximum(p, bins.shares)
        square = bins.total(away * away / least) / np.maximum(n, 1.0)
        other = square / bins.total(p * (1.0 - p) / least) / (1.0 + n / bins.total(season.values))
        norm = norm * (1.0 + whole / season.mass)[..., None, :]
    y = np.divide(y, np.sqrt(norm), out=np.zeros_like(y), where=norm > 0.0)
    return y, other, n


def reference_phi(
    bins: PaneBins,
    directions: Directions,
    panes: IntArray,
    numbers: IntArray,
    season: PaneCells | None = None,
    fit: Callable[[PaneBins, FloatArray, FloatArray], FloatArray] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Estimate phi from the reference's panes, for each number of panes that may be joined.

    Args:
        bins: of the panes.
        directions: of the bins.
        panes: events of panes in the order of time, per bin, then those without a usable value per
            feature, shape (R, M + F).
        numbers: of the panes, ascending, shape (R,); what is left out had no events.
        season: the cells of the panes, where the features follow a cycle.
        fit: fits what is normal to each pane, see `group.Fit`; None: it is as it is.

    Returns:
        phi, shape (len(JOINS), 5, F), NaN where fewer than 30 joined panes are left; and the mean
        events of a pane, shape (F,).

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> bins = PaneBins(layout, np.array([600, 400, 0, 0, 0, 0]))
        >>> held = np.random.default_rng(1).binomial(100, 0.6, 60)
        >>> panes = np.stack([held, 100 - held, 0 * held, 0 * held], axis=1)
        >>> phi, n = reference_phi(bins, Directions.of(bins, 0), panes, np.arange(60))
        >>> phi[:2, OTHER].round(2).ravel().tolist(), n.tolist()
        ([1.35, 1.89], [100.0])
    """
    features, size = bins.features, bins.owner.size
    phi = np.full((len(JOINS), len(DIRECTIONS), features), np.nan)
    for i, together in enumerate(JOINS):
        joined, starts = np.unique(numbers // together, return_index=True)
        if joined.size < LEAST_PANES:
            break
        variation = PaneVariation(features)
        for first, last in _runs(joined):
            ends = np.append(starts, panes.shape[0])
            rows = slice(int(ends[first]), int(ends[last]))
            begins = starts[first:last] - ends[first]
            x = np.add.reduceat(panes[rows], begins, axis=0).astype(np.float64)
            p, known = bins.shares, None
            if season is not None:
                known = season.known(rows, begins)
                p = known.values / bins.total(known.values)[:, bins.owner]
            elif fit is not None:
                values = fit(bins, bins.normal, x[:, :size])
                p = values / bins.total(values)[:, bins.owner]
            found = deviations(bins, directions, p, x[:, :size], x[:, size:], known)
            variation.add(*found)
            if last < joined.size and joined[last] > joined[last - 1] + 1:
                variation.pause()
        phi[i] = np.where(variation.panes >= LEAST_PANES, variation.phi(), np.nan)
    events = bins.total(panes[:, :size].astype(np.float64))
    return phi, events.sum(axis=0) / np.maximum((events > 0).sum(axis=0), 1)


def _runs(numbers: IntArray) -> Iterator[tuple[int, int]]:
    """Yield stretches of successive numbers, in blocks, as (place, place behind)."""
    breaks = np.flatnonzero(np.diff(numbers) > 1) + 1
    for first, last in pairwise([0, *breaks.tolist(), numbers.size]):
        for start in range(first, last, _BLOCK):
            yield start, min(start + _BLOCK, last)
