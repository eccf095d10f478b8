"""What random runs read: events of two models and, for some runs, the labels of one of them.

Labels come late, early, twice, corrected, in other partitions, never; and some cannot be used.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.wire.messages import Acceptance

SECOND = 1_000
START = 1_600_000_000_000  # ms; a multiple of a pane
MODELS = ("a", "e")  # their panes lie in different partitions
INPUT = "in"
LABELS = "truth"


@dataclass(frozen=True)
class Arrival:
    """One input record, and when it arrives (ms since 1970)."""

    value: bytes
    arrives: int


def draw_accepted(rng: random.Random) -> list[Acceptance]:
    """Draw what is accepted as normal, from some pane of the first 160 seconds on."""
    found = []
    for number in range(rng.choice([2, 3])):
        start = START + rng.randrange(40, 160) * SECOND
        since = rng.choice([None, start - rng.choice([10, 30, 200]) * SECOND])
        feature = rng.choice(["x", "x", "c", ""])
        found.append(
            Acceptance(str(number), MODELS[number % 2], feature, "ada", "so", since, start)
        )
    return found


Inputs = Mapping[TopicPartition, Sequence[Arrival]]


@dataclass(frozen=True)
class Labelling:
    """How the labels of the first model come.

    Attributes:
        topic: where; `INPUT` is among the events, of which some bring their own then.
        partitions: of the topic.
        delay: seconds after their event, on average.
        odd: share of them that are missing, early, sent twice, corrected, and of no use.
        ends: second after which no more come.
        settings: of the model, with its `labels`.
        most: predictions and labels that may wait.
        compared: traffic of a comparison of the first model's two versions, None without one.
    """

    topic: str
    partitions: int
    delay: float
    odd: float
    ends: float
    settings: dict[str, Any]
    most: int
    compared: str | None


def draw_labelling(rng: random.Random, partitions: int) -> Labelling:
    """Draw how labels come, of events in so many partitions."""
    topic = rng.choice([LABELS, LABELS, INPUT])
    horizon, by = rng.choice([20, 60]), rng.choice(["arrival", "prediction"])
    labels: dict[str, Any] = {"topic": topic, "horizon": f"{horizon}s", "by": by}
    if by == "prediction":
        labels["maturity"] = f"{rng.choice([5, horizon // 2, horizon])}s"
    limits: dict[str, Any] = {
        "accuracy": {"max_drop": 0.1, "critical_drop": 0.3, "for": "2 of 3"},
        "roc_auc": {"min": 0.6},
    }
    limited: dict[str, Any] = {"performance": limits}
    watched = rng.choice([limited, limited, {"budget": "1 per 1h"}])
    return Labelling(
        topic,
        partitions if topic == INPUT else rng.choice([n for n in (1, 2, 4) if n != partitions]),
        rng.choice([0.5, 2, 8, 15]),
        rng.choice([0.0, 0.1, 0.1]),
        rng.choice([400, 400, 200]),
        {"labels": labels, **watched},
        rng.choice([1_000, 1_000, 1_000, 8]),
        rng.choice([None, "split", "same"]),
    )


def draw_input(
    rng: random.Random,
    partitions: int,
    disorder: float,
    gradual: bool,
    labelling: Labelling | None = None,
) -> Inputs:
    """Draw one log of events per partition; some are silent for a model, or from a time on.

    Args:
        rng: the source of all randomness.
        partitions: of `INPUT`.
        disorder: seconds by which an event may be behind its arrival.
        gradual: events are still to arrive while others are read, so none may be later than that.
        labelling: how the labels of the first model come, if they do.
    """
    inputs: dict[TopicPartition, list[Arrival]] = {}
    labels: dict[TopicPartition, list[Arrival]] = {}
    for partition in range(partitions):
        only = rng.choice([None, None, None, *MODELS, "none"])
        end = rng.choice([300, 300, 300, 100, 170])
        now, log = rng.uniform(0, 15), list[Arrival]()
        while now < end and only != "none":
            model = only or rng.choice((MODELS[0], *MODELS))
            behind = rng.uniform(0, disorder)
            if rng.random() < 0.05 and not gradual:
                behind = rng.uniform(0, 40)
            ahead = rng.uniform(0, 12) if rng.random() < 0.1 and not gradual else 0.0
            event: dict[str, Any] = {
                "timestamp": _moment(now - behind + ahead),
                "model": model,
                "model_version": "1" if now < 150 else "2",
                "features": {
                    "x": None
                    if rng.random() < 0.1
                    else rng.gauss(2.0 if 100 < now < 200 else 0, 1),
                    "c": rng.choice("pqrs"),
                },
                "tags": {"tier": rng.choice(["gold", "tin", "wood"])},
            }
            broken = rng.random() < 0.02
            if labelling is not None and model == MODELS[0]:
                twin = rng.randrange(10) if rng.random() < labelling.odd / 2 else 0
                if labelling.compared == "same":
                    event["model_version"] = rng.choice("12")
                    twin = rng.randrange(3)
                event |= _prediction(rng, f"{partition}-{len(log) - twin}")
                for at, label in _labels(rng, labelling, event, now, disorder):
                    place = TopicPartition(labelling.topic, rng.randrange(labelling.partitions))
                    labels.setdefault(place, []).append(_arrival(label, at))
            log.append(_arrival(b"oops" if broken else event, now))
            now += rng.expovariate(1 / 3)
        inputs[TopicPartition(INPUT, partition)] = log
    if labelling is not None:
        for number in range(labelling.partitions):
            place = TopicPartition(labelling.topic, number)
            both = [*inputs.get(place, []), *labels.get(place, [])]
            inputs[place] = sorted(both, key=lambda one: one.arrives)
    return inputs


def in_other_forms(log: Sequence[Arrival]) -> Iterator[Arrival]:
    """Write a third of the neighbours as one record, an array of both, packed or not."""
    rng, rest = random.Random(len(log)), iter(log)
    for one in rest:
        value = one.value
        if rng.random() < 0.3 and (other := next(rest, None)) is not None:
            value = b"[" + value + b"," + other.value + b"]"
            if b"oops" in value:  # then it is no JSON at all
                yield one
                value = other.value
            elif rng.random() < 0.5:
                value = gzip.compress(value, mtime=0)
        yield Arrival(value, one.arrives)


def _prediction(rng: random.Random, name: str) -> dict[str, Any]:
    """What an event has beside its features: an id, which may be another's too."""
    score = rng.random()
    return {
        "event_id": name,
        "prediction": {"label": "yes" if score > 0.5 else "no", "score": score},
    }


