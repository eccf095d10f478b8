"""Which cycle the values of a reference follow, if any, and how much its cells are alike.

The reference's days are taken in the order of time, hour by hour (day by day where panes are too
long for hours). Each block is foretold from the days before it twice: from its own cell of a cycle,
to which the other cells lend `kappa` events, and from all cells together. Both are
Dirichlet-multinomial laws of the same weight, so they differ in shares alone; events count 1 / phi,
with the phi of the same hour on one day and the next, which a daily cycle does not make larger. A
cycle is followed where

* the reference is at least 1,000 times as likely with it (`CLEAR`), and
* its blocks resemble those of their cell on other days, on average over the days by at least three
  standard errors: what goes on for some days, or is only seen on a few, is no season.

How much the other cells lend, and which of several such cycles is followed, is what leaves the
least noise in which a shift would have to be found (`season_noise`). Those of few cells are tried
first: one is followed where it leaves a tenth less than none, and given up for one of more cells
where that leaves a tenth less again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from driftline.detectors import special
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasons import DAY, Cycle
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.season_noise import noise
from driftline.detectors.sequential.variation import Directions

KAPPAS = (10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 1e5)
"""As how many events the other cells may count in one."""

CLEAR = float(np.log(1_000.0))
_ERRORS, _LESS = 3.0, 0.9
_FEWEST_DAYS = 4
_WEEKS = 21  # days, at least, of what repeats every week
_MOST_DAYS = 70  # that are foretold: the last of the reference
_FEWEST_PAIRS = 12  # blocks of the same hour, to know phi


@dataclass(frozen=True)
class Choice:
    """The cycle that a feature follows.

    Attributes:
        cycle: which.
        kappa: as how many events the other cells count in one.
        gain: natural logarithm of how many times as likely the reference is with the cycle.
        noise: how much panes vary, by what is known of their cells.
    """

    cycle: Cycle
    kappa: float
    gain: float
    noise: float = 1.0


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Events of hours or days, in the order of time.

    Attributes:
        x: per bin, shape (R, M).
        p: each bin's share of its feature, shape (M,).
        times: what the clocks show at their start, ms, shape (R,).
        owner: feature of each bin, shape (M,).
        first: number of each feature's first bin, shape (F,).
    """

    x: FloatArray
    p: FloatArray
    times: IntArray
    owner: IntArray
    first: IntArray

    def total(self, per_bin: FloatArray) -> FloatArray:
        """Sum over each feature's bins, along the last axis."""
        added: FloatArray = np.add.reduceat(per_bin, self.first, axis=-1)
        return added

    def joined(self, length: int) -> _Blocks:
        """Return longer blocks."""
        starts = _starts(self.times // length)
        x = np.add.reduceat(self.x, starts, axis=0)
        return _Blocks(x, self.p, self.times[starts] // length * length, self.owner, self.first)

    def of(self, features: NDArray[np.bool_]) -> _Blocks:
        """Return some of the features; at least one."""
        columns = features[self.owner]
        kept = np.cumsum(features) - 1
        owner = kept[self.owner[columns]]
        return _Blocks(self.x[:, columns], self.p[columns], self.times, owner, _starts(owner))

    @property
    def days(self) -> list[slice]:
        """The blocks of each day."""
        starts = [*_starts(self.times // DAY).tolist(), self.times.size]
        return [slice(a, b) for a, b in pairwise(starts)]


def choose_seasons(
    bins: PaneBins,
    directions: Directions,
    hours: NDArray[np.signedinteger],
    times: IntArray,
    cycles: Sequence[Cycle],
) -> list[Choice | None]:
    """Return the cycle of each feature; None where it follows none.

    Args:
        bins: of the features.
        directions: of the bins.
        hours: events of the reference's hours in the order of time, per bin, shape (R, M).
        times: what the clocks of the time zone show at their start, ms since 1970, ascending.
        cycles: that may be followed.

    Example:
        >>> from driftline.detectors.counts import Feature, Layout
        >>> from driftline.detectors.seasons import CYCLES, HOUR
        >>> layout = Layout.of([Feature("plan", "categorical", np.empty(0), ("a", "b"))])
        >>> bins = PaneBins(layout, np.array([9_000, 9_000, 0, 0, 0, 0]))
        >>> hours, rng = np.arange(240), np.random.default_rng(1)
        >>> held = rng.binomial(100, 0.5 + 0.1 * np.sin(hours * np.pi / 12))
        >>> counts = np.stack([held, 100 - held, 0 * held], axis=1)
        >>> directions = Directions.of(bins, 0)
        >>> found = choose_seasons(bins, directions, counts, hours * HOUR, [*CYCLES.values()])
        >>> found[0].cycle.name, found[0].kappa
        ('hour_of_day', 10.0)
    """
    none: list[Choice | None] = [None] * bins.features
    if not cycles or not times.size or not bins.features:
        return none
    known = hours.sum(axis=0).astype(np.float64)
    per_feature = bins.total(known)
    p = known / np.maximum(per_feature, 1.0)[bins.owner]
    whole = _Blocks(hours.astype(np.float64), p, times, bins.owner, bins.first[:-1])
    blocks = whole.joined(min(cycle.cell for cycle in cycles))
    phi = _phi(blocks, directions)
    chosen = none
    for cycle in sorted(cycles, key=lambda each: each.cells):
        if not _is_seen(blocks, cycle):
            continue
        wanted = (_agreement(blocks, cycle) >= _ERRORS) & np.isfinite(phi)
        if not wanted.any():
            continue
        gains = _gains(blocks.of(wanted), phi[wanted], cycle).max(axis=0)
        left = _noise(blocks, directions, cycle)[:, wanted]
        for i, f in enumerate(np.flatnonzero(wanted).tolist()):
            best, before = int(left[:-1, i].argmin()), chosen[f]
            most = _LESS * (left[-1, i] if before is None else before.noise)
            if gains[i] >= CLEAR and left[best, i] <= most:
                chosen[f] = Choice(cycle, KAPPAS[best], float(gains[i]), float(left[best, i]))
    return chosen


def _noise(blocks: _Blocks, directions: Directions, cycle: Cycle) -> FloatArray:
    """Return the noise with each of `KAPPAS`, and where all cells are alike, shape (K + 1, F)."""
    scores = [blocks.total(blocks.x * each) for each in directions.scores]
    events = blocks.total(blocks.x)
    return noise(np.stack(scores, axis=1), events, blocks.times, cycle, [*KAPPAS, np.inf])


def _is_seen(blocks: _Blocks, cycle: Cycle) -> bool:
    """Return whether the reference holds enough of a cycle."""
    days = blocks.times // DAY
    if cycle.cells * cycle.cell == DAY:
        return len(blocks.days) >= _FEWEST_DAYS
    return int(days[-1] - days[0]) + 1 >= _WEEKS


def _phi(blocks: _Blocks, directions: Directions) -> FloatArray:
    """Return phi of blocks by their differences to those a day before; infinite: not known."""
    order = np.lexsort((blocks.times, blocks.times % DAY))
    pairs = np.flatnonzero(np.diff(blocks.times[order] % DAY) == 0)
    phi = np.zeros(blocks.first.size)
    used = np.zeros(blocks.first.size)
    for run in range(0, pairs.size, 512):
        place = pairs[run : run + 512]
        x, y = blocks.x[order[place]], blocks.x[order[place + 1]]
        n, m = blocks.total(x), blocks.total(y)
        weight = np.divide(n * m, n + m, out=np.zeros_like(n), where=n + m > 0.0)
        away = x / np.maximum(n, 1.0)[:, blocks.owner] - y / np.maximum(m, 1.0)[:, blocks.owner]
        square = np.divide(away * away, blocks.p, out=np.zeros_like(away), where=blocks.p > 0.0)
        squares = [blocks.total(away * scores) ** 2 for scores in directions.scores]
        squares.append(blocks.total(square) / directions.freedom)
        used += (weight > 0.0).sum(axis=0)
        phi = phi + np.array([(weight * each).sum(axis=0) for each in squares])
    mean = np.max(np.atleast_2d(phi), axis=0) / np.maximum(used, 1.0)
    return np.where(used >= _FEWEST_PAIRS, np.maximum(mean, 1.0), np.inf)


def _agreement(blocks: _Blocks, cycle: Cycle) -> FloatArray:
    """Return by how many standard errors cells are alike from day to day, of each feature."""
    cells = blocks.joined(cycle.cell)
    place = cycle.cell_of(cells.times)
    member = np.zeros((cycle.cells, place.size))
    member[place, np.arange(place.size)] = 1.0
    n = cells.total(cells.x)
    away = cells.x - n[:, cells.owner] * cells.p
    others = (member @ away)[place] - away
    events = np.maximum((member @ n)[place] - n, 1.0)
    alike = np.divide(away * others, cells.p, out=away * 0.0, where=cells.p > 0.0)
    days = np.array([(cells.total(alike[d]) / events[d]).sum(axis=0) for d in cells.days])
    error = days.std(axis=0, ddof=1) / np.sqrt(days.shape[0])
    found: FloatArray = np.divide(days.mean(axis=0), error, out=error * 0.0, where=error > 0.0)
    return found


def _gains(blocks: _Blocks, phi: FloatArray, cycle: Cycle) -> FloatArray:
    """Return the gain of the cells over the whole with each of `KAPPAS`, shape (K, F)."""
    place = cycle.cell_of(blocks.times)
    owner, total = blocks.owner, blocks.total
    weight = 1.0 / phi[owner]
    own = np.zeros((cycle.cells, owner.size))
    kappas = np.array(KAPPAS)[:, None, None]
    gains = np.zeros((len(KAPPAS), phi.size))
    days = blocks.days
    first = max(1, len(days) - _MOST_DAYS)
    for number, day in enumerate(days):
        x, cell = blocks.x[day], place[day]
        if number >= first:
            known = own[cell]
            whole = own.sum(axis=0) + 0.5
            rest = whole - known
            events = total(rest)
            lent = np.minimum(kappas, events)[..., owner] * (rest / events[:, owner])
            with_cell = (known + lent) * weight
            alone = total(with_cell)[..., owner] * (whole / total(whole)[owner])
            seen = x * weight
            gain = special.gammaln(with_cell + seen) - special.gammaln(with_cell)
            gain -= special.gammaln(alone + seen) - special.gammaln(alone)
            gains += total(gain).sum(axis=1)
        np.add.at(own, cell, x)
    return gains


def _starts(numbers: IntArray) -> IntArray:
    """Return where each run of equal numbers begins."""
    return np.flatnonzero(np.diff(numbers, prepend=numbers[:1] - 1))
