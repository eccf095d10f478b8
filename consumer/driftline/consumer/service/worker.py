"""One worker: it feeds the stages whose partitions it owns and keeps the restart protocol.

Each stage is a deterministic function of the log it reads. `checkpoint` is the whole protocol, in
numbered steps; how often it runs is free and costs re-reading only.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import cache
from itertools import groupby
from operator import itemgetter

from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.protocol import (
    Consumer,
    Log,
    Message,
    Ownership,
    Polled,
    Producer,
    TopicInfo,
    TopicPartition,
)
from driftline.consumer.service.bodies import require_still
from driftline.consumer.service.counting import InputPartition, Pauses
from driftline.consumer.service.following import FollowedPlan, concerns
from driftline.consumer.service.merging import Merging
from driftline.consumer.service.messages import Outputs
from driftline.consumer.service.opening import Opening, inputs_read, topics_joined, topics_read
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.stage import Batch, Stage
from driftline.consumer.service.states import States, sketch_key
from driftline.consumer.service.status import Status
from driftline.consumer.service.topics import Topics

# Below the group's session timeout: a worker that slept longer may own nothing any more.
_SURE_OF_OWNERSHIP_MS = 8_000
POLL_S = 0.2
"""How long a poll waits for records, seconds."""
TICK_MS = 1_000
"""From one look at the wall clock to the next."""
CHECKPOINT_MS = 2_000
"""From one record of the states that moved to the next."""
WHOLE_MS = 60_000
"""The same of all states."""
BODIES_MS = 30_000
"""From one look at whether another body has taken an input over to the next."""
# Thousands of models take minutes to be opened, and so do windows of theirs that end at once. What
# is not done by then is done after another poll: until then the group, a supervisor that asks
# whether the worker lives, a signal to stop and the checkpoints wait.
_STEP_MS = 2_000
# Records that took longer together, such as the first of thousands of models, are fed by half as
# many the next time.
_LONG_MS = 10_000
# Input partitions that are opened together: what that writes is acknowledged before the next.
_INPUTS_AT_ONCE = 16


def collect_seldom() -> None:
    """Let Python look for garbage in cycles once in 20,000 new objects, not in 700; for a process.

    A poll brings 10,000 records, none of which is ever part of a cycle: 6 % of all CPU time.
    """
    gc.set_threshold(20_000, 10, 10)


class LongLived:
    """Lets Python look for garbage in cycles among what came later than the stages; for a process.

    Of 20,000 models there are ten million objects. To look at all of them takes seconds in which no
    other thread runs, not that which tells the group that the worker lives either; and while stages
    are opened it is done again whenever there are a quarter more.

    Args:
        status: of the worker, which tells how far it is.
    """

    def __init__(self, status: Status) -> None:
        self._status = status
        self._seen = (0, -1)  # partitions to be opened, and the generation

    def look(self) -> None:
        """Pass over what was opened since the last look, to be called after each step."""
        before, self._seen = self._seen, (self._status.unopened, self._status.generation)
        if self._seen == before:
            return
        if self._seen[0] == 0 <= before[1]:  # stages of former owners may be gone
            gc.unfreeze()
            gc.collect()
        gc.freeze()


class Worker:
    """Runs the stages of the partitions that the group lets it own.

    Args:
        plan: what is watched.
        consumer: a member of the group, subscribed to `topics_joined`.
        producer: writes in order.
        log: the log outside the group.
        topics: all topics of the plan, as the broker has them.
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
        self._outputs = Outputs(plan, topics)
        self._states = States(
            log, plan.output("state"), self._outputs.partitions("state"), plan.config.kafka.group
        )
        self._opening = Opening(plan, log, self._states, topics)
        # Without models in the configuration, those hold that were applied.
        self._followed = None if plan.config.models else FollowedPlan(plan, log)
        self._ownership: Ownership | None = None
        self._stages: dict[TopicPartition, Stage] = {}  # in the order in which data flows
        self._unopened: list[TopicPartition] = []  # those whose stage is to be opened, so ordered
        self._lengths: dict[TopicPartition, int] = {}  # records to be fed together
        self._pauses = Pauses(consumer, plan.longest_window)
        self._merging = Merging(log, self._states)
        self._polled = self._ticked = self._checkpointed = self._whole = self._looked = clock()
        self.status = Status(plan) if status is None else status

    def step(self, timeout: float = POLL_S) -> bool:
        """Poll once and let what came have its effect; return whether anything came."""
        with self._topics.explained():
            if (changed := self._follow(self._clock())) and self._ownership is not None:
                self._open_again(self._ownership, changed)
            polled = self._consumer.poll(0.0 if self._unopened else timeout)
            self._polled = self.status.polled = now = self._clock()
            if polled.ownership is not None:
                self._open_again(polled.ownership, self._follow(now, at_once=True))
            elif self._ownership is not None and self._unopened:
                self._open_some(self._ownership)
            # Not after what came: that may take so long that ownership is not sure any more.
            if now - self._checkpointed >= CHECKPOINT_MS:
                self.checkpoint(whole=now - self._whole >= WHOLE_MS)
            for gap in polled.gaps:
                if (stage := self._stages.get(gap.partition)) is not None:
                    self._send(stage, stage.lost(gap))
            self._feed(polled, now)
            if self._topics.look(now) and now - self._looked >= BODIES_MS:
                self._require_inputs(now)
            if now - self._ticked >= TICK_MS and not self._unopened:
                self._ticked = now
                self._tick(now)
            return bool(polled.records or polled.gaps or polled.ownership is not None)

    def checkpoint(self, *, whole: bool = True, last: bool = False) -> None:
        """Make what was done survive: the order of the steps is the promise.

        `whole`: also of models that were silent since, which then have less to read again. `last`:
        before the worker ends, which then leaves nothing to be sent.
        """
        # Step 1: kept panes go, and everything sent is acknowledged. Were the state recorded first,
        # a crash between the two would lose what was never written.
        if (now := self._clock()) - self._polled < _SURE_OF_OWNERSHIP_MS:
            for lead, batches in self._merging.due(self._stages, now, whole=last):
                self._send(lead, batches)
        self._producer.flush()
        self._checkpointed = now = self._clock()
        # Step 2: a worker that slept may have been replaced; only a poll shows it.
        if now - self._polled >= _SURE_OF_OWNERSHIP_MS:
            return
        self._whole = now if whole else self._whole
        # Step 3: the state of every stage that moved. A stage that still reads its past again
        # has none, so its older record holds.
        ends = cache(self._ends)
        for stage in self._stages.values():
            self.status.polled = self._clock()  # thousands of states take long: it is alive
            for due in stage.due(ends, whole=whole):
                messages: list[Message] = []
                with _safely(stage, due.model):
                    if (state := due.state()) is not None:
                        messages = self._states.messages(due.key, state)
                self._write(messages)
        self._producer.flush()
        # Step 4: the group's offsets, for lag tools only.
        stages = self._stages.items()
        offsets = {at: stage.next for at, stage in stages if stage.next >= stage.position}
        if offsets:
            self._consumer.commit(offsets)
        self.status.checkpointed = now

    def close(self) -> None:
        """Stop clean: record what was done, then leave the group."""
        self.checkpoint(last=True)
        self._consumer.close()
        self._producer.close()

    def _own(self, ownership: Ownership) -> None:
        """Drop the stages that are gone, and begin to open those that are new."""
        self._ownership = ownership
        self._stages = {at: stage for at, stage in self._stages.items() if at in ownership.kept}
        self._states.refresh()
        self._topics.update(inputs_read(self._plan))
        # Another worker may know of a topic already that this one is about to hear of.
        known = {at for at in ownership.partitions if at.topic in topics_read(self._plan)}
        new = sorted(known - self._stages.keys())
        self._unopened = sorted(new, key=self._opening.rank)
        if not any(at.topic in inputs_read(self._plan) for at in new):
            self._acknowledge()  # else with what the inputs write
        self._open_some(ownership)

    def _open_some(self, ownership: Ownership) -> None:
        """Open stages as long as there is time, each from its state; none is read before all are.

        So what they know is as of the change of ownership, however long it takes: nobody else
        writes of them.
        """
        inputs, over, opened = inputs_read(self._plan), self._clock() + _STEP_MS, 0
        while self._unopened and not (opened and self._clock() >= over):
            at = self._unopened[0]
            new = [at]
            if at.topic in inputs:
                new = [each for each in self._unopened if each.topic in inputs][:_INPUTS_AT_ONCE]
            for each, stage in self._opened(new, ownership).items():
                self._send(stage, stage.claim())
                self._consumer.seek(each, stage.next)
                self._stages[each] = stage
            opened += 1
            del self._unopened[: len(new)]
            self.status.polled = self._clock()  # opening is work too: the worker is alive
        self.status.unopened = len(self._unopened)
        if self._unopened:
            return
        self._stages = dict(sorted(self._stages.items(), key=lambda at: self._opening.rank(at[0])))
        self.status.own(ownership, self._stages)
        for at, stage in self.status.of(InputPartition).items():
            stage.sketch.partitions = self._topics.found[at.topic].partitions
        self._consumer.resume(self._stages.keys())
        self._pauses.forget()

    def _opened(
        self, new: Sequence[TopicPartition], ownership: Ownership
    ) -> dict[TopicPartition, Stage]:
        """Return stages, each as of its state: all of them of inputs, or none."""
        if new[0].topic not in inputs_read(self._plan):
            return {at: self._opening.stage(at, ownership.generation) for at in new}
        now = self._clock()
        stages: dict[TopicPartition, Stage] = {}
        for at, state in self._opening.input_states(new, ownership, now).items():
            self._write(self._states.messages(sketch_key(at), state))
            stages[at] = self._opening.input(at, state, self.status.totals[at.topic], now)
        self._acknowledge()
        if self._plan.config.output.merge_panes:
            self._merging.begin(stages)
        return stages

    def _acknowledge(self) -> None:
        """Let the generation be on record before the claim that uses it, and the group's name.

        Of two groups that start at once on the same topics one finds the other's.
        """
        self._producer.flush()
        self._states.refresh()

    def _follow(self, now: int, *, at_once: bool = False) -> frozenset[TopicPartition]:
        """Take up what was applied; return the partitions whose stages it concerns."""
        if self._followed is None:
            return frozenset()
        before = self._plan
        changed = {at for at, stage in self._stages.items() if stage.outdated}
        if self._followed.look(now, at_once=at_once or bool(changed)):
            self._watch(after := self._followed.plan)
            changed |= {at for at in self._stages if concerns(before, after, at)}
            if (topics := topics_joined(after)) != topics_joined(before):
                self._topics.forget(before.inputs - after.inputs)
                self._consumer.subscribe(topics)
        return frozenset(changed)

    def _open_again(self, ownership: Ownership, changed: frozenset[TopicPartition]) -> None:
        """Own partitions, and open the stages of some of them anew, each from its state."""
        if changed:
            self.checkpoint()
        kept = ownership.kept if ownership is not self._ownership else frozenset(self._stages)
        self._own(replace(ownership, kept=kept - changed))

    def _watch(self, plan: Plan) -> None:
        """Follow another plan."""
        self._plan = self._opening.plan = plan
        self._topics.update(inputs_read(plan))
        self._pauses.longest_window = plan.longest_window
        self.status.watch(plan)

    def _feed(self, polled: Polled, now: int) -> None:
        """Let records have their effect, as far as there is time; note how long that took."""
        began = last = self._timer()
        over, fed = self._clock() + _STEP_MS, 0
        for partition, records in polled.records.items():
            if (stage := self._stages.get(partition)) is None:
                continue
            done, length = 0, self._lengths.get(partition, stage.at_once)
            while done < len(records) and not (fed and self._clock() >= over):
                begun = self._clock()
                self._send(stage, stage.feed(records[done : done + length], now))
                self.status.polled = self._clock()  # the worker is alive
                fed, done, took = fed + 1, done + length, self.status.polled - begun
                if took > _LONG_MS:
                    length = max(1, length // 2)
                elif took < _STEP_MS:
                    length = min(stage.at_once, 2 * length)
            self._lengths[partition] = length
            if stage.next != records[-1].offset + 1:  # further: what lies between, nobody needs
                self._consumer.seek(partition, stage.next)
            before, last = last, self._timer()
            self.status.observe_windows(last - before, self._clock)
        if polled.records:
            self.status.batch_processing.observe(last - began)

    def _require_inputs(self, now: int) -> None:
        """End where another body has taken an input over, which was not to be while this one runs.

        What was done since is recorded first: by that the other one learns of it too.

        Raises:
            LogError: one has.
        """
        self._looked = now
        try:
            with suppress(WorkerLost):  # away again: there is no haste
                require_still(self._states, self.status.of(InputPartition), self._topics.found)
        except LogError:
            self.checkpoint(whole=False)
            raise

    def _tick(self, now: int) -> None:
        """Look at the wall clock: silent partitions, held clocks, and who runs ahead."""
        inputs = self.status.of(InputPartition)
        for partition, each in inputs.items():
            each.lag = self._consumer.lag(partition)
        marked = [self._send(each, each.tick(now)) for each in inputs.values()]
        if any(marked):
            # A mark is true when it is made. Were it on its way for long, it would let the clock
            # pass events that have come since.
            self._producer.flush()
        for partition, stage in self._stages.items():
            if partition not in inputs:
                self._send(stage, stage.tick(now))
        for partition, each in inputs.items():
            self._send(each, each.hold(self._consumer.held(partition), now))
        self._pauses.let_the_furthest_behind_catch_up(inputs)

    def _send(self, stage: Stage, batches: Iterable[Batch]) -> bool:
        """Send what a stage makes known; nothing of a model whose part cannot be written.

        Returns:
            Whether anything was sent.
        """
        sent = False
        for batch in batches:
            messages = []
            for name, own in groupby(batch, itemgetter(0)):
                with _safely(stage, name):
                    messages += [(name, each, self._outputs.message(each)) for _, each in own]
            for name, output, message in messages:
                if name not in stage.failures:
                    self._producer.send(message)
                    self.status.sent(output)
                    sent = True
        return sent

    def _write(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._producer.send(message)

    def _ends(self, output: str) -> list[int]:
        """Return the end of each partition of an output topic."""
        topic, count = self._plan.output(output), self._outputs.partitions(output)
        partitions = [TopicPartition(topic, number) for number in range(count)]
        ends = self._log.end_offsets(frozenset(partitions))
        return [ends.get(partition, 0) for partition in partitions]


def _safely(stage: Stage, model: str | None) -> AbstractContextManager[object, bool | None]:
    """Let a model of a stage fail alone; an error of no model alone ends the worker."""
    return nullcontext() if model is None else stage.failures.guard(model, stage.fail)
