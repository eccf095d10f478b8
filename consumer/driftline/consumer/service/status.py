"""What a worker knows of itself and its models, for metrics, health and logs.

Counters only grow, also when a partition goes to another worker; the figures of a model are
forgotten with the model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple

from driftline.consumer.log.protocol import Ownership, TopicPartition
from driftline.consumer.service.joining import JoinsPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.wire.records import Alert, Verdict

_WORK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds
_DELAY = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600)  # seconds


class Histogram:
    """Durations, counted by their size.

    Args:
        bounds: upper bounds of the buckets in seconds, ascending; one above them is added.

    Example:
        >>> durations = Histogram([0.1, 1])
        >>> for seconds in (0.1, 0.5, 7):
        ...     durations.observe(seconds)
        >>> durations.cumulative(), round(durations.sum, 3)
        ([(0.1, 1), (1, 2), (inf, 3)], 7.6)
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = (*bounds, float("inf"))
        self._counts = [0] * len(self._bounds)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.sum += seconds

    def cumulative(self) -> list[tuple[float, int]]:
        """Return (upper bound, durations up to it) of every bucket."""
        return list(zip(self._bounds, accumulate(self._counts), strict=True))


class ModelFailure(NamedTuple):
    """An unexpected error of one model: nothing more is done for it here until a restart.

    Attributes:
        model: its name in the logs; of a comparison too.
        stage: `sketch`, `join` or `judge`.
        partition: whose stage it is.
        error: what was raised.
    """

    model: str
    stage: str
    partition: TopicPartition
    error: Exception


class Status:
    """Updated by the worker, read by the metrics and health pages of the same process.

    Attributes:
        plan: what is watched.
        totals: counts of the records read, by input topic.
        lag: records between position and end, by input partition.
        held: input partitions whose rest waits for an open transaction: the offset at which it
            does, and since when, wall-clock time in ms.
        verdicts: by model, the newest verdict of each (stream, feature).
        alerts: records published, by (model, kind, severity, status).
        windows: windows of events judged, by model.
        sketches, panes, joins: the stages that run here now.
        generation: the group's, -1 before the first ownership.
        checkpointed: wall-clock time of the last checkpoint, ms; None before the first.
        polled: wall-clock time of the last poll, ms; None before the first.
        away: why the broker cannot be reached, while the start waits for it; else None.
        batch_processing, window_evaluation, end_to_end: durations; the metrics say of what.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.totals: dict[str, InputTotals] = {
            topic: InputTotals() for topic in sorted(plan.inputs)
        }
        self.lag: dict[TopicPartition, int | None] = {}
        self.held: dict[TopicPartition, tuple[int, int]] = {}
        self.verdicts: dict[str, dict[tuple[str, str], Verdict]] = {}
        self.alerts: Counter[tuple[str, str, str, str]] = Counter()
        self.windows: Counter[str] = Counter()
        self.sketches: Mapping[TopicPartition, PartitionSketch] = {}
        self.panes: Mapping[TopicPartition, PanesPartition] = {}
        self.joins: Mapping[TopicPartition, JoinsPartition] = {}
        self.generation = -1
        self.checkpointed: int | None = None
        self.polled: int | None = None
        self.away: str | None = None
        self.batch_processing = Histogram(_WORK)
        self.window_evaluation = Histogram(_WORK)
        self.end_to_end = Histogram(_DELAY)
        self._last_window: dict[str, str] = {}

    def own(
        self,
        ownership: Ownership,
        sketches: Mapping[TopicPartition, PartitionSketch],
        panes: Mapping[TopicPartition, PanesPartition],
        joins: Mapping[TopicPartition, JoinsPartition] = MappingProxyType({}),
    ) -> None:
        """Note a change of ownership; forget the models that went to another worker."""
        self.generation = ownership.generation
        self.sketches, self.panes, self.joins = sketches, panes, joins
        here = self.models()
        self.verdicts = {name: seen for name, seen in self.verdicts.items() if name in here}
        self.lag = {partition: lag for partition, lag in self.lag.items() if partition in sketches}
        self.held = {partition: at for partition, at in self.held.items() if partition in sketches}

    def hold(self, held: Mapping[TopicPartition, int], now: int) -> None:
        """Note which input partitions an open transaction holds at `now` (ms), each with where."""
        self.held = {
            partition: known
            if (known := self.held.get(partition)) is not None and known[0] == offset
            else (offset, now)
            for partition, offset in held.items()
        }

    def models(self) -> frozenset[str]:
        """Return the models that are judged here."""
        return frozenset(name for panes in self.panes.values() for name in panes.judges)

    def failures(self) -> list[ModelFailure]:
        """Return the models that failed here, in the order of their names."""
        stages = (("sketch", self.sketches), ("join", self.joins), ("judge", self.panes))
        return sorted(
            (
                ModelFailure(name, stage, partition, error)
                for stage, parts in stages
                for partition, part in parts.items()
                for name, error in part.failures.items()
            ),
            key=lambda failure: failure[:3],
        )

    def verdict(self, verdict: Verdict) -> None:
        """Note a verdict."""
        newest = self.verdicts.setdefault(verdict.model, {})
        newest[verdict.stream, verdict.feature] = verdict
        if verdict.type == "performance":
            return  # its windows end with the labels', which come later
        if self._last_window.get(verdict.model) != verdict.window.end:
            self._last_window[verdict.model] = verdict.window.end
            self.windows[verdict.model] += 1

    def alert(self, alert: Alert) -> None:
        """Note a published alert record."""
        self.alerts[alert.model, alert.kind, alert.severity, alert.status] += 1

    def catching_up(self) -> list[str]:
        """Return what is not ready yet, one sentence each; empty when all is."""
        if self.generation < 0:
            return ["no partitions yet: waiting for the group"]
        return [
            f"{partition.topic}[{partition.partition}] is read again from {sketch.next} "
            f"to {sketch.position}"
            for partition, sketch in self.sketches.items()
            if sketch.next < sketch.position
        ]
