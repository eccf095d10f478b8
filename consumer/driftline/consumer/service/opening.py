"""How a stage begins when this worker comes to own its partition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from driftline.consumer.config.names import JOIN, JUDGE, SKETCH
from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.state import JoinState
from driftline.consumer.judge.comparison.judge import ComparisonState
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.judge.succession import RetiredJudge
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log, Ownership, TopicInfo, TopicPartition
from driftline.consumer.log.topics import FLEET
from driftline.consumer.service.bodies import require_body
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.joining import JoinsPartition
from driftline.consumer.service.judging import Judge, PanesPartition, sent_alerts
from driftline.consumer.service.lives import Beginning, beginning, lives_of
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.stage import Stage
from driftline.consumer.service.states import States, join_key, judge_key, sketch_key
from driftline.consumer.service.topics import recreated
from driftline.consumer.sketch.failures import Failures
from driftline.consumer.sketch.join_progress import JoinProgress
from driftline.consumer.sketch.state import WORKER, ModelProgress, SketchState
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.wire.messages import partition_of

# Those of who applies a model, and of the broker.
_CLOCKS_APART_MS = 10 * 60_000
# A judge looks at the wall clock for what lasts minutes at least; of very many each once in 10 s.
_ROUNDS = 10

S = TypeVar("S", JoinState, JudgeState, ComparisonState)


class Opening:
    """Finds the state of a stage, or where a first start begins.

    Args:
        plan: what is watched.
        log: the log outside the group.
        states: the log of states, refreshed by the caller.
        topics: what the broker says of the topics; kept up to date by the caller.
    """

    def __init__(self, plan: Plan, log: Log, states: States, topics: dict[str, TopicInfo]) -> None:
        self.plan = plan
        self.log = log
        self.states = states
        self.topics = topics
        self._kinds = {plan.output(name): open_stage for name, open_stage in STAGES.items()}
        self._ranks = {topic: rank for rank, topic in enumerate(self._kinds, 1)}

    def rank(self, partition: TopicPartition) -> int:
        """Return the place of a partition's stage in the order in which data flows."""
        return self._ranks.get(partition.topic, 0)

    def stage(self, partition: TopicPartition, generation: int) -> Stage:
        """Return the stage of a partition that is no input, as of its state.

        Raises:
            LogError: the topic was re-created, or has another number of partitions.
        """
        return self._kinds[partition.topic](self, partition, generation)

    def input(
        self, partition: TopicPartition, state: SketchState, totals: InputTotals, now: int
    ) -> InputPartition:
        """Return the stage of an input partition, as of a state; `totals`: of its topic."""
        plan, partitions = self.plan, self.topics[partition.topic].partitions
        targets = self.topics[plan.output("joins")].partitions if plan.joined else 0
        sketch = plan.sketch(partition, partitions, state, now, totals, targets)
        if plan.config.output.merge_panes:
            sketch.kept.keep()
        opener = plan.opener(partition.topic)
        judges = self.topics[plan.output("panes")].partitions
        many = judges if len(plan.models) > FLEET else None
        return InputPartition(sketch, opener, plan.config.limits.idle_after, many)

    def input_states(
        self, partitions: Sequence[TopicPartition], ownership: Ownership, now: int
    ) -> dict[TopicPartition, SketchState]:
        """Return the state from which each input partition goes on, under a new generation.

        Raises:
            LogError: a topic was re-created since it was last read, or another body reads it.
        """
        for topic in sorted({place.topic for place in partitions}):
            require_body(self.states, self.topics[topic], WORKER)
        return self.recorded(partitions, ownership, now)

    def recorded(
        self, partitions: Sequence[TopicPartition], ownership: Ownership, now: int
    ) -> dict[TopicPartition, SketchState]:
        """Return the same, whichever body wrote them."""
        find = self.states.find
        states = {at: find(sketch_key(at), SketchState) for at in partitions}
        starts = self._first_offsets([p for p, state in states.items() if state is None], now)
        found = {}
        for partition, known in states.items():
            info = self.topics[partition.topic]
            if known is None:
                count = self._first_partitions(partition.topic)
                start = starts[partition]
                new = SketchState(info.topic_id, 0, start, start, -1, {})
                begun = self._beginnings(partition.topic, new)
                known = SketchState(
                    topic_id=info.topic_id,
                    partitions=info.partitions if count is None else count,
                    position=start,
                    rewind=start,
                    generation=-1,
                    models={
                        n: _counting(each, start, now) for n, each in begun.items() if each.counts
                    },
                    joins={
                        n: _sending(each, start, now) for n, each in begun.items() if each.sends
                    },
                )
            elif known.topic_id != info.topic_id:
                raise LogError(recreated(partition.topic))
            else:
                known = self._with_new_models(partition, known, now)
            generation = self.states.own(sketch_key(partition), ownership.generation)
            found[partition] = msgspec.structs.replace(known, generation=generation)
        return found

    def _with_new_models(
        self, partition: TopicPartition, known: SketchState, now: int
    ) -> SketchState:
        """Let models that were applied since count what was written since, wherever others are."""
        new = self._beginnings(partition.topic, known)
        if not new:
            return known
        starts = {
            name: self.log.offsets_at(frozenset([partition]), each.version.at)[partition]
            for name, each in new.items()
        }
        models = {n: _counting(each, starts[n], now) for n, each in new.items() if each.counts}
        joins = {n: _sending(each, starts[n], now) for n, each in new.items() if each.sends}
        behind = {
            name: start
            for name, start in starts.items()
            if start < known.position and (name in models or name not in known.models)
        }
        return msgspec.structs.replace(
            known,
            rewind=min([known.rewind, *behind.values()]),
            needed=known.rewind if known.needed is None else known.needed,
            models=known.models | models,
            joins=known.joins | joins,
            behind=known.behind | behind,
        )

    def _beginnings(self, topic: str, known: SketchState) -> dict[str, Beginning]:
        """Return what begins of applied models in a partition whose state is known."""
        return {
            name: found
            for name, versions in self.plan.versions.items()
            if (found := beginning(versions, topic, known.models.get(name), known.joins.get(name)))
        }

    def joins(self, partition: TopicPartition, generation: int) -> JoinsPartition:
        """Return the joins of one partition of the log of joins, each as of its state."""
        info, number = self.topics[partition.topic], partition.partition
        begin = self.log.begin_offsets(frozenset([partition]))[partition]
        joins: dict[str, ModelJoin] = {}
        failures = Failures()
        for name in self.plan.joined:
            known = self._joined(name, partition, begin, info)
            if known is None:
                continue
            self.states.own(join_key(number, name), generation)
            with failures.guard(name):
                joins[name] = self.plan.join(name, number, info.partitions, known)
        end = self.log.end_offsets(frozenset([partition]))[partition]
        rewinds = [join.rewind for join in joins.values()]
        return JoinsPartition(number, joins, min(rewinds, default=end), failures)

    def _joined(
        self, name: str, partition: TopicPartition, begin: int, info: TopicInfo
    ) -> JoinState | None:
        """Return the state of a join; None where a model is removed, and all before was joined.

        The next life of an applied model begins anew, with what was sent since it was applied.
        """
        state = self._state(join_key(partition.partition, name), JoinState, begin, info)
        versions = self.plan.versions.get(name)
        if not versions:
            return state
        lives = [each for each in lives_of(versions) if each.labelled]
        if not state.sources:  # it is new: of the oldest that is known
            state.life = lives[0].first
        elif state.life is msgspec.UNSET:
            state.life = lives[-1].first
        for life in lives:
            if life.first < (state.life or 0):
                continue
            if life.first > (state.life or 0):
                at = life.versions[0].at - _CLOCKS_APART_MS
                since = max(begin, self.log.offsets_at(frozenset([partition]), at)[partition])
                state = JoinState(since, since, info.topic_id, info.partitions, life=life.first)
            if life.joining(state)[0] is not None:
                return state
        return None

    def panes(self, partition: TopicPartition, generation: int) -> PanesPartition:
        """Return the judges of one partition of the log of panes, each as of its state."""
        info = self.topics[partition.topic]
        count = info.partitions
        alerts = self.plan.output("alerts")
        begin = self.log.begin_offsets(frozenset([partition]))[partition]
        judges: dict[str, Judge] = {}
        failures = Failures()
        for name in (*self.plan.models, *self.plan.comparisons):
            if partition_of(name, count) != partition.partition:
                continue
            judge = self._judge(name, info, self._begin(name, partition, begin), failures)
            if judge is not None:
                judges[name] = judge
                self.states.own(judge_key(name), generation)
        known = {name: (judge.name, judge.alert_ends) for name, judge in judges.items()}
        sent = sent_alerts(self.log, alerts, self.topics[alerts].partitions, known)
        rewinds = [judge.rewind for judge in judges.values()]
        end = self.log.end_offsets(frozenset([partition]))[partition]
        rounds = _ROUNDS if len(self.plan.models) > FLEET else 1
        return PanesPartition(judges, sent, min(rewinds, default=end), end, failures, rounds)

    def _begin(self, name: str, partition: TopicPartition, begin: int) -> int:
        """Return where a model without a state begins: what lies before was written before it."""
        versions = self.plan.versions.get(name)
        if not versions or self.states.find(judge_key(name), JudgeState) is not None:
            return begin
        at = versions[0].at - _CLOCKS_APART_MS
        return max(begin, self.log.offsets_at(frozenset([partition]), at)[partition])

    def _judge(self, name: str, info: TopicInfo, begin: int, failures: Failures) -> Judge | None:
        """Return the judge of a model or comparison, as of its state; None where that fails."""
        key = judge_key(name)
        if (comparison := self.plan.comparisons.get(name)) is not None:
            known = self._state(key, ComparisonState, begin, info)
            with failures.guard(name):
                return comparison.judge(known)
            return None
        state = self._state(key, JudgeState, begin, info)
        if state.version and state.version.removed:
            retired = RetiredJudge(name, state)
            if not retired.outdated:
                return retired
            state = retired.state()  # it was applied again before its former life was over
        with failures.guard(name):
            return self.plan.judge(name, state)
        return None

    def _state(self, key: str, kind: type[S], begin: int, info: TopicInfo) -> S:
        """Return a state on a log between stages, else a new one that begins at `begin`."""
        state = self.states.find(key, kind)
        if state is None:
            return kind(begin, begin, info.topic_id, info.partitions)
        if (state.topic_id, state.partitions) != (info.topic_id, info.partitions):
            raise LogError(
                f"the topic {info.name} was re-created or its number of partitions was changed "
                "since Driftline last read it, so what is known of it means nothing any more: "
                "set output.prefix to a new name"
            )
        return state

    def _first_offsets(
        self, partitions: Sequence[TopicPartition], now: int
    ) -> dict[TopicPartition, int]:
        """Return where a first start begins; partitions added later begin at their beginning."""
        if not partitions:
            return {}
        everything = frozenset(partitions)
        offsets = self.log.begin_offsets(everything)
        start = self.plan.config.kafka.start
        if start.kind == "earliest":
            return offsets
        counts = {p: self._first_partitions(p.topic) for p in everything}
        original = frozenset(
            p for p, count in counts.items() if count is None or p.partition < count
        )
        if start.kind == "latest":
            return offsets | self.log.end_offsets(original)
        at = start.ms if start.kind == "time" else now - start.ms
        return offsets | self.log.offsets_at(original, at)

    def _first_partitions(self, topic: str) -> int | None:
        """Return how many partitions a topic had at the very first start, None before it."""
        places = (TopicPartition(topic, n) for n in range(self.topics[topic].partitions))
        known = (self.states.find(sketch_key(place), SketchState) for place in places)
        return min((state.partitions for state in known if state is not None), default=None)


