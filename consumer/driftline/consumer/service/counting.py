"""The stage on an input partition, whose events are counted; and which of them wait for others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from driftline.consumer.log.protocol import Consumer, Gap, Record, TopicPartition
from driftline.consumer.service.formats import RecordOpener
from driftline.consumer.service.stage import Batch, Due, Ends
from driftline.consumer.service.states import sketch_key
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.totals import Output, model_of
from driftline.consumer.wire.messages import Horizon, together

ROUNDS = 6
"""How often silent ones among many models are looked for in `idle_after`."""
SELDOM = 5
"""Of that number of checkpoints one records the state of many models."""


class InputPartition:
    """Feeds the sketch of one input partition.

    Args:
        sketch: of the partition.
        opener: of its topic's records.
        idle_after: silence, and the age of an open transaction, after which it is reported; ms.
        judges: how many partitions the log of panes has, where the horizons of many
            models are sent together; None: each is sent alone.

    Attributes:
        lag: offsets between position and end as they were at the last look; None: not known yet.
        held: the offset at which an open transaction keeps the rest from being read, and since
            when, wall-clock time in ms; None where none does.
        newest: timestamp of the last record read, ms; -1 before the first.
        read: records read since the last look at who is ahead.
    """

    kind: ClassVar[str] = "sketch"
    at_once: ClassVar[int] = 10_000  # what a poll brings: the more rows, the less one costs

    def __init__(
        self,
        sketch: PartitionSketch,
        opener: RecordOpener,
        idle_after: int,
        judges: int | None = None,
    ) -> None:
        self.sketch = sketch
        self.failures = sketch.failures
        self._opener = opener
        self._idle_after = idle_after
        self._judges = judges
        self._round = -1  # of looks at silent models, by the wall clock
        self._asked = 0  # for what is to be recorded
        self.lag: int | None = None
        self.held: tuple[int, int] | None = None
        self.newest = -1
        self.read = 0

    @property
    def next(self) -> int:
        """See `Stage.next`."""
        return self.sketch.next

    @property
    def position(self) -> int:
        """See `Stage.position`."""
        return self.sketch.position

    @property
    def outdated(self) -> bool:
        """See `Stage.outdated`; while the past is read again no state says how far it has come."""
        return self.sketch.settled and self.next >= self.position

    def claim(self) -> Sequence[Batch]:
        """Return the first records of a new owner."""
        return [self._all_models(self.sketch.claim())]

    def feed(self, records: Sequence[Record], now: int) -> Sequence[Batch]:
        """Count records."""
        self.newest = records[-1].timestamp
        self.read += len(records)
        return [_batch(self.sketch.feed(self._opener.open(records), now))]

    def lost(self, gap: Gap) -> Sequence[Batch]:
        """Go on after records that were deleted; the next record reports the loss."""
        self.sketch.lost(gap)
        return ()

    def tick(self, now: int) -> Sequence[Batch]:
        """Return the marks of models that are silent, if the partition is read to its end."""
        if self.lag != 0:
            return ()
        self.sketch.at_the_end()
        if self._judges is not None:
            before, self._round = self._round, now * ROUNDS // self._idle_after
            if self._round == before:
                return ()
        return [
            self._all_models([*self.sketch.stale(now), *self.sketch.idle(now, self._idle_after)])
        ]

    def hold(self, offset: int | None, now: int) -> Sequence[Batch]:
        """Note where an open transaction holds the partition at `now`; return what this changes."""
        if offset is None or self.held is None or self.held[0] != offset:
            self.held = None if offset is None else (offset, now)
        long = self.held is not None and now - self.held[1] >= self._idle_after
        return [self._all_models(self.sketch.hold(held=long))]

    def due(self, ends: Ends, *, whole: bool) -> Sequence[Due]:
        """Return the one state of all models; of very many not every time, unless `whole`.

        It is megabytes then, of which a few seconds of events change most.
        """
        self._asked += 1
        if self._judges is not None and not whole and self._asked % SELDOM:
            return ()
        return [Due(sketch_key(self.sketch.source), None, self.sketch.state)]

    def release(self, sent: Mapping[str, Sequence[int]]) -> Batch:
        """Forget kept panes that were sent, by model their starts; return how far these are."""
        kept = self.sketch.kept
        horizons = [kept.release(name, starts) for name, starts in sent.items()]
        return self._all_models([each for each in horizons if each is not None])

    def fail(self, name: str, error: Exception) -> None:
        """Let a model rest as it was before what was done last."""
        self.sketch.fail(name, error)

    def _all_models(self, outputs: Sequence[Output]) -> Batch:
        """Return what does not come of events: of many models their horizons go together.

        Behind all else, so that panes are still before the horizons that they belong to.
        """
        if self._judges is None:
            return _batch(outputs)
        horizons = [each for each in outputs if isinstance(each, Horizon)]
        others = [each for each in outputs if not isinstance(each, Horizon)]
        return [*_batch(others), *((None, each) for each in together(horizons, self._judges))]


def _batch(outputs: Iterable[Output]) -> Batch:
    return [(model_of(output), output) for output in outputs]


class Pauses:
    """Pauses partitions that are more than one longest window ahead in event time.

    Args:
        consumer: reads them.
        longest_window: of any model, ms.
    """

    def __init__(self, consumer: Consumer, longest_window: int) -> None:
        self._consumer = consumer
        self.longest_window = longest_window
        self._paused: frozenset[TopicPartition] = frozenset()

    def forget(self) -> None:
        """Begin anew: all partitions have been resumed."""
        self._paused = frozenset()

    def let_the_furthest_behind_catch_up(
        self, inputs: Mapping[TopicPartition, InputPartition]
    ) -> None:
        """Pause those that are ahead of it, and resume the others.

        A partition that keeps up is not behind, however old its event times: nothing is gained by
        waiting for it. It does if less is left than was read since the last look, or if all that
        is left waits for an open transaction.
        """
        found = {at: each.sketch.event_time() for at, each in inputs.items()}
        times = {at: time for at, time in found.items() if time is not None}
        behind = [
            time
            for at, time in times.items()
            if inputs[at].held is None
            and ((lag := inputs[at].lag) is None or lag > inputs[at].read)
        ]
        for each in inputs.values():
            each.read = 0
        limit = min(behind, default=None)
        latest = None if limit is None else limit + self.longest_window
        ahead = frozenset(at for at, time in times.items() if latest is not None and time > latest)
        self._consumer.pause(ahead - self._paused)
        self._consumer.resume(self._paused - ahead)
        self._paused = ahead
