"""A log as version 0.1.0 left it, and the input that goes on after it.

Run with the code of that version, this file writes `tests/data/log_0_1_0.msgpack.gz`: what a worker
wrote that was killed half-way through the input. `tests/data/reference_0_1_0.json` is one of its
references, as `driftline reference build` wrote them then. Both stay as they are: what that version
wrote is read for good.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from tests.consumer.service.rig import OUTPUTS, Rig
from tests.consumer.service.small import labelled_reference, reference

from driftline.consumer.config import Config
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import Message, TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.detectors import Reference

DATA = Path(__file__).parents[2] / "data"
LOG = DATA / "log_0_1_0.msgpack.gz"
REFERENCE = DATA / "reference_0_1_0.json"

START = 1_600_000_000_000  # ms; a multiple of a pane
HALF, END = 106, 220  # seconds of event time; the half lies within a pane
PREFIX, EVENTS, TRUTH, PARTITIONS = "frozen", "frozen-events", "frozen-labels", 2
LABELLED, PLAIN, SILENT = "fraud", "risk", "churn"  # the last one's events end before the half


class Frozen(msgspec.Struct):
    """A log in a file.

    Attributes:
        references: JSON per model.
        now: wall clock when the worker was killed, ms.
        records: (topic, partition, timestamp, key, value, headers) of every record, in order.
    """

    references: dict[str, bytes]
    now: int
    records: list[tuple[str, int, int, bytes | None, bytes | None, list[tuple[str, bytes]]]]


def document() -> dict[str, Any]:
    """The configuration: three models on one topic, one with labels and segments, a comparison."""
    labels = {"topic": TRUTH, "horizon": "40s", "by": "arrival"}
    own: dict[str, dict[str, Any]] = {
        LABELLED: {
            "segments": ["tier"],
            "labels": labels,
            "performance": {"accuracy": {"max_drop": 0.2, "for": "2 of 3"}},
        },
        PLAIN: {},
        SILENT: {"stale_after": "30s"},
    }
    return {
        "kafka": {"bootstrap_servers": "localhost:9092", "start": "earliest"},
        "output": {"prefix": PREFIX},
        "limits": {"idle_after": "5s", "max_waiting": 2_000},
        "models": {
            name: {
                "predictions": EVENTS,
                "reference": f"{name}.json",
                "window": {"length": "30s", "every": "10s", "grace": "5s", "min_events": 6},
                "budget": "off",
                "thresholds": {"ks": {"warning": 0.5}, "psi": {"warning": 1, "for": "2 of 3"}},
                **settings,
            }
            for name, settings in own.items()
        },
        "comparisons": {
            "versions": {
                "champion": f"{LABELLED}@1",
                "challenger": f"{LABELLED}@2",
                "traffic": "split",
                "alpha": 0.5,
            }
        },
    }


def plan(references: dict[str, Reference]) -> Plan:
    """The configuration with its references."""
    return Plan(Config.model_validate(document()), references)


def seconds(first: int, last: int) -> list[list[Message]]:
    """Return the records of the input that arrive from second `first` on, second by second.

    A feature drifts from second 40 to 140, and answers are wrong from 50 to 150.
    """
    rng = random.Random(7)
    found: list[list[Message]] = [[] for _ in range(END + 30)]
    for second in range(END):
        for number in range(5):
            partition = rng.randrange(PARTITIONS)
            model = (LABELLED, LABELLED, PLAIN, PLAIN, SILENT)[number]
            if model == SILENT and second >= 50:
                continue
            at = START + second * 1_000 + number * 200
            event: dict[str, Any] = {
                "timestamp": at - rng.randrange(3_000),
                "model": model,
                "model_version": rng.choice("12"),
                "features": {
                    "x": rng.gauss(4.0 if 40 <= second < 140 else 0.0, 1),
                    "c": rng.choice("pqr"),
                    "b": rng.random() < 0.5,
                },
                "tags": {"tier": rng.choice(["gold", "tin"])},
            }
            if model == LABELLED:
                del event["features"]["b"]
                score = rng.random()
                answer, other = ("yes", "no") if score > 0.5 else ("no", "yes")
                event["event_id"] = f"{second}-{number}"
                event["prediction"] = {"label": answer, "score": score}
                right = rng.random() < (0.1 if 50 <= second < 150 else 0.9)
                label = {
                    "event_id": event["event_id"],
                    "timestamp": at,
                    "actual": answer if right else other,
                }
                late = second + rng.choice([0, 1, 3, 20])
                if rng.random() < 0.9:
                    found[late].append(Message(TRUTH, 0, None, msgspec.json.encode(label)))
            found[second].append(Message(EVENTS, partition, None, msgspec.json.encode(event)))
    return found[first:last]


def feed(rig: Rig, first: int, last: int) -> None:
    """Let the input arrive, two seconds at a time, and the first worker read it."""
    for number, messages in enumerate(seconds(first, last)):
        for message in messages:
            rig.broker.append(message)
        rig.broker.now += 1_000
        for _ in range(8 if number % 2 else 0):
            rig.workers[0][0].step()


def rig_for(frozen_plan: Plan) -> Rig:
    """Return an empty broker for the plan."""
    return Rig(frozen_plan, PARTITIONS, {TRUTH: 1})


def lives(alerts: Iterable[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Return what records say of alerts on the data, without the figures that they give."""
    fields = ("alert_id", "revision", "status", "since", "until", "incident_id")
    return {
        tuple(alert[name] for name in fields)
        for alert in alerts
        if alert["kind"] not in ("stale", "data_loss")
    }


def thaw() -> tuple[Rig, Frozen]:
    """Return a broker that holds the frozen log, and what is known of it."""
    frozen = msgspec.msgpack.decode(gzip.decompress(LOG.read_bytes()), type=Frozen)
    known = {name: Reference.from_json(text) for name, text in frozen.references.items()}
    rig = rig_for(plan(known))
    for topic, partition, timestamp, key, value, headers in frozen.records:
        rig.broker.append(Message(topic, partition, key, value, headers, timestamp))
    rig.broker.now = frozen.now
    return rig, frozen


def freeze() -> None:
    """Run half of the input, kill the worker, and store the log."""
    references = {
        LABELLED: labelled_reference(LABELLED),
        **{name: reference(model=name) for name in (PLAIN, SILENT)},
    }
    rig = rig_for(plan(references))
    rig.start(batch=50)
    feed(rig, 0, HALF)
    rig.kill()
    records: list[MemoryRecord] = [
        record
        for topic in (EVENTS, TRUTH, *(f"{PREFIX}.{name}" for name in OUTPUTS))
        for number in range(PARTITIONS)
        for record in rig.broker.logs.get(TopicPartition(topic, number), [])
    ]
    frozen = Frozen(
        {name: known.to_json() for name, known in references.items()},
        rig.broker.now,
        [(r.topic, r.partition, r.timestamp, r.key, r.value, [*r.headers]) for r in records],
    )
    LOG.write_bytes(gzip.compress(msgspec.msgpack.encode(frozen), 9, mtime=0))
    REFERENCE.write_bytes(frozen.references[LABELLED])


if __name__ == "__main__":
    freeze()
