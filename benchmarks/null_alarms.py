"""False alarms of the default rule on quiet streams: what `budget: 1 per period` is worth.

Each stream has a reference of its own and 50 features: continuous, integer and heavily tied
numbers, numbers of few values and constants, categories with rare classes, values missing at many
rates. Nothing ever changes. The counts of a window are drawn from the law that they have, which is
the same as counting drawn values and faster.

Run: python benchmarks/null_alarms.py [streams]   (40 streams over 30 days of hourly windows)
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np

from driftline.detectors import (
    DETECTORS,
    RATES,
    Baseline,
    Feature,
    Layout,
    choose_grid,
    compare,
    level,
)
from driftline.detectors.grid import FloatArray, IntArray, count_slots

HOUR, DAY = 3_600_000, 86_400_000
MIN_EFFECT = MIN_RISE = 0.02
BUDGET_RATES = [name for name in RATES if DETECTORS[name].budget]
MISSING_RATES = (0.0, 0.0, 0.0005, 0.003, 0.02, 0.1, 0.5)
INVALID_RATES = (0.0, 0.0, 0.0, 0.001, 0.03)
BLOCK = 60  # windows drawn at a time

CLASSES: tuple[FloatArray, ...] = (
    np.array([0.5, 0.5]),
    np.array([0.98, 0.02]),
    np.array([0.999, 0.001]),
    np.array([0.9, 0.05, 0.03, 0.015, 0.005]),
    np.full(5, 0.2),
    1.0 / np.arange(1, 31) / np.sum(1.0 / np.arange(1, 31)),
    np.full(150, 1 / 150),
    np.array([0.7, 0.29, *[0.01 / 40] * 40]),
    np.array([0.6, 0.38, 0.02]),
    np.array([0.97, 0.02, *[0.01 / 10] * 10]),
)
FEW: tuple[FloatArray, ...] = (
    np.array([0.98, 0.02]),
    np.array([0.03, 0.97]),
    np.array([1.0]),
    np.array([0.03, 0.95, 0.02]),
    np.array([0.995, *[0.005 / 100] * 100]),
    np.array([0.05, 0.1, 0.2, 0.3, 0.35]),
)


@dataclass(frozen=True)
class Source:
    """A feature that never changes: the probability of each cell of its block."""

    feature: Feature
    reference: IntArray
    cells: FloatArray


def continuous(
    name: str, m: int, grid: int, rng: np.random.Generator
) -> tuple[Feature, FloatArray]:
    values = np.sort(rng.random(m))
    feature = Feature(name, "numeric", choose_grid(values, grid))
    slots = np.zeros(feature.slots)
    slots[::2] = np.diff(np.concatenate([[0.0], feature.grid, [1.0]]))
    return feature, np.concatenate([slots, count_slots(feature.grid, values)])


def discrete(
    name: str, shares: FloatArray, m: int, rng: np.random.Generator
) -> tuple[Feature, FloatArray]:
    """Whole numbers 0, 1, ... with the given shares."""
    counts = rng.multinomial(m, shares)
    values = np.arange(shares.size, dtype=np.float64)
    feature = Feature(name, "numeric", values[counts > 0])
    slot = np.searchsorted(feature.grid, values, "left") + np.searchsorted(
        feature.grid, values, "right"
    )
    slots = np.bincount(slot, weights=shares, minlength=feature.slots)
    return feature, np.concatenate([slots, np.bincount(slot, counts, feature.slots)])


def classes(
    name: str, shares: FloatArray, m: int, rng: np.random.Generator
) -> tuple[Feature, FloatArray]:
    counts = rng.multinomial(m, shares)
    seen = counts > 0
    names = tuple(f"{i:03}" for i in np.flatnonzero(seen))
    feature = Feature(name, "categorical", np.empty(0), names)
    return feature, np.concatenate([shares[seen], [shares[~seen].sum()], counts[seen], [0]])


def sources(features: int, m: int, grid: int, rng: np.random.Generator) -> list[Source]:
    """Half numeric (of five, two continuous, one of few values, one of whole numbers, one tied)."""
    found = []
    poisson = np.diff(np.concatenate([[0.0], np.sort(rng.random(19)), [1.0]]))
    tied = np.array([0.7, *[0.3 / 12] * 12])
    for i in range(features):
        missing, invalid = MISSING_RATES[i % 7], INVALID_RATES[i % 5]
        n = int(rng.binomial(m, 1 - missing - invalid))
        name = f"f{i:02}"
        if i % 2:
            feature, both = classes(name, CLASSES[i // 2 % len(CLASSES)], n, rng)
        elif i % 10 == 8:
            feature, both = discrete(name, tied, n, rng)
        elif i % 10 == 6:
            feature, both = discrete(name, poisson, n, rng)
        elif i % 10 == 2:
            feature, both = discrete(name, FEW[i // 10 % len(FEW)], n, rng)
        else:
            feature, both = continuous(name, n, grid, rng)
        shares, counts = both[: feature.slots], both[feature.slots :]
        bad = rng.binomial(m - n, invalid / (missing + invalid)) if missing + invalid else 0
        reference = np.array([*counts, m - n - bad, 0, bad]).astype(np.int64)
        usable = shares / shares.sum() * (1 - missing - invalid)
        found.append(Source(feature, reference, np.array([*usable, missing, 0.0, invalid])))
    return found


def alarms(
    n: int, *, looks: int, seed: int, features: int = 50, m: int = 10_000, grid: int = 1024
) -> tuple[int, int]:
    """False alarms of one stream over one budget period.

    Returns:
        Alarms of the distribution tests and of the rates; each breach of a window counts as one.
    """
    rng = np.random.default_rng([seed, n, looks])
    by_name = {s.feature.name: s for s in sources(features, m, grid, rng)}
    layout = Layout.of(source.feature for source in by_name.values())
    ordered = [by_name[feature.name] for feature in layout.features]
    baseline = Baseline(layout, np.concatenate([source.reference for source in ordered]))
    alpha = level(1, 30 * DAY, 2 * features, 30 * DAY // looks)
    normal = {
        name: r.value for name, r in compare(baseline, baseline.counts, alpha).detectors.items()
    }
    drift = bad = 0
    for begin in range(0, looks, BLOCK):
        some = min(BLOCK, looks - begin)
        drawn = np.hstack([rng.multinomial(n, source.cells, some) for source in ordered])
        for window in drawn:
            found = compare(baseline, window, alpha)
            of = found.detectors
            p_value = np.fmin(of["ks"].p_value, of["chi_square"].p_value)
            drift += int(((p_value <= alpha / found.tests) & (found.effect >= MIN_EFFECT)).sum())
            for name in BUDGET_RATES:
                rose = of[name].value - normal[name] >= MIN_RISE
                bad += int((rose & (of[name].p_value <= alpha)).sum())
    return drift, bad


def main(streams: int = 40, looks: int = 720) -> None:
    print(f"{streams} quiet streams, 50 features, {looks} windows each, budget 1 alarm")
    print(
        f"{'events a window':>16} {'drift':>8} {'rates':>8} {'alarms a stream':>16} {'seconds':>8}"
    )
    for n in (100, 500, 1000, 5000):
        begin = time.perf_counter()
        drift, bad = np.mean([alarms(n, looks=looks, seed=s) for s in range(streams)], axis=0)
        took = time.perf_counter() - begin
        print(f"{n:16} {drift:8.3f} {bad:8.3f} {drift + bad:16.3f} {took:8.1f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
