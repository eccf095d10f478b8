"""Who is read first: a partition that has far to go, but not one whose times are merely old."""

from __future__ import annotations

from typing import Any

from tests.consumer.service.rig import Rig
from tests.consumer.service.small import (
    DAY,
    LABELS,
    MODEL,
    SECOND,
    START,
    TOPIC,
    labelled_reference,
    plan,
)

from driftline.consumer.log.protocol import TopicPartition

EVENTS, TRUTH = TopicPartition(TOPIC, 0), TopicPartition(LABELS, 0)


def event(number: int, time: int) -> dict[str, Any]:
    return {
        "event_id": f"e{number}", "timestamp": time, "model": MODEL,
        "features": {"x": 0.5, "c": "p"}, "prediction": {"label": "yes", "score": 0.75},
    }  # fmt: skip


def labels_that_come_so_late(delay: int) -> int:
    """Events and labels arrive together; return how many events were unread at the most.

    `delay`: ms, how much older the labels' times are than those of the events.
    """
    model = {"labels": {"topic": LABELS, "horizon": "5m"}, "window": {"length": "30s"}}
    rig = Rig(plan({MODEL: labelled_reference(MODEL)}, **model))
    rig.broker.now = START
    worker = rig.start(batch=10)
    lag = 0
    for number in range(400):
        rig.broker.now += 500
        now = rig.broker.now
        rig.write([event(number, now)])
        label = {"event_id": f"e{number}", "timestamp": now - delay, "actual": "yes"}
        rig.write([label], topic=LABELS)
        worker.step()
        (_, consumer, _), *_ = rig.workers
        lag = max(lag, consumer.lag(EVENTS) or 0)
        # While the worker is busy the next ones have come already.
        rig.write([{**label, "event_id": "?"}], topic=LABELS)
    return lag


def test_labels_with_old_times_do_not_hold_up_predictions() -> None:
    assert labels_that_come_so_late(0) < 30
    assert labels_that_come_so_late(DAY) < 30


def test_a_partition_that_has_far_to_go_is_read_first() -> None:
    rig = Rig(plan({MODEL: labelled_reference(MODEL)}, window={"length": "30s"}), 2)
    old, new = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)
    rig.write([event(i, START + i * SECOND) for i in range(600)], 0)
    rig.write([event(i, START + 3_600 * SECOND + i * SECOND) for i in range(600)], 1)
    worker = rig.start(batch=10)
    (_, consumer, _), *_ = rig.workers
    for _ in range(90):
        worker.step()
        rig.broker.now += 400
    assert (consumer.lag(old) or 0) < 200 < 450 < (consumer.lag(new) or 0)
    rig.settle()
    assert (consumer.lag(old), consumer.lag(new)) == (0, 0)
