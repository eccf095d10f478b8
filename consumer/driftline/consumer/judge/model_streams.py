"""What judges the streams of a model against one reference: all of it is built here.

Streams are the whole model and the values of its `segments` tags. When another reference holds,
all are built anew; what goes on is the alerts' lives, what is known of labels and of the number of
events, and evidence where the same is normal as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.acceptances import Acceptances
from driftline.consumer.judge.features.causes import Causes
from driftline.consumer.judge.features.new_fields import NewFields
from driftline.consumer.judge.features.rules import RuleBook
from driftline.consumer.judge.features.stream import StreamJudge
from driftline.consumer.judge.joint.judge import JointJudge, joint_judge
from driftline.consumer.judge.labels.flow import LabelFlow
from driftline.consumer.judge.lives.firing_times import FiringTimes
from driftline.consumer.judge.lives.life import Life, Lives
from driftline.consumer.judge.lives.operational import OperationalAlerts
from driftline.consumer.judge.performance.estimates import EstimateStream
from driftline.consumer.judge.performance.rules import (
    outcomes_of,
    performance_tests,
    watched_metrics,
)
from driftline.consumer.judge.performance.stream import MetricStream
from driftline.consumer.judge.records import RecordWriter
from driftline.consumer.judge.state import JudgeState, PerformanceState
from driftline.consumer.judge.volume import VolumeJudge
from driftline.consumer.judge.windows.track import Track
from driftline.consumer.wire.kinds import ON_THE_WHOLE_MODEL
from driftline.consumer.wire.subject import Subject
from driftline.detectors import few_values
from driftline.detectors.budget import stream_share
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import OTHER, Reference


@dataclass(frozen=True, eq=False)
class Shared:
    """What the streams of a model share, whatever they are compared with.

    Attributes:
        model: its name.
        config: its configuration.
        pane: length of the panes of its events, ms.
        lives: its alerts' lives, which judging moves on.
        firings: which alerts on features fired when.
        track: the windows and panes of its events.
        acceptances: features whose present was accepted as normal.
    """

    model: str
    config: ModelConfig
    pane: int
    lives: Lives
    firings: FiringTimes
    track: Track
    acceptances: Acceptances
    _outcomes: dict[Reference, Outcomes | None] = field(default_factory=dict)

    def outcomes(self, reference: Reference) -> Outcomes | None:
        """Return the outcomes of a reference; None where performance is not watched."""
        if reference not in self._outcomes:
            self._outcomes.clear()  # the one before it is not asked for again
            self._outcomes[reference] = outcomes_of(self.config, reference)
        return self._outcomes[reference]

    def known_outcomes(self, reference: Reference) -> Outcomes:
        """Return them where performance is judged."""
        outcomes = self.outcomes(reference)
        if outcomes is None:
            raise AssertionError("performance is judged where the reference has outcomes alone")
        return outcomes


class ModelStreams:
    """Judges of the streams of a model, of the whole model first.

    Args:
        shared: what they share.
        reference: what the features are compared with; estimated performance with its origin.
        kept: what was kept of each stream.

    Attributes:
        reference: as above.
        writers: of each stream's records.
        causes: what the model's alerts say already.
        features: judge the features of each stream.
        estimates: judge the estimated performance of each; none where it is not watched.
        new_fields: watches for fields that the reference does not list.
        operational: raises the alerts on the model's run.
        volume: judges how many events come; None where nothing does.
        joint: judges whether features belong together; None where nothing does.
    """

    def __init__(self, shared: Shared, reference: Reference, kept: JudgeState) -> None:
        config, lives, model = shared.config, shared.lives, shared.model
        self.reference, self._config = reference, config
        origin = reference.origin or reference
        outcomes = shared.outcomes(origin)
        self.writers = record_writers(model, config, reference)
        for records in self.writers:
            records.accepted = shared.acceptances.features
        rules = rule_books(config, reference, outcomes, shared.pane)
        changes = {each.stream: each for each in kept.changes}
        self.causes = Causes(model, config, reference, lives, segment_streams(config, reference))
        looked_back_at = shared.firings if config.labels is not None else None
        self.features = [
            StreamJudge(
                records, config, reference, rules[records.segment is None], lives, self.causes,
                changes.get(records.segment or ""), looked_back_at,
            )
            for records in self.writers
        ]  # fmt: skip
        self.estimates = [
            EstimateStream(records, config, origin, outcomes, lives)
            for records in record_writers(model, config, origin)
            if outcomes is not None
        ]
        self.new_fields = NewFields(self.writers[0], config, reference, lives)
        self.operational = OperationalAlerts(self.writers[0], config, lives, kept.recent)
        self.volume: VolumeJudge | None = None
        if config.budget is not None and config.window.rows is None:
            self.volume = VolumeJudge(
                self.writers[0], config, reference, shared.pane, rules[True].level, lives,
                shared.track, kept.volume,
            )  # fmt: skip
        writer = self.writers[0]
        self.joint = joint_judge(writer, config, reference, shared.pane, lives, kept.joint)
        self._watched = {
            *map(Subject.feature, rules[True].watched_names),
            *watched_metrics(config, outcomes),
        }

    def keep(self, state: JudgeState) -> None:
        """Put what has to be kept of the whole model alone into a state."""
        if self.volume is not None:
            state.volume = self.volume.state()
        if self.joint is not None:
            state.joint = self.joint.state()

    @property
    def whole(self) -> list[VolumeJudge | JointJudge]:
        """Judges of the whole model alone, beside its features."""
        return [each for each in (self.volume, self.joint) if each is not None]

    @property
    def reach(self) -> int:
        """How far back of the last pane their evidence looks, ms."""
        watches = [stream.changes for stream in self.features]
        watches += [] if self.joint is None else [self.joint.changes]
        return max(watch.reach() for watch in watches)

    def carry(self, old: ModelStreams) -> None:
        """Go on with the evidence of those before them, where the same is normal."""
        before = {stream.name: stream for stream in old.features}
        for stream in self.features:
            if stream.name in before:
                stream.changes.carry(before[stream.name].changes)
        if self.joint is not None and old.joint is not None:
            self.joint.carry(old.joint)

    def watches(self, life: Life) -> bool:
        """Return whether something can resolve an alert: it would fire for ever otherwise."""
        known, volume, config = {each.stream for each in self.writers}, self.volume, self._config
        return (
            (life.stream in known and life.subject in self._watched)
            or (config.budget is not None and self.new_fields.is_mine(life))
            or (volume is not None and volume.judged and life.key == volume.key)
            or (self.joint is not None and life.key == self.joint.key)
            or (life.stream in known and bool(life.features))
            or (life.kind in ON_THE_WHOLE_MODEL and (life.kind != "labels" or bool(config.labels)))
        )


@dataclass(frozen=True, eq=False)
class PerformanceStreams:
    """Judges of the streams' performance by labels, against one reference.

    Attributes:
        reference: what they are compared with.
        metrics: of each stream, of the whole model first.
        flow: watches how labels come.
    """

    reference: Reference
    metrics: Sequence[MetricStream]
    flow: LabelFlow

    @classmethod
    def of(cls, shared: Shared, reference: Reference, kept: PerformanceState) -> Self:
        """Build them.

        Args:
            shared: what the streams share.
            reference: what performance is compared with; it has outcomes.
            kept: what was kept of it.
        """
        config = shared.config
        outcomes = shared.known_outcomes(reference)
        writers = record_writers(shared.model, config, reference)
        rules = rule_books(config, reference, outcomes, shared.pane)
        changes = {each.stream: each for each in kept.changes}
        varied = {each.stream: each for each in kept.variations}
        metrics = [
            MetricStream(
                records, config, reference, outcomes, rules[records.segment is None],
                changes.get(records.segment or ""), varied.get(records.segment or ""),
            )
            for records in writers
        ]  # fmt: skip
        return cls(reference, metrics, LabelFlow(writers[0], config, shared.lives, kept.history))

    @property
    def reach(self) -> int:
        """How far back of the last pane their evidence looks, ms."""
        return max((each.changes.reach() for each in self.metrics if each.changes), default=0)


def record_writers(model: str, config: ModelConfig, reference: Reference) -> list[RecordWriter]:
    """Return the writers of each stream's records, of the whole model first."""
    streams = reference_streams(config, reference)
    return [RecordWriter.of(model, stream, config, reference) for stream in streams]


