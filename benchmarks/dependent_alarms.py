"""What `budget: 1 per 30d` is worth where events are no independent draws; what it does not see.

50 continuous features, none of which changes, in 720 windows of 1,000 events, an hour each. Printed
are the pairs of feature and window, and the windows, in which the default rule for numbers is
beyond its limit; the budget allows one. `outliers` is no quiet stream: 1 % of its values lie at ten
standard deviations, and should be seen.

Run: python benchmarks/dependent_alarms.py   (about 3 minutes)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import lfilter

from driftline.detectors import Baseline, Feature, Layout, choose_grid, compare, level
from driftline.detectors.grid import FloatArray, IntArray, count_slots

HOUR, DAY = 3_600_000, 86_400_000
FEATURES, EVENTS, HOURS = 50, 1_000, 720
REFERENCE = 48_000  # events: two days
MIN_EFFECT = 0.02

Draw = Callable[[np.random.Generator, int], FloatArray]
"""So many values in the order of time; their standard deviation is 1, but for a cycle's own."""


def neighbours(correlation: float) -> Draw:
    """Values of which each correlates with the one before."""

    def draw(rng: np.random.Generator, events: int) -> FloatArray:
        noise = rng.standard_normal(events + 200) * np.sqrt(1 - correlation**2)
        values: FloatArray = lfilter([1], [1, -correlation], noise)[200:]
        return values

    return draw


def daily(size: float) -> Draw:
    """Values whose mean goes up and down by `size` in a day."""

    def draw(rng: np.random.Generator, events: int) -> FloatArray:
        hours = np.arange(events) / EVENTS
        return rng.standard_normal(events) + size * np.sin(2 * np.pi * hours / 24)

    return draw


def outliers(rng: np.random.Generator, events: int) -> FloatArray:
    """Independent values, 1 % of them at 10."""
    return np.where(rng.random(events) < 0.01, 10.0, rng.standard_normal(events))


def beyond(reference: Draw, stream: Draw, window: int = 1) -> tuple[int, int]:
    """Pairs of feature and window, and windows of so many hours, that are beyond the limit."""
    rng = np.random.default_rng(1)
    values = [np.sort(reference(rng, REFERENCE)) for _ in range(FEATURES)]
    features = [Feature(f"f{i:02}", "numeric", choose_grid(v, 1024)) for i, v in enumerate(values)]
    baseline = Baseline(
        Layout.of(features),
        np.concatenate([_counts(f, v) for f, v in zip(features, values, strict=True)]),
    )
    alpha = level(1, 30 * DAY, 2 * FEATURES, window * HOUR)
    shape = (HOURS // window, window * EVENTS)
    drawn = [stream(rng, HOURS * EVENTS).reshape(shape) for _ in features]
    pairs = windows = 0
    for index in range(shape[0]):
        counts = [_counts(f, np.sort(d[index])) for f, d in zip(features, drawn, strict=True)]
        found = compare(baseline, np.concatenate(counts), alpha)
        p_value = found.detectors["ks"].p_value
        over = (p_value <= alpha / found.tests) & (found.effect >= MIN_EFFECT)
        pairs += int(over.sum())
        windows += bool(over.any())
    return pairs, windows


def _counts(feature: Feature, values: FloatArray) -> IntArray:
    return np.concatenate([count_slots(feature.grid, values), np.zeros(3, np.int64)])


def main() -> None:
    independent = neighbours(0.0)
    print(f"{'events':<28} {'pairs':>8} {'windows':>8}")
    for name, reference, stream, window in (
        ("independent", independent, independent, 1),
        ("neighbours correlate by 0.2", neighbours(0.2), neighbours(0.2), 1),
        ("neighbours correlate by 0.5", neighbours(0.5), neighbours(0.5), 1),
        ("neighbours correlate by 0.8", neighbours(0.8), neighbours(0.8), 1),
        ("daily cycle of 0.1", daily(0.1), daily(0.1), 1),
        ("daily cycle of 0.5", daily(0.5), daily(0.5), 1),
        ("the same, windows of a day", daily(0.5), daily(0.5), 24),
        ("outliers", independent, outliers, 1),
    ):
        pairs, windows = beyond(reference, stream, window)
        print(f"{name:<28} {pairs:8,} {windows:8,}", flush=True)


if __name__ == "__main__":
    main()
