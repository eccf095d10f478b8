"""Time of the statistics: judging one window of 3,000 features, and counting its events.

Run: python benchmarks/detectors.py [features] [events]
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from driftline.detectors import (
    Baseline,
    Columns,
    FeatureColumn,
    Layout,
    Reference,
    build_reference,
    compare,
    count_columns,
)

REFERENCE_EVENTS = 20_000
CATEGORIES = 10
KINDS = 40  # distinct columns that are built; the others repeat their counts


def build(rng: np.random.Generator) -> Reference:
    names = [f"class {i}" for i in range(CATEGORIES)]
    columns = {}
    for i in range(KINDS):
        if i % 5:
            columns[f"n{i:02}"] = FeatureColumn("numeric", rng.normal(size=REFERENCE_EVENTS))
        else:
            drawn = rng.choice(CATEGORIES, REFERENCE_EVENTS, p=np.arange(1, 11) / 55)
            columns[f"c{i:02}"] = FeatureColumn("categorical", [names[k] for k in drawn])
    return build_reference("benchmark", columns)


def repeat(reference: Reference, features: int) -> Baseline:
    """Lay the same features out again and again until there are enough."""
    few = reference.layout
    order = sorted(
        (f % len(few.features) for f in range(features)),
        key=lambda f: few.features[f].type != "numeric",
    )
    blocks = [reference.counts[0][few.starts[f] : few.starts[f + 1]] for f in order]
    return Baseline(Layout(tuple(few.features[f] for f in order)), np.concatenate(blocks))


def draw(layout: Layout, events: int, rng: np.random.Generator) -> Columns:
    numeric = rng.normal(size=(events, layout.numeric))
    numeric[rng.random(numeric.shape) < 0.01] = np.nan
    others = len(layout.features) - layout.numeric
    codes = rng.choice(CATEGORIES, (events, others), p=np.arange(1, 11) / 55).astype(np.int32)
    return Columns(numeric, codes)


def best_ms(work: Callable[[], object], repeats: int = 7) -> tuple[float, float]:
    """Least wall and CPU time of several runs, in ms."""
    wall, cpu = [], []
    for _ in range(repeats):
        begin, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - begin)
        cpu.append(time.process_time() - used)
    return 1000 * min(wall), 1000 * min(cpu)


def main(features: int = 3_000, events: int = 1_000) -> None:
    rng = np.random.default_rng(1)
    begin = time.perf_counter()
    reference = build(rng)
    built = time.perf_counter() - begin
    begin = time.perf_counter()
    baseline = repeat(reference, features)
    prepared = time.perf_counter() - begin
    layout = baseline.layout
    columns = draw(layout, events, rng)
    window = count_columns(layout, columns)
    alpha = np.full(features, 1 / (2 * features * 720))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    print(f"{features} features ({layout.numeric} numeric), window of {events} events")
    print(f"{layout.size:,} cells, {np.count_nonzero(window):,} not empty")
    print(f"reference of {KINDS} features x {REFERENCE_EVENTS} events built in {built:.2f} s")
    print(f"baseline prepared in {prepared:.2f} s; peak memory {peak:.0f} MB")
    for name, work in (
        ("compare one window", lambda: compare(baseline, window, alpha)),
        ("count its events", lambda: count_columns(layout, columns)),
    ):
        wall, cpu = best_ms(work)
        print(f"{name:20} {wall:7.1f} ms wall {cpu:7.1f} ms CPU")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
