"""What the contract suite compares every detector with, from numpy and scipy alone.

A new detector joins by its function in `ORACLES`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats
from scipy.spatial.distance import cityblock, euclidean, jensenshannon

from driftline.detectors import FeatureColumn
from driftline.detectors.grid import FloatArray
from driftline.detectors.testing import Case, Figures


def law(case: Case, statistic: float) -> float:
    """The chi-square law of a statistic of a case's bins."""
    return float(stats.chi2.sf(statistic, case.r.size - 1))


def ks(case: Case) -> Figures:
    found = stats.ks_2samp(case.old, case.new, method="asymp").statistic
    n, m = case.new.size, case.old.size
    return float(found), float(stats.kstwobign.sf(found * np.sqrt(n * m / (n + m))))


def psi(case: Case) -> Figures:
    r, w = case.r, case.w
    p, q = (r + 0.5) / (r.sum() + 0.5 * r.size), (w + 0.5) / (w.sum() + 0.5 * w.size)
    plain = float(stats.entropy(p, q) + stats.entropy(q, p))
    return plain - (r.size - 1) * case.v, law(case, plain / case.v)


def jensen_shannon(case: Case) -> Figures:
    value = float(jensenshannon(case.r, case.w) ** 2)
    return value, law(case, 8 * value / case.v)


def chi_square(case: Case) -> Figures:
    r, w = case.r, case.w
    merged = [[r[:-2].tolist(), [r[-2:].sum()]], [w[:-2].tolist(), [w[-2:].sum()]]]
    table = np.array([[*a, *b] for a, b in merged]) if r.size == 5 else np.array([r, w])
    return float(stats.chi2_contingency(table, correction=False).statistic), None


def wasserstein(case: Case) -> Figures:
    """Values count where the detector has them: on the grid, else in the middle of their gap."""
    grid = case.grid
    middles = np.concatenate([grid[:1], (grid[1:] + grid[:-1]) / 2, grid[-1:]])
    placed = np.where(np.isin(case.new, grid), case.new, middles[np.searchsorted(grid, case.new)])
    return float(stats.wasserstein_distance(case.old, placed)), None


def numbers(column: FeatureColumn) -> FloatArray:
    """The values of a numeric column, and of another one as many that are there."""
    if column.type == "numeric":
        return np.asarray(column.values, np.float64)
    values = np.zeros(len(column.values))
    for mask, bad in ((column.absent, np.inf), (column.invalid, -np.inf)):
        if mask is not None:
            values[mask] = bad
    return values


def hellinger(case: Case) -> Figures:
    p, q = case.r / case.r.sum(), case.w / case.w.sum()
    value = float(euclidean(np.sqrt(p), np.sqrt(q)) / np.sqrt(2))
    return value, law(case, 8 * value**2 / case.v)


def total_variation(case: Case) -> Figures:
    return float(cityblock(case.r / case.r.sum(), case.w / case.w.sum()) / 2), None


def path(case: Case) -> FloatArray:
    """The distance of the two distribution functions after each of the N values in order.

    Between the ends of tied values it is a straight line. What the window has in open gaps is taken
    as untied.
    """
    off = ~np.isin(case.new, case.grid)
    place = np.concatenate([np.zeros(case.old.size), np.where(off, np.cumsum(off), 0)])
    pooled = np.stack([np.concatenate([case.old, case.new]), place], axis=1)
    _, which, ties = np.unique(pooled, axis=0, return_inverse=True, return_counts=True)
    news = np.bincount(which.ravel(), weights=np.arange(which.size) >= case.old.size)
    apart = np.cumsum(ties - news) / case.old.size - np.cumsum(news) / case.new.size
    ends = np.concatenate([[0], np.cumsum(ties)])
    after = np.interp(np.arange(1, which.size + 1), ends, np.concatenate([[0.0], apart]))
    return np.asarray(after, np.float64)


def cramer_von_mises(case: Case) -> Figures:
    n, m = case.new.size, case.old.size
    value = float(n * m / (n + m) ** 2 * (path(case) ** 2).sum())
    if np.unique(np.concatenate([case.old, case.new])).size == n + m:
        plain = stats.cramervonmises_2samp(case.old, case.new, method="asymptotic").statistic
        assert np.isclose(value, plain, rtol=1e-9)
    return value, None


def anderson_darling(case: Case) -> Figures:
    n, m = case.new.size, case.old.size
    i = np.arange(1, n + m)
    return float(n * m * (path(case)[:-1] ** 2 / (i * (n + m - i))).sum()), None


def kuiper(case: Case) -> Figures:
    """The law in its other form, of small values (Kennedy, Journal of Applied Probability 13)."""
    value = sum(
        float(stats.ks_2samp(case.old, case.new, side, method="asymp").statistic)
        for side in ("less", "greater")
    )
    x, k = value / np.sqrt(1 / case.old.size + 1 / case.new.size), np.arange(1, 100)
    below = np.sqrt(2) * np.pi**2.5 / x**3 * (k**2 * np.exp(-((np.pi * k / x) ** 2) / 2)).sum()
    return value, float(1 - below) if below < 1 - 1e-6 else None


def missing(case: Case) -> Figures:
    values = numbers(case.column)
    return float((np.isnan(values) | np.isposinf(values)).mean()), None


def invalid(case: Case) -> Figures:
    return float(np.isneginf(numbers(case.column)).mean()), None


def unseen(case: Case) -> Figures:
    usable = np.isfinite(numbers(case.column))
    return float(((np.asarray(case.column.values) == "e") & usable).mean()), None


def out_of_range(case: Case) -> Figures:
    beyond = (case.new < case.old.min()) | (case.new > case.old.max())
    return float(beyond.sum() / len(case.column.values)), None


ORACLES: dict[str, Callable[[Case], Figures]] = {
    "ks": ks,
    "psi": psi,
    "chi_square": chi_square,
    "jensen_shannon": jensen_shannon,
    "wasserstein": wasserstein,
    "hellinger": hellinger,
    "total_variation": total_variation,
    "cramer_von_mises": cramer_von_mises,
    "anderson_darling": anderson_darling,
    "kuiper": kuiper,
    "missing": missing,
    "invalid": invalid,
    "unseen": unseen,
    "out_of_range": out_of_range,
}
