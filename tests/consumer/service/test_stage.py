"""A stage more, made up here: fed, recorded and started again as all others are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

import msgspec
import pytest
from tests.consumer.service import rig as rig_module
from tests.consumer.service.rig import Rig
from tests.consumer.service.small import SECOND, plan, row

from driftline.consumer.log.protocol import Gap, Message, Record, TopicPartition
from driftline.consumer.service import messages, opening
from driftline.consumer.service.opening import Opening
from driftline.consumer.service.stage import Batch, Due, Ends, Stage
from driftline.consumer.sketch.failures import Failures


class Total(msgspec.Struct, frozen=True):
    """How many verdicts there are up to an offset of a partition."""

    partition: int
    offset: int
    verdicts: int


class TotalState(msgspec.Struct, tag="total"):
    position: int
    verdicts: int


class VerdictCounter:
    """Counts the verdicts of one partition, and says how many after each tenth."""

    kind: ClassVar[str] = "count"
    at_once: ClassVar[int] = 100

    def __init__(self, partition: TopicPartition, state: TotalState) -> None:
        self.failures = Failures()
        self.next = state.position
        self._verdicts = state.verdicts
        self._partition = partition

    @classmethod
    def open(cls, at: Opening, partition: TopicPartition, generation: int) -> Stage:
        key = f"count/{partition.partition}"
        at.states.own(key, generation)
        return cls(partition, at.states.find(key, TotalState) or TotalState(0, 0))

    @property
    def position(self) -> int:
        return self.next

    @property
    def outdated(self) -> bool:
        return False

    def claim(self) -> Sequence[Batch]:
        return ()

    def feed(self, records: Sequence[Record], now: int) -> Iterable[Batch]:
        for record in records:
            self.next = record.offset + 1
            self._verdicts += 1
            if self._verdicts % 10 == 0:
                number = self._partition.partition
                yield [(None, Total(number, record.offset, self._verdicts))]

    def lost(self, gap: Gap) -> Sequence[Batch]:
        self.next = gap.begin
        return ()

    def tick(self, now: int) -> Sequence[Batch]:
        return ()

    def due(self, ends: Ends, *, whole: bool) -> Sequence[Due]:
        state = TotalState(self.next, self._verdicts)
        return [Due(f"count/{self._partition.partition}", None, lambda: state)]

    def fail(self, name: str, error: Exception) -> None:
        raise error  # it has no models


def write_total(total: Total, topic: str, *_: object) -> Message:
    return Message(topic, total.partition, None, msgspec.json.encode(total))


@pytest.fixture(autouse=True)
def _one_stage_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a new stage adds to the lists; its log is made like all others, by `log/topics.py`."""
    monkeypatch.setitem(opening.STAGES, "verdicts", VerdictCounter.open)
    monkeypatch.setitem(messages.OUTPUTS, Total, ("totals", write_total))
    monkeypatch.setattr(rig_module, "OUTPUTS", (*rig_module.OUTPUTS, "totals"))


def test_a_stage_needs_a_line_in_two_lists_beside_its_file() -> None:
    rig = Rig(plan())
    worker = rig.start()
    rig.write([row(second * SECOND) for second in range(600)])
    rig.settle()
    counted = [stage for stage in worker.status.stages.values() if stage.kind == "count"]
    assert len(counted) == 2
    written = {n: len(rig.broker.logs[TopicPartition("driftline.verdicts", n)]) for n in range(2)}
    assert sum(written.values()) > 40
    expected = {(n, tens) for n, there in written.items() for tens in range(10, there + 1, 10)}
    assert totals(rig) == expected

    rig.kill()
    rig.start()
    rig.write([row(second * SECOND) for second in range(600, 900)])
    rig.settle()
    again = {n: len(rig.broker.logs[TopicPartition("driftline.verdicts", n)]) for n in range(2)}
    assert sum(again.values()) > sum(written.values())
    assert totals(rig) == {(n, t) for n, there in again.items() for t in range(10, there + 1, 10)}
    states = rig.states("count/0", TotalState) + rig.states("count/1", TotalState)
    assert {state.position for state in states} >= set(again.values())


def totals(rig: Rig) -> set[tuple[int, int]]:
    """Repeats say the same."""
    bodies = rig.bodies("totals")
    assert all(body["offset"] == body["verdicts"] - 1 for body in bodies)
    return {(body["partition"], body["verdicts"]) for body in bodies}
