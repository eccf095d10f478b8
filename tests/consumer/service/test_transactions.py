"""Producers that write in transactions: what is aborted is no event, what is open is waited for."""

from __future__ import annotations

import msgspec
import pytest
from tests.consumer.log.transactions import MemoryTransaction
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, TOPIC, plan, row

from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.counting import InputPartition

PLAN = plan(stale_after="60s")


def transaction(rig: Rig, partition: int, *seconds: int) -> MemoryTransaction:
    """Begin a transaction that has written an event at each of these times."""
    opened = MemoryTransaction(rig.broker, TopicPartition(TOPIC, partition))
    for at in seconds:
        opened.send(msgspec.json.encode(row(at * SECOND)))
    return opened


def wait(rig: Rig, seconds: int) -> None:
    for _ in range(seconds):
        rig.broker.now += SECOND
        for worker, _, _ in rig.workers:
            worker.step()
    for worker, _, _ in rig.workers:
        worker.checkpoint()


def events(rig: Rig) -> list[tuple[str, int]]:
    """The windows judged: when each ends, and its events."""
    found = {(v["window"]["end"], v["window"]["events"]) for v in rig.verdicts().values()}
    return [(end[11:19], count) for end, count in sorted(found)]


def undisturbed(partitions: int) -> list[tuple[str, int]]:
    rig = Rig(PLAN, partitions)
    for number in range(partitions):
        rig.write([row(at * SECOND) for at in range(0, 120, 10)], number)
    rig.start()
    rig.settle()
    return events(rig)


@pytest.mark.parametrize("partitions", [1, 2])
def test_aborted_records_are_no_events_and_control_records_no_lag(partitions: int) -> None:
    rig = Rig(PLAN, partitions)
    for number in range(partitions):
        for at in range(0, 120, 10):
            transaction(rig, number, at, 9_000, at + 1).abort()
            transaction(rig, number, at).commit()
        transaction(rig, number, 9_000).abort()
    worker = rig.start(batch=3)
    rig.settle()  # the end is made of what is never read, and yet the partitions become idle
    assert events(rig) == undisturbed(partitions)
    assert worker.status.totals[TOPIC].read == 12 * partitions
    assert not rig.records("dead-letter")


def test_an_open_transaction_holds_the_clock_and_is_named() -> None:
    rig = Rig(PLAN, partitions=2)
    rig.write([row(at * SECOND) for at in range(0, 120, 10)], 0)
    rig.write([row(at * SECOND) for at in range(0, 60, 10)], 1)
    opened = transaction(rig, 1, 60)
    rig.write([row(at * SECOND) for at in range(70, 120, 10)], 1)
    worker = rig.start()
    wait(rig, 40)
    before = events(rig)
    assert before
    assert before[-1][0] <= "00:01:00"  # however long it lasts, no window takes it for idle
    held = TopicPartition(TOPIC, 1)
    assert worker.status.of(InputPartition)[held].lag == 6
    waits = worker.status.of(InputPartition)[held].held
    assert waits is not None
    assert waits[0] == 6
    wait(rig, 60)
    assert events(rig) == before
    (alert,) = rig.alerts("stale")
    assert alert["summary"] == (
        "m: windows wait for partition 1 of in, which is at 2020-09-20 00:00 UTC for more than"
        " 1 minute: an open transaction keeps the rest of it from being read."
    )
    opened.commit()
    rig.settle()
    # Meanwhile the model was silent for so long that more panes were closed.
    whole = undisturbed(2)
    assert events(rig)[: len(whole)] == whole
    assert worker.status.of(InputPartition)[held].held is None
    assert [a["status"] for a in rig.alerts("stale")] == ["firing", "resolved"]


@pytest.mark.parametrize("partitions", [1, 3])
def test_where_all_partitions_are_held_one_is_named(partitions: int) -> None:
    rig = Rig(PLAN, partitions)
    opened = []
    for number in range(partitions):
        rig.write([row(at * SECOND) for at in range(0, 60, 10)], number)
        opened.append(transaction(rig, number, 60))
    rig.start()
    wait(rig, 90)
    (alert,) = rig.alerts("stale")
    assert "windows wait for partition 0 of in" in alert["summary"]
    assert "open transaction" in alert["summary"]
    for each in opened:
        each.abort()
    rig.settle()
    ended = [a["alert_id"] for a in rig.alerts("stale") if a["status"] == "resolved"]
    assert ended == [alert["alert_id"]]


def test_a_partition_that_waits_for_a_transaction_makes_nobody_wait() -> None:
    rig = Rig(PLAN, partitions=2)
    rig.write([row(0)], 1)
    transaction(rig, 1, 1)
    rig.write([row(at * SECOND) for at in range(0, 9_000, 10)], 0)
    worker = rig.start(batch=10)
    wait(rig, 300)
    assert worker.status.of(InputPartition)[TopicPartition(TOPIC, 0)].lag == 0


def test_a_restart_below_records_that_are_gone() -> None:
    """The last records before the position may have been taken away by compaction."""
    rig = Rig(PLAN)
    rig.write([row(at * SECOND) for at in range(0, 60, 10)])
    rig.start()
    wait(rig, 1)
    rig.kill()
    rig.broker.hidden[TopicPartition(TOPIC, 0)].update({4, 5})
    rig.start()
    wait(rig, 3)
    assert rig.workers[0][0].status.catching_up() == []


def test_a_record_time_before_2000_says_nothing() -> None:
    rig = Rig(PLAN)
    rig.write([row(at * SECOND) for at in range(0, 60, 10)], timestamp=0)
    rig.write([row(at * SECOND) for at in range(60, 120, 10)], timestamp=-1)
    rig.write([{"model": "m", "features": {"x": 1.0}}], timestamp=0)
    worker = rig.start()
    rig.settle()
    assert events(rig) == undisturbed(1)
    assert worker.status.totals[TOPIC].rejected == {"timestamp": 1}
    assert worker.status.end_to_end.sum == 0
