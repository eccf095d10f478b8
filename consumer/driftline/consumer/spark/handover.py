"""Where a query begins: with what is on record, after a worker, or at the start of a topic.

A worker leaves panes open, which were counted from O on, before R, and may have been sent as they
stood. They are counted again here, once, by the driver, and sent as the worker's parts, with the
same `first` and no smaller `until`: so they replace those. Then nothing is open, and O = R.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import msgspec

from driftline.consumer.log.protocol import Gap, Log, Ownership, Record, TopicInfo, TopicPartition
from driftline.consumer.service.bodies import require_body, sent_beyond
from driftline.consumer.service.messages import Outputs
from driftline.consumer.service.opening import Opening
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.states import States, sketch_key
from driftline.consumer.sketch.state import SPARK, WORKER, SketchState
from driftline.consumer.sketch.totals import InputTotals, Output
from driftline.consumer.spark.counted import sketch_of
from driftline.consumer.spark.errors import SparkError

_RECORDS = 10_000


@dataclass(frozen=True)
class Beginning:
    """What a query begins with.

    Attributes:
        states: of each partition, under a new ownership, not on record yet.
        parts: what was open and is to be sent before they are.
        fresh: whether nothing was on record.
    """

    states: dict[int, SketchState]
    parts: list[Output]
    fresh: bool


class Handover:
    """Finds where to begin.

    Args:
        plan: what is watched.
        topic: the input.
        log: the log outside the group.
        records: the log of states, refreshed by the caller.
        topics: the input and the topics that it writes to, as the broker has them.
    """

    def __init__(
        self, plan: Plan, topic: str, log: Log, records: States, topics: dict[str, TopicInfo]
    ) -> None:
        self._plan, self._log, self._records, self._topics = plan, log, records, topics
        self._info = topics[topic]
        self._opening = Opening(plan, log, records, topics)
        self._outputs = Outputs(plan, topics)
        self._state, self._panes = (topics[plan.output(name)] for name in ("state", "panes"))
        count = self._info.partitions
        self._places = [TopicPartition(topic, number) for number in range(count)]

    def begin(self, now: int, *, take_over: bool) -> Beginning:
        """Return what the query begins with at `now` (wall clock, ms).

        Args:
            now: as above.
            take_over: whether a topic that workers have read may be taken over.

        Raises:
            LogError: workers read it, or it was made again.
            SparkError: workers were killed, or a model of theirs has failed.
        """
        left = [place for place in self._places if self._records.body(place) == WORKER]
        if not take_over:
            require_body(self._records, self._info, SPARK)
        known = {place: self._records.body(place) for place in self._places}
        ownership = Ownership(0, frozenset(self._places), frozenset())
        found = self._opening.recorded(self._places, ownership, now)
        states = {place.partition: state for place, state in found.items()}
        parts: list[Output] = []
        if left:
            self._require_whole({place.partition: states[place.partition] for place in left})
            awaited = self._awaited(states)
            for place in left:
                sent, states[place.partition] = self._cut(place, states[place.partition], now)
                parts += sent
            states[0] = msgspec.structs.replace(states[0], awaited=awaited)
        states = {n: msgspec.structs.replace(state, body=SPARK) for n, state in states.items()}
        return Beginning(states, parts, fresh=not any(known.values()))

    def sent_beyond(self, states: Mapping[int, SketchState]) -> bool:
        """Return whether counts were sent that states know nothing of; see `bodies.sent_beyond`."""
        known = {TopicPartition(self._info.name, n): state for n, state in states.items()}
        return sent_beyond(self._log, self._state, self._panes, known)

    def _require_whole(self, states: Mapping[int, SketchState]) -> None:
        """Refuse what workers left unfinished."""
        topic = self._info.name
        failed = sorted({name for state in states.values() for name in state.behind})
        if failed:
            raise SparkError(
                f"{failed[0]} failed in driftline run and is behind the other models of {topic}: "
                "mend it and let driftline run catch up, then take over"
            )
        if self.sent_beyond(states):
            raise SparkError(
                f"driftline run was killed after it had sent counts of {topic} that are not on "
                "record: start it again, stop it with SIGTERM, then take over"
            )

    def _cut(
        self, place: TopicPartition, state: SketchState, now: int
    ) -> tuple[list[Output], SketchState]:
        """Count again what a worker left open; return it, and the state without anything open."""
        partitions = self._info.partitions
        sketch = sketch_of(self._plan, place, partitions, state, now, InputTotals(), self._outputs)
        if state.rewind < state.position:
            begin = self._log.begin_offsets(frozenset([place]))[place]
            if begin > state.rewind:
                sketch.lost(Gap(place, state.rewind, begin))
            opener = self._plan.opener(place.topic)
            for some in _runs(self._log.read({place: state.rewind}, {place: state.position})):
                sketch.feed(opener.open(some), now)
            sketch.at_the_end()
        parts, after = sketch.cut(), sketch.state()
        if sketch.failures or after is None:
            raise SparkError(
                f"what driftline run left open of {place.topic}[{place.partition}] cannot be "
                f"counted again ({dict(sketch.failures)!r}): let driftline run read the topic"
            )
        return parts, after

    def _awaited(self, states: Mapping[int, SketchState]) -> dict[str, int]:
        """Return how far the furthest partition of each model is, of all its topics (ms).

        Judge may have any partition that far: a silent one counts as having come as far as any.
        """
        found = dict(states[0].awaited)
        others = {t for m in self._plan.config.models.values() for t in m.predictions}
        infos = self._log.topics(frozenset(others - {self._info.name}))
        elsewhere = [
            self._records.find(sketch_key(TopicPartition(info.name, number)), SketchState)
            for info in infos.values()
            for number in range(info.partitions)
        ]
        for state in (*states.values(), *elsewhere):
            for name, model in () if state is None else state.models.items():
                if model.horizon is not None:
                    found[name] = max(model.horizon, found.get(name, model.horizon))
        own = self._plan.models_of(self._info.name)
        return {name: time for name, time in found.items() if name in own}


def _runs(records: Iterator[Record]) -> Iterator[list[Record]]:
    while some := list(islice(records, _RECORDS)):
        yield some
