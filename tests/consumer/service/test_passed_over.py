"""Events that are counted and in no verdict, because the clock has passed them: they are told."""

from __future__ import annotations

from dataclasses import replace

from tests.consumer.service.rig import Rig
from tests.consumer.service.small import MODEL, SECOND, TOPIC, plan, reference, row

from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.plan import Plan


def run(rig: Rig, seconds: int) -> None:
    for _ in range(seconds):
        rig.broker.now += SECOND
        for worker, _, _ in rig.workers:
            worker.step()


def passed_over(rig: Rig) -> dict[str, int]:
    return dict(rig.plan.passed_over[MODEL])


def in_verdicts(rig: Rig) -> int:
    """Events in windows of the feature x that do not overlap."""
    found = {v["window"]["end"]: v for v in rig.verdicts().values() if v["feature"] == "x"}
    return sum(v["window"]["events"] for v in found.values())


def tumbling() -> Plan:
    window = {"length": "10s", "every": "10s", "grace": "0s", "min_events": 1}
    return plan(window=window, stale_after="off")


def test_events_behind_an_idle_mark() -> None:
    rig = Rig(tumbling(), partitions=2)
    rig.write([row(at * SECOND) for at in range(10)], 0)
    rig.write([row(at * SECOND) for at in range(10)], 1)
    rig.start()
    run(rig, 3)
    rig.write([row(at * SECOND) for at in range(10, 60)], 0)
    run(rig, 10)  # partition 1 is silent for so long that nobody waits for it
    assert passed_over(rig) == {}
    rig.write([row(at * SECOND) for at in (12, 13, 31, 55)], 1)
    rig.write([row(at * SECOND) for at in range(60, 90)], 1)
    rig.write([row(at * SECOND) for at in range(60, 90)], 0)
    run(rig, 12)
    assert passed_over(rig) == {"idle": 3}  # the window of second 55 was still to be judged
    assert in_verdicts(rig) == 20 + 50 + 1 + 2 * 20
    counted = sum(totals.counted[MODEL] for totals in rig.workers[0][0].status.totals.values())
    assert counted == in_verdicts(rig) + 3 + 2 * 10  # and those of the window that is open


def test_a_single_event_behind_an_idle_mark() -> None:
    rig = Rig(tumbling(), partitions=2)
    for number in range(2):
        rig.write([row(at * SECOND) for at in range(10)], number)
    rig.write([row(at * SECOND) for at in range(10, 60)], 0)
    rig.start()
    run(rig, 12)
    rig.write([row(12 * SECOND)], 1)
    run(rig, 8)
    assert passed_over(rig) == {"idle": 1}
    rig.write([row(13 * SECOND), row(61 * SECOND)], 1)
    run(rig, 8)
    assert passed_over(rig) == {"idle": 2}


def test_repeats_after_a_restart_are_not_counted_again() -> None:
    rig = Rig(tumbling(), partitions=2)
    for number in range(2):
        rig.write([row(at * SECOND) for at in range(10)], number)
    rig.write([row(at * SECOND) for at in range(10, 60)], 0)
    rig.start()
    run(rig, 12)
    rig.write([row(at * SECOND) for at in (12, 13)], 1)
    run(rig, 7)
    rig.write([row(61 * SECOND)], 1)
    rig.workers[0][0].checkpoint()
    run(rig, 1)
    before = passed_over(rig)
    rig.kill()
    rig.start()
    run(rig, 12)
    assert before == {"idle": 2}
    assert passed_over(rig) == before


def test_events_of_a_partition_before_it_was_known() -> None:
    rig = Rig(tumbling(), partitions=1)
    rig.write([row(at * SECOND) for at in range(60)], 0)
    rig.start()
    run(rig, 3)
    rig.broker.logs[TopicPartition(TOPIC, 1)] = []
    rig.broker.infos[TOPIC] = replace(rig.broker.infos[TOPIC], partitions=2)
    rig.write([row(at * SECOND) for at in (20, 21, 70, 80)], 1)
    rig.broker.rebalance()
    run(rig, 20)
    assert passed_over(rig) == {"new_partition": 2}


def test_what_is_late_or_in_time_is_not_passed_over() -> None:
    rig = Rig(tumbling(), partitions=2)
    for number in range(2):
        rig.write([row(at * SECOND) for at in (*range(60), 3, 4)], number)
    rig.start()
    run(rig, 30)
    assert passed_over(rig) == {}


def test_workers_of_two_configurations_are_named() -> None:
    rig = Rig(tumbling(), partitions=2)
    rig.start()
    other = Plan(rig.plan.config, {MODEL: reference(seed=6)})
    rig.start(plan=other)
    for at in range(0, 60, 10):
        for number in range(2):
            rig.write([row((at + second) * SECOND) for second in range(10)], number)
        run(rig, 2)
    rig.settle()
    reasons = {v["reason"] for v in rig.verdicts().values()}
    assert reasons == {"reference changed, and workers of both configurations count"}
    judges = [
        judge
        for worker, _, _ in rig.workers
        for panes in worker.status.of(PanesPartition).values()
        for judge in panes.parts.values()
    ]
    assert sum(judge.mixed for judge in judges if isinstance(judge, ModelJudge)) > 3
