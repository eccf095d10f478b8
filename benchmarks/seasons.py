"""What cycles of the day and the week cost and bring: false alarms, delays, and state.

    python -m benchmarks.seasons [PART ...] [--repetitions 2]

Parts: streams, windows, cost; all unless given. Everything is seeded. The reference is built, its
cycles are chosen and its dispersion is estimated as `reference build` does. A repetition is 50
features; the budget is one alarm in all of its panes, as in `benchmarks.sequential`. A shift comes
at an hour drawn at random. `as one` is the same stream where no cycle is looked for: all hours
count as one, and what they differ by is dispersion. About ten minutes.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from benchmarks.rows import MIN_EFFECT, Row
from benchmarks.simulated import OPEN

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.features.change_state import pack
from driftline.consumer.judge.features.changes import ChangeWatch
from driftline.consumer.judge.seasons import stream_seasons
from driftline.detectors import (
    Baseline,
    Columns,
    FeatureColumn,
    Reference,
    build_reference,
    compare,
    count_columns,
    level,
)
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.seasonal_baseline import SeasonalBaseline
from driftline.detectors.seasons import CYCLES, DAY, HOUR, FeatureSeason, Seasons
from driftline.detectors.sequential.cell_shares import Mix, StreamSeasons
from driftline.detectors.sequential.pane_bins import PaneBins
from driftline.detectors.sequential.stream import StreamEvidence
from driftline.producer.records.time_zone import find_zone
from driftline.producer.reference.pane_plan import PanePlan
from driftline.producer.reference.panes import PaneCounts

FEATURES, AFTER = 50, 250
MONDAY = 4 * DAY  # of 1970, where streams begin

Mean = Callable[[FloatArray], FloatArray]
"""The mean at times in hours since a Monday began, in standard deviations."""


def daily(amount: float) -> Mean:
    """It goes up and down in a day."""

    def mean(hours: FloatArray) -> FloatArray:
        swing: FloatArray = amount * np.sin(2.0 * np.pi * hours / 24.0)
        return swing

    return mean


def weekend(amount: float) -> Mean:
    """It is another one on Saturdays and Sundays."""
    return lambda hours: amount * np.asarray(hours // 24 % 7 >= 5, np.float64)


def office(amount: float) -> Mean:
    """It is another one in the ten hours of working days."""

    def mean(hours: FloatArray) -> FloatArray:
        works = (hours // 24 % 7 < 5) & (hours % 24 >= 8) & (hours % 24 < 18)
        return amount * works.astype(np.float64)

    return mean


@dataclass(frozen=True)
class Case:
    """Streams with a cycle.

    Attributes:
        what: in words.
        mean: of their values.
        days: of the reference.
        within: events within which a shift of .2 sd is to be found; infinite: not bound.
        pane: length of their panes, ms; `events`: in each.
        panes: that are quiet.
        effect: standard deviation of what the values of a pane share beside.
    """

    what: str
    mean: Mean
    days: int
    within: float = np.inf
    pane: int = HOUR
    events: int = 100
    panes: int = 1_008
    effect: float = 0.0

    def draw(self, rng: np.random.Generator, features: int, first: int, panes: int) -> FloatArray:
        """Return the values of panes, the first of them of this number."""
        middle = (np.arange(first, first + panes) + 0.5) * self.pane / HOUR
        mean = self.mean(np.floor(middle))[:, None]
        mean = mean + self.effect * rng.standard_normal((panes, features))
        shape = (panes * self.events, features)
        values: FloatArray = rng.standard_normal(shape, np.float32).astype(np.float64)
        return values + np.repeat(mean, self.events, axis=0)

    @property
    def start(self) -> int:
        """Number of the reference's first pane, after 1970 began."""
        return MONDAY // self.pane

    @property
    def reference_panes(self) -> int:
        """How many panes the reference has."""
        return self.days * DAY // self.pane


