"""What a query refuses, in one sentence, before it sends anything of the batch."""

from __future__ import annotations

import random

import msgspec
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, TOPIC, plan, row
from tests.consumer.spark.simulated import Engine, merged

from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.sketch.pane_counts import MERGED
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.spark import SparkError
from driftline.consumer.spark.counted import CountTask, add_totals, together, write_totals
from driftline.consumer.wire.messages import Horizon, Pane, decode_panes


@pytest.fixture
def rig() -> Rig:
    made = Rig(plan(), partitions=2)
    for partition in (0, 1):
        made.write([row(time * SECOND) for time in range(40)], partition)
    return made


def engine(rig: Rig, most: int = 10, *, take_over: bool = False) -> Engine:
    return Engine(rig.plan, TOPIC, rig.broker, random.Random(1), most, take_over=take_over)


def sent(rig: Rig) -> list[tuple[int, int]]:
    """First offsets and events of the panes sent."""
    found = [decode_panes(record.value or b"") for record in rig.records("panes")]
    return [(pane.first, pane.streams[0].events) for pane in found if isinstance(pane, Pane)]


def test_what_became_of_records_reaches_the_driver(rig: Rig) -> None:
    rig.write([b"oops", None, row(90 * SECOND, model="?")])
    one = engine(rig)
    while one.step():
        pass
    totals = one.totals
    assert (totals.read, totals.counted["m"], totals.rejected.total()) == (83, 80, 1)
    assert totals.skipped == {"tombstone": 1, "unknown_model": 1}
    again = InputTotals()
    add_totals(again, msgspec.json.decode(msgspec.json.encode(write_totals(totals))))
    assert again == InputTotals(
        totals.read, totals.counted, +totals.late, totals.labels, totals.refused, totals.without,
        totals.skipped, totals.rejected,
    )  # fmt: skip


def test_panes_of_all_partitions_come_as_one(rig: Rig) -> None:
    one = engine(rig, most=100)
    one.rng = random.Random(4)
    while one.step():
        pass
    assert sum(events for _, events in sent(rig)) == 80
    messages = [decode_panes(record.value or b"") for record in rig.records("panes")]
    assert {(m.source, m.partition) for m in messages if isinstance(m, Pane | Horizon)} == {
        (TOPIC, 0)
    }
    assert {m.partitions for m in messages if isinstance(m, Horizon)} == {1}


def test_a_partition_that_was_split_over_tasks_is_refused(rig: Rig) -> None:
    one = engine(rig)
    driver = one.start()
    before = len(rig.records("panes"))
    task = driver.task(0)
    records = [*rig.broker.records(TOPIC)][:10]
    counted = together([task.count([(0, records[:5])]), task.count([(0, records[5:10])])])
    with pytest.raises(SparkError, match=r"^in\[0\] was split over tasks: take minPartitions, "):
        driver.done(0, merged(task, counted, one.rng))
    assert len(rig.records("panes")) == before


def test_records_out_of_order_are_refused(rig: Rig) -> None:
    task: CountTask = engine(rig).start().task(0)
    records = [*rig.broker.records(TOPIC)][:10]
    with pytest.raises(SparkError, match=r"^the records of in\[0\] are not in order: "):
        task.count([(0, records[5:]), (0, records[:5])])


def test_a_lost_checkpoint_is_refused(rig: Rig) -> None:
    one = engine(rig)
    for _ in range(3):
        one.step()
    other = engine(rig)
    with pytest.raises(SparkError) as refused:
        other.step()
    assert str(refused.value) == (
        "driftline.state is at batch 2 of in, the checkpoint at 0: give the query the checkpoint "
        "that it had, or a new one with take_over=True and the offsets of starting_offsets"
    )


def test_a_shortened_checkpoint_is_refused(rig: Rig) -> None:
    one = engine(rig)
    for _ in range(3):
        one.step()
    one.driver = None
    one.checkpoint.committed = 1
    del one.checkpoint.ends[1:]
    with pytest.raises(SparkError, match=r"is at batch 2 of in, the checkpoint at 1: "):
        one.step()


def test_a_checkpoint_of_another_topic_s_state_is_refused(rig: Rig) -> None:
    one = engine(rig)
    one.checkpoint.committed = 5
    one.checkpoint.ends = [{0: 1, 1: 1}] * 6
    with pytest.raises(SparkError, match=r"^the checkpoint is at batch 5, and driftline.state kno"):
        one.step()


def test_a_new_checkpoint_goes_on_where_it_is_allowed_to(rig: Rig) -> None:
    one = engine(rig)
    for _ in range(3):
        one.step()
    other = engine(rig, take_over=True)
    other.checkpoint.begin = dict(one.checkpoint.ends[-1])
    while other.step():
        pass
    assert sum(events for _, events in sent(rig)) == 80


