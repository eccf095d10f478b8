"""Columns that break careless statistics, and what an oracle needs of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftline.detectors.baseline import Baseline
from driftline.detectors.columns import FeatureColumn, encode
from driftline.detectors.counts import count_columns
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.reference import Reference

NAMES = ("a", "b", "c", "d", "e")
DATA = ("continuous", "integer", "tied", "mixed")
NORMAL = np.array([0.4, 0.3, 0.2, 0.1, 0.0])
CHANGED = np.array([0.3, 0.3, 0.2, 0.15, 0.05])  # "e" is unseen
RARE = np.array([0.95, 0.03, 0.02])
REFERENCE_ROWS = 4_000

Figures = tuple[float, float | None]
"""Value and p-value; None where an oracle has no p-value."""


def draw(kind: str, n: int, shift: float, rng: np.random.Generator) -> FloatArray:
    """Draw values of one of the kinds of data that break careless order statistics.

    Args:
        kind: one of `DATA`.
        n: how many.
        shift: of their mean.
        rng: what draws.
    """
    normal = rng.normal(shift, 1.0, n)
    if kind == "continuous":
        return normal
    if kind == "integer":
        return np.floor(4.0 * normal)
    if kind == "tied":
        return np.where(rng.random(n) < 0.6, 0.0, np.round(np.abs(normal), 1))
    return np.where(rng.random(n) < 0.5, np.round(normal, 1), normal)


def columns_of(seed: int, n: int, shift: float, classes: FloatArray) -> dict[str, FeatureColumn]:
    """Draw one column of each kind, and one each of categories and booleans, with bad values.

    Args:
        seed: of what draws.
        n: rows.
        shift: of the numbers' mean.
        classes: probability of each of `NAMES`.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for kind in DATA:
        values = draw(kind, n, shift, rng)
        for bad, share in ((np.nan, 0.02), (np.inf, 0.01), (-np.inf, 0.01)):
            values[rng.random(n) < share] = bad
        found[kind] = FeatureColumn("numeric", values)
    texts = [NAMES[i] for i in rng.choice(len(NAMES), n, p=classes)]
    absent, invalid = rng.random(n) < 0.02, rng.random(n) < 0.01
    found["category"] = FeatureColumn("categorical", texts, absent, invalid)
    truths = [("true" if x < 0.4 + 0.1 * shift else "false") for x in rng.random(n)]
    found["flag"] = FeatureColumn("boolean", truths, absent=rng.random(n) < 0.03)
    return found


def window_columns(seed: int, n: int, shift: float) -> dict[str, FeatureColumn]:
    """Draw the columns of a window; without a shift nothing changed."""
    return columns_of(seed, n, shift, CHANGED if shift else NORMAL)


def window_of(reference: Reference, seed: int, n: int = 800, shift: float = 0.3) -> IntArray:
    """Return the counts of `window_columns`."""
    columns = window_columns(seed, n, shift)
    return count_columns(reference.layout, encode(reference.layout, columns))


@dataclass(frozen=True)
class Case:
    """One feature of a reference and a window: what an oracle needs.

    Attributes:
        old: finite values of the reference, of a numeric feature.
        new: those of the window.
        r: reference events per bin or category, those without any left out.
        w: window events, likewise.
        grid: the reference's distinct values.
        column: the window's, with bad values.
    """

    old: FloatArray
    new: FloatArray
    r: IntArray
    w: IntArray
    grid: FloatArray
    column: FeatureColumn

    @property
    def v(self) -> float:
        """The factor 1/n + 1/m of many laws."""
        return float(1 / self.r.sum() + 1 / self.w.sum())


def cases(
    reference: Reference, baseline: Baseline, seed: int, n: int = 800, shift: float = 0.3
) -> dict[int, Case]:
    """Return what an oracle needs of every feature of `window_of` with the same arguments."""
    window = window_of(reference, seed, n, shift)
    old, new = columns_of(1, REFERENCE_ROWS, 0.0, NORMAL), window_columns(seed, n, shift)
    found = {}
    for f, feature in enumerate(reference.layout.features):
        bins = baseline.bins(f, window)
        sides = [old[feature.name], new[feature.name]]
        values = [
            np.asarray(side.values, float) if side.type == "numeric" else np.empty(0)
            for side in sides
        ]
        before, after = (x[np.isfinite(x)] for x in values)
        found[f] = Case(before, after, bins.reference, bins.window, feature.grid, sides[1])
    return found


def quiet_columns(n: int, rng: np.random.Generator) -> dict[str, FeatureColumn]:
    """Draw columns in which nothing ever changes; some values are missing, some classes rare."""
    numeric = {
        f"n{i}": FeatureColumn("numeric", _with_bad(rng.normal(size=n), rng)) for i in range(5)
    }
    numeric["few"] = FeatureColumn("numeric", rng.choice(3, n, p=RARE).astype(np.float64))
    drawn = {f"c{i}": rng.choice(4, n, p=NORMAL[:4]) for i in range(5)}
    drawn["rare"] = rng.choice(3, n, p=RARE)
    texts = {
        name: FeatureColumn("categorical", [NAMES[k] for k in codes])
        for name, codes in drawn.items()
    }
    return {**numeric, **texts}


def quiet_flags(n: int, rng: np.random.Generator) -> dict[str, FeatureColumn]:
    """Draw booleans in which nothing ever changes."""
    return {
        f"b{i}": FeatureColumn("boolean", [str(x < 0.1 + i / 10).lower() for x in rng.random(n)])
        for i in range(6)
    }


def _with_bad(values: FloatArray, rng: np.random.Generator) -> FloatArray:
    values[rng.random(values.size) < 0.02] = np.nan
    values[rng.random(values.size) < 0.002] = -np.inf
    return values
