"""One worker: it feeds the stages whose partitions it owns and keeps the restart protocol.

Each stage is a deterministic function of the log it reads. `checkpoint` is the whole protocol, in
numbered steps; how often it runs is free and costs re-reading only.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

import msgspec

from driftline.consumer.log.protocol import (
    Consumer,
    Gap,
    Headers,
    Log,
    Message,
    Ownership,
    Producer,
    Record,
    TopicInfo,
    TopicPartition,
)
from driftline.consumer.service.joining import JoinsPartition
from driftline.consumer.service.joining import Outputs as Joined
from driftline.consumer.service.judging import Outputs as Judged
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.messages import cloud_event, dead_letter_message
from driftline.consumer.service.opening import Opening
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.states import States, join_key, judge_key, sketch_key
from driftline.consumer.service.status import Status
from driftline.consumer.service.topics import Topics
from driftline.consumer.sketch.blocks import BlockWriter
from driftline.consumer.sketch.partition import Output, PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import DeadLetter, model_of
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Block, partition_of
from driftline.consumer.wire.records import Alert, Verdict
from driftline.producer.records.timestamp import EARLIEST

# Below the group's session timeout: a worker that slept longer may own nothing any more.
_SURE_OF_OWNERSHIP_MS = 8_000
_TICK_MS = 1_000
_CHECKPOINT_MS = 2_000
_WHOLE_MS = 60_000


def collect_seldom() -> None:
    """Let Python look for garbage in cycles once in 20,000 new objects, not in 700; for a process.

    A poll brings 10,000 records, none of which is ever part of a cycle: 6 % of all CPU time.
    """
    gc.set_threshold(20_000, 10, 10)


class Worker:
    """Runs the stages of the partitions that the group lets it own.

    Args:
        plan: what is watched.
        consumer: a member of the group, subscribed to the inputs and the logs between stages.
        producer: writes in order.
        log: the log outside the group.
        topics: what the broker says of all topics of the plan.
        clock: the wall clock, ms; only idle and stale marks and the pace of checkpoints use it,
            and an age in the metrics.
        timer: a monotonic clock, seconds; for the metrics only.
        status: what others read of it; None makes one.
    """

    def __init__(
        self,
        plan: Plan,
        consumer: Consumer,
        producer: Producer,
        log: Log,
        topics: dict[str, TopicInfo],
        clock: Callable[[], int],
        timer: Callable[[], float] = time.perf_counter,
        status: Status | None = None,
    ) -> None:
        self._plan = plan
        self._consumer = consumer
        self._producer = producer
        self._log = log
        self._topics = Topics(log, topics, clock())
        self._clock = clock
        self._timer = timer
        self._states = States(
            log, plan.output("state"), self._count("state"), plan.config.kafka.group
        )
        self._opening = Opening(plan, log, self._states, topics)
        self._sketches: dict[TopicPartition, PartitionSketch] = {}
        self._joins: dict[TopicPartition, JoinsPartition] = {}
        self._panes: dict[TopicPartition, PanesPartition] = {}
        self._paused: frozenset[TopicPartition] = frozenset()
        self._written: dict[TopicPartition, int] = {}  # input -> timestamp of the last record read
        self._read: Counter[TopicPartition] = Counter()  # records of inputs since the last tick
        self._polled = self._ticked = self._checkpointed = self._whole = clock()
        self.status = Status(plan) if status is None else status

    def step(self, timeout: float = 0.2) -> bool:
        """Poll once and let what came have its effect; return whether anything came."""
        with self._topics.explained():
            polled = self._consumer.poll(timeout)
            self._polled = self.status.polled = now = self._clock()
            if polled.ownership is not None:
                self._own(polled.ownership, now)
            # Not after what came: that may take so long that ownership is not sure any more.
            if now - self._checkpointed >= _CHECKPOINT_MS:
                self.checkpoint(whole=now - self._whole >= _WHOLE_MS)
            for gap in polled.gaps:
                self._lost(gap)
            began = self._timer()
            for partition, records in polled.records.items():
                following = self._feed(partition, records, now)
                if following > records[-1].offset + 1:  # what lies between, nobody needs any more
                    self._consumer.seek(partition, following)
            if polled.records:
                self.status.batch_processing.observe(self._timer() - began)
            self._topics.look(now)
            if now - self._ticked >= _TICK_MS:
                self._ticked = now
                self._tick(now)
            return bool(polled.records or polled.gaps or polled.ownership is not None)

    def checkpoint(self, *, whole: bool = True) -> None:
        """Make what was done survive: the order of the steps is the promise.

        `whole`: also of models that were silent since, which then have less to read again.
        """
        # Step 1: everything sent is acknowledged. Were the state recorded first, a crash between
        # the two would lose what was never written.
        self._producer.flush()
        self._checkpointed = now = self._clock()
        # Step 2: a worker that slept may have been replaced; only a poll tells.
        if now - self._polled >= _SURE_OF_OWNERSHIP_MS:
            return
        self._whole = now if whole else self._whole
        # Step 3: the state of every stage that moved. A stage that still reads its past again
        # has none, so its older record holds.
        offsets = {}
        ends = self._alert_ends()
        for partition, sketch in self._sketches.items():
            state = sketch.state()
            if state is not None:
                self._send(self._states.messages(sketch_key(partition), state))
                offsets[partition] = state.position
        for partition, joins in self._joins.items():
            for name in joins.due(whole):
                key, messages = join_key(partition.partition, name), []
                with joins.safely(name):
                    if (joined := joins.joins[name].state()) is not None:
                        messages = self._states.messages(key, joined)
                self._send(messages)
            offsets[partition] = joins.next
        for partition, panes in self._panes.items():
            for name in panes.due(whole):
                judge, messages = panes.judges[name], []
                if panes.all_passed(name):
                    judge.alert_ends = ends
                with panes.safely(name):
                    messages = self._states.messages(judge_key(name), judge.state())
                self._send(messages)
            offsets[partition] = panes.next
        self._producer.flush()
        # Step 4: the group's offsets, for lag tools only.
        if offsets:
            self._consumer.commit(offsets)
        self.status.checkpointed = now

    def close(self) -> None:
        """Stop clean: record what was done, then leave the group."""
        self.checkpoint()
        self._consumer.close()
        self._producer.close()

    def _own(self, ownership: Ownership, now: int) -> None:
        """Drop the stages that are gone and open those that are new, each from its state."""
        kept = ownership.kept
        self._sketches = {p: stage for p, stage in self._sketches.items() if p in kept}
        self._joins = {p: stage for p, stage in self._joins.items() if p in kept}
        self._panes = {p: stage for p, stage in self._panes.items() if p in kept}
        self._written = {p: at for p, at in self._written.items() if p in kept}
        self._states.refresh()
        self._topics.update(self._plan.inputs)
        new = sorted(ownership.partitions - ownership.kept)
        inputs = [partition for partition in new if partition.topic in self._plan.inputs]
        for partition, state in self._opening.sketch_states(inputs, ownership, now).items():
            self._send(self._states.messages(sketch_key(partition), state))
            self._sketches[partition] = PartitionSketch(
                partition,
                self._count_of(partition.topic),
                self._plan.decoder(partition.topic)
                if self._plan.models_of(partition.topic)
                else None,
                self._plan.sketch_models(partition.topic),
                state,
                now,
                self.status.totals[partition.topic],
                self._writer(partition.topic, state, now),
            )
        # The generation is on record before the claim that uses it. So is the group's name: of two
        # groups that start at once on the same topics one finds the other's.
        self._producer.flush()
        self._states.refresh()
        for partition in inputs:
            self._send_sketched(self._sketches[partition], self._sketches[partition].claim())
            self._consumer.seek(partition, self._sketches[partition].next)
        for partition in new:
            if partition.topic == self._plan.output("joins"):
                self._joins[partition] = self._opening.joins(partition, ownership.generation)
                self._send_joined(self._joins[partition], self._joins[partition].claim())
                self._consumer.seek(partition, self._joins[partition].next)
                self.status.polled = self._clock()
            elif partition.topic == self._plan.output("panes"):
                self._panes[partition] = self._opening.panes(partition, ownership.generation)
                self._consumer.seek(partition, self._panes[partition].next)
                self.status.polled = self._clock()  # opening is work too: the worker is alive
        for partition, sketch in self._sketches.items():
            sketch.partitions = self._count_of(partition.topic)
        self._consumer.resume(ownership.partitions)
        self._paused = frozenset()
        self.status.own(ownership, self._sketches, self._panes, self._joins)

    def _feed(self, partition: TopicPartition, records: Sequence[Record], now: int) -> int:
        """Let records have their effect; return the offset at which reading goes on."""
        if (sketch := self._sketches.get(partition)) is not None:
            self._written[partition] = records[-1].timestamp
            self._read[partition] += len(records)
            self._send_sketched(sketch, sketch.feed(records, now))
            return sketch.next
        if (joins := self._joins.get(partition)) is not None:
            self._send_joined(joins, joins.feed(records))
            return joins.next
        if (panes := self._panes.get(partition)) is not None:
            began, before = self._timer(), self.status.windows.copy()
            self._send_judged(panes, panes.feed(records))
            judged = self.status.windows - before
            if judged:
                self.status.window_evaluation.observe(self._timer() - began)
            for name in judged:
                self._observe_delay(name)
            return panes.next
        return 0

    def _observe_delay(self, name: str) -> None:
        """Note how old the newest input record of a model is whose verdicts were just sent."""
        model = self._plan.config.models.get(name)
        topics = () if model is None else model.predictions  # of a comparison none
        newest = max((at for p, at in self._written.items() if p.topic in topics), default=-1)
        if newest >= EARLIEST:  # else another worker reads its input, or the records say no time
            self.status.end_to_end.observe(max(self._clock() - newest, 0) / 1000)

    def _lost(self, gap: Gap) -> None:
        if (sketch := self._sketches.get(gap.partition)) is not None:
            sketch.lost(gap)
        elif (joins := self._joins.get(gap.partition)) is not None:
            self._send_joined(joins, joins.lost(gap))
        elif (panes := self._panes.get(gap.partition)) is not None:
            self._send_judged(panes, panes.lost(gap))

    def _tick(self, now: int) -> None:
        """Look at the wall clock: silent partitions, held clocks, and who runs ahead."""
        marked = False
        lags = {partition: self._consumer.lag(partition) for partition in self._sketches}
        for partition, sketch in self._sketches.items():
            if lags[partition] == 0:
                sketch.at_the_end()
                idle_after = self._plan.config.limits.idle_after
                marks = [*sketch.stale(now), *sketch.idle(now, idle_after)]
                self._send_sketched(sketch, marks)
                marked = marked or bool(marks)
        if marked:
            # A mark is true when it is made. Were it on its way for long, it would let the clock
            # pass events that have come since.
            self._producer.flush()
        for panes in self._panes.values():
            self._send_judged(panes, panes.tick(now))
        held = {p: at for p in self._sketches if (at := self._consumer.held(p)) is not None}
        self._let_the_furthest_behind_catch_up(lags, held)
        self.status.lag = lags
        self.status.hold(held, now)
        for partition, sketch in self._sketches.items():
            known = self.status.held.get(partition)
            long = known is not None and now - known[1] >= self._plan.config.limits.idle_after
            self._send_sketched(sketch, sketch.hold(held=long))

    def _let_the_furthest_behind_catch_up(
        self, lags: Mapping[TopicPartition, int | None], held: Container[TopicPartition]
    ) -> None:
        """Pause partitions that are more than one longest window ahead in event time.

        A partition that keeps up is not behind, however old its event times: nothing is gained by
        waiting for it. It does if less is left than was read since the last look, or if all that
        is left waits for an open transaction.
        """
        times = {p: s.event_time() for p, s in self._sketches.items()}
        behind = [
            time
            for p, time in times.items()
            if time is not None
            and p not in held
            and ((lag := lags[p]) is None or lag > self._read[p])
        ]
        self._read.clear()
        limit = min(behind, default=None)
        ahead = frozenset(
            p
            for p, time in times.items()
            if limit is not None and time is not None and time > limit + self._plan.longest_window
        )
        self._consumer.pause(ahead - self._paused)
        self._consumer.resume(self._paused - ahead)
        self._paused = ahead

    def _send_sketched(self, sketch: PartitionSketch, outputs: Iterable[Output]) -> None:
        """Send what a partition makes known; nothing of a model whose part cannot be written."""
        messages: list[tuple[str | None, Message]] = []
        for output in outputs:
            name = model_of(output)
            try:
                messages.append((name, self._counted(output)))
            except Exception as error:
                if name is None:
                    raise
                sketch.fail(name, error)
        for name, message in messages:
            if name not in sketch.failures:
                self._producer.send(message)

    def _counted(self, output: Output) -> Message:
        if isinstance(output, DeadLetter):
            letters = self._plan.output("dead-letter")
            return dead_letter_message(output, letters, self._count("dead-letter"))
        if isinstance(output, Block):
            return Message(self._plan.output("joins"), output.target, None, encode(output))
        key, count = output.model, self._count("panes")
        return Message(
            self._plan.output("panes"), partition_of(key, count), key.encode(), encode(output)
        )

    def _send_joined(self, joins: JoinsPartition, found: Iterable[Joined]) -> None:
        for name, outputs in found:
            messages: list[Message] = []
            with joins.safely(name):
                messages = [self._counted(output) for output in outputs]
            self._send(messages)

    def _send_judged(self, panes: PanesPartition, found: Iterable[Judged]) -> None:
        for name, outputs in found:
            messages: list[Message] = []
            with panes.safely(name):
                messages = [self._judged(output) for output in outputs]
            for output, message in zip(outputs, messages, strict=False):
                self._producer.send(message)
                if isinstance(output, Alert):
                    self.status.alert(output)
                else:
                    self.status.verdict(output)

    def _judged(self, output: Verdict | Alert) -> Message:
        name, key = "verdicts", output.stream
        headers: Headers = ()
        if isinstance(output, Alert):
            name, key, headers = "alerts", output.alert_id, cloud_event(output, self._plan)
        return Message(
            self._plan.output(name),
            partition_of(key, self._count(name)),
            key.encode(),
            msgspec.json.encode(output),
            headers,
        )

    def _alert_ends(self) -> list[int]:
        topic, count = self._plan.output("alerts"), self._count("alerts")
        partitions = [TopicPartition(topic, number) for number in range(count)]
        ends = self._log.end_offsets(frozenset(partitions)) if self._panes else {}
        return [ends.get(partition, 0) for partition in partitions]

    def _send(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._producer.send(message)

    def _writer(self, topic: str, state: SketchState, now: int) -> BlockWriter | None:
        if not self._plan.labelled:
            return None
        return self._plan.writer(topic, self._count("joins"), state.joins, now)

    def _count(self, output: str) -> int:
        return self._count_of(self._plan.output(output))

    def _count_of(self, topic: str) -> int:
        return self._topics.found[topic].partitions
