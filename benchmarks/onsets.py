"""How exact the onset of a change is: panes between where it began and where it is said to.

    python -m benchmarks.onsets [--streams 100]

Seeded streams of numbers and of classes, in panes of 100 events. Each changes after 60 quiet panes,
and its first alarm after that is looked at. Printed are the median delay of the alarm, the share of
onsets that are exact, one pane off at most, and more than one too early, and the largest error that
nine of ten stay below. A minute.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from benchmarks.simulated import MINUTE, Counted, reference_of, watch
from benchmarks.streams import CHANGES, Stream, shifted

from driftline.consumer.judge.features.changes import ChangeWatch, Counts
from driftline.detectors import Columns, FeatureColumn, Reference, build_reference
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.producer.reference.pane_plan import PanePlan
from driftline.producer.reference.panes import PaneCounts

EVENTS, BEFORE, AFTER = 100, 60, 200
LIMIT = float(np.log(50 * 2_000) - np.log(0.6))
MIN_EFFECT = 0.02
NUMBERS = {**CHANGES, "shift of 1 sd": shifted(1.0)}
CLASSES: dict[str, tuple[list[float], list[float]]] = {
    "a class of 10 % falls to 0.6 %": ([0.4, 0.3, 0.2, 0.1], [0.43, 0.33, 0.234, 0.006]),
    "a class of 2 % rises to 8 %": ([0.5, 0.3, 0.18, 0.02], [0.46, 0.28, 0.18, 0.08]),
    "a class of 10 % rises to 15 %": ([0.4, 0.3, 0.2, 0.1], [0.38, 0.28, 0.19, 0.15]),
    "a flag of 55 % rises to 80 %": ([0.45, 0.55], [0.2, 0.8]),
}

Panes = Iterator[tuple[int, IntArray]]


def numbers(stream: Stream, change: Callable[..., FloatArray]) -> list[tuple[int, int]]:
    """Return the delay and the error of each onset, in panes, of numbers that change."""
    reference = reference_of(stream.draw(100), EVENTS)
    counted = Counted(reference)

    def panes() -> Panes:
        for pane in range(BEFORE + AFTER):
            values = stream.draw(1)
            values = values if pane < BEFORE else change(stream.rng, values)
            yield pane, counted.push(counted.count(values, 1)[0])

    return _onsets(watch(reference, LIMIT, MIN_EFFECT), panes(), counted.counts, stream.features)


def classes(
    seed: int, streams: int, normal: Sequence[float], after: Sequence[float]
) -> list[tuple[int, int]]:
    """Return the same of classes whose shares change."""
    rng = np.random.default_rng([6, seed])
    reference = _reference(rng.choice(len(normal), (100 * EVENTS, streams), p=normal))
    layout = reference.layout
    bins = PaneBins(layout, reference.counts[0])
    history: list[IntArray] = []

    def panes() -> Panes:
        for pane in range(BEFORE + AFTER):
            flat = np.zeros(layout.size, np.int64)
            shares = normal if pane < BEFORE else after
            flat[bins.cells] = rng.multinomial(EVENTS, [*shares, 0.0], size=streams).ravel()
            history.append(flat)
            yield pane, flat

    def counts(start: int, end: int, part: str | None = None) -> IntArray:
        added: IntArray = np.sum(history[max(start // MINUTE, 0) : end // MINUTE], axis=0)
        return added

    return _onsets(watch(reference, LIMIT, MIN_EFFECT), panes(), counts, streams)


def _reference(codes: IntArray) -> Reference:
    """Build a reference from the classes of events in the order of time, shape (n, features)."""
    names = np.array([f"c{place}" for place in range(int(codes.max()) + 1)])
    columns = {
        f"f{i:05}": FeatureColumn("categorical", names[each].tolist())
        for i, each in enumerate(codes.T)
    }
    reference = build_reference("m", columns)
    assert reference.layout.features[0].categories == tuple(names)
    plan = PanePlan(MINUTE, 0, codes.shape[0] // EVENTS)
    counted = PaneCounts(plan, reference.layout, reference.counts[0])
    times = np.arange(codes.shape[0]) // EVENTS * MINUTE
    counted.add(times, Columns(np.zeros((codes.shape[0], 0)), codes.astype(np.int32)))
    return replace(reference, dispersion=counted.findings().dispersion)


def _onsets(
    watching: ChangeWatch, panes: Panes, counts: Counts, streams: int
) -> list[tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    quiet = np.zeros(streams, bool)
    for pane, flat in panes:
        for alarm in watching.add(pane * MINUTE, flat, counts, quiet):
            if pane < BEFORE:
                watching.reset(alarm.f)
            else:
                begins = alarm.since // MINUTE - BEFORE
                found.setdefault(alarm.f, (pane - BEFORE + 1, begins))
        if len(found) == streams:
            break
    return list(found.values())


def row(what: str, found: Sequence[tuple[int, int]], streams: int) -> str:
    """Return a row of the table."""
    delay, error = np.array(found).T
    off = np.abs(error)
    figures = [
        f"{len(found)} of {streams}",
        f"{np.median(delay):g}",
        f"{np.mean(off == 0):.0%}",
        f"{np.mean(off <= 1):.0%}",
        f"{np.mean(error < -1):.0%}",
        f"{np.quantile(off, 0.9):g}",
    ]
    return f"| {what} | {' | '.join(figures)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=100)
    number = parser.parse_args().streams
    print("| change | found | panes to the alarm | exact | within 1 | > 1 early | 90 % within |")
    print("|---|---|---|---|---|---|---|")
    for correlation in (0.0, 0.5):
        for name, change in NUMBERS.items():
            rng = np.random.default_rng([5, int(correlation * 10)])
            stream = Stream(rng, number, EVENTS, correlation)
            kind = f"{name}, neighbours correlate by {correlation}" if correlation else name
            print(row(kind, numbers(stream, change), number), flush=True)
    for seed, (name, (normal, after)) in enumerate(CLASSES.items()):
        print(row(name, classes(seed, number, normal, after), number), flush=True)