def _labels(
    rng: random.Random, labelling: Labelling, event: dict[str, Any], now: float, disorder: float
) -> list[tuple[float, dict[str, Any]]]:
    """Draw the labels of an event that arrives at the second `now`, and when they arrive."""
    right = rng.random() < (0.2 if 100 < now < 200 else 0.95)
    said = event["prediction"]["label"]
    truth = said if right else {"yes": "no", "no": "yes"}[said]
    found: list[tuple[float, dict[str, Any]]] = []

    def add(after: float, **fields: Any) -> None:
        at = max(0.0, now + after)
        timestamp = _moment(at - rng.uniform(0, disorder))
        label = {"event_id": event["event_id"], "timestamp": timestamp, **fields}
        if labelling.topic == INPUT:
            label["model"] = event["model"]
        if at < labelling.ends:
            found.append((at, {k: v for k, v in label.items() if v is not None}))

    if labelling.topic == INPUT and rng.random() < 0.4 and now < labelling.ends:
        event["actual"] = {"label": truth}
        if rng.random() < 0.3:
            del event["event_id"]
            return []
    elif rng.random() >= labelling.odd:
        early = rng.random() < labelling.odd
        add(-rng.uniform(0, 20) if early else rng.expovariate(1 / labelling.delay), actual=truth)
    if rng.random() < labelling.odd:
        add(rng.expovariate(1 / labelling.delay), actual=truth)
    if rng.random() < labelling.odd:
        add(rng.expovariate(1 / labelling.delay), actual=rng.choice(["yes", "no"]))
    if rng.random() < labelling.odd:  # of no use to anybody
        field, value = rng.choice([("event_id", None), ("event_id", "?"), ("actual", "perhaps")])
        add(0, **{"actual": truth, field: value})
    return found


def _arrival(value: dict[str, Any] | bytes, now: float) -> Arrival:
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return Arrival(body, _moment(now))


def _moment(second: float) -> int:
    return START + int(SECOND * max(0.0, second))
