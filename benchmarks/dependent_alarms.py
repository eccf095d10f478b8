"""What `budget: 1 per 30d` is worth where events are no independent draws; what it does not see.

50 continuous features, none of which changes, in 720 windows of 1,000 events, an hour each. Printed
are the pairs of feature and window, and the windows, in which the default rule for numbers is
beyond its limit, first as if events were independent, then tempered by the dispersion of the
reference's panes; the budget allows one. `outliers` is no quiet stream: 1 % of its values lie at
ten standard deviations, and should be seen; nor are the two whose means move.

Run: python benchmarks/dependent_alarms.py   (about 3 minutes)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.signal import lfilter

from driftline.detectors import Baseline, Feature, Layout, choose_grid, compare, level
from driftline.detectors.grid import FloatArray, IntArray, count_sorted
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.variation import Directions, reference_phi

HOUR, DAY = 3_600_000, 86_400_000
FEATURES, EVENTS, HOURS = 50, 1_000, 720
REFERENCE = 48_000  # events: two days
PANE = 100  # events
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


def effects(size: float) -> Draw:
    """Values that share what is special about the hundred events they are among."""

    def draw(rng: np.random.Generator, events: int) -> FloatArray:
        values = rng.standard_normal((events // PANE, PANE))
        values += size * rng.standard_normal((events // PANE, 1))
        return values.ravel()

    return draw


def moved(by: float) -> Draw:
    """Independent values whose mean is not 0."""
    return lambda rng, events: rng.standard_normal(events) + by


def daily(size: float) -> Draw:
    """Values whose mean goes up and down by `size` in a day."""

    def draw(rng: np.random.Generator, events: int) -> FloatArray:
        hours = np.arange(events) / EVENTS
        return rng.standard_normal(events) + size * np.sin(2 * np.pi * hours / 24)

    return draw


def outliers(rng: np.random.Generator, events: int) -> FloatArray:
    """Independent values, 1 % of them at 10."""
    return np.where(rng.random(events) < 0.01, 10.0, rng.standard_normal(events))


def beyond(reference: Draw, stream: Draw, window: int = 1) -> list[tuple[int, int]]:
    """Pairs of feature and window, and windows of so many hours, that are beyond the limit.

    As they are, and tempered.
    """
    rng = np.random.default_rng(1)
    values = [reference(rng, REFERENCE) for _ in range(FEATURES)]
    grids = [choose_grid(np.sort(each), 1024) for each in values]
    features = [Feature(f"f{i:02}", "numeric", grid) for i, grid in enumerate(grids)]
    layout = Layout.of(features)
    flat = _counts(features, values)
    panes = np.stack(
        [_counts(features, [v[at : at + PANE] for v in values])
         for at in range(0, REFERENCE, PANE)]
    )  # fmt: skip
    bins = PaneBins(layout, flat)
    counted = np.hstack(
        [np.stack([each(pane) for pane in panes]) for each in (bins.count, bins.count_none)]
    )
    phi, _ = reference_phi(bins, Directions.of(bins, FEATURES), counted, np.arange(len(panes)))
    baseline = Baseline(layout, flat)
    alpha = level(1, 30 * DAY, 2 * FEATURES, window * HOUR)
    shape = (HOURS // window, window * EVENTS)
    drawn = [stream(rng, HOURS * EVENTS).reshape(shape) for _ in features]
    pairs, windows = np.zeros((2, 2), int)
    for index in range(shape[0]):
        counts = _counts(features, [each[index] for each in drawn])
        for i, each in enumerate((None, phi[0])):
            found = compare(baseline, counts, alpha, phi=each)
            p_value = found.detectors["ks"].p_value
            over = (p_value <= alpha / found.tests) & (found.effect >= MIN_EFFECT)
            pairs[i] += int(over.sum())
            windows[i] += bool(over.any())
    return list(zip(pairs.tolist(), windows.tolist(), strict=True))


def _counts(features: Sequence[Feature], values: Sequence[FloatArray]) -> IntArray:
    none = np.zeros(3, np.int64)
    parts = [
        (count_sorted(feature.grid, feature.grid, np.sort(each)), none)
        for feature, each in zip(features, values, strict=True)
    ]
    return np.concatenate([part for pair in parts for part in pair])


def main() -> None:
    independent = neighbours(0.0)
    print(f"{'':<28} {'as if independent':>18} {'tempered':>18}")
    print(f"{'events':<28} {'pairs':>9} {'windows':>8} {'pairs':>9} {'windows':>8}")
    for name, reference, stream, window in (
        ("independent", independent, independent, 1),
        ("neighbours correlate by 0.2", neighbours(0.2), neighbours(0.2), 1),
        ("neighbours correlate by 0.5", neighbours(0.5), neighbours(0.5), 1),
        ("neighbours correlate by 0.8", neighbours(0.8), neighbours(0.8), 1),
        ("hundreds that share 0.1", effects(0.1), effects(0.1), 1),
        ("daily cycle of 0.1", daily(0.1), daily(0.1), 1),
        ("daily cycle of 0.5", daily(0.5), daily(0.5), 1),
        ("the same, windows of a day", daily(0.5), daily(0.5), 24),
        ("outliers", independent, outliers, 1),
        ("mean moved by 0.2", independent, moved(0.2), 1),
        ("mean moved by 0.3", independent, moved(0.3), 1),
    ):
        found = beyond(reference, stream, window)
        figures = " ".join(f"{pairs:9,} {windows:8,}" for pairs, windows in found)
        print(f"{name:<28} {figures}", flush=True)


if __name__ == "__main__":
    main()