def test_a_query_may_begin_before_what_is_on_record(rig: Rig) -> None:
    rig.start()
    rig.settle()
    rig.stop()
    before = sent(rig)
    rig.write([row(time * SECOND) for time in range(40, 60)])
    other = engine(rig, take_over=True)  # from the beginning, in batches of ten at most
    while other.step():
        pass
    assert other.checkpoint.committed > 4
    assert sum(events for first, events in sent(rig)[len(before) :] if first >= MERGED) == 20
    driver = other.start()
    assert {n: state.position for n, state in driver.states.items()} == {0: 60, 1: 40}


@pytest.mark.parametrize("batches", [0, 3])
def test_a_stream_that_begins_behind_what_is_on_record_is_refused(rig: Rig, batches: int) -> None:
    """As one without `startingOffsets` does: what lies between would never be counted."""
    one = engine(rig)
    for _ in range(batches):
        one.step()
    before = sent(rig)
    other = engine(rig, most=100, take_over=True)
    other.checkpoint.begin = {0: 39, 1: 39}
    with pytest.raises(SparkError, match=r"^the stream begins at 39 of in\[\d\], which is on "):
        other.step()
    assert sent(rig) == before


def test_workers_that_go_on_end_and_the_query_too(rig: Rig) -> None:
    rig.start()
    rig.settle()
    one = engine(rig, take_over=True)
    one.checkpoint.begin = {0: 40, 1: 40}
    one.step()
    rig.write([row(time * SECOND) for time in range(40, 80)])
    with pytest.raises(LogError, match=r"^in is read by Spark \(sketch_stream\): stop its query"):
        rig.settle()
    with pytest.raises(SparkError, match=r"^driftline run still reads in, so events count twice"):
        one.step()


def test_a_batch_that_was_sent_and_not_recorded_needs_its_checkpoint(rig: Rig) -> None:
    one = engine(rig)
    for _ in range(3):
        one.step()
    producer = one.producer
    assert producer is not None
    one.crash_after = 1  # a pane
    one.step()
    one.crash_after = None
    other = engine(rig, take_over=True)
    other.checkpoint.begin = dict(one.checkpoint.ends[2])
    with pytest.raises(SparkError, match=r"^the last batch of in was sent and not recorded: start"):
        other.step()
    while one.step():
        pass
    parts: dict[tuple[int, int], int] = {}
    for record in rig.records("panes"):
        pane = decode_panes(record.value or b"")
        if isinstance(pane, Pane):
            parts[pane.start, pane.first] = pane.streams[0].events
    assert sum(parts.values()) == 80


def test_the_first_of_two_queries_stops(rig: Rig) -> None:
    one, two = engine(rig), engine(rig)
    two.checkpoint = one.checkpoint
    one.step()
    two.step()
    with pytest.raises(SparkError, match=r"^another query has taken in over since this one began"):
        one.step()
    while two.step():
        pass
    assert sum(events for _, events in sent(rig)) == 80


def test_a_model_that_fails_stops_the_batch(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    from driftline.consumer.sketch.model import ModelSketch

    def fail(self: ModelSketch, *_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ModelSketch, "count", fail)
    with pytest.raises(SparkError, match=r"^the model m failed on in\[[01]\], so nothing of this"):
        engine(rig).step()


def test_a_silent_partition_is_reported_within_twice_the_time(rig: Rig) -> None:
    made = Rig(plan(), partitions=2)
    made.write([row(time * SECOND) for time in range(60)])  # the other one has nothing
    one = engine(made)
    while one.step():
        pass

    def horizons() -> list[int | None]:
        found = [decode_panes(record.value or b"") for record in made.records("panes")]
        return [m.horizon for m in found if isinstance(m, Horizon)]

    assert set(horizons()) == {None}
    made.broker.now += 5_000
    one.tick()
    assert horizons()[-1] is not None


def test_what_the_broker_did_not_take_is_said_at_the_next_look(rig: Rig) -> None:
    def said(*, fails: bool) -> bytes | None:
        made = Rig(plan(), partitions=2)
        made.write([row(time * SECOND) for time in range(60)])
        one = engine(made)
        while one.step():
            pass
        made.broker.now += 5_000
        before, driver = len(made.records("panes")), one.start()
        if fails and one.producer is not None:
            one.producer.crash_after = 0
            with pytest.raises(WorkerLost):
                driver.tick()
            driver.reconnect()
        driver.tick()
        (found,) = made.records("panes")[before:]
        return found.value

    assert said(fails=True) == said(fails=False)


def test_records_that_were_deleted_unread_are_a_loss(rig: Rig) -> None:
    from driftline.consumer.log.protocol import TopicPartition
    from driftline.consumer.wire.messages import Loss

    one = engine(rig)
    one.start()
    rig.broker.delete_before(TopicPartition(TOPIC, 0), 20)
    one.checkpoint.begin = {0: 20, 1: 0}
    while one.step():
        pass
    found = [decode_panes(record.value or b"") for record in rig.records("panes")]
    losses = [m for m in found if isinstance(m, Loss)]
    assert {(loss.partition, loss.wanted, loss.begin) for loss in losses} == {(0, 0, 20)}
