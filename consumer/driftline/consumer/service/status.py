"""What a worker knows of itself and its models, for metrics, health and logs.

Counters only grow, also when a partition goes to another worker; the figures of a model are
forgotten with the model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeVar

from driftline.consumer.log.protocol import Ownership, TopicPartition
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.stage import Stage
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.wire.records import EVENTS, JOINT, Alert, Verdict
from driftline.producer.records.timestamp import EARLIEST

S = TypeVar("S", bound=Stage)

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
        stage: `sketch`, `join` or `judge`: its kind.
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
        verdicts: by model, the newest verdict of each (stream, feature).
        alerts: records published, by (model, kind, severity, status).
        budgeted: alerts that the budget's rules fired, by model.
        windows: windows of events that are over, by model; `judged`: those of them in which any
            feature of the whole model was judged.
        stages: what runs here now, in the order in which data flows.
        generation: the group's, -1 before the first ownership.
        unopened: partitions that are owned, and whose stages are still to be opened.
        checkpointed: wall-clock time of the last checkpoint, ms; None before the first.
        polled: wall-clock time of the last poll, or of a part of its work that was done since,
            ms; None before the first.
        away: why the broker cannot be reached, while the start waits for it; else None.
        batch_processing, window_evaluation, end_to_end: durations; the metrics say of what.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.totals: dict[str, InputTotals] = {
            topic: InputTotals() for topic in sorted(plan.inputs)
        }
        self.verdicts: dict[str, dict[tuple[str, str], Verdict]] = {}
        self.alerts: Counter[tuple[str, str, str, str]] = Counter()
        self.budgeted: Counter[str] = Counter()
        self.windows: Counter[str] = Counter()
        self.judged: Counter[str] = Counter()
        self.stages: Mapping[TopicPartition, Stage] = {}
        self.generation = -1
        self.unopened = 0
        self.checkpointed: int | None = None
        self.polled: int | None = None
        self.away: str | None = None
        self.batch_processing = Histogram(_WORK)
        self.window_evaluation = Histogram(_WORK)
        self.end_to_end = Histogram(_DELAY)
        self._last_window: dict[str, str] = {}
        self._last_judged: dict[str, str] = {}
        self._judged: set[str] = set()  # models, since the last look

    def watch(self, plan: Plan) -> None:
        """Note that other models are watched from now on."""
        self.plan = plan
        for topic in plan.inputs:
            self.totals.setdefault(topic, InputTotals())

    def own(self, ownership: Ownership, stages: Mapping[TopicPartition, Stage]) -> None:
        """Note a change of ownership; forget the models that went to another worker."""
        self.generation = ownership.generation
        self.stages = stages
        here = self.models()
        self.verdicts = {name: seen for name, seen in self.verdicts.items() if name in here}

    def of(self, kind: type[S]) -> dict[TopicPartition, S]:
        """Return the stages of one kind that run here now."""
        return {at: stage for at, stage in self.stages.items() if isinstance(stage, kind)}

    def models(self) -> frozenset[str]:
        """Return the models that are judged here."""
        return frozenset(name for panes in self.of(PanesPartition).values() for name in panes.parts)

    def failures(self) -> list[ModelFailure]:
        """Return the models that failed here, in the order of their names."""
        return sorted(
            (
                ModelFailure(name, stage.kind, partition, error)
                for partition, stage in self.stages.items()
                for name, error in stage.failures.items()
            ),
            key=lambda failure: failure[:3],
        )

    def sent(self, output: object) -> None:
        """Note what was sent."""
        if isinstance(output, Verdict):
            self.verdict(output)
        elif isinstance(output, Alert):
            self.alerts[output.model, output.kind, output.severity, output.status] += 1
            self.budgeted[output.model] += output.budgeted and output.revision == 1

    def verdict(self, verdict: Verdict) -> None:
        """Note a verdict."""
        if verdict.type == JOINT:
            return  # it has no figure of one feature
        newest = self.verdicts.setdefault(verdict.model, {})
        newest[verdict.stream, verdict.feature or ""] = verdict
        if verdict.type in ("performance", EVENTS):
            return  # the windows end with the labels', which come later, or with whole hours
        _, end = verdict.window.times
        if self._last_window.get(verdict.model) != end:
            self._last_window[verdict.model] = end
            self.windows[verdict.model] += 1
            self._judged.add(verdict.model)
        if verdict.segment is None and verdict.state != "insufficient":
            self.judged[verdict.model] += self._last_judged.get(verdict.model) != end
            self._last_judged[verdict.model] = end

    def observe_windows(self, seconds: float, clock: Callable[[], int]) -> None:
        """Note how long it took to judge windows, if any were judged since the last look.

        And of each model how old the newest input record was when its verdicts were sent.
        """
        judged, self._judged = self._judged, set()
        if judged:
            self.window_evaluation.observe(seconds)
        for name in judged:
            model = self.plan.config.models.get(name)
            topics = () if model is None else model.predictions  # of a comparison none
            inputs = self.of(InputPartition).items()
            newest = max((i.newest for at, i in inputs if at.topic in topics), default=-1)
            if newest >= EARLIEST:  # else its input is read elsewhere, or its records have no time
                self.end_to_end.observe(max(clock() - newest, 0) / 1000)

    def catching_up(self) -> list[str]:
        """Return what is not ready yet, one sentence each; empty when all is."""
        if self.unopened:
            return [f"{self.unopened} partitions are still to be opened"]
        if self.generation < 0:
            return ["no partitions yet: waiting for the group"]
        return [
            f"{at.topic}[{at.partition}] is read again from {stage.next} to {stage.position}"
            for at, stage in self.stages.items()
            if stage.next < stage.position
        ]
