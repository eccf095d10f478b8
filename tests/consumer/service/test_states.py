"""The log of states: whole wherever writing stops, whoever else writes, whatever is compacted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.consumer.service.test_parts import judge

from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.memory import MemoryBroker, MemoryLog
from driftline.consumer.log.protocol import Message, UnreadBatch
from driftline.consumer.service.states import States

TOPIC, STAGE = "driftline.state", "judge/m"


def log_of(*written: Sequence[Message], compacted: bool = False) -> MemoryLog:
    """A log that holds the messages; compacted: of each key the last alone."""
    broker = MemoryBroker()
    broker.create(TOPIC, 3)
    messages = [message for each in written for message in each]
    if compacted:
        messages = list({message.key: message for message in messages}.values())
    for message in messages:
        broker.append(message)
    return MemoryLog(broker)


def states(log: MemoryLog, group: str = "g") -> States:
    found = States(log, TOPIC, 3, group)
    found.refresh()
    return found


def read(*written: Sequence[Message], compacted: bool = False) -> JudgeState | None:
    return states(log_of(*written, compacted=compacted)).find(STAGE, JudgeState)


def owner(*written: Sequence[Message], generation: int = 1) -> States:
    """A worker that owns the model after what is written."""
    found = states(log_of(*written))
    found.own(STAGE, generation)
    return found


FIRST, SECOND = judge(2_000), judge(2_001)
SECOND.position, SECOND.lives[900].severity = 9, 2


def test_wherever_writing_stops_a_whole_state_is_there() -> None:
    worker = owner()
    before, after = worker.messages(STAGE, FIRST), worker.messages(STAGE, SECOND)
    assert 2 < len(after) < len(before) / 2  # what did not change is not written again
    found = [read(before, after[:stop], compacted=True) for stop in range(len(after) + 1)]
    assert found[0] == FIRST
    assert found[-1] == SECOND
    assert found.index(SECOND) == len([one for one in found if one == FIRST])


def test_what_a_head_does_not_name_is_deleted() -> None:
    worker = owner()
    written = [worker.messages(STAGE, state) for state in (FIRST, SECOND, judge(0))]
    left = {message.key: message.value for each in written for message in each}
    assert [key for key, value in left.items() if value is not None] == [b"1/judge/m"]
    assert read(*written) == judge(0)


def test_a_new_owner_deletes_what_others_wrote() -> None:
    before = owner().messages(STAGE, FIRST)
    after = owner(before, generation=2).messages(STAGE, FIRST)
    left = {message.key: message.value for message in (*before, *after)}
    kept = {key for key, value in left.items() if value is not None}
    assert all(key.startswith(b"2/") for key in kept if key is not None)
    assert read(before, after, compacted=True) == FIRST


@pytest.mark.parametrize("compacted", [False, True])
def test_a_frozen_worker_that_wakes_changes_nothing(compacted: bool) -> None:
    frozen = owner()
    before = frozen.messages(STAGE, FIRST)
    successor = owner(before)
    in_hand = frozen.messages(STAGE, SECOND)
    taken_over = successor.messages(STAGE, FIRST)
    for stop in range(len(in_hand) + 1):
        late = in_hand[:stop]
        assert read(before, taken_over, late, compacted=compacted) == FIRST
        assert read(before, late, taken_over, compacted=compacted) == FIRST


def test_owners_have_numbers_of_their_own_after_the_group_has_forgotten_its_count() -> None:
    before = owner(generation=50).messages(STAGE, FIRST)
    # The second has not seen anything of the first, which froze before it wrote.
    frozen, successor = owner(before, generation=1), owner(before, generation=2)
    late, taken_over = frozen.messages(STAGE, FIRST), successor.messages(STAGE, FIRST)
    after = successor.messages(STAGE, SECOND)
    assert not {message.key for message in late if message.value} & {
        message.key for message in taken_over
    }
    for stop in range(len(after) + 1):
        assert read(before, taken_over, late[:1], after[:stop], late[1:]) in (FIRST, SECOND)
    assert read(before, taken_over, after, late, compacted=True) == SECOND


def test_nothing_new_is_nothing_to_write() -> None:
    worker = owner()
    assert worker.messages(STAGE, FIRST)
    assert worker.messages(STAGE, judge(2_000)) == []


def test_a_state_without_one_of_its_parts_is_refused() -> None:
    written = owner().messages(STAGE, FIRST)
    with pytest.raises(LogError, match=r"the state judge/m in driftline\.state is not whole"):
        read(written[1:])


def test_a_batch_of_states_that_cannot_be_unpacked_is_not_passed_over() -> None:
    written = owner().messages(STAGE, FIRST)
    detail = "the batch of offsets 3 to 6 cannot be read: it is cut short"
    unread = UnreadBatch(b"?", first=3, last=6, reason="malformed", detail=detail)
    with pytest.raises(LogError, match=rf"the states in driftline\.state\[2\] .*: {detail}"):
        read(written, [Message(TOPIC, 2, None, unread)])


def test_the_part_of_another_group_is_refused_too() -> None:
    written = owner().messages(STAGE, FIRST)
    with pytest.raises(LogError, match=r"belongs to the consumer group g, .* is another"):
        states(log_of(written[:1]), "another")
