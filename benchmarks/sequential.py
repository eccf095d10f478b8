"""What the alarms promise, in one table: what, bound, measured, holds.

    python -m benchmarks.sequential [PART ...] [--repetitions 20] [--flights replay.parquet]

Parts: quiet, windowed, seasons, delays, peers, odd, cost, loans, flights; all unless given.
Everything is seeded, and goes through the product's own code. A repetition is 50 features; the
budget is one alarm in all of its panes, of which the detector uses the whole, and alarms of quiet
streams are counted before any is held back by the size of its effect. About 25 minutes on two quiet
cores with 20 repetitions; the environments of the peers are made first, which takes some minutes
more.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.peers import peers
from benchmarks.real_data import FLIGHTS, flights, loans
from benchmarks.rows import HEAD, MIN_EFFECT, Row
from benchmarks.seasons import streams as seasons
from benchmarks.simulated import OPEN, Counted, delays, false_alarms, reference_of
from benchmarks.streams import CHANGES, Stream
from benchmarks.windowed import windowed

from driftline.consumer.judge.features.change_state import pack
from driftline.detectors import FeatureColumn, build_reference, count_columns
from driftline.detectors.columns import encode
from driftline.detectors.sequential.stream import StreamEvidence

FEATURES = 50
PANES = 2_000
LIMIT = float(np.log(FEATURES * PANES))
STREAMS = 200


@dataclass(frozen=True)
class Quiet:
    """Streams in which nothing changes."""

    what: str
    correlation: float = 0.0
    effect: float = 0.0
    events: int = 100
    panes: int = PANES
    reference_panes: int = 100
    share: float = 1.0
    most: float = np.inf


QUIET = (
    Quiet("independent", most=3),
    Quiet("AR(1) .2", 0.2, most=3),
    Quiet("AR(1) .5", 0.5, most=3),
    Quiet("pane effects of .1 sd", effect=0.1, most=3),
    Quiet("pane effects of .2 sd", effect=0.2, panes=1_000, share=0.8),
    Quiet("AR(1) .5, 30 reference panes", 0.5, panes=600, reference_panes=30, share=0.6),
    Quiet("AR(1) .8, panes of 500", 0.8, events=500, panes=400, share=0.3),
)


def quiet(repetitions: int) -> Iterator[Row]:
    """Yield the false alarms of a budget of one."""
    for seed, each in enumerate(QUIET):
        number = max(1, round(repetitions * each.share))
        rng = np.random.default_rng([71, seed])
        stream = Stream(rng, FEATURES * number, each.events, each.correlation, each.effect)
        limit = float(np.log(FEATURES * each.panes))
        alarms = false_alarms(stream, each.reference_panes, each.panes, limit)
        found = alarms.reshape(number, FEATURES).sum(axis=1)
        bound = "mean <= 1" + (f", none above {each.most:.0f}" if np.isfinite(each.most) else "")
        reached = f"{found.mean():.2f}, most {found.max()} ({number} x {each.panes:,} panes)"
        met = bool(found.mean() <= 1.0 and found.max() <= each.most)
        yield Row(f"quiet, {each.what}", bound, reached, met)


DELAYS = (
    *((name, 0.0, bound) for name, bound in zip(CHANGES, (900, 200, 500, 1_700, 500), strict=True)),
    ("shift of .2 sd", 0.5, 3_000),
    ("shift of .5 sd", 0.5, 500),
    ("shift of .2 sd", 0.2, 1_300),
)


def delayed(repetitions: int) -> Iterator[Row]:
    """Yield median delays: of the evidence, with the gate, and with the part of the budget."""
    for name, correlation, bound in DELAYS:
        rng = np.random.default_rng([4, int(correlation * 100), list(CHANGES).index(name)])
        stream = Stream(rng, STREAMS, correlation=correlation)
        limits = [(LIMIT, OPEN), (LIMIT, MIN_EFFECT), (LIMIT - np.log(0.6), MIN_EFFECT)]
        free, gated, part = delays(stream, CHANGES[name], limits)
        kind = f"AR(1) {correlation}" if correlation else "independent"
        yield Row(
            f"{kind}, {name}",
            f"{bound:,} events",
            f"{free.median:,.0f}; gated {gated.median:,.0f} ({gated.found:.0%} found),"
            f" with .6 of the budget {part.median:,.0f}",
            free.median <= bound,
        )


def odd(repetitions: int) -> Iterator[Row]:
    """Yield what many categories, constants and rare values come to."""
    rng = np.random.default_rng(5)
    for categories, power in ((1_000, 0.0), (1_000, 1.0), (3_000, 0.0), (3_000, 0.8)):
        shares = np.arange(1.0, categories + 1) ** -power
        shares /= shares.sum()

        def drawn(events: int, p: Any = shares) -> FeatureColumn:
            texts = [f"c{i}" for i in rng.choice(p.size, events, p=p)]
            return FeatureColumn("categorical", texts)

        alarms = sum(_alarms(drawn, drawn, 300) > 0 for _ in range(repetitions))
        law = f"Zipf {power}" if power else "uniform"
        what = f"quiet, {categories:,} categories, {law}"
        yield Row(what, "0 alerts", f"{alarms} ({repetitions} x 300 panes)", alarms == 0)

    def flag(share: float, kind: Any = "numeric") -> Callable[[int], FeatureColumn]:
        def drawn(events: int) -> FeatureColumn:
            there = rng.random(events) < share
            if kind == "numeric":
                return FeatureColumn(kind, there.astype(np.float64))
            return FeatureColumn(kind, np.where(there, "true", "false").tolist())

        return drawn

    still = _alarms(flag(0.0), flag(0.0), 100)
    yield Row("a constant", "no crash, no alert", "quiet" if not still else "alert", not still)
    for what, normal, now in (
        ("a constant that changes", flag(0.0), flag(1.0)),
        ("a rare flag, 3 -> 60 %", flag(0.03), flag(0.6)),
        ("a rare boolean, 2 -> 10 %", flag(0.02, "boolean"), flag(0.1, "boolean")),
    ):
        at = _alarms(normal, now, 100)
        yield Row(what, "alarm", f"after {at * 100:,} events" if at else "never", at > 0)


def _alarms(
    normal: Callable[[int], FeatureColumn], now: Callable[[int], FeatureColumn], panes: int
) -> int:
    """Return after how many panes of 100 events the first alarm comes; 0: none."""
    reference = build_reference("m", {"x": normal(10_000)})
    layout = reference.layout
    evidence = StreamEvidence(layout, reference.counts[0], np.ones(1, bool), None)
    for pane in range(panes + 30):  # of which the first tell how much panes vary
        column = now(100) if pane >= 30 else normal(100)
        evidence.add(count_columns(layout, encode(layout, {"x": column})), pane, np.zeros(1, bool))
        if pane >= 30 and evidence.evidence[0] >= LIMIT:
            return pane - 29
    return 0


def cost(repetitions: int) -> Iterator[Row]:
    """Yield the CPU time of a pane of 3,000 features, and the bytes of what is kept."""
    features = 3_000
    stream = Stream(np.random.default_rng(1), features)
    reference = reference_of(stream.draw(40), stream.events)
    counted = Counted(reference)
    flats = [counted.push(x).copy() for x in counted.count(stream.draw(20), 20)]
    watched, none = np.ones(features, bool), np.zeros(features, bool)
    evidence = StreamEvidence(reference.layout, reference.counts[0], watched, reference.dispersion)
    taken = []
    for pane, flat in enumerate(flats):
        begin = time.process_time()
        evidence.add(flat, pane, none)
        taken.append(1e3 * (time.process_time() - begin))
    least = min(taken)
    each = 1e3 * least / features
    yield Row("a feature and pane", "<= 5 us", f"{each:.1f}", each <= 5.0)
    yield Row("3,000 features", "<= 15 ms", f"{least:.1f}", least <= 15.0)
    kept = sum(map(len, pack(evidence.state()))) / features
    yield Row("state of a feature", "<= 1,600 bytes", f"{kept:,.0f}", kept <= 1_600)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--flights", type=Path, default=FLIGHTS, help="all of them, as Parquet")
    options = parser.parse_args()
    parts: dict[str, Callable[[int], Iterator[Row]]] = {
        "quiet": quiet,
        "windowed": windowed,
        "seasons": lambda repetitions: seasons(max(1, repetitions // 10)),
        "delays": delayed,
        "peers": peers,
        "odd": odd,
        "cost": cost,
        "loans": loans,
        "flights": partial(flights, options.flights),
    }
    if unknown := set(options.parts) - set(parts):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(parts)}")
    print(HEAD, flush=True)
    for part in options.parts or parts:
        for row in parts[part](options.repetitions):
            print(row, flush=True)


if __name__ == "__main__":
    main()
