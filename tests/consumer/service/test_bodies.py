"""Which body reads a topic: it is on record, another is refused, taking over is explicit."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, TOPIC, plan, row

from driftline.consumer.log.errors import LogError
from driftline.consumer.log.memory import MemoryLog, MemoryProducer
from driftline.consumer.log.protocol import Message, TopicPartition
from driftline.consumer.log.ranges import partitions_of
from driftline.consumer.service.bodies import body_problem, require_body, sent_beyond, take_over
from driftline.consumer.service.parts import cut
from driftline.consumer.service.states import States, sketch_key
from driftline.consumer.service.worker import BODIES_MS
from driftline.consumer.sketch.state import BODIES, SPARK, WORKER, SketchState
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.wire.codec import TOGETHER_VERSION, encode
from driftline.consumer.wire.messages import Horizon, together

REFUSED = (
    "in is read by Spark (sketch_stream): stop its query, then run  driftline run --take-over in,"
    " or leave the topic to it with  driftline run --stages join,judge"
)


def fields(state: SketchState) -> dict[str, bytes]:
    return {name: bytes(value) for name, value in cut(state).small.items()}


def states(rig: Rig) -> States:
    found = States(MemoryLog(rig.broker), "driftline.state", 2, "driftline")
    found.refresh()
    return found


def taken(rig: Rig, body: str) -> int:
    """Let another body take the topic over; return how many records were written."""
    messages = take_over(states(rig), rig.broker.infos[TOPIC], body)
    producer = MemoryProducer(rig.broker)
    for message in messages:
        producer.send(message)
    producer.flush()
    return len(messages)


@pytest.fixture
def rig() -> Rig:
    """Workers have read a topic of two partitions, and were stopped."""
    made = Rig(plan(), partitions=2)
    for partition in (0, 1):
        made.write([row(time * SECOND) for time in (1, 12, 26)], partition)
    made.start()
    made.settle()
    made.stop()
    return made


def test_of_the_usual_body_the_record_has_the_bytes_it_had() -> None:
    state = SketchState("id", 1, 0, 0, 0, {})
    assert state.body == WORKER
    usual, other = fields(state), fields(msgspec.structs.replace(state, body=SPARK))
    assert other == usual | {"body": msgspec.msgpack.encode(SPARK)}
    assert "body" not in usual


def test_a_topic_that_nobody_has_read_is_anybody_s() -> None:
    rig = Rig(plan())
    assert states(rig).body(TopicPartition(TOPIC, 0)) is None
    for body in BODIES:
        require_body(states(rig), rig.broker.infos[TOPIC], body)


def test_another_body_is_refused_in_one_sentence(rig: Rig) -> None:
    info = rig.broker.infos[TOPIC]
    require_body(states(rig), info, WORKER)
    assert body_problem(states(rig), info, SPARK) == (
        "in is read by driftline run: stop its workers, then start the query with take_over=True"
        " and, beside it,  driftline run --stages join,judge"
    )
    with pytest.raises(LogError, match="in is read by driftline run"):
        require_body(states(rig), info, SPARK)


def test_workers_are_refused_at_the_start_and_write_nothing(rig: Rig) -> None:
    assert taken(rig, SPARK) > 0
    written = {name: len(rig.records(name)) for name in ("state", "panes")}
    worker = rig.start()
    with pytest.raises(LogError) as refused:
        worker.step()
    assert str(refused.value) == REFUSED
    rig.workers.pop()
    assert {name: len(rig.records(name)) for name in written} == written


def test_one_partition_of_another_body_is_enough(rig: Rig) -> None:
    known = states(rig)
    key = sketch_key(TopicPartition(TOPIC, 1))
    state = known.find(key, SketchState)
    assert state is not None
    known.own(key, 9)
    for message in known.messages(key, msgspec.structs.replace(state, body=SPARK)):
        rig.broker.append(message)
    first, _ = rig.start(), rig.start()  # the first has partition 0 alone
    with pytest.raises(LogError, match="in is read by Spark"):
        first.step()


def test_what_is_taken_over_goes_on_where_the_other_has_come(rig: Rig) -> None:
    before = [states(rig).find(sketch_key(TopicPartition(TOPIC, n)), SketchState) for n in (0, 1)]
    taken(rig, SPARK)
    assert taken(rig, SPARK) == 0  # again changes nothing
    taken(rig, WORKER)
    after = [states(rig).find(sketch_key(TopicPartition(TOPIC, n)), SketchState) for n in (0, 1)]
    for one, two in zip(before, after, strict=True):
        assert one is not None
        assert two is not None
        assert two.generation > one.generation
        assert msgspec.structs.replace(two, generation=one.generation) == one
    rig.write([row(60 * SECOND)])
    rig.start()
    rig.settle()
    state = rig.states("sketch/in/0", SketchState)[-1]
    assert (state.position, state.body) == (4, WORKER)


def test_what_else_is_among_the_panes_keeps_nobody_from_taking_over(rig: Rig) -> None:
    """Of more than a thousand models horizons go together, in records without a key."""
    log, topic = MemoryLog(rig.broker), rig.broker.infos[TOPIC]
    state, panes = (rig.broker.infos[f"driftline.{name}"] for name in ("state", "panes"))
    known = {
        place: states(rig).find(sketch_key(place), SketchState) for place in partitions_of(topic)
    }
    whole = {place: one for place, one in known.items() if one is not None}
    (many,) = together([Horizon(TOPIC, 0, 2, "m", 5, 9, 7, 2)], 1)
    for key, value in (
        (None, encode(many, TOGETHER_VERSION)), (None, b"oops"), (b"m", b"oops"), (b"m", None),
    ):  # fmt: skip
        rig.broker.append(Message("driftline.panes", 0, key, value))
    assert not sent_beyond(log, state, panes, whole)
    rig.broker.append(Message("driftline.panes", 0, b"m", b"DL" + bytes(20)))
    with pytest.raises(LogError, match=r"^the record in driftline\.panes\[0\] at offset "):
        sent_beyond(log, state, panes, whole)


def test_a_body_that_takes_over_keeps_its_name_in_the_records(rig: Rig) -> None:
    taken(rig, SPARK)
    state = states(rig).find(sketch_key(TopicPartition(TOPIC, 0)), SketchState)
    assert state is not None
    one = rig.plan.sketch(TopicPartition(TOPIC, 0), 2, state, 0, InputTotals(), 1)
    one.at_the_end()
    recorded = one.state()
    assert recorded is not None
    assert recorded.body == SPARK


def test_a_worker_that_runs_ends_when_another_body_takes_its_topic_over(rig: Rig) -> None:
    worker = rig.start()
    rig.settle()
    spark = states(rig)
    for message in take_over(spark, rig.broker.infos[TOPIC], SPARK):
        rig.broker.append(message)
    rig.write([row(60 * SECOND), row(90 * SECOND)])
    written = len(rig.records("state"))
    rig.broker.now += BODIES_MS
    with pytest.raises(LogError) as ended:
        worker.step()
    assert str(ended.value) == REFUSED
    # What it had counted meanwhile is on record, by which Spark learns that it did.
    assert len(rig.records("state")) > written
    spark.refresh()
    assert spark.written_by_workers(sketch_key(TopicPartition(TOPIC, 0)))
    assert not spark.written_by_workers(sketch_key(TopicPartition(TOPIC, 1)))


def test_it_looks_now_and_then_at_what_it_reads(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    look = States.look

    def noted(self: States, stages: Set[str]) -> None:
        assert stages == {"sketch/in/0", "sketch/in/1"}
        looked.append(rig.broker.now)
        look(self, stages)

    monkeypatch.setattr(States, "look", noted)
    worker, begun = rig.start(), rig.broker.now
    while rig.broker.now < begun + 4 * BODIES_MS:
        worker.step()
        rig.broker.now += 1_000
    assert len(looked) == 3
    assert min(two - one for one, two in pairwise([begun, *looked])) >= BODIES_MS


def test_those_that_leave_counting_to_another_body_go_on(rig: Rig) -> None:
    taken(rig, SPARK)
    config = rig.plan.config.model_copy(update={"stages": ("judge",)})
    worker = rig.start(replace(rig.plan, config=config))
    for _ in range(5):
        worker.step()
        rig.broker.now += BODIES_MS


def test_a_look_takes_up_heads_alone_and_leaves_the_rest_to_be_read(rig: Rig) -> None:
    known, reader = states(rig), States(MemoryLog(rig.broker), "driftline.state", 2, "driftline")
    reader.look({sketch_key(TopicPartition(TOPIC, 0))})
    assert reader.body(TopicPartition(TOPIC, 0)) == WORKER
    assert reader.body(TopicPartition(TOPIC, 1)) is None
    other = States(MemoryLog(rig.broker), "driftline.state", 2, "another group")
    key = sketch_key(TopicPartition(TOPIC, 0))
    other.own(key, 99)
    state = known.find(key, SketchState)
    assert state is not None
    for message in other.messages(key, msgspec.structs.replace(state, body=SPARK)):
        rig.broker.append(message)
    reader.look({key})
    assert reader.body(TopicPartition(TOPIC, 0)) == WORKER  # as a start says, of all groups
    with pytest.raises(LogError, match="belongs to the consumer group another group"):
        reader.refresh()
