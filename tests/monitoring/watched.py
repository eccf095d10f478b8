"""A run for Prometheus to scrape: two models with segments and labels, compared; both drift."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    LABELS,
    MODEL,
    OTHER,
    SECOND,
    START,
    TOPIC,
    WINDOW,
    labelled_reference,
)

from driftline.consumer.config import Config
from driftline.consumer.service.plan import Plan

PAGE = "https://drift.example"
PARTS, SECONDS = 4, 40  # of event time each
PER_SECOND = 5

Row = dict[str, Any]


def watched() -> Plan:
    """What is configured."""
    model = {
        "predictions": TOPIC,
        "reference": "unused.json",
        "window": WINDOW,
        "labels": {"topic": LABELS, "horizon": "30s"},
        "performance": {"accuracy": {"max_drop": 0.05}},
        "segments": ["tier"],
        "budget": "1 per 1d",
        "thresholds": {"ks": {"warning": 0.3, "critical": 0.6}},
        "owner": "credit",
    }
    document = {
        "kafka": {"bootstrap_servers": "localhost:9092", "start": "earliest"},
        "http": {"port": 0},
        "ui": {"url": PAGE},
        "models": {MODEL: model, OTHER: model},
        "comparisons": {"rivals": {"champion": MODEL, "challenger": OTHER, "traffic": "same"}},
    }
    references = {name: labelled_reference(name) for name in (MODEL, OTHER)}
    return Plan(Config.model_validate(document), references)


def parts() -> Iterator[tuple[list[Row | bytes], list[Row]]]:
    """Yield events and labels, a part of the time after the other.

    From the second part on x of the tier gold is another one, and one model is wrong more often.
    Every part has a record that is none, one of a model that nobody watches, and an event that
    comes too late.
    """
    rng = random.Random(4)
    labels: list[Row] = []
    for part in range(PARTS):
        events: list[Row | bytes] = [b"oops", event(rng, 0, "nobody", "yes")]
        if part:
            events.append(event(rng, 0, MODEL, "yes"))
        for number in range(SECONDS * PER_SECOND):
            time = (part * SECONDS + number / PER_SECOND) * SECOND
            truth = rng.choice(["no", "yes"])
            for model, right in ((MODEL, 0.6 if part else 0.9), (OTHER, 0.9)):
                said = truth if rng.random() < right else {"yes": "no", "no": "yes"}[truth]
                events.append(event(rng, int(time), model, said, drifts=part > 0))
                events[-1]["event_id"] = f"{part}-{number}"  # type: ignore[index]  # a row
            if rng.random() < 0.9:
                at = START + int(time) + 5 * SECOND
                labels.append({"event_id": f"{part}-{number}", "timestamp": at, "actual": truth})
        end = START + (part + 1) * SECONDS * SECOND
        yield events, [label for label in labels if label["timestamp"] < end]
        labels = [label for label in labels if label["timestamp"] >= end]


def event(rng: random.Random, time: int, model: str, said: str, drifts: bool = False) -> Row:
    """One prediction; where the input drifts, that of one tier does."""
    tier = rng.choice(["gold", "tin"])
    x = rng.gauss(3 if drifts and tier == "gold" else 0, 1)
    return {
        "timestamp": START + time,
        "model": model,
        "features": {"x": x, "c": rng.choice("pqr")},
        "prediction": {"label": said, "score": 0.9 if said == "yes" else 0.1},
        "tags": {"tier": tier},
    }


def feed(rig: Rig, events: list[Row | bytes], labels: list[Row]) -> None:
    """Let the worker take in a part; it does not take the end of a part for silence."""
    rig.write(events)
    rig.write(labels, topic=LABELS)
    worker = rig.workers[0][0]
    for _ in range(30):
        if not worker.step():
            rig.broker.now += 100