STAGES: dict[str, Callable[[Opening, TopicPartition, int], Stage]] = {
    "joins": Opening.joins,
    "panes": Opening.panes,
}
"""Short name of an output topic that is read again to what opens its stage, in the order in which
data flows. Before them come the inputs."""


def _counting(life: Beginning, start: int, now: int) -> ModelProgress:
    """Return the progress of a model that begins; what is of a former life was counted then."""
    return ModelProgress(start, now, horizon=life.version.change.first or None)


def _sending(life: Beginning, start: int, now: int) -> JoinProgress:
    """Return the same of its rows."""
    return JoinProgress(now, begun=(life.first, start))


def inputs_read(plan: Plan) -> frozenset[str]:
    """Return the input topics that a worker reads: none where it does not run sketch."""
    return plan.inputs if SKETCH in plan.config.stages else frozenset()


def topics_read(plan: Plan) -> frozenset[str]:
    """Return the topics that the stages of a worker read: those that run the same share them."""
    left = {"joins": JOIN not in plan.config.stages or not plan.joined}
    left |= {"panes": JUDGE not in plan.config.stages}
    again = [name for name in STAGES if not left.get(name, False)]
    return inputs_read(plan) | set(map(plan.output, again))


def topics_joined(plan: Plan) -> frozenset[str]:
    """Return the topics that a worker subscribes to.

    Where it has nothing to read, because no model was applied yet, that is the topic of models, of
    which it wants nothing in this way: a member of the group has to name one.
    """
    return topics_read(plan) or frozenset([plan.output("models")])
