"""Panes of a worker's partitions of one topic are added up before they are sent.

Where partitions times models are many, their panes are small and many. A worker holds a final pane
until its other partitions have closed theirs, or for a while, and sends one sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from msgspec.structs import replace

from driftline.consumer.log.protocol import Log, TopicPartition
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.stage import Batch, Stage
from driftline.consumer.service.states import States, sketch_key
from driftline.consumer.sketch.kept_panes import KeptPane
from driftline.consumer.sketch.pane_counts import added_releases, merged
from driftline.consumer.wire.messages import Loss, Pane

WAIT_MS = 10_000
"""For how long a final pane waits for those of a worker's other partitions."""


class _Waiting(NamedTuple):
    """A pane of a partition that may be sent."""

    stage: InputPartition
    pane: KeptPane


class Merging:
    """Chooses which of the panes that are kept are sent, and adds them up.

    It knows nothing that a new owner would need.

    Args:
        log: tells where partitions end.
        states: tell who owns them.
    """

    def __init__(self, log: Log, states: States) -> None:
        self._log, self._states = log, states
        self._since: dict[tuple[str, str, int], int] = {}  # when each was seen first, wall clock

    def begin(self, owned: Mapping[TopicPartition, Stage]) -> None:
        """Note what former owners can have read, once the claim of this one is on record."""
        inputs = {at: each for at, each in owned.items() if isinstance(each, InputPartition)}
        ends = self._log.end_offsets(frozenset(inputs)) if inputs else {}
        for place, stage in inputs.items():
            stage.sketch.kept.begun = ends[place]

    def due(
        self, owned: Mapping[TopicPartition, Stage], now: int, *, whole: bool
    ) -> Iterator[tuple[InputPartition, Sequence[Batch]]]:
        """Yield what is to be sent, each with the stage that it is of.

        Panes first, then how far their models have come, but for those that fail with their panes.

        Args:
            owned: the stages of a worker. Of a partition that another worker has claimed since,
                which may have read less, nothing goes.
            now: wall clock, ms.
            whole: whether none is to wait any longer.
        """
        stages: dict[str, list[InputPartition]] = defaultdict(list)
        found: dict[tuple[str, str, int], list[_Waiting]] = defaultdict(list)
        inputs = [(at, each) for at, each in owned.items() if isinstance(each, InputPartition)]
        for place, stage in sorted(inputs, key=itemgetter(0)):
            stages[place.topic].append(stage)
            for pane in stage.sketch.kept.panes() if stage.next >= stage.position else ():
                found[place.topic, pane.model, pane.start].append(_Waiting(stage, pane))
        self._since = {key: self._since.get(key, now) for key in found}
        found = {
            key: waiting
            for key, waiting in found.items()
            if whole or now - self._since[key] >= WAIT_MS or _complete(waiting, stages[key[0]])
        }
        mine = self._still_owned(found)
        sent: dict[InputPartition, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for (_, model, start), waiting in sorted(found.items()):
            for group in _groups([each for each in waiting if each.stage in mine]):
                lead, batch = group[0].stage, list[tuple[str | None, Pane | Loss]]()
                with lead.failures.guard(model, lead.fail):
                    batch = [(model, message) for message in _messages(group)]
                yield lead, [batch]
                for each in group if model not in lead.failures else ():
                    sent[each.stage][model].append(start)
        for stage, panes in sent.items():
            yield stage, [stage.release(panes)]

    def _still_owned(self, found: Mapping[Any, Sequence[_Waiting]]) -> set[InputPartition]:
        """Return the stages that nobody else has claimed."""
        stages = {each.stage for waiting in found.values() for each in waiting}
        keys = {stage: sketch_key(stage.sketch.source) for stage in stages}
        if stages:
            self._states.look(frozenset(keys.values()))
        return {stage for stage, key in keys.items() if self._states.owns(key)}


def _complete(waiting: Sequence[_Waiting], stages: Sequence[InputPartition]) -> bool:
    """Return whether no other partition has more of a pane to come."""
    (_, pane), here = waiting[0], {each.stage for each in waiting}
    return all(
        stage in here
        or (
            stage.next >= stage.position
            and stage.sketch.kept.closed(pane.model, pane.end, read=stage.lag == 0)
        )
        for stage in stages
    )


def _groups(waiting: Sequence[_Waiting]) -> Iterator[Sequence[_Waiting]]:
    """Yield what is sent together: what may have been sent, or has no counts, goes alone."""
    together: dict[tuple[str, int], list[_Waiting]] = defaultdict(list)
    for each in waiting:
        found = each.pane.found
        if each.pane.alone or not isinstance(found, tuple):
            yield [each]
        else:
            model = found[0].model
            together[model.layout_id, model.pane].append(each)
    yield from together.values()


def _messages(group: Sequence[_Waiting]) -> Sequence[Pane | Loss]:
    """Return panes as one message; each alone, where that would be too large."""
    counts = [each.pane.found for each in group if isinstance(each.pane.found, tuple)]
    if not counts:
        return [each.pane.found for each in group if not isinstance(each.pane.found, tuple)]
    alone = [[*pane.messages(s.source, s.partition, s.until)] for pane, s in counts]
    messages = [*chain.from_iterable(alone)]
    if len(counts) < 2:
        return messages
    pane, source = counts[0]
    total = [*merged(messages, pane.model, source)]
    if len(total) > 1:
        return messages
    parts = [part for own in alone for part in own[0].whole]
    # Judge knows as many values of a tag as all parts have, each at most 32.
    return [replace(total[0], parts=parts, releases=added_releases([own[0] for own in alone]))]
