"""A small model whose events a test writes one by one: an amount, a channel, windows of 10 s."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import confluent_kafka
import numpy as np
from tests.kafka import deployment

from driftline.detectors import FeatureColumn, build_reference

MODEL = "checkout"
START = 1_600_000_000_000  # ms since 1970; a multiple of a window
SECOND = 1_000
FEATURES = 2
_CHANNELS = ("app", "shop", "web")


def write_config(path: Path, bootstrap: str, topic: str, prefix: str, **more: Any) -> Path:
    """Write the configuration, and the reference beside it."""
    rng = np.random.default_rng(11)
    amounts = FeatureColumn("numeric", rng.normal(50, 10, 2_000))
    channels = FeatureColumn("categorical", rng.choice(_CHANNELS, 2_000).tolist())
    reference = build_reference(MODEL, {"amount": amounts, "channel": channels})
    (path.parent / "checkout.json").write_bytes(reference.to_json())
    model = {
        "predictions": topic,
        "reference": "checkout.json",
        "window": {"length": "10s", "grace": "0s", "min_events": 50},
    }
    return deployment.write_config(path, bootstrap, prefix, {MODEL: model}, **more)


def event(second: float, number: int = 0, amount: object = None, **more: object) -> bytes:
    """Return an event so many seconds after `START`; amounts and channels as in the reference."""
    rng = np.random.default_rng([int(second * SECOND), number])
    usual = round(float(rng.normal(50, 10)), 3)
    return json.dumps(
        {
            "event_id": f"{second}-{number}",
            "timestamp": START + int(second * SECOND),
            "model": MODEL,
            "model_version": "1",
            "features": {
                "amount": usual if amount is None else amount,
                "channel": str(rng.choice(_CHANNELS)),
            },
            **more,
        }
    ).encode()


def events(begin: int, end: int, each: int = 10, amount: object = None) -> list[bytes]:
    """Return `each` events a second, from second `begin` until before `end`."""
    return [event(second, i, amount) for second in range(begin, end) for i in range(each)]


class Sender:
    """Writes records as any producer does that is not ours."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = confluent_kafka.Producer(
            {"bootstrap.servers": bootstrap, "message.max.bytes": 8_000_000, "linger.ms": 0}
        )

    def send(self, topic: str, partition: int, values: Iterable[bytes | None]) -> None:
        """Send records to one partition; return when the broker has all of them."""
        failures: list[Any] = []

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                failures.append(error)

        for value in values:
            self._producer.produce(
                topic, value, b"key", partition, delivered, headers=[("trace", b"\x00\xff")]
            )
        assert self._producer.flush(30) == 0
        assert not failures, failures[0]
