"""What the budget is worth, and what is found, on streams of kinds that nothing was tuned on.

    python -m benchmarks.untuned [quiet|changed] [--repetitions 1] [--seed 1] [--only TEXT]

Two quiet streams of each of the twenty kinds of `untuned_streams`, 30 days each, and one of each
kind in which a feature changes after five days. A reference of the 14 days before, the backtest of
a frame with times, nothing configured but `budget: 1 per 30d`. Printed are the alarms, and after
how many events a change is told: those of all features, up to the end of the pane that told it.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from benchmarks.untuned_streams import DAY, HOUR, KINDS, RARE, Events, Feature, Generator

from driftline.consumer.config import Budget
from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.batch import build_reference
from driftline.consumer.offline.data import tables_of
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.run import run
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.wire.records import Alert
from driftline.detectors import Reference
from driftline.producer.files.given import Given

START = 1_600_041_600_000  # 2020-09-14T00:00:00Z
NORMAL, QUIET = 14 * DAY, 30 * DAY
BEFORE, AFTER = 5 * DAY, 6_000  # of a change: ms, and events
SOON = 3_000
RATES = (100, 1_000)  # events an hour
EVENTFUL = 0.08


@dataclass
class Outcome:
    """What came of a stream.

    Attributes:
        what: kind, and its number.
        rate: events an hour.
        alerts: that fired, in order.
        reference: of the stream.
    """

    what: str
    rate: float
    alerts: list[Alert]
    reference: Reference

    def phi(self, name: str) -> float:
        """How many times as much a feature's panes vary as independent events; NaN: not known."""
        names = [feature.name for feature in self.reference.layout.features]
        if name not in names or self.reference.dispersion is None:
            return float("nan")
        return float(self.reference.dispersion.phi[0, -1, names.index(name)])


def rate_of(rng: Generator) -> float:
    """Draw events an hour."""
    return float(np.exp(rng.uniform(*np.log(RATES))))


def frame(events: Events, first: int, last: int) -> Any:
    """Return the events from one time to another (ms) as a frame."""
    a, b = np.searchsorted(events.times, (first, last)).tolist()
    times = pa.array(START + events.times[a:b], pa.timestamp("ms"))
    columns = {
        name: pa.array(feature.values[a:b], from_pandas=True)
        for name, feature in events.features.items()
    }
    return pa.table({"at": times, **columns})


def watched(what: str, rate: float, events: Events, end: int) -> Outcome:
    """Backtest the events up to `end` (ms), of which those of the first days are the reference."""
    reference = build_reference(frame(events, 0, NORMAL))
    tables = list(tables_of(frame(events, NORMAL, end)))
    options = WindowOptions(budget=Budget.parse("1 per 30d"))
    setup = assumed(
        Given("stream", lambda: iter(tables)), None, reference, Feedback(), wanted=options
    )
    outputs = list(run(setup))
    for failure in setup.backtest.failures.values():
        raise failure
    fired = [
        each
        for each in outputs
        if isinstance(each, Alert) and each.revision == 1 and each.status == "firing"
    ]
    return Outcome(what, rate, fired, reference)


def quiet(seed: int, repetitions: int, only: str) -> Iterator[Outcome]:
    """Yield what came of quiet streams."""
    for place, (name, kind) in enumerate(KINDS.items()):
        for number in range(2 * repetitions):
            if only not in name:
                continue
            rng = np.random.default_rng([seed, 1, place, number])
            rate = rate_of(rng)
            events = kind(rng, NORMAL + QUIET, rate)
            yield watched(f"{name} {number + 1}", rate, events, NORMAL + QUIET)


@dataclass
class Told:
    """How a change was told.

    Attributes:
        outcome: of its stream.
        change: what changed.
        feature: in which feature.
        events: from the change to the alert; None: there was none in time.
        false: alerts before the change, and on other features.
    """

    outcome: Outcome
    change: str
    feature: str
    events: int | None
    false: int


def changed(seed: int, repetitions: int, only: str) -> Iterator[Told]:
    """Yield how changes were told."""
    for place, (name, kind) in enumerate(KINDS.items()):
        for number in range(repetitions):
            if only not in name:
                continue
            rng = np.random.default_rng([seed, 2, place, number])
            rate = rate_of(rng)
            span = NORMAL + BEFORE + int((AFTER + 2_000) / rate * HOUR)
            yield _changed(f"{name} {number + 1}", rate, rng, kind(rng, span, rate))


