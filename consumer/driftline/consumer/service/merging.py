"""Panes of a worker's partitions of one topic are added up before they are sent.

Where partitions times models are many, their panes are small and many. A worker holds a final pane
until its other partitions have closed theirs, or for a while, and sends one sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from msgspec.structs import replace

from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.stage import Batch, Stage
from driftline.consumer.sketch.kept_panes import KeptPane
from driftline.consumer.sketch.pane_counts import merged
from driftline.consumer.wire.messages import Pane

WAIT_MS = 10_000
"""For how long a final pane waits for those of a worker's other partitions."""


class _Waiting(NamedTuple):
    """A pane of a partition that may be sent."""

    stage: InputPartition
    pane: KeptPane


class Merging:
    """Chooses which of the panes that are kept are sent, and adds them up.

    It knows nothing that a new owner would need.
    """

    def __init__(self) -> None:
        self._since: dict[tuple[str, str, int], int] = {}  # when each was seen first, wall clock

    def due(
        self, owned: Mapping[TopicPartition, Stage], now: int, *, whole: bool
    ) -> Iterator[tuple[InputPartition, Sequence[Batch]]]:
        """Yield what is to be sent, each with the stage that it is of.

        Panes first, then how far their models have come: of one that fails when its panes are to be
        sent nothing is said.

        Args:
            owned: the stages of a worker; what is on record of input partitions may go.
            now: wall clock, ms.
            whole: whether none is to wait any longer.
        """
        stages: dict[str, list[InputPartition]] = defaultdict(list)
        found: dict[tuple[str, str, int], list[_Waiting]] = defaultdict(list)
        inputs = [(at, each) for at, each in owned.items() if isinstance(each, InputPartition)]
        for place, stage in sorted(inputs, key=itemgetter(0)):
            stages[place.topic].append(stage)
            for pane in stage.sketch.kept.on_record() if stage.next >= stage.position else ():
                found[place.topic, pane.model, pane.start].append(_Waiting(stage, pane))
        self._since = {key: self._since.get(key, now) for key in found}
        sent: dict[InputPartition, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for (topic, model, start), waiting in sorted(found.items()):
            since = self._since[topic, model, start]
            if not (whole or now - since >= WAIT_MS or _complete(waiting, stages[topic])):
                continue
            for group in _groups(waiting):
                lead, batch = group[0].stage, list[tuple[str | None, Pane]]()
                with lead.failures.guard(model, lead.fail):
                    batch = [(model, message) for message in _messages(group)]
                yield lead, [batch]
                for each in group if model not in lead.failures else ():
                    sent[each.stage][model].append(start)
        for stage, panes in sent.items():
            yield stage, [stage.release(panes)]


def _complete(waiting: Sequence[_Waiting], stages: Sequence[InputPartition]) -> bool:
    """Return whether no other partition has more of a pane to come."""
    (_, pane), here = waiting[0], {each.stage for each in waiting}
    if pane.counts is None:
        return True
    return all(
        stage in here or stage.sketch.kept.closed(pane.model, pane.end, read=stage.lag == 0)
        for stage in stages
    )


def _groups(waiting: Sequence[_Waiting]) -> Iterator[Sequence[_Waiting]]:
    """Yield what is sent together: what may have been sent already, or has gone, goes alone."""
    together: dict[tuple[str, int], list[_Waiting]] = defaultdict(list)
    for each in waiting:
        if each.pane.alone or each.pane.counts is None:
            yield [each]
        else:
            model = each.pane.counts[0].model
            together[model.layout_id, model.pane].append(each)
    yield from together.values()


def _messages(group: Sequence[_Waiting]) -> Sequence[Pane]:
    """Return panes as one message; each alone, where that would be too large."""
    counts = [each.pane.counts for each in group if each.pane.counts is not None]
    alone = [[*pane.messages(s.source, s.partition, s.until)] for pane, s in counts]
    messages = [*chain.from_iterable(alone)]
    if len(counts) < 2:
        return messages
    pane, source = counts[0]
    total = [*merged(messages, pane.model, source)]
    if len(total) > 1:
        return messages
    return [replace(total[0], parts=[part for own in alone for part in own[0].whole])]
