"""Where a stage begins: first starts, remembered ones, and what is refused."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import msgspec
import pytest
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import HOUR, SECOND, START, TOPIC, plan, reference, row

from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Message, TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.states import States
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Horizon, decode_panes, partition_of

STATE = "driftline.state"


def starting(start: str) -> Plan:
    return plan(kafka={"start": start})


def counted(rig: Rig) -> int:
    """Events that the last worker counted."""
    worker, _, _ = rig.workers[-1]
    return worker.status.totals[TOPIC].counted["m"]


def add_partition(rig: Rig) -> None:
    """Give the input topic one more partition, as an operator does."""
    info = rig.broker.infos[TOPIC]
    rig.broker.infos[TOPIC] = replace(info, partitions=info.partitions + 1)
    rig.broker.logs[TopicPartition(TOPIC, info.partitions)] = []


@pytest.mark.parametrize(
    ("start", "count"),
    [
        ("earliest", 4),
        ("latest", 0),
        ("-24h", 2),
        ("-36h", 3),
        ("2020-09-20T12:00:00Z", 2),
        ("2020-09-20T12:00:01Z", 1),
        ("2030-01-01T00:00:00Z", 0),
    ],
)
def test_a_first_start_goes_by_the_time_of_the_records(start: str, count: int) -> None:
    rig = Rig(starting(start))
    rig.broker.now = START + 36 * HOUR
    for hours in (-12, 0, 12, 30):
        rig.write([row(hours * HOUR)], timestamp=START + hours * HOUR)
    rig.start()
    rig.settle()
    assert counted(rig) == count


def test_where_it_began_is_remembered_at_once() -> None:
    rig = Rig(starting("latest"))
    rig.write([row(0)] * 3)
    rig.start().step()
    (state,) = rig.states("sketch/in/0", SketchState)
    assert (state.position, state.rewind, state.topic_id, state.partitions) == (3, 3, "id-in", 1)
    rig.kill()
    rig.write([row(0)] * 2)
    rig.start()
    rig.settle()
    assert counted(rig) == 2


def test_a_partition_added_later_is_read_from_its_beginning() -> None:
    rig = Rig(starting("latest"), partitions=2)
    rig.write([row(0)] * 3)
    rig.start()
    rig.settle()
    assert counted(rig) == 0
    rig.stop()
    add_partition(rig)
    rig.write([row(0)] * 5, partition=2)
    rig.write([row(0)] * 2, partition=1)
    rig.start()
    rig.settle()
    assert counted(rig) == 7


def test_judge_waits_for_a_partition_added_while_running() -> None:
    rig = Rig(plan(), partitions=1)
    rig.write([row(0), row(60 * SECOND)])
    rig.start()
    rig.settle()
    before = len(rig.verdicts())
    assert before > 0
    add_partition(rig)
    rig.broker.rebalance()
    worker, _, _ = rig.workers[0]
    worker.step()
    worker.checkpoint()
    words = [decode_panes(record.value or b"") for record in rig.records("panes")]
    claim = next(w for w in reversed(words) if isinstance(w, Horizon) and w.partition == 1)
    assert (claim.partitions, claim.horizon) == (2, None)
    # While it may still bring events, nothing more is judged.
    rig.write([row(120 * SECOND)])
    for _ in range(4):
        worker.step()
    worker.checkpoint()
    assert len(rig.verdicts()) == before
    rig.settle()  # it is idle, and stops waiting
    assert len(rig.verdicts()) > before


def test_a_topic_that_was_created_again_is_refused() -> None:
    rig = Rig(plan())
    rig.write([row(0)])
    rig.start()
    rig.settle()
    rig.stop()
    rig.broker.infos[TOPIC] = replace(rig.broker.infos[TOPIC], topic_id="another")
    worker = rig.start()
    with pytest.raises(LogError, match=r"topic in was re-created .* set output\.prefix"):
        worker.step()


def put(rig: Rig, key: str, value: bytes) -> None:
    rig.broker.append(Message(STATE, partition_of(key, 2), key.encode(), value))


def newer(body: bytes) -> bytes:
    return struct.pack("<2sBII", b"DL", 6, len(body), zlib.crc32(body)) + body


GOOD = encode(SketchState("id-in", 1, 0, 0, 0, {}))


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (GOOD[:-1], "damaged"),
        (GOOD[:20] + b"?" + GOOD[21:], "damaged"),
        (b"{}", "not a record of Driftline"),
        (newer(b"\x80"), "newer than 5: upgrade Driftline"),
        (encode(Horizon("in", 0, 1, "m", None, None, 0, 0)), "does not have the form"),
    ],
)
@pytest.mark.parametrize("key", ["sketch/in/0", "judge/m"])
def test_a_state_that_cannot_be_read_is_refused_by_name(key: str, value: bytes, why: str) -> None:
    rig = Rig(plan())
    put(rig, key, value)
    worker = rig.start()
    with pytest.raises(LogError, match=why) as refused:
        worker.step()
    assert f"the state {key} in {STATE} cannot be read" in str(refused.value)
    assert rig.published() == 0


def test_another_group_on_the_same_topics_is_refused() -> None:
    rig = Rig(plan())
    rig.write([row(0)])
    rig.start()
    rig.settle()
    rig.stop()
    written = {name: len(rig.records(name)) for name in ("state", "panes")}
    worker = rig.start(plan(kafka={"group": "second"}))
    with pytest.raises(LogError) as refused:
        worker.step()
    assert str(refused.value) == (
        "driftline.state belongs to the consumer group driftline, and this deployment's is second: "
        "set kafka.group to driftline, or output.prefix to a name of its own"
    )
    rig.workers.pop()
    assert {name: len(rig.records(name)) for name in written} == written
    rig.start()
    rig.settle()


def test_of_two_groups_that_start_at_once_one_is_refused() -> None:
    rig = Rig(plan(), partitions=2)
    first, second = rig.start(), rig.start(plan(kafka={"group": "second"}))
    with pytest.MonkeyPatch.context() as patch:

        def look(_: States) -> None:
            patch.undo()
            first.step()  # what it writes comes after the second one's look

        patch.setattr(States, "refresh", look)
        with pytest.raises(LogError, match="belongs to the consumer group driftline"):
            second.step()


def test_of_several_states_the_furthest_holds() -> None:
    rig = Rig(plan())
    rig.write([row(0)] * 9)
    for position in (4, 7, 5):  # the last was written by a worker that had slept
        put(rig, "sketch/in/0", encode(SketchState("id-in", 1, position, position, 3, {})))
    rig.start()
    rig.settle()
    assert counted(rig) == 2


def test_a_deleted_state_is_none() -> None:
    rig = Rig(plan())
    rig.write([row(0)] * 3)
    rig.broker.append(Message(STATE, 0, b"sketch/in/0", None))
    rig.broker.append(Message(STATE, 0, None, b"?"))
    rig.start()
    rig.settle()
    assert counted(rig) == 3


def test_generations_rise_with_every_owner() -> None:
    rig = Rig(plan())
    for _ in range(3):
        rig.start().step()
        rig.workers[0][2].flush()
        rig.kill()
    generations = [state.generation for state in rig.states("sketch/in/0", SketchState)]
    assert generations == sorted(set(generations))
    assert len(generations) == 3
    # Also where the group has forgotten its own count.
    rig.broker.generation = 0
    rig.start().step()
    rig.workers[0][2].flush()
    generations.append(rig.states("sketch/in/0", SketchState)[-1].generation)
    assert generations[-1] > generations[-2]
    words = [decode_panes(record.value or b"") for record in rig.records("panes")]
    claims = [horizon.generation for horizon in words if isinstance(horizon, Horizon)]
    assert claims == generations


def test_a_model_new_to_the_configuration_starts_where_it_is_found() -> None:
    old = plan()
    both = plan({"n": reference(model="n")}, models={"n": {}})
    rig = Rig(old)
    rig.write([row(0), row(0, model="n"), row(1)])
    rig.start()
    rig.settle()
    rig.stop()
    rig.plan = both
    rig.write([row(2, model="n"), row(3)])
    worker = rig.start()
    rig.settle()
    assert worker.status.totals[TOPIC].counted == {"m": 1, "n": 1}


def test_the_state_names_what_is_still_needed() -> None:
    rig = Rig(plan())
    rig.write([row(0), row(12 * SECOND), row(26 * SECOND), row(31 * SECOND)])
    rig.start()
    rig.settle()
    state = rig.states("sketch/in/0", SketchState)[-1]
    assert (state.position, state.rewind) == (4, 2)
    assert state.models["m"].horizon == START + 20 * SECOND
    assert state.models["m"].progress == START + 31 * SECOND
    assert rig.workers[0][1].committed[TopicPartition(TOPIC, 0)] == 4


def test_states_hold_no_pickle_and_are_small() -> None:
    rig = Rig(plan())
    rig.write([row(n * SECOND) for n in range(500)])
    rig.start()
    rig.settle()
    for record in rig.records("state"):
        assert record.value is not None
        assert record.value[:3] == b"DL\x02"
        assert msgspec.msgpack.decode(record.value[11:])["type"] == "head"
        assert len(record.value) < 2_000
