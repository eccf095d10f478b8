"""How soon a shift is told: default configuration, 1,500 events an hour, by the product's code.

Ten numeric features; the mean of one moves at a time that no pane knows of. Printed is the event
time from the first changed event to the event with which the service writes the alert, so a pane's
`grace` is in it. The runs differ by their seed: reference, events and times. Every run begins with
six quiet hours; an alert in them is a false one.

Run: python benchmarks/delay.py [runs]   (40 runs: about 6 minutes)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache

import numpy as np

from driftline.consumer.config import Config
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.reference import Reference
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Numbers, Table, Times
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables

MODEL, TOPIC = "m", "in"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 1_600_041_600_000  # 2020-09-14T00:00:00Z
FEATURES, HOURLY = 10, 1_500
NORMAL, QUIET, CHANGED = 7 * DAY, 6 * HOUR, 6 * HOUR
CHUNK = 5  # events fed at once: 12 s
MAPPING = Mapping({"timestamp": "at", "features": "*"})


def events(rng: np.random.Generator, start: int, span: int) -> tuple[IntArray, FloatArray]:
    """Draw events at the rate, from `start` (ms) on: their times, and values of the features."""
    many = int(rng.poisson(HOURLY * span / HOUR))
    times = start + np.sort(rng.integers(0, span, many))
    return times, rng.standard_normal((many, FEATURES))


def table(times: IntArray, values: FloatArray) -> Table:
    """Return them as rows."""
    columns = {f"f{i}": Numbers(values[:, i]) for i in range(FEATURES)}
    return Table(len(times), {"at": Times(times), **columns})


@cache
def reference(seed: int) -> Reference:
    """Return a reference of a week of events."""
    times, values = events(np.random.default_rng([seed, 0]), START, NORMAL)
    made = table(times, values)
    return reference_from_tables(lambda: iter([made]), MAPPING, ReferenceSettings(MODEL)).reference


def plan(seed: int, pane: str | None) -> Plan:
    """Return the plan of the default configuration; `pane` instead of the length chosen."""
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "sources": {TOPIC: {"fields": MAPPING.fields}},
            "models": {
                MODEL: {
                    "predictions": TOPIC,
                    "reference": "unused.json",
                    "window": {} if pane is None else {"pane": pane},
                }
            },
        }
    )
    return Plan(config, {MODEL: reference(seed)})


def run(seed: int, shift: float, pane: str | None) -> tuple[float | None, int]:
    """Return the minutes from a shift to its alert, None without one, and the false alerts."""
    rng = np.random.default_rng([seed, 1])
    begins = START + 2 * NORMAL + QUIET + int(rng.integers(0, HOUR))
    times, values = events(rng, START + 2 * NORMAL, QUIET + HOUR + CHANGED)
    values[times >= begins, 0] += shift
    backtest, false = Backtest(plan(seed, pane), MODEL, TOPIC), 0
    for now, alert in _alerts(backtest, times, values):
        if alert.feature == "f0" and now >= begins:
            return (now - begins) / MINUTE, false
        false += 1
    return None, false


def _alerts(backtest: Backtest, times: IntArray, values: FloatArray) -> Iterator[tuple[int, Alert]]:
    """Yield each alert with the time (ms) of the last event that was fed before it was written."""
    for first in range(0, len(times), CHUNK):
        some = slice(first, first + CHUNK)
        for output in backtest.feed_table(table(times[some], values[some])):
            if isinstance(output, Alert):
                yield int(times[some][-1]), output


def main(runs: int) -> None:
    """Print the delays: of half of the runs, of 95 % of them and of all."""
    print(f"{'pane':<6} {'shift, sd':>9} {'median':>7} {'95 %':>6} {'worst':>6} {'false':>6}")
    for pane, shift in ((None, 0.5), (None, 0.3), (None, 1.0), ("1h", 0.5)):
        found = [run(seed, shift, pane) for seed in range(runs)]
        delays = np.array([np.inf if delay is None else delay for delay, _ in found])
        delays.sort()
        median, most = delays[(runs - 1) // 2], delays[-(-95 * runs // 100) - 1]
        false = sum(false for _, false in found)
        length = plan(0, pane).pane(MODEL) // MINUTE
        print(
            f"{length:>3} m  {shift:>9} {median:>7.1f} {most:>6.1f} {delays[-1]:>6.1f} {false:>6}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
