"""Labels through the whole service: whatever way they come, the same verdicts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    GRACE,
    HORIZON,
    HOUR,
    LABELS,
    MODEL,
    OTHER,
    SECOND,
    START,
    labelled_plan,
)

Row = dict[str, Any]


PLANS = {by: labelled_plan(by, OTHER) for by in ("arrival", "prediction")}


# Seconds after an event at which it gets a label, as they may be drawn.
MIXED = ((), (-15,), (9, 9), (3, 20), (4,), (12,), (30,), (80,))
SOON = ((), (-15,), (9, 9), (4,), (12,), (20,))


@cache
def stream(seed: int, delays: Sequence[Sequence[int]] = MIXED) -> tuple[list[Row], list[Row]]:
    """Events of two minutes, and their labels; those of `MIXED` delays may correct another."""
    rng = random.Random(seed)
    events, labels = [], []
    for number in range(120):
        time, name = START + number * SECOND, rng.choice([MODEL, MODEL, OTHER])
        score, right = rng.random(), rng.random() < (0.2 if number > 60 else 0.9)
        said, other = ("yes", "no") if score > 0.5 else ("no", "yes")
        event = {
            "event_id": f"{name}{number}",
            "timestamp": time,
            "model": name,
            "features": {"x": rng.gauss(2 if number > 60 else 0, 1), "c": rng.choice("pqr")},
            "prediction": {"label": said, "score": score},
            "tags": {"tier": rng.choice(["gold", "tin"])},
        }
        events.append(event)
        for delay in rng.choice(delays):
            actual = said if right else other
            if delays is MIXED and rng.random() < 0.2:
                actual = rng.choice([said, other])
            at = time + delay * SECOND + rng.randrange(SECOND)
            label = {"event_id": event["event_id"], "timestamp": at, "model": name}
            labels.append({**label, "actual": actual})
    for name in (MODEL, OTHER):  # lets the clock pass all windows
        end = START + HOUR
        labels.append({"event_id": "?", "timestamp": end, "model": name, "actual": "no"})
    return events, sorted(labels, key=lambda label: label["timestamp"])


Published = tuple[set[bytes], set[bytes]]


def published(rig: Rig) -> Published:
    """The verdicts, and the alerts."""
    verdicts, alerts = (
        {record.value or b"" for record in rig.records(name)} for name in ("verdicts", "alerts")
    )
    return verdicts, alerts


@cache
def in_order(by: str, seed: int, delays: Sequence[Sequence[int]] = MIXED) -> Published:
    """What is published where every record comes once, in the order of the times."""
    rig = Rig(PLANS[by])
    events, labels = stream(seed, delays)
    rig.write(events)
    rig.write(labels, topic=LABELS)
    rig.start()
    rig.settle()
    return published(rig)


def shuffled(rng: random.Random, rows: Sequence[Row], seconds: int) -> list[Row]:
    """Rows that overtake one another by less than so many seconds."""
    arrives = [row["timestamp"] + rng.randrange(seconds * SECOND) for row in rows]
    return [rows[place] for place in sorted(range(len(rows)), key=arrives.__getitem__)]


@settings(max_examples=12, deadline=None)
@given(
    by=st.sampled_from(["arrival", "prediction"]),
    seed=st.integers(0, 2),
    order=st.randoms(use_true_random=False),
    twice=st.floats(0, 0.5),
    partitions=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    batch=st.sampled_from([1, 3, 10, 1_000]),
    workers=st.integers(1, 2),
    named=st.booleans(),
)
def test_any_order_of_arrival_gives_the_same_verdicts(
    by: str,
    seed: int,
    order: random.Random,
    twice: float,
    partitions: tuple[int, int],
    batch: int,
    workers: int,
    named: bool,
) -> None:
    events, labels = stream(seed)
    rig = Rig(PLANS[by], partitions[0], {LABELS: partitions[1]})
    for event in shuffled(order, events, GRACE):
        rig.write([event], order.randrange(partitions[0]))
    again = [label for label in labels if order.random() < twice]
    for label in shuffled(order, [*labels, *again], GRACE):
        # A label that names no model is one of every model, and waits there in vain.
        row = label if named else {k: v for k, v in label.items() if k != "model"}
        rig.write([row], order.randrange(partitions[1]), topic=LABELS)
    for _ in range(workers):
        rig.start(batch=batch)
    rig.settle()
    expected = in_order(by, seed)
    assert published(rig) == expected
    assert {msgspec.json.decode(alert)["kind"] for alert in expected[1]} >= {"performance"}


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 2),
    order=st.randoms(use_true_random=False),
    partitions=st.integers(1, 3),
    batch=st.sampled_from([1, 10, 1_000]),
)
def test_by_prediction_labels_may_be_later_than_the_grace(
    seed: int, order: random.Random, partitions: int, batch: int
) -> None:
    events, labels = stream(seed, SOON)
    rig = Rig(PLANS["prediction"], 2, {LABELS: partitions})
    for event in events:
        rig.write([event], order.randrange(2))
    for label in shuffled(order, labels, HORIZON - 21):
        rig.write([label], order.randrange(partitions), topic=LABELS)
    rig.start(batch=batch)
    rig.settle()
    assert published(rig) == in_order("prediction", seed, SOON)
