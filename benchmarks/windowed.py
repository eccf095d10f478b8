"""The whole judge on quiet streams: alerts of 30 days, by windows and by evidence.

50 numbers, 1,000 events an hour, windows of an hour, the reference is two days; all else is the
default configuration. Nothing ever changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from benchmarks.rows import Row
from benchmarks.streams import Stream

from driftline.consumer.config import Config
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert
from driftline.detectors import Reference
from driftline.detectors.grid import FloatArray
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Numbers, Table, Times
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables

MODEL, TOPIC = "m", "in"
START, HOUR = 1_600_041_600_000, 3_600_000  # 2020-09-14T00:00:00Z
FEATURES, HOURLY, PANES = 50, 1_000, 10  # panes of 100 events in an hour
NORMAL, HOURS = 48, 720
MAPPING = Mapping({"timestamp": "at", "features": "*"})
QUIET = (
    ("AR(1) .2", 0.2, 0.0),
    ("AR(1) .5", 0.5, 0.0),
    ("AR(1) .8", 0.8, 0.0),
    ("effects of .1 sd that 100 events share", 0.0, 0.1),
)


def windowed(_: int) -> Iterator[Row]:
    """Yield the alerts of windows, and of all."""
    for seed, (what, correlation, effect) in enumerate(QUIET):
        rng = np.random.default_rng([14, seed])
        found = alerts(Stream(rng, FEATURES, HOURLY // PANES, correlation, effect))
        reached = f"{found['window alarm']} by windows, {sum(found.values())} in all (720 hours)"
        met = found["window alarm"] <= 1 and sum(found.values()) <= 1
        yield Row(f"the whole judge, {what}", "<= 1 in 30 d", reached, met)


def alerts(stream: Stream, hours: int = HOURS) -> Counter[str]:
    """Return how many alerts came, by the sort of alarm."""
    normal = _table(stream.draw(NORMAL * PANES), START)
    reference = reference_from_tables(
        lambda: iter([normal]), MAPPING, ReferenceSettings(MODEL)
    ).reference
    backtest, found = Backtest(_plan(reference), MODEL, TOPIC), Counter[str]()
    for hour in range(NORMAL, NORMAL + hours, 12):
        table = _table(stream.draw(12 * PANES), START + hour * HOUR)
        for output in backtest.feed_table(table):
            if isinstance(output, Alert) and output.revision == 1:
                by_window = "window alarm" in output.rule
                found["window alarm" if by_window else "change alarm"] += 1
    return found


def _table(values: FloatArray, start: int) -> Table:
    times = start + np.arange(len(values)) * (HOUR // HOURLY)
    columns = {f"f{i:02}": Numbers(values[:, i]) for i in range(FEATURES)}
    return Table(len(values), {"at": Times(times), **columns})


def _plan(reference: Reference) -> Plan:
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "sources": {TOPIC: {"fields": MAPPING.fields}},
            "models": {MODEL: {"predictions": TOPIC, "reference": "unused.json"}},
        }
    )
    return Plan(config, {MODEL: reference})
