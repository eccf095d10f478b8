"""What ten segments add to false alarms, and what they cost the whole model: never, and little.

    python -m benchmarks.segments [quiet|delays] [--streams 40]

The same streams with `segments: [channel]`, of ten values, and without, by the service's code in
its default configuration. Quiet: two of each kind of `untuned_streams`, and a budget of one alarm
in the five days that are watched. Delays: a mean moves by .2 standard deviations in all segments.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from benchmarks.untuned import NORMAL, START, frame
from benchmarks.untuned_streams import DAY, HOUR, KINDS, Events, Feature, Generator

from driftline.consumer.config import Config
from driftline.consumer.offline.data import tables_of
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert
from driftline.detectors import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables

MODEL, TOPIC, CHANNEL = "m", "in", "channel"
SEGMENTS, RATE = 10, 600
QUIET, BEFORE, AFTER = 5 * DAY, DAY, 2 * DAY
MAPPING = Mapping({"timestamp": "at", "features": "*", f"tags.{CHANNEL}": CHANNEL})


def _with_channels(rng: Generator, events: Events) -> Events:
    """Let each event come through one of ten channels, some of which are rare."""
    shares = np.arange(1.0, SEGMENTS + 1) ** -0.7
    channel = rng.choice(SEGMENTS, events.times.size, p=shares / shares.sum())
    names = np.array([f"channel {i}" for i in range(SEGMENTS)])[channel]
    return Events(events.times, {**events.features, CHANNEL: Feature(names)})


def _reference(events: Events) -> Reference:
    given = frame(events, 0, NORMAL)
    settings = ReferenceSettings(MODEL, segments=(CHANNEL,), ignore=(CHANNEL,))
    return reference_from_tables(partial(tables_of, given), MAPPING, settings).reference


def _alerts(
    events: Events, reference: Reference, end: int, segments: Sequence[str], budget: str
) -> list[Alert]:
    """Return the alerts that fire from the reference's end to `end` (ms)."""
    model = {
        "predictions": TOPIC,
        "reference": "unused.json",
        "budget": budget,
        "segments": segments,
        "ignore": [CHANNEL],
    }
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "sources": {TOPIC: {"fields": MAPPING.fields}},
            "models": {MODEL: model},
        }
    )
    backtest = Backtest(Plan(config, {MODEL: reference}, ordered=False), MODEL, TOPIC)
    found: list[Any] = []
    for table in tables_of(frame(events, NORMAL, end)):
        found += backtest.feed_table(table)
    found += backtest.end()
    for failure in backtest.failures.values():
        raise failure
    return [
        each
        for each in found
        if isinstance(each, Alert) and each.revision == 1 and each.status == "firing"
    ]


def quiet(streams: int) -> None:
    """Print the alarms of quiet streams, without segments and with them."""
    alarms = np.zeros((streams, 2), int)
    for number, each in enumerate(_quiet(streams)):
        name, events = each
        reference = _reference(events)
        for i, segments in enumerate(([], [CHANNEL])):
            alerts = _alerts(events, reference, NORMAL + QUIET, segments, "1 per 5d")
            alarms[number, i] = len(alerts)
            if i:
                said = "; ".join(f"{a.segment or 'all'} {a.feature}" for a in alerts)
                without, with_them = alarms[number]
                print(f"| {name} | {without} | {with_them} | {said} |", flush=True)
    without, with_them = alarms.sum(axis=0)
    print(f"{streams} quiet streams: {without} alarms without segments, {with_them} with ten")


def _quiet(streams: int) -> Iterator[tuple[str, Events]]:
    for number in range(streams):
        place, again = number % len(KINDS), number // len(KINDS)
        name = list(KINDS)[place]
        rng = np.random.default_rng([3, place, again])
        events = KINDS[name](rng, NORMAL + QUIET, RATE)
        yield f"{name} {again + 1}", _with_channels(rng, events)


def delays(streams: int) -> None:
    """Print after how many events a shift is told of the whole model."""
    found = np.full((streams, 2), np.inf)
    for number in range(streams):
        rng = np.random.default_rng([4, number])
        span = NORMAL + BEFORE + AFTER
        times = np.sort(rng.integers(0, span, int(rng.poisson(RATE * span / HOUR))))
        features = {f"f{i}": Feature(rng.standard_normal(times.size)) for i in range(4)}
        first = int(np.searchsorted(times, NORMAL + BEFORE))
        features["f0"].values[first:] += 0.2
        events = _with_channels(rng, Events(times, features))
        reference = _reference(events)
        for i, segments in enumerate(([], [CHANNEL])):
            for alert in _alerts(events, reference, span, segments, "1 per 30d"):
                until = alert.window.span[1] - START
                if alert.segment is None and alert.feature == "f0" and until > times[first]:
                    told = int(np.searchsorted(times, until)) - first
                    found[number, i] = min(found[number, i], told)
    median, mean = np.median(found, axis=0), found.mean(axis=0)
    for i, name in enumerate(("without segments", "with ten")):
        print(f"{name}: median {median[i]:,.0f} events, mean {mean[i]:,.0f}")
    print(f"with them {mean[1] / mean[0]:.2f} times as long; 1.15 allowed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="quiet, delays")
    parser.add_argument("--streams", type=int, default=40)
    options = parser.parse_args()
    for part in options.parts or ("quiet", "delays"):
        (quiet if part == "quiet" else delays)(options.streams)


if __name__ == "__main__":
    main()
