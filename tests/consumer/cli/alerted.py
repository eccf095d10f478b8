"""A stream of events whose second half differs, its labels, and the alert on it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from tests.consumer.cli.records import alert

from driftline.consumer.log.memory import MemoryBroker
from driftline.consumer.log.protocol import Message
from driftline.consumer.wire.records import Alert, Window
from driftline.producer.records.timestamp import format_time

HOUR = 3_600_000
BEGIN = 1_767_225_600_000  # 2026-01-01
EVENTS, EVERY = 600, 60_000
"""Ten hours of one event a minute; the alert is on the last five."""

CONFIG = """\
kafka: {bootstrap_servers: "localhost:9092"}
sources:
  labels: {fields: {event_id: id, actual: truth, timestamp: known_at}}
models:
  shop: {predictions: events, reference: shop.json.gz, labels: {topic: labels, horizon: 1d}}
"""


def events(seed: int = 3) -> list[dict[str, Any]]:
    """Native events; from the sixth hour on `km` is larger, in the shop b more so."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(EVENTS):
        shop = "ab"[int(rng.integers(2))]
        late = number >= EVENTS // 2
        found.append(
            {
                "event_id": f"e{number}",
                "timestamp": format_time(BEGIN + number * EVERY),
                "model_version": "v2" if late else "v1",
                "features": {
                    "km": round(float(rng.normal(late * 1.5 * (shop == "b"))), 3),
                    "age": int(rng.integers(18, 80)),
                    "fuel": ["gas", "diesel", None][int(rng.integers(3))],
                    "new": bool(rng.integers(2)),
                },
                "prediction": {"score": round(float(rng.random()), 3)},
                "tags": {"shop": shop},
            }
        )
    return found


def labels() -> list[dict[str, Any]]:
    """A label for every third event, an hour later."""
    return [
        {"id": f"e{n}", "truth": n % 2, "known_at": format_time(BEGIN + n * EVERY + HOUR)}
        for n in range(0, EVENTS, 3)
    ]


def fired(segment: str | None = None, **changed: Any) -> Alert:
    """The alert, whose newest window is the last hour."""
    end = BEGIN + EVENTS * EVERY
    record = msgspec.structs.replace(
        alert(),
        model="shop",
        segment=segment,
        stream="shop" if segment is None else f"shop/{segment}",
        feature="km",
        since=format_time(BEGIN + EVENTS // 2 * EVERY),
        window=Window(format_time(end - HOUR), format_time(end), 60),
    )
    return msgspec.structs.replace(record, **changed)


def topics(*records: Alert) -> MemoryBroker:
    """A broker with the events, their labels and the alerts."""
    made = MemoryBroker(now=BEGIN)
    made.create("events", 2)
    made.create("labels", 1)
    for name in ("alerts", "control"):
        made.create(f"driftline.{name}", 1)
    for number, event in enumerate(events()):
        time = BEGIN + number * EVERY
        made.append(Message("events", number % 2, b"", msgspec.json.encode(event), timestamp=time))
    for number, label in enumerate(labels()):
        time = BEGIN + 3 * number * EVERY + HOUR
        made.append(Message("labels", 0, b"", msgspec.json.encode(label), timestamp=time))
    made.now = BEGIN + EVENTS * EVERY
    for record in records or (fired(),):
        made.append(Message("driftline.alerts", 0, b"", msgspec.json.encode(record)))
    return made