CASES = (
    Case("no cycle", daily(0.0), 20),
    Case("a day's cycle of .2 sd", daily(0.2), 20, 1_700),
    Case("a day's cycle of .5 sd", daily(0.5), 20, 1_000),
    Case("the same, four days of reference", daily(0.5), 4),
    Case("the same, panes of 15 minutes", daily(0.5), 10, pane=HOUR // 4),
    Case("the same, panes that share .1 sd", daily(0.5), 20, effect=0.1),
    Case("weekends of .5 sd", weekend(0.5), 28),
    Case("office hours of .5 sd", office(0.5), 28),
    Case("the same, three weeks of reference", office(0.5), 21),
    Case("weekends of .5 sd, panes of a day", weekend(0.5), 70, pane=DAY, events=500, panes=200),
)


def built(values: FloatArray, case: Case, first: int, zone: str | None = "UTC") -> Reference:
    """Build a reference from the values of panes; without a zone no cycle is looked for."""
    columns = {f"f{i:03}": FeatureColumn("numeric", each) for i, each in enumerate(values.T)}
    reference = build_reference("m", columns)
    plan = PanePlan(case.pane, first, values.shape[0] // case.events)
    counted = PaneCounts(
        plan, reference.layout, reference.counts[0], find_zone(zone) if zone else None
    )
    for at in range(0, values.shape[0], 1 << 14):
        rows = values[at : at + (1 << 14)]
        numbers = first + (at + np.arange(rows.shape[0])) // case.events
        counted.add(numbers * case.pane, Columns(rows, np.zeros((rows.shape[0], 0), np.int32)))
    found = counted.findings()
    seasons = Seasons("UTC", (found.seasons,)) if found.seasons else None
    return replace(
        reference,
        counted=replace(reference.counted, seasons=seasons),
        dispersion=found.dispersion,
    )


class Watched:
    """Detectors over the same panes of one case."""

    def __init__(self, case: Case, reference: Reference, gates: tuple[float, ...]) -> None:
        self._case, self._layout = case, reference.layout
        self._bins = PaneBins(reference.layout, reference.counts[0])
        self._last: deque[tuple[int, IntArray]] = deque(maxlen=50)
        limit = float(np.log(FEATURES * case.panes))
        limits = np.full(len(reference.layout.features), limit)
        text = f"{case.pane // 60_000}m"
        window = WindowConfig.model_validate({"length": text, "every": text})
        self._none = np.zeros(limits.size, bool)
        self.watches = [
            ChangeWatch(reference, None, limits, case.pane, window, gate, None) for gate in gates
        ]

    def add(self, number: int, values: FloatArray) -> list[list[int]]:
        """Take in a pane; return the features that alarm, of each detector."""
        none = np.zeros((values.shape[0], 0), np.int32)
        found = self._bins.of_events(self._layout, Columns(values, none)).reshape(-1)
        x = np.bincount(found, minlength=self._bins.owner.size)
        self._last.append((number, x))
        flat, start = self._flat(x), number * self._case.pane
        return [
            [change.f for change in watch.add(start, flat, self._counts, self._none)]
            for watch in self.watches
        ]

    def _counts(self, start: int, end: int, part: str | None = None) -> IntArray:
        pane = self._case.pane
        rows = [x for number, x in self._last if start <= number * pane < end]
        return self._flat(np.sum(rows, axis=0, dtype=np.int64))

    def _flat(self, x: IntArray) -> IntArray:
        flat = np.zeros(self._layout.size, np.int64)
        flat[self._bins.cells] = x
        return flat


def alarms(case: Case, reference: Reference, rng: np.random.Generator) -> int:
    """Return the false alarms."""
    first = case.start + case.reference_panes
    watched, many = Watched(case, reference, (OPEN,)), 0
    for number in range(first, first + case.panes):
        for f in watched.add(number, case.draw(rng, FEATURES, number, 1))[0]:
            many += 1
            watched.watches[0].reset(f)
    return many


def delays(case: Case, reference: Reference, rng: np.random.Generator, shift: float) -> FloatArray:
    """Return the delays of a shift in events, with all alarms and with large ones, (2, F)."""
    quiet = int(rng.integers(24, 48))
    first = case.start + case.reference_panes
    watched = Watched(case, reference, (OPEN, MIN_EFFECT))
    found = np.full((2, FEATURES), np.inf)
    for number in range(first, first + quiet + AFTER):
        passed = (number - first - quiet + 1) * case.events
        values = case.draw(rng, FEATURES, number, 1) + (shift if passed > 0 else 0.0)
        for i, changed in enumerate(watched.add(number, values)):
            for f in changed:
                if passed <= 0:
                    watched.watches[i].reset(f)
                else:
                    found[i, f] = min(found[i, f], passed)
        if np.isfinite(found).all():
            break
    return found


def streams(repetitions: int) -> Iterator[Row]:
    """Yield what evidence says of streams with a cycle."""
    for seed in range(len(CASES)):
        yield stream(seed, repetitions)


def stream(seed: int, repetitions: int) -> Row:
    """Return what evidence says of the streams of one case: its number is the seed."""
    case = CASES[seed]
    cycles: Counter[str] = Counter()
    many, found = np.zeros((2, repetitions)), np.empty((2, 2, 2, 0))
    for repetition in range(repetitions):
        key = [13, seed, repetition]
        rng = np.random.default_rng(key)
        values = case.draw(rng, FEATURES, case.start, case.reference_panes)
        late = []
        for i, zone in enumerate(("UTC", None)):
            reference = built(values, case, case.start, zone)
            own = {} if reference.seasons is None else reference.seasons.streams[0]
            cycles.update(season.cycle for season in own.values())
            rng = np.random.default_rng([*key, 1])
            many[i, repetition] = alarms(case, reference, rng)
            late.append([delays(case, reference, rng, shift) for shift in (0.2, 0.5)])
        found = np.concatenate([found, np.array(late)], axis=3)
    followed = ", ".join(f"{name} {count}" for name, count in sorted(cycles.items()))
    texts = [
        f"alarms {own.mean():.1f}, "
        + ", ".join(
            f"{shift} {np.median(free):,.0f} (gated {np.median(gated):,.0f},"
            f" {np.isfinite(gated).mean():.0%})"
            for shift, (free, gated) in zip((".2 sd", ".5 sd"), each, strict=True)
        )
        for own, each in zip(many, found, strict=True)
    ]
    within = float(np.median(found[0, 0, 0]))
    bound = "alarms <= 1"
    if np.isfinite(case.within):
        bound += f", .2 sd within {case.within:,.0f}"
    return Row(
        case.what,
        bound,
        f"of {repetitions * FEATURES}: {followed or 'none'}; {texts[0]}; as one: {texts[1]}",
        bool(many[0].mean() <= 1.0 and within <= case.within),
    )


def windows(repetitions: int) -> Iterator[Row]:
    """Yield how many windows of six hours and of a day are beyond the limit of the budget."""
    features, hours = 20, 720
    for seed, case in enumerate((CASES[2], CASES[7])):
        rng = np.random.default_rng([14, seed])
        values = case.draw(rng, features, case.start, case.reference_panes)
        reference = built(values, case, case.start)
        seasons = stream_seasons(reference, None)
        if seasons is None or reference.dispersion is None:
            raise AssertionError("a reference with a cycle has seasons")
        layout = reference.layout
        whole = Baseline(layout, reference.counts[0])
        seasonal = SeasonalBaseline(whole, seasons.features)
        first = case.start + case.reference_panes
        none = np.zeros((case.events, 0), np.int32)
        panes = [
            count_columns(layout, Columns(case.draw(rng, features, first + hour, 1), none))
            for hour in range(hours)
        ]
        phi = reference.dispersion.phi[0]
        for length in (6, 24):
            alpha = level(1, 30 * DAY, 2 * features, HOUR)
            beyond = [0, 0, 0]
            for hour in range(length, hours):
                now = np.sum(panes[hour - length : hour], axis=0)
                start = (first + hour - length) * HOUR
                mixes = seasons.mixes(start, start + length * HOUR, HOUR, lambda a, b: b - a)
                tried = (seasonal.at(mixes), None), (seasonal.at(mixes), phi), (whole, None)
                for i, (baseline, each) in enumerate(tried):
                    found = compare(baseline, now, alpha, phi=each)
                    beyond[i] += int((found.detectors["ks"].p_value <= alpha).sum())
            yield Row(
                f"{case.what}, windows of {length} hours",
                "<= 1",
                f"{beyond[1]} (untempered {beyond[0]}, as one {beyond[2]:,})",
                beyond[1] <= 1,
            )
        day = seasonal.at(
            {name: _all(name) for name in {s.cycle for s in seasons.features.values()}}
        )
        apart = max(abs(day.cdf - whole.cdf).max(), 0.0)
        yield Row(
            f"{case.what}, a whole cycle", "<= .01", f"{apart:.4f} from the whole", apart <= 0.01
        )


def _all(cycle: str) -> Mix:
    cells = CYCLES[cycle].cells
    return Mix.of(range(cells), [1.0] * cells)


def cost(repetitions: int) -> Iterator[Row]:
    """Yield the CPU time of a pane of 3,000 features, and the bytes of what is kept."""
    features = 3_000
    rng = np.random.default_rng(1)
    values = rng.standard_normal((4_000, features))
    columns = {f"f{i:04}": FeatureColumn("numeric", each) for i, each in enumerate(values.T)}
    reference = build_reference("m", columns)
    layout, counts = reference.layout, reference.counts[0]
    bins = PaneBins(layout, counts)
    rows = [
        count_columns(layout, Columns(values[i::40], np.zeros((100, 0), np.int32)))
        for i in range(20)
    ]
    took, kept = {}, {}
    size = bins.owner.size / features
    for name in ("", *CYCLES):
        seasons = None
        if name:
            cycle = CYCLES[name]
            known = np.tile(bins.count(counts) // cycle.cells, (cycle.cells, 1))
            parts = np.split(known, bins.first[1:-1], axis=1)
            extra = np.zeros((cycle.cells, 1), np.int64)
            made = {
                f: FeatureSeason(name, 100.0, np.concatenate([own, extra], axis=1))
                for f, own in enumerate(parts)
            }
            seasons = StreamSeasons(made, lambda instants: instants)
        watched = np.ones(features, bool)
        evidence = StreamEvidence(layout, counts, watched, None, 1.0, HOUR, seasons)
        taken = []
        for pane, flat in enumerate(rows):
            begin = time.process_time()
            evidence.add(flat, pane, ~watched)
            taken.append(1e3 * (time.process_time() - begin))
        took[name] = min(taken)
        kept[name] = sum(map(len, pack(evidence.state()))) / features
    yield Row(
        "3,000 features without a cycle", "", f"{took['']:.1f} ms, {kept['']:,.0f} bytes", met=True
    )
    for name in CYCLES:
        more = (kept[name] - kept[""]) / (CYCLES[name].cells * size)
        yield Row(
            f"3,000 features, {name}",
            "2 B a cell and bin",
            f"{took[name]:.1f} ms, {kept[name]:,.0f} bytes: {more:.2f} B a cell and bin",
            more <= 2.01,
        )


PARTS = {"streams": streams, "windows": windows, "cost": cost}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--repetitions", type=int, default=2)
    options = parser.parse_args()
    for part in options.parts or PARTS:
        for row in PARTS[part](options.repetitions):
            mark = "" if row.met else "  NOT REACHED"
            print(f"| {row.what} | {row.bound} | {row.reached} |{mark}", flush=True)


if __name__ == "__main__":
    main()
