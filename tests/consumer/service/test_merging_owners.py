"""Panes that are added up, and workers that begin, freeze, lose records or are set otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import DAY, SECOND, START, TOPIC, WINDOW, plan, row
from tests.consumer.service.test_merging import (
    BEHIND,
    PANE,
    events,
    merging_plan,
    read,
    sent,
    steps,
)

from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.pane_counts import added_releases
from driftline.consumer.wire.codec import MERGED_VERSION
from driftline.consumer.wire.messages import MergedPart, Pane, decode_panes


def go_on(rig: Rig, partitions: int, times: int = 30) -> None:
    """Let events come that close all windows before them."""
    for number in range(times):
        for place in range(partitions):
            rig.write([row(BEHIND + (number + 1) * 5 * SECOND)], place)
        steps(rig, 3)


def of_x(rig: Rig) -> list[tuple[Any, ...]]:
    """The first windows of a feature: end, state, reason and values counted."""
    found = [each for each in rig.verdicts().values() if each["feature"] == "x"]
    return sorted(
        (v["window"]["end"], v["state"], v.get("reason"), (v.get("counts") or {}).get("valid"))
        for v in found
    )[:4]


def after_a_kill(*, merge: bool) -> Rig:
    """A worker that adds up nothing sends a pane, and dies before that is on record."""
    rig = Rig(merging_plan(merge=False), 2)
    rig.start()
    read(rig)
    rig.write(events(), 0)
    rig.write(events()[:1], 1)
    read(rig)
    rig.workers[0][2].flush()
    rig.kill()
    assert sent(rig) == [(0,)]
    rig.start(merging_plan(merge=merge))
    read(rig)
    go_on(rig, 2)
    return rig


def test_a_worker_that_did_not_add_up_may_have_sent_what_is_there_already() -> None:
    plain, merged = after_a_kill(merge=False), after_a_kill(merge=True)
    assert any(len(places) > 1 for places in sent(merged))
    assert len(plain.verdicts()) > 40
    assert merged.verdicts() == plain.verdicts()


def frozen(*, merge: bool) -> Rig:
    """A worker is frozen in a checkpoint, and goes on when another one owns its partitions."""
    rig = Rig(merging_plan(merge=merge), 3)
    rig.start()
    rig.start()
    read(rig)
    for place in range(3):
        rig.write(events(), place)
    read(rig)
    worker, consumer, producer = rig.workers[0]
    flush, flushes = producer.flush, []

    def freezing() -> None:
        flushes.append(1)
        if len(flushes) == 2:  # the states are about to be written
            rig.workers.pop(0)
            rig.broker.members.remove(consumer)
            rig.broker.rebalance()
            read(rig)
        flush()

    setattr(producer, "flush", freezing)  # noqa: B010 (a method, of this one alone)
    rig.broker.now += 2 * SECOND
    worker.checkpoint()
    assert len(flushes) == 2
    go_on(rig, 3)
    return rig


def test_one_that_was_frozen_changes_nothing() -> None:
    plain, merged = frozen(merge=False), frozen(merge=True)
    assert len(plain.verdicts()) > 40
    shared = plain.verdicts().keys() & merged.verdicts().keys()
    assert len(shared) >= len(plain.verdicts())
    assert {key: merged.verdicts()[key] for key in shared} == plain.verdicts()


@pytest.mark.parametrize(("before", "after"), [("10s", "5s"), ("5s", "10s")])
def test_what_another_configuration_kept_is_not_counted_by_this_one(
    before: str, after: str
) -> None:
    def run(merge: bool) -> Rig:
        def of(pane: str) -> Plan:
            window = {**WINDOW, "pane": pane}
            return plan(output={"merge_panes": merge}, limits={"idle_after": "1h"}, window=window)

        rig = Rig(of(before), 2)
        rig.start()
        read(rig)
        rig.write([row(PANE), row(PANE + 3_000), row(PANE + 7_000), row(BEHIND)], 0)
        rig.write([row(PANE + 8_000)], 1)
        read(rig)
        steps(rig, 4)
        assert bool(sent(rig)) is not merge
        rig.kill()
        rig.start(of(after))
        steps(rig, 14)
        go_on(rig, 2)
        return rig

    found = of_x(run(merge=True))
    assert found == of_x(run(merge=False))
    assert found[0][1] == "insufficient"


def test_what_came_too_late_for_a_kept_pane_is_not_counted_again() -> None:
    rig = Rig(merging_plan(), 2)
    rig.start()
    read(rig)
    rig.write([*events(), row(PANE + 1)], 0)
    rig.write(events()[:1], 1)
    read(rig)
    steps(rig, 4)
    assert sent(rig) == []
    rig.kill()
    rig.start()
    steps(rig, 14)
    messages = [decode_panes(record.value or b"") for record in rig.records("panes")]
    panes = [each for each in messages if isinstance(each, Pane)]
    assert [part for each in panes for part in each.whole] == [MergedPart(0, 0, 2, 1)]


def test_what_retention_took_of_a_kept_pane_is_told() -> None:
    rig = Rig(merging_plan(), 2)
    rig.start()
    read(rig)
    rig.write([row(PANE), row(PANE + 1_000), row(BEHIND)], 0)
    rig.write([row(PANE)], 1)
    read(rig)
    steps(rig, 4)
    assert sent(rig) == []
    rig.kill()
    rig.broker.delete_before(TopicPartition(TOPIC, 0), 1)
    rig.start()
    steps(rig, 14)
    go_on(rig, 2)
    assert [state for _, state, _, _ in of_x(rig)[:3]] == ["insufficient"] * 3
    assert len(of_x(rig)) == 4
    (first, *_) = rig.alerts("data_loss")
    assert first["window"]["start"] == "2020-09-20T00:00:00Z"
    assert START % DAY == 0


def test_what_does_not_know_of_kept_panes_does_not_take_their_state() -> None:
    rig = Rig(merging_plan(), 2)
    rig.start()
    read(rig)
    rig.write(events(), 0)
    rig.write(events()[:1], 1)
    read(rig)
    steps(rig, 4)
    versions = [each.value[2] for each in rig.records("state") if each.value is not None]
    assert MERGED_VERSION in versions
    steps(rig, 20)
    assert rig.records("state")[-1].value is not None
    newest = {each.key: each.value for each in rig.records("state") if each.value is not None}
    assert MERGED_VERSION not in {value[2] for value in newest.values()}


def test_a_sum_has_all_releases_that_its_parts_have() -> None:
    def part(names: range) -> Pane:
        releases = {"image": {f"pod-{number}": number for number in names}}
        return Pane("in", 0, "m", 0, 10, "id", 0, 1, 0, 1, [], releases=releases)

    found = added_releases([part(range(1, 33)), part(range(20, 52))])
    assert found == {"image": {f"pod-{n}": n * (2 if 20 <= n < 33 else 1) for n in range(1, 52)}}
    assert not added_releases([Pane("in", 0, "m", 0, 10, "id", 0, 1, 0, 1, [])])
