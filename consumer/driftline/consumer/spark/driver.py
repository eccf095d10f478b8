"""What the driver of a query does for each batch, in an order that is the promise.

What tasks counted is sent and acknowledged, then the states of the partitions are written, then
Spark commits the batch. A batch that is repeated begins with the states that it began with, or
with those that it wrote: so it sends the same bytes, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec

from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import (
    Broker,
    Log,
    Message,
    TopicInfo,
    TopicPartition,
)
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.messages import Outputs
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.states import States, sketch_key
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SPARK, SketchState
from driftline.consumer.sketch.totals import InputTotals, Output
from driftline.consumer.spark.counted import Counted, CountedState, CountTask, add_totals, sketch_of
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.handover import Handover
from driftline.consumer.spark.merged_clocks import MergedClocks, horizons
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Horizon


class SketchDriver:
    """Keeps the states and the clocks of one input topic.

    Args:
        plan: what is watched.
        topic: the input.
        broker: where it is.
        clock: the wall clock, ms; only idle and stale marks depend on it.
        take_over: whether a topic that workers have read may be taken over, or a query's whose
            checkpoint is gone.
        totals: where to count what became of the records.

    Attributes:
        states: of each partition, as of the last batch.
    """

    def __init__(
        self,
        plan: Plan,
        topic: str,
        broker: Broker,
        clock: Callable[[], int],
        totals: InputTotals,
        *,
        take_over: bool = False,
    ) -> None:
        self._plan, self._topic, self._log, self._clock = plan, topic, broker.log, clock
        self._take_over, self._totals = take_over, totals
        self._broker, self._producer = broker, broker.producer()
        self._lags: dict[int, int] = {}
        self._stages: dict[int, InputPartition] = {}  # for the metrics alone
        self.topics = topics_of(plan, topic, self._log)
        self._outputs = Outputs(plan, self.topics)
        count, group = self._outputs.partitions("state"), plan.config.kafka.group
        self._records = States(self._log, plan.output("state"), count, group)
        self._records.refresh()
        self._begin()

    def _begin(self) -> None:
        """Take up the partitions, as a new owner does."""
        handover = Handover(self._plan, self._topic, self._log, self._records, self.topics)
        begun = handover.begin(self._clock(), take_over=self._take_over)
        self.states, self._fresh = begun.states, begun.fresh
        models = self._plan.models_of(self._topic)
        self._clocks = MergedClocks(models, self._topic, self.states[0].awaited)
        sketches = {number: self._sketch(number) for number in self.states}
        # A model that is new is silent from now on.
        self.states = {number: self._now(number, each) for number, each in sketches.items()}
        self._send(begun.parts)
        self._producer.flush()
        # The ownership is on record before anything is sent under it.
        self._record(self.states)
        for each in sketches.values():
            self._report(each.claim())
        self._send(self._clocks.report(self.states))
        self._producer.flush()
        self._unmet = {*self.states}  # partitions of which the stream has brought nothing yet

    def task(self, batch: int) -> CountTask:
        """Return what the tasks of a batch are to do.

        Raises:
            SparkError: the batch does not go on where the last one ended, or another driver does.
            LogError: the topic was made again.
        """
        self._look()
        self._require_order(batch)
        places = {number: TopicPartition(self._topic, number) for number in self.states}
        begins = self._log.begin_offsets(frozenset(places.values()))
        return CountTask(
            plan=self._plan,
            topic=self._topic,
            outputs={name: info for name, info in self.topics.items() if name != self._topic},
            states={number: encode(state) for number, state in self.states.items()},
            begins={number: begins[place] for number, place in places.items()},
            batch=batch,
            now=self._clock(),
        )

    def done(self, batch: int, counted: Counted) -> None:
        """Make known what the tasks of a batch counted, then what was done.

        Raises:
            SparkError: a partition was split over tasks, or not read from where it was to be.
        """
        self._require_whole(batch, counted)
        new = [one for one in counted.states if self.states[one.partition].batch != batch]
        before, after = self.states, {one.partition: one.state for one in new}
        # Was one state written, then all was acknowledged: the others are to be written alone.
        repeated = len(new) < len(counted.states)
        if not repeated:
            for message in counted.messages:
                self._producer.send(message)
            self._send(counted.panes)
        for number, state in sorted(after.items()):
            for horizon in horizons(self._topic, number, len(before), before[number], state):
                self._clocks.advance(horizon)
        self.states = {**before, **after}
        if not counted.states:  # the batch has a place on record, also where it was empty
            after = {0: msgspec.structs.replace(self.states[0], batch=batch)}
        self._send(self._clocks.report(self.states))
        self._producer.flush()
        self._record(after)
        for one in new:
            add_totals(self._totals, one.totals)

    def tick(self, read: Mapping[int, int] = MappingProxyType({}), *, over: bool = False) -> None:
        """Look at the wall clock: partitions that are read to their end may be silent.

        Args:
            read: of each partition, the offset up to which Spark has read it, where that is known:
                behind the last record may be what is none.
            over: nothing more is read before the next start of the query, so all of them are.
        """
        now, after = self._clock(), dict[int, SketchState]()
        places = {number: TopicPartition(self._topic, number) for number in self.states}
        ends = self._log.high_watermarks(frozenset(places.values()))
        for number, place in places.items():
            state = self.states[number]
            self._lags[number] = lag = max(
                ends[place] - max(state.position, read.get(number, 0)), 0
            )
            if lag:
                continue
            sketch = self._sketch(number)
            outputs = [*sketch.stale(now), *sketch.idle(now, 0 if over else self._idle_after)]
            if not outputs:
                continue
            after[number] = self._now(number, sketch)
            self._report(outputs)
        before, self.states = self.states, {**self.states, **after}
        try:
            self._send(self._clocks.report(self.states))
            self._producer.flush()
            self._record(after)
        except BaseException:
            self.states = before  # it is not on record, so the next look says it again
            raise

    def reconnect(self) -> None:
        """Go on with another connection; what the failed one has not written is forgotten."""
        self._producer.close()
        self._producer = self._broker.producer()
        self._clocks.repeat()

    def stages(self) -> dict[TopicPartition, InputPartition]:
        """Return the partitions as metrics know them, with the lag of the last look."""
        found = {}
        opener, idle_after = self._plan.opener(self._topic), self._idle_after
        for number in self.states:
            place = TopicPartition(self._topic, number)
            stage = self._stages.get(number) or InputPartition(
                self._sketch(number), opener, idle_after
            )
            stage.lag = self._lags.get(number)
            found[place] = self._stages[number] = stage
        return found

    def close(self) -> None:
        """Give up the connections."""
        self._producer.close()
        self._log.close()

    @property
    def _idle_after(self) -> int:
        return self._plan.config.limits.idle_after

    def _look(self) -> None:
        """Take up partitions that are new; stop where another driver has taken the topic."""
        found = self._log.topics(frozenset([self._topic]))
        info = found.get(self._topic, self.topics[self._topic])
        self._records.refresh()
        if any(self._records.superseded(self._key(number)) for number in self.states):
            raise SparkError(
                f"another query has taken {self._topic} over since this one began: stop this one"
            )
        if any(self._records.written_by_workers(self._key(number)) for number in self.states):
            raise SparkError(
                f"driftline run still reads {self._topic}, so events count twice: stop its workers "
                "with SIGTERM, then start the query again"
            )
        if info != self.topics[self._topic]:
            self.topics[self._topic] = info
            self._begin()

    def _require_order(self, batch: int) -> None:
        """Refuse a batch of another checkpoint than the one that is on record."""
        known = [state.batch for state in self.states.values() if state.batch is not None]
        newest = max(known, default=None)
        if newest is None:
            if self._fresh and batch > 0:
                raise SparkError(
                    f"the checkpoint is at batch {batch}, and {self._plan.output('state')} knows "
                    f"nothing of {self._topic}: start the query with a checkpoint of its own"
                )
        elif batch < newest:
            self._begin_anew(batch, newest)
        elif batch > newest + 1:
            raise self._other_checkpoint(batch, newest)

    def _begin_anew(self, batch: int, newest: int) -> None:
        """Go on with a new checkpoint where the old one's last batch was made known whole."""
        handover = Handover(self._plan, self._topic, self._log, self._records, self.topics)
        if not self._take_over:
            raise self._other_checkpoint(batch, newest)
        if handover.sent_beyond(self.states):
            raise SparkError(
                f"the last batch of {self._topic} was sent and not recorded: start the query with "
                f"the checkpoint that is at batch {newest}"
            )
        self.states = {
            number: msgspec.structs.replace(state, batch=None)
            for number, state in self.states.items()
        }
        self._record(self.states)

    def _other_checkpoint(self, batch: int, newest: int) -> SparkError:
        return SparkError(
            f"{self._plan.output('state')} is at batch {newest} of {self._topic}, the checkpoint "
            f"at {batch}: give the query the checkpoint that it had, or a new one with "
            "take_over=True and the offsets of starting_offsets"
        )

    def _require_whole(self, batch: int, counted: Counted) -> None:
        """Refuse a partition that is not read once, in order, from where it was to be read on."""
        seen: set[int] = set()
        for one in counted.states:
            place = f"{self._topic}[{one.partition}]"
            if one.partition in seen:
                raise SparkError(
                    f"{place} was split over tasks: take minPartitions, maxRecordsPerPartition and "
                    "repartition away from the stream"
                )
            seen.add(one.partition)
            known = self.states[one.partition]
            done = known.batch == batch
            if (done and one.until > known.position) or (
                not done and known.batch is not None and one.first < known.position
            ):
                raise SparkError(
                    f"batch {batch} has {place} from {one.first} to {one.until}, and it is on "
                    f"record up to {known.position}: give the query the checkpoint that it had"
                )
            if one.partition in self._unmet and not done:
                self._require_next(one)
            self._unmet.discard(one.partition)

    def _require_next(self, one: CountedState) -> None:
        """Refuse a stream that begins behind what is on record: what lies between would be lost."""
        place, known = TopicPartition(self._topic, one.partition), self.states[one.partition]
        if one.first <= known.position:
            return
        between = self._log.read({place: known.position}, {place: one.first})
        if next(iter(between), None) is not None:
            raise SparkError(
                f"the stream begins at {one.first} of {self._topic}[{one.partition}], which is on "
                f"record up to {known.position}, so what lies between would never be counted: give "
                "it the startingOffsets that starting_offsets returns"
            )

    def _sketch(self, number: int) -> PartitionSketch:
        place = TopicPartition(self._topic, number)
        return sketch_of(
            self._plan, place, len(self.states), self.states[number], self._clock(),
            InputTotals(), self._outputs,
        )  # fmt: skip

    def _now(self, number: int, sketch: PartitionSketch) -> SketchState:
        """Return the state of a sketch as the record of a batch that is done."""
        known = self.states[number]
        return msgspec.structs.replace(
            sketch.state() or known, body=SPARK, batch=known.batch, awaited=known.awaited
        )

    def _report(self, outputs: Iterable[Output]) -> None:
        """Send what a partition makes known; its horizons are for the driver's clocks."""
        for output in outputs:
            if isinstance(output, Horizon):
                self._clocks.advance(output)
            else:
                self._producer.send(self._outputs.message(output))

    def _send(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            self._producer.send(self._outputs.message(output))

    def _record(self, states: Mapping[int, SketchState]) -> None:
        """Write states and wait until they are written."""
        awaited = self._clocks.awaited
        for number, state in states.items():
            if number == 0:
                state = msgspec.structs.replace(state, awaited=awaited)
                self.states[0] = state
            for message in self._messages(number, state):
                self._producer.send(message)
        self._producer.flush()

    def _messages(self, number: int, state: SketchState) -> list[Message]:
        return self._records.messages(self._key(number), state)

    def _key(self, number: int) -> str:
        return sketch_key(TopicPartition(self._topic, number))


def topics_of(plan: Plan, topic: str, log: Log) -> dict[str, TopicInfo]:
    """Return the input and the topics that are written to, as the broker has them.

    Raises:
        LogError: one is missing.
    """
    outputs = ["panes", "state", "dead-letter", *(["joins"] if plan.labelled else [])]
    names = frozenset([topic, *map(plan.output, outputs)])
    found = log.topics(names)
    absent = sorted(names - found.keys())
    if absent:
        raise LogError(f"there is no topic {absent[0]}: run  driftline topics create")
    return found