def _changed(what: str, rate: float, rng: Generator, events: Events) -> Told:
    first = int(np.searchsorted(events.times, NORMAL + BEFORE))
    feature, change = _choice(rng, events)
    CHANGES[change](rng, events.features[feature], first)
    end = int(events.times[min(first + AFTER, events.times.size - 1)])
    outcome = watched(what, rate, events, end)
    began, told, false = START + int(events.times[first]), None, 0
    for alert in outcome.alerts:
        until = alert.window.span[1]
        if alert.feature == feature and until > began:
            seen = int(np.searchsorted(events.times, until - START)) - first
            told = seen if told is None else min(told, seen)
        else:
            false += 1
    return Told(outcome, change, feature, told, false)


def _choice(rng: Generator, events: Events) -> tuple[str, str]:
    """Draw a change, and a feature in which it can occur."""
    fits: dict[str, list[str]] = {}
    for name, feature in events.features.items():
        if feature.rare is not None:
            fits.setdefault(RARER, []).append(name)
        if feature.is_number and feature.rare is None:
            fits.setdefault(MOVED, []).append(name)
            if _spread(feature) >= 2 * feature.unit:
                fits.setdefault(NARROWER, []).append(name)
    change = str(rng.choice(sorted(fits)))
    return str(rng.choice(fits[change])), change


def _moves(feature: Feature) -> Any:
    """Return which values a shift or a scale moves."""
    return np.isfinite(feature.values) & (feature.values != feature.kept)


def _spread(feature: Feature) -> float:
    """Return the standard deviation that a normal law of these quartiles has, else their own."""
    values = feature.values[_moves(feature)]
    low, high = np.quantile(values, (0.25, 0.75))
    return float((high - low) / 1.349 or values.std())


def _move(rng: Generator, feature: Feature, first: int) -> None:
    _put(rng, feature, first, feature.values + 0.3 * _spread(feature))


def _narrow(rng: Generator, feature: Feature, first: int) -> None:
    middle = np.median(feature.values[_moves(feature)])
    _put(rng, feature, first, middle + 0.8 * (feature.values - middle))


def _put(rng: Generator, feature: Feature, first: int, values: Any) -> None:
    """Let a feature have other values from an event on, rounded as its own are."""
    if feature.unit:
        whole = np.floor(values / feature.unit + rng.random(values.size))
        values = (whole * feature.unit).round(2)
    where = _moves(feature)
    where[:first] = False
    feature.values = np.where(where, values, feature.values)


def _add_rare(rng: Generator, feature: Feature, first: int) -> None:
    more = rng.random(feature.values.size) < (EVENTFUL - RARE) / (1 - RARE)
    more[:first] = False
    feature.values = np.where(more, feature.rare, feature.values)


MOVED, NARROWER, RARER = "the mean moves by .3 sd", "the spread falls to .8", "2 -> 8 %"
CHANGES = {MOVED: _move, NARROWER: _narrow, RARER: _add_rare}


def _rule(alert: Alert) -> str:
    return "change" if "(change alarm)" in alert.rule else "window"


def print_quiet(outcomes: Iterator[Outcome]) -> None:
    """Print the alarms of quiet streams."""
    many = []
    for outcome in outcomes:
        alerts = outcome.alerts
        many.append(len(alerts))
        of = Counter((a.feature, _rule(a), a.detector) for a in alerts)
        said = "; ".join(
            f"{name} {rule} {detector} x{n} (phi {outcome.phi(name or ''):.1f})"
            for (name, rule, detector), n in of.items()
        )
        print(f"| {outcome.what} | {outcome.rate:,.0f} | {len(alerts)} | {said} |", flush=True)
    beyond = sum(each > 1 for each in many)
    print(f"{sum(many)} alarms in {len(many)} streams, {len(many)} allowed; {beyond} above one")


def print_changed(found: Iterator[Told]) -> None:
    """Print after how many events changes were told."""
    soon, false, every = Counter[str](), 0, Counter[str]()
    for each in found:
        in_time = each.events is not None and each.events <= SOON
        every[each.change] += 1
        soon[each.change] += in_time
        false += each.false
        told = "never" if each.events is None else f"{each.events:,}"
        mark = "" if in_time else "  NOT IN TIME"
        print(
            f"| {each.outcome.what} | {each.outcome.rate:,.0f} | {each.feature}: {each.change}"
            f" | phi {each.outcome.phi(each.feature):.1f} | {told} | {each.false} |{mark}",
            flush=True,
        )
    for change, many in sorted(every.items()):
        print(f"{change}: {soon[change]} of {many} within {SOON:,} events")
    print(f"{soon.total()} of {every.total()} in all; {false} other alarms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="quiet, changed")
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the names of kinds")
    options = parser.parse_args()
    given = (options.seed, options.repetitions, options.only)
    begin = time.process_time()
    for part in options.parts or ("quiet", "changed"):
        if part == "quiet":
            print_quiet(quiet(*given))
        else:
            print_changed(changed(*given))
        print(f"{time.process_time() - begin:,.0f} CPU seconds", flush=True)


if __name__ == "__main__":
    main()