def rule_books(
    config: ModelConfig, reference: Reference, outcomes: Outcomes | None, pane: int
) -> dict[bool, RuleBook]:
    """Return when the whole model alarms, under True, and when a segment does, under False."""
    streams = reference_streams(config, reference)
    counts = np.stack([reference.counts_of(stream) for stream in streams])
    few = few_values(reference.layout, counts)
    more, parts = performance_tests(config, outcomes), len(streams) - 1
    joint = config.joint is not None
    shares = {
        whole: stream_share(parts, whole=whole, joint=joint)
        for whole in ((True, False) if parts else (True,))
    }
    return {
        whole: RuleBook(config, reference.layout, share, more, few, pane)
        for whole, share in shares.items()
    }


def reference_streams(config: ModelConfig, reference: Reference) -> Sequence[str | None]:
    """Return the streams to count and judge: the model, and the listed values of its tags."""
    segments = segment_streams(config, reference).values()
    wanted = {None, *(segment for each in segments for segment in each)}
    return tuple(stream for stream in reference.streams if stream in wanted)


def segment_streams(config: ModelConfig, reference: Reference) -> dict[str, tuple[str, ...]]:
    """Return the streams of each of the tags whose values are counted apart."""
    known = set(reference.streams)
    return {
        tag: tuple(
            segment
            for value in (*reference.segments[tag], OTHER)
            if (segment := f"{tag}={value}") in known
        )
        for tag in config.tags
    }
