"""What is to be watched: the configuration with its references, as the stages need it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from types import MappingProxyType

from driftline.consumer.config import Config, LabelsConfig
from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.pane import OutcomeModel
from driftline.consumer.join.state import JoinState
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.join.waiting import Room
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.model_streams import reference_streams
from driftline.consumer.judge.performance.rules import outcomes_of
from driftline.consumer.judge.state import JudgedVersion, JudgeState
from driftline.consumer.judge.succession import AppliedJudge
from driftline.consumer.judge.timeline import Timeline
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.account import Account
from driftline.consumer.service.comparing import ComparisonPlan, comparison_key
from driftline.consumer.service.formats import RecordOpener, record_form
from driftline.consumer.service.join_writer import open_writer
from driftline.consumer.service.lives import lives_of
from driftline.consumer.service.stored_references import References, outlines
from driftline.consumer.service.topic_versions import TopicVersions, open_sketch
from driftline.consumer.service.versions import ModelVersion, judging
from driftline.consumer.service.versions import earlier as earlier_of
from driftline.consumer.sketch.blocks import BlockWriter
from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.consumer.sketch.failures import Failures
from driftline.consumer.sketch.join_progress import JoinProgress
from driftline.consumer.sketch.joint_cells import JointCells
from driftline.consumer.sketch.listed import Listed
from driftline.consumer.sketch.open_pane import PaneTimes, SketchModel
from driftline.consumer.sketch.outcome_columns import Answers, EstimateCells
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.sketch.versions import release_names
from driftline.detectors import OTHER
from driftline.detectors.counts import Layout
from driftline.detectors.outcomes import OutcomeLayout, Outcomes
from driftline.detectors.reference import Reference
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)
from driftline.producer.records.formats.schemas import SchemaSource
from driftline.producer.records.mapping import Mapping as FieldMapping


@dataclass(frozen=True)
class Plan:
    """The configuration and the references of its models, by name.

    Attributes:
        config: as above.
        references: as above; where they are `References`, each is read when it is first wanted.
        ordered: whether the inputs are logs, in which later records come later; else each is a set
            of rows, in which nothing is late.
        schemas: where schemas of records are kept; None: nowhere.
        versions: of the models that were applied, by name and time; of others none.
        leaving: topics that were read by a version before the newest until a short time ago.
        own: the deployment's configuration without what was applied; None: the same.
        account: what became of rows and panes in this process.
    """

    config: Config
    references: Mapping[str, Reference]
    ordered: bool = True
    schemas: SchemaSource | None = None
    versions: Mapping[str, Sequence[ModelVersion]] = field(default_factory=dict)
    leaving: frozenset[str] = frozenset()
    own: Config | None = None
    account: Account = field(default_factory=Account)

    def __getstate__(self) -> dict[str, object]:
        """Leave out what was made of it: another process makes its own."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def own_config(self) -> Config:
        """The deployment's configuration without what was applied."""
        return self.config if self.own is None else self.own

    @cached_property
    def outlines(self) -> Mapping[str, Reference]:
        """The references as far as counting needs them; only judges take them whole."""
        return outlines(self.references)

    @cached_property
    def inputs(self) -> frozenset[str]:
        """All input topics: those of predictions, and those of labels."""
        models = self.config.models.values()
        labels = {m.labels.topic for m in models if m.labels is not None}
        return frozenset(t for m in models for t in m.predictions) | labels | self.leaving

    def at(self, versions: Mapping[str, ModelVersion]) -> Plan:
        """Return the plan in which versions of some models hold, by their names."""
        models = {n: m for n, m in self.config.models.items() if n not in versions}
        models |= {n: v.config for n, v in versions.items() if v.config is not None}
        own = {name: version.stored for name, version in versions.items()}
        references = References(own, self.references)
        config = self.config.model_copy(update={"models": dict(sorted(models.items()))})
        return replace(self, config=config, references=references, versions={})

    def without(self, names: Collection[str]) -> Plan:
        """Return the plan without some models."""
        models = {name: m for name, m in self.config.models.items() if name not in names}
        return replace(self, config=self.config.model_copy(update={"models": models}))

    def unlabelled(self, names: Collection[str]) -> Plan:
        """Return the plan in which the labels of some models are not read."""
        known = self.config.models.items()
        models = {
            name: m.model_copy(update={"labels": None}) if name in names else m for name, m in known
        }
        return replace(self, config=self.config.model_copy(update={"models": models}))

    @cached_property
    def labelled(self) -> dict[str, LabelsConfig]:
        """The models whose labels are read, and where from."""
        return {n: m.labels for n, m in sorted(self.config.models.items()) if m.labels is not None}

    @cached_property
    def comparisons(self) -> dict[str, ComparisonPlan]:
        """The comparisons of models that are watched here, by their names in the logs."""
        watched = self.config.models
        return {
            comparison_key(name): ComparisonPlan(
                name, self.config, self.outlines, self.outcome_layout
            )
            for name, comparison in sorted(self.config.comparisons.items())
            if all(side.model in watched for side in comparison.sides)
        }

    @cached_property
    def joined(self) -> tuple[str, ...]:
        """What is joined: the models whose labels are read, and the comparisons."""
        applied = {
            n for n, all_ in self.versions.items() if any(x.labelled for x in lives_of(all_))
        }
        return (*sorted({*self.labelled, *applied}), *self.comparisons)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that are watched, or were removed a short time ago."""
        return tuple(sorted({*self.config.models, *self.versions}))

    def output(self, name: str) -> str:
        """Return the full name of an output topic."""
        return self.config.output.topic(name)

    def models_of(self, topic: str) -> list[str]:
        """Return the models whose events `topic` holds."""
        return sorted(n for n, m in self.config.models.items() if topic in m.predictions)

    def mapping_of(self, topic: str) -> FieldMapping:
        """Return how the records of `topic` are read as events."""
        source = self.config.sources.get(topic)
        return source.mapping if source is not None else FieldMapping.native()

    def opener(self, topic: str) -> RecordOpener:
        """Return what opens the records of `topic`; one for all who read it.

        Raises:
            SchemaError, MissingExtraError: see `RecordOpener`.
        """
        if topic not in self._openers:
            form = record_form(topic, self.config.sources.get(topic))
            most = self.config.limits.max_event_bytes
            self._openers[topic] = RecordOpener(form, self.schemas, most)
        return self._openers[topic]

    @cached_property
    def _openers(self) -> dict[str, RecordOpener]:
        """Those asked for already."""
        return {}

    def sketch(
        self,
        source: TopicPartition,
        partitions: int,
        state: SketchState,
        now: int,
        totals: InputTotals,
        targets: int,
    ) -> PartitionSketch:
        """Return the sketch of an input partition, as of `state`.

        A model of which anything cannot be made fails there, alone.

        Args:
            source: the partition.
            partitions: how many its topic has.
            state: as read from the log.
            now: wall-clock time, ms.
            totals: where to count what became of the records.
            targets: how many partitions the log of joins has.
        """
        return open_sketch(self, source, partitions, state, now, totals, targets)

    @cached_property
    def opened(self) -> dict[str, TopicVersions]:
        """What counts in the partition of each topic that was opened last."""
        return {}

    def decoder(
        self,
        topic: str,
        failures: Failures | None = None,
        mapping: FieldMapping | None = None,
    ) -> Decoder:
        """Return a new decoder of the records of `topic`.

        `failures`: where to note models whose events it cannot read; without it they are raised.
        `mapping`: how records are read; without it as the configuration says.
        """
        schemas = []
        found = Failures()
        for name in self.models_of(topic):
            schema = ModelSchema(name, Layout(()), {})
            with found.guard(name):
                listed, segments = self.listed(name), self.segments(name)
                ids = name in self.labelled
                names = release_names(self.config.models[name].releases, segments)
                schema = ModelSchema(name, listed.layout, segments, ids, listed, releases=names)
            schemas.append(schema)
        limits = self.config.limits
        mapping = mapping or self.mapping_of(topic)
        decoder = Decoder(mapping, schemas, limits.max_ahead, limits.max_event_bytes)
        found.update(decoder.failures)
        found.add_to(failures)
        return decoder

    def writer(
        self,
        topic: str,
        targets: int,
        progress: Mapping[str, JoinProgress],
        now: int,
        failures: Failures | None = None,
        ends: Mapping[str, int | None] = MappingProxyType({}),
    ) -> BlockWriter | None:
        """Return what sends the predictions and labels of `topic` to the join; None: nothing.

        `failures`: models that have failed already, and
        where to note those that it cannot write of; without it they are raised. `ends`: when lives
        of applied models are over, ms.
        """
        return open_writer(self, topic, targets, progress, now, failures, ends)

    def segments(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the tags that a model is watched by, each with the values counted apart."""
        listed = self.outlines[name].segments
        return {tag: listed[tag] for tag in self.config.models[name].tags}

    def join(self, name: str, partition: int, partitions: int, state: JoinState) -> ModelJoin:
        """Return what joins in one partition of the log of joins, as of `state`: see `joined`."""
        if name in self.comparisons:
            totals = self.join_tallies[name]
            return self.comparisons[name].join(partition, partitions, state, totals)
        if name in self.versions:
            life = next(x for x in lives_of(self.versions[name]) if x.first == (state.life or 0))
            present, until = life.joining(state)
            join = self.at({name: present or life.labelled[-1]}).join(
                name, partition, partitions, state
            )
            join.begun, join.until = life.first, until
            return join
        config, labels, limits = self.config.models[name], self.labelled[name], self.config.limits
        return ModelJoin(
            self._outcome_model(name),
            tuple(dict.fromkeys((*config.predictions, labels.topic))),
            Room.within(
                limits.max_waiting // partitions,
                limits.max_waiting_bytes // partitions,
                len(config.tags),
            ),
            partition,
            partitions,
            state,
            self.join_tallies[name],
        )

    def outcome_layout(self, name: str) -> OutcomeLayout:
        """Return what is counted of a model's predictions and labels."""
        outcomes = self.outcomes(name)
        if outcomes is None:
            raise ReferenceError(
                f"the reference of {name} was built without ground truth, so its labels have "
                "nothing to be compared with: map actual and build it again"
            )
        return outcomes.layout

    def outcomes(self, name: str) -> Outcomes | None:
        """Return how well a model did on its reference; None where performance is not watched."""
        if name not in self._outcomes:
            self._outcomes[name] = outcomes_of(self.config.models[name], self.outlines[name])
        return self._outcomes[name]

    @cached_property
    def _outcomes(self) -> dict[str, Outcomes | None]:
        """Those asked for already."""
        return {}

    @cached_property
    def join_tallies(self) -> dict[str, JoinTotals]:
        """What became of the rows of each model and comparison, in this process."""
        return {name: self.account.joins[name] for name in self.joined}

    @cached_property
    def passed_over(self) -> dict[str, Counter[str]]:
        """Events of each model that are in no verdict, by reason, in this process."""
        return {name: self.account.passed_over[name] for name in self.config.models}

    def _outcome_model(self, name: str) -> OutcomeModel:
        config, reference = self.config.models[name], self.outlines[name]
        return OutcomeModel(
            name=name,
            layout_id=reference.layout_id,
            layout=self.outcome_layout(name),
            streams=tuple(reference_streams(config, reference)),
            segments=self.segments(name),
            every=config.window.every,  # labels come too late for shorter panes to tell more
            labels=self.labelled[name],
        )

    def judge(
        self,
        name: str,
        state: JudgeState,
        kind: type[ModelJudge] = ModelJudge,
        earlier: Reference | None = None,
    ) -> ModelJudge:
        """Return the judge of a model, as of `state`.

        `earlier`: the reference of a version before it that may hold until its own does.
        """
        versions = self.versions.get(name, ())
        if versions:
            known = state.version or None
            version = judging(versions, known and known.version)
            state.version = known or JudgedVersion(version.change.version)
            stored = earlier_of(versions, state.version)
            before = None if stored is None else stored.whole()
            return self.at({name: version}).judge(name, state, AppliedJudge, before)
        config, reference = self.config.models[name], self.references[name]
        pane, references = config.window.pane_for(reference.dispersion), Timeline(reference)
        if earlier is not None and state.version and state.version.before:
            alike = earlier.layout_id == reference.layout_id
            if alike and config.window.pane_for(earlier.dispersion) == pane:
                references = Timeline(earlier)
                references.add(state.version.before[1], reference)
        return kind(name, config, references, pane, state, self.passed_over[name])

    def pane(self, name: str) -> int:
        """Return the length of a pane of a model's events, ms."""
        return self.config.models[name].window.pane_for(self.outlines[name].dispersion)

    @cached_property
    def longest_window(self) -> int:
        """The longest window of any model, ms."""
        return max((m.window.length for m in self.config.models.values()), default=0)

    def sketch_model(self, name: str) -> SketchModel:
        """Return what sketch needs to know of a model."""
        config, reference = self.config.models[name], self.outlines[name]
        streams, window = tuple(reference_streams(config, reference)), config.window
        return SketchModel(
            name=name,
            layout_id=reference.layout_id,
            listed=self.listed(name),
            streams=streams,
            segments={
                tag: streams.index(f"{tag}={(*values, OTHER)[0]}")
                for tag, values in self.segments(name).items()
            },
            times=PaneTimes(
                self.pane(name), window.every, window.grace, config.stale_after, self.ordered
            ),
            estimates=self._estimate_cells(name),
            joint=JointCells.of(config, reference),
        )

    def listed(self, name: str) -> Listed:
        """Return what the reference knows of the events."""
        return Listed.of(self.config.models[name], self.outlines[name].layout)

    def _estimate_cells(self, name: str) -> EstimateCells | None:
        outcomes = self.outcomes(name)
        if outcomes is None or outcomes.calibration is None:
            return None
        layout, own = self.outlines[name].layout, outcomes.layout
        return EstimateCells(Answers(layout, own.classes), own)
