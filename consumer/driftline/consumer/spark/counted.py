"""What a task does with the records of a micro-batch: the product's own sketch, cut at its end.

Nothing here knows Spark: a task is a function of its records and of the states that the batch
began with, so a task or a batch that is repeated gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from driftline.consumer.log.protocol import Gap, Message, Record, TopicInfo, TopicPartition
from driftline.consumer.service.messages import Outputs
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.pane_counts import MERGED, PaneSource, merged
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SPARK, SketchState
from driftline.consumer.sketch.totals import InputTotals, Output
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.wire.codec import decode
from driftline.consumer.wire.messages import Horizon, Pane


class CountedState(msgspec.Struct, frozen=True):
    """What a task knows of one partition at its end.

    Attributes:
        partition: whose.
        first, until: offsets of the records that it got.
        state: the record.
        totals: what became of the records, as `write_totals` has it.
    """

    partition: int
    first: int
    until: int
    state: SketchState
    totals: list[tuple[str, list[str], int]]


@dataclass(frozen=True)
class Counted:
    """What a batch, or a task of it, makes known.

    Attributes:
        panes: parts; of a batch merged.
        messages: other records, in the order in which they are to be sent.
        states: of each partition.
    """

    panes: Sequence[Pane]
    messages: Sequence[Message]
    states: Sequence[CountedState]


@dataclass(frozen=True)
class CountTask:
    """The part of a micro-batch that tasks do.

    Args:
        plan: what is watched.
        topic: the input.
        outputs: the topics that it writes to, as the broker has them.
        states: of each partition of the topic, encoded, as of the batch's beginning.
        begins: of each partition, the first offset that the broker still has.
        batch: its number.
        now: wall-clock time of its beginning, ms.
    """

    plan: Plan
    topic: str
    outputs: Mapping[str, TopicInfo]
    states: Mapping[int, bytes]
    begins: Mapping[int, int]
    batch: int
    now: int

    def count(self, runs: Iterable[tuple[int, Sequence[Record]]]) -> Counted:
        """Count records.

        Args:
            runs: a partition and records of it, at least one, in the order of their offsets.

        Raises:
            SparkError: they are not in that order, or a model's own code failed.
        """
        parts: dict[int, _Partition] = {}
        for number, records in runs:
            if number not in parts:
                parts[number] = _Partition(self, number, records[0].offset)
            parts[number].feed(records)
        return together(part.end() for _, part in sorted(parts.items()))

    @property
    def source(self) -> PaneSource:
        """Whose the merged parts of the batch are.

        Their offset is that of all partitions together, which every batch moves: so it is the same
        when a batch is repeated, and another one for every other batch.
        """
        read = sum(decode(state, SketchState).position for state in self.states.values())
        return PaneSource(self.topic, 0, MERGED + read, MERGED + read + 1)

    def merged(self, panes: Sequence[Pane]) -> list[Pane]:
        """Return parts of one pane of a model as one."""
        return list(merged(panes, self.plan.sketch_model(panes[0].model), self.source))


class _Partition:
    """Counts the records of one partition in one task."""

    def __init__(self, task: CountTask, number: int, first: int) -> None:
        self._task = task
        self._place = place = TopicPartition(task.topic, number)
        self._first = self._until = first
        state = decode(task.states[number], SketchState)
        self._state, self._totals = state, InputTotals()
        self._done = state.batch == task.batch
        self._panes: list[Pane] = []
        self._messages: list[Message] = []
        self._outputs = Outputs(task.plan, task.outputs)
        self._sketch = sketch_of(
            task.plan, place, len(task.states), state, task.now, self._totals, self._outputs
        )
        begin = task.begins[number]
        if not self._done and begin > state.position:
            self._sketch.lost(Gap(place, state.position, begin))

    def feed(self, records: Sequence[Record]) -> None:
        if records[0].offset < self._until:
            raise SparkError(
                f"the records of {self._task.topic}[{self._place.partition}] are not in order: "
                "let nothing sort or shuffle them before sketch_stream"
            )
        self._until = records[-1].offset + 1
        new = [] if self._done else [r for r in records if r.offset >= self._sketch.next]
        if new:
            opener = self._task.plan.opener(self._task.topic)
            self._take(self._sketch.feed(opener.open(new), self._task.now))

    def end(self) -> Counted:
        state = self._state
        if not self._done:
            self._take(self._sketch.cut())
            self._require_sound()
            found = self._sketch.state() or state  # nothing is open that would be read again
            # A query may begin before what is on record; up to there its batches do nothing.
            batch = self._task.batch if self._until > state.position else state.batch
            state = msgspec.structs.replace(found, body=SPARK, batch=batch, awaited=state.awaited)
        known = CountedState(
            self._place.partition, self._first, self._until, state, write_totals(self._totals)
        )
        return Counted(self._panes, self._messages, [known])

    def _take(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            if isinstance(output, Pane):
                self._panes.append(output)
            elif not isinstance(output, Horizon):  # the state has how far each model has come
                self._messages.append(self._outputs.message(output))

    def _require_sound(self) -> None:
        """Refuse to go on without a model: nothing that it left out could be read again."""
        for name, error in self._sketch.failures.items():
            raise SparkError(
                f"the model {name} failed on {self._task.topic}[{self._place.partition}], so "
                f"nothing of this batch was sent ({error!r}): mend it, or take it out of the "
                "configuration, and start the query again"
            ) from error


def sketch_of(
    plan: Plan,
    place: TopicPartition,
    partitions: int,
    state: SketchState,
    now: int,
    totals: InputTotals,
    outputs: Outputs,
) -> PartitionSketch:
    """Return the sketch of an input partition, as of its state; see `Plan.sketch`."""
    targets = outputs.partitions("joins") if plan.labelled else 0
    return plan.sketch(place, partitions, state, now, totals, targets)


def write_totals(totals: InputTotals) -> list[tuple[str, list[str], int]]:
    """Return what became of records as (what, by what, how many), for the way to the driver."""
    found: list[tuple[str, list[str], int]] = [("read", [], totals.read)]
    for name in ("counted", "late", "labels", "refused", "without", "skipped", "rejected"):
        for key, number in getattr(totals, name).items():
            found.append((name, [key] if isinstance(key, str) else list(key), number))
    return found


def add_totals(totals: InputTotals, found: Iterable[tuple[str, Sequence[str], int]]) -> None:
    """Add what `write_totals` returned.

    >>> totals = InputTotals()
    >>> add_totals(totals, [("read", [], 3), ("without", ["m", "id"], 2)])
    >>> totals.read, totals.without
    (3, Counter({('m', 'id'): 2}))
    """
    for name, key, number in found:
        if name == "read":
            totals.read += number
        else:
            getattr(totals, name)[key[0] if len(key) == 1 else tuple(key)] += number


def together(parts: Iterable[Counted]) -> Counted:
    """Return what several made known as one, panes as they are."""
    found = list(parts)
    return Counted(
        [pane for each in found for pane in each.panes],
        [message for each in found for message in each.messages],
        [state for each in found for state in each.states],
    )
